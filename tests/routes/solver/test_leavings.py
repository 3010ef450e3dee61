"""A route without one of its stops: what is reckoned around it against driving it all."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.gaps import latest_arrivals_s
from apps.routes.solver.leavings import Leavings
from apps.routes.solver.live import LivePlan
from apps.routes.solver.port import Stop
from apps.routes.solver.problem import Problem
from apps.routes.solver.repair import RepairSolver
from apps.routes.solver.view import View
from tests.routes.solver.instances import random_problem

SEEDS = st.integers(0, 100_000)


def plain_day(seed: int, windows: int) -> Problem:
    """Compose a day of few cars without breaks; each job has at most so many windows."""
    problem = random_problem(seed, job_count=16)
    return replace(
        problem,
        jobs=tuple(
            replace(one, windows=one.windows[:windows], soft_windows=(), release_s=None)
            for one in problem.jobs
        ),
        vehicles=tuple(replace(one, breaks=()) for one in problem.vehicles),
    )


def lay_out(problem: Problem) -> LivePlan:
    return LivePlan(problem, RepairSolver().solve(problem, stop=Stop(), seed=0))


def driven_on_s(view: View, number: int, rest: list[int], ready_s: int) -> list[int]:
    """Say when a car is done at each stop, from when it is done with its commitments."""
    car = view.cars[number]
    place = view.locations[car.locked[-1]] if car.locked else car.vehicle.start_location
    done_s = [ready_s]
    for stop in rest:
        ready_s += car.durations_s[place][view.locations[stop]]
        start_s = view.next_start_s(stop, ready_s)
        ready_s = (ready_s if start_s is None else start_s) + car.services_s[stop]
        place = view.locations[stop]
        done_s.append(ready_s)
    return done_s


@pytest.mark.parametrize("windows", [1, 3])
@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_times_around_a_stop_that_leaves_are_those_of_the_route_without_it(
    windows: int, seed: int
) -> None:
    live = lay_out(plain_day(seed, windows))
    view = live.view
    for route in live.routes:
        car, first = view.cars[route.number], len(view.cars[route.number].locked)
        leavings = live.leavings(route.number)
        for out, one in enumerate(leavings.all):
            without = (*route.sequence[: first + out], *route.sequence[one.leg + 1 :])
            done_s = driven_on_s(
                view, route.number, [*without[first:]], leavings.ready_s[0]
            )
            latest_s = latest_arrivals_s(view, car, without)[first:]
            # The gap behind the stop is the one before it: neither has it in between.
            assert one.ready_s == [*done_s[: out + 1], done_s[out], *done_s[out + 1 :]]
            assert one.latest_s == [*latest_s[: out + 1], *latest_s[out:]]


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_only_gaps_from_low_to_high_are_others(seed: int) -> None:
    live = lay_out(plain_day(seed, 1))
    for route in live.routes:
        leavings = live.leavings(route.number)
        for one in leavings.all:
            for place in [*range(one.low), *range(one.high, len(leavings.gaps))]:
                assert one.ready_s[place] == leavings.ready_s[place]
                assert one.latest_s[place] == leavings.latest_s[place]
            assert one.low <= one.place < one.place + 1 < one.high


def test_a_changed_route_opens_up_anew() -> None:
    days = (lay_out(plain_day(seed, 1)) for seed in range(50))
    live, number = next(
        (live, route.number)
        for live in days
        for route in live.routes
        if len(route.sequence) > len(live.view.cars[route.number].locked) + 1
    )
    before = live.leavings(number)
    assert live.leavings(number) is before

    shorter = live.routes[number].sequence[:-1]
    assert live.try_sequence(number, shorter)

    after = live.leavings(number)
    assert isinstance(after, Leavings)
    assert after.sequence == shorter
    assert len(after.all) == len(before.all) - 1
