from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.merging import NOTHING, piece_of
from apps.routes.solver.problem import Matrix, Problem
from apps.routes.solver.seams import Seams
from apps.routes.solver.solution import Solution
from apps.routes.solver.splitting import Part, able_cars, split
from tests.routes.solver.instances import composed_day
from tests.routes.solver.rich import rich_problem
from tests.routes.solver.sequences import plan_of

SEEDS = st.integers(min_value=0, max_value=10_000)


def places_of(problem: Problem, seed: int = 3) -> Any:
    """Lay a problem's locations on a plane; where does not matter to what must hold."""
    return np.random.default_rng(seed).uniform(0, 6000, (problem.location_count, 2))


def composed_places(problem: Problem) -> Any:
    """Give the places of `composed_day`, which draws them first."""
    random = Random(1)  # noqa: S311 (the instance's own)
    return np.array(
        [(6000, 6000)]
        + [
            (random.randint(0, 12_000), random.randint(0, 12_000))
            for _ in range(problem.location_count - 1)
        ],
        dtype=np.float64,
    )


def dense(problem: Problem) -> Any:
    """Give parts of the whole day's matrices."""

    def some(locations: Any) -> tuple[Matrix, ...]:
        at = np.ix_(locations, locations)
        return tuple(
            Matrix(durations_s=one.durations_s[at], distances_m=one.distances_m[at])
            for one in problem.matrices
        )

    return some


@given(seed=SEEDS, most=st.integers(min_value=1, max_value=12))
@settings(max_examples=60, deadline=None)
def test_split_puts_every_job_and_car_in_one_part(seed: int, most: int) -> None:
    problem = rich_problem(seed, 30, 6)
    parts = split(problem, places_of(problem), jobs_a_part=most)
    cars = sorted(car for part in parts for car in part.vehicles)
    jobs = sorted(job for part in parts for job in part.jobs)
    assert cars == list(range(6))
    assert jobs == list(range(30))


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_split_keeps_jobs_with_the_cars_that_may_serve_them(seed: int) -> None:
    problem = rich_problem(seed, 30, 6, shipments=False)
    parts = split(problem, places_of(problem), jobs_a_part=5)
    able = able_cars(problem)
    for part in parts:
        for job in part.jobs:
            assert able[list(part.vehicles), job].any() or not able[:, job].any()
    part_of = {car: part for part in parts for car in part.vehicles}
    names = {job.id: number for number, job in enumerate(problem.jobs)}
    for number, car in enumerate(problem.vehicles):
        assert {names[job] for job in car.locked} <= {*part_of[number].jobs}


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_split_parts_no_shipment(seed: int) -> None:
    problem = rich_problem(seed, 30, 6)
    parts = split(problem, places_of(problem), jobs_a_part=5)
    home = {
        problem.jobs[job].id: number
        for number, part in enumerate(parts)
        for job in part.jobs
    }
    for one in problem.shipments:
        assert home[one.pickup_job] == home[one.delivery_job]


def test_split_gives_parts_like_work_and_neighbours() -> None:
    problem = composed_day(400, 12)
    places = composed_places(problem)
    parts = split(problem, places, jobs_a_part=100)
    assert len(parts) == 4
    assert {len(part.vehicles) for part in parts} == {3}
    # Jobs with a need of their own go where it can be met, wherever they lie.
    plain = [
        [job for job in part.jobs if not problem.jobs[job].required_capabilities]
        for part in parts
    ]
    assert all(70 <= len(jobs) <= 130 for jobs in plain)
    spread = [places[[job + 1 for job in jobs]].std(axis=0).mean() for jobs in plain]
    assert np.mean(spread) < 0.75 * places.std(axis=0).mean()


def test_split_shares_jobs_out_among_depots() -> None:
    problem = composed_day(200, 8)
    places = composed_places(problem)
    places[:, 0] += np.where(np.arange(len(places)) % 2, 100_000, 0)
    far = tuple(
        replace(car, start_location=1, end_location=1) if number % 2 else car
        for number, car in enumerate(problem.vehicles)
    )
    jobs = tuple(replace(job, required_capabilities=()) for job in problem.jobs)
    problem = replace(problem, vehicles=far, jobs=jobs)
    for part in split(problem, places, jobs_a_part=60):
        sides = {job % 2 for job in part.jobs}
        cars = {car % 2 for car in part.vehicles}
        assert len(cars) == 1
        # Location number + 1 is odd where the job's own number is even.
        assert sides == {1 - next(iter(cars))}


def test_split_leaves_a_small_day_whole() -> None:
    problem = composed_day(20, 2)
    whole = Part((0, 1), tuple(range(20)))
    assert split(problem, composed_places(problem)) == (whole,)


def test_split_of_a_running_day_keeps_jobs_with_their_drivers() -> None:
    problem = composed_day(200, 8)
    places = composed_places(problem)
    east = np.argsort(places[1:, 0])
    driver = {int(job): f"van-{rank // 25:02}" for rank, job in enumerate(east)}
    jobs = tuple(
        replace(job, previous_vehicle=driver[number], required_capabilities=())
        for number, job in enumerate(problem.jobs)
    )
    problem = replace(problem, jobs=jobs)
    parts = split(problem, places, jobs_a_part=60)
    assert len(parts) == 4
    for part in parts:
        drivers = {problem.vehicles[car].id for car in part.vehicles}
        assert {driver[job] for job in part.jobs} == drivers


def round_robin(problem: Problem) -> Solution:
    names = [job.id for job in problem.jobs]
    cars = [car.id for car in problem.vehicles]
    return plan_of({car: names[number :: len(cars)] for number, car in enumerate(cars)})


def test_seams_join_cars_that_have_not_met_and_share_none() -> None:
    problem = composed_day(160, 8)
    places = composed_places(problem)
    parts = [Part((car,), tuple(range(car, 160, 8))) for car in range(8)]
    every = Part(tuple(range(8)), tuple(range(160)))
    piece = piece_of(problem, every, dense(problem))
    whole = NOTHING.with_answer(piece, round_robin(problem))
    seams = Seams(problem, places, parts, 60)
    met = {frozenset([car]) for car in range(8)}
    for _ in range(4):
        groups = seams.next_round(whole)
        cars = [car for group in groups for car in group.vehicles]
        assert len(cars) == len({*cars})
        for group in groups:
            assert len(group.jobs) <= 60
            assert {job % 8 for job in group.jobs} == {*group.vehicles}
            pairs = {
                frozenset([a, b])
                for a in group.vehicles
                for b in group.vehicles
                if a != b
            }
            assert pairs - met
            met |= pairs
    assert len(met) > 16


def test_seams_end_when_all_have_met() -> None:
    problem = composed_day(40, 2)
    every = Part((0, 1), tuple(range(40)))
    piece = piece_of(problem, every, dense(problem))
    whole = NOTHING.with_answer(piece, round_robin(problem))
    seams = Seams(problem, composed_places(problem), [every], 60)
    assert seams.next_round(whole) == []
