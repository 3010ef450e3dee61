"""What a laid-out plan knows of its gaps is what driving the routes would show."""

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.gaps import cheapest
from apps.routes.solver.growing import grow
from apps.routes.solver.insertion import Arrays, price_insertions
from apps.routes.solver.live import LivePlan
from apps.routes.solver.offers import with_instead
from apps.routes.solver.port import Stop
from apps.routes.solver.problem import Problem
from apps.routes.solver.repair import RepairSolver
from apps.routes.solver.routestate import NEVER, build_route
from apps.routes.solver.schedule import _Run, forward
from apps.routes.solver.vacancies import Vacancies
from apps.routes.solver.view import View
from tests.routes.solver.instances import random_problem

SEEDS = st.integers(0, 100_000)


def lay_out(problem: Problem) -> LivePlan:
    plan = RepairSolver().solve(problem, stop=Stop(), seed=0)
    return LivePlan(problem, plan)


def without_place(live: LivePlan) -> list[int]:
    """Return the loose jobs that fit nowhere as it is: the others need no exchange."""
    return [
        job
        for job in live.loose
        if all(cheapest(live.view, places, job) == NEVER for places in live.places)
    ]


def plain_problem(seed: int) -> Problem:
    """Leave out of a mixed problem what gaps are only estimates for."""
    problem = random_problem(seed, job_count=14)
    return replace(
        problem,
        jobs=tuple(
            replace(one, soft_windows=(), release_s=None) for one in problem.jobs
        ),
        vehicles=tuple(replace(one, breaks=()) for one in problem.vehicles),
    )


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_forward_without_breaks_is_the_same_pass(seed: int) -> None:
    problem = plain_problem(seed)
    view, random = View(problem), Random(seed)  # noqa: S311
    for number, car in enumerate(view.cars):
        free = [job for job in range(len(view.jobs)) if job not in view.locked_by]
        sequence = (*car.locked, *random.sample(free, random.randint(0, 4)))
        depart_s = random.choice([None, car.vehicle.start_s + 1800])
        general = _Run(view, number, sequence, ()).times(depart_s)
        assert forward(view, number, sequence, (), depart_s) == general


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_cheapest_is_what_arrays_of_gaps_say(seed: int) -> None:
    problem = random_problem(seed, job_count=14)
    problem = replace(
        problem, jobs=tuple(replace(one, soft_windows=()) for one in problem.jobs)
    )
    live = lay_out(problem)
    arrays = Arrays(live.view)
    for route, places in zip(live.routes, live.places, strict=True):
        for job in range(len(live.view.jobs)):
            waits = live.view.releases_s[job] > route.times.departure_s
            if job not in route.sequence and not waits:
                costs, _ = price_insertions(arrays, route, np.array([job]))
                assert cheapest(live.view, places, job) == costs[0]


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_offers_are_the_exchanges_that_can_be_driven(seed: int) -> None:
    live = lay_out(plain_problem(seed))
    vacancies = Vacancies(live)
    for job in without_place(live):
        offered = {(one.number, one.out, one.leg) for one in vacancies.offers(job)}
        drivable = {
            (route.number, out, leg)
            for route in live.routes
            for out in range(
                len(live.view.cars[route.number].locked), len(route.sequence)
            )
            for leg in range(
                len(live.view.cars[route.number].locked), len(route.sequence) + 1
            )
            if leg != out + 1
            and live.view.may_serve[route.number][job]
            and build_route(
                live.view,
                route.number,
                with_instead(route.sequence, out, job, leg),
            )
        }
        assert offered == drivable


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_shifting_gives_all_shifts_that_can_be_driven(seed: int) -> None:
    live = lay_out(plain_problem(seed))
    vacancies = Vacancies(live)
    for job in without_place(live):
        for offer in vacancies.offers(job):
            sequence = live.routes[offer.number].sequence
            moved = sequence[offer.out]
            seated = with_instead(sequence, offer.out, job, offer.leg)
            first = len(live.view.cars[offer.number].locked)
            drivable = {
                longer
                for leg in range(first, len(seated) + 1)
                for longer in [(*seated[:leg], moved, *seated[leg:])]
                if build_route(live.view, offer.number, longer)
            }
            shifting = vacancies.shifting(offer.number, offer.out)
            found = (
                set(shifting.with_job(live.view, job, offer.leg)) if shifting else set()
            )
            room = live.places[offer.number].room
            demands = live.view.jobs[job].demands
            if all(one <= left for one, left in zip(demands, room, strict=True)):
                assert found == drivable


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_grow_compiles_what_a_whole_view_would(seed: int) -> None:
    problem = random_problem(seed)
    locked = {job_id for one in problem.vehicles for job_id in one.locked}
    known = [one for one in problem.jobs if one.id in locked]
    free = [one for one in problem.jobs if one.id not in locked]
    before = replace(problem, jobs=(*known, *free[:-3]))
    grown = grow(View(before), free[-3:], ())
    whole = View(replace(problem, jobs=(*known, *free)))
    for name in (
        "locations",
        "windows",
        "has_several_windows",
        "releases_s",
        "softs",
        "soft_pieces",
        "has_softs",
        "previous",
        "job_index",
        "may_serve",
    ):
        assert getattr(grown, name) == getattr(whole, name), name
    assert [car.services_s for car in grown.cars] == [
        car.services_s for car in whole.cars
    ]
