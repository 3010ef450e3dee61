"""The judge is judged: a sound plan passes, and each code has a plan it is said of."""

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver import judging, weighing
from apps.routes.solver import validate as judge
from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import Stop
from apps.routes.solver.problem import (
    UNREACHABLE,
    Break,
    Objective,
    Problem,
    TimeWindow,
)
from apps.routes.solver.solution import (
    PlacedBreak,
    Reason,
    RoutePlan,
    Solution,
    Unserved,
)
from apps.routes.solver.validate import validate
from tests.routes.solver.instances import job, line_problem, random_problem, van
from tests.routes.solver.test_trips import TRIP_MUTATIONS

REST = Break(earliest_s=150, latest_s=300, duration_s=300)
PROBLEM = line_problem(
    jobs=(
        job("a", 1, demands=(2,), previous_vehicle="two"),
        job("b", 2, demands=(2,), windows=(TimeWindow(start_s=0, end_s=4000),)),
        job("c", 3, demands=(9,)),
    ),
    vehicles=(
        van("one", breaks=(REST,), capacities=(4,), locked=("a",)),
        van("two", capacities=(4,), capabilities=("fridge",)),
    ),
    dimensions=("pieces",),
    objective=Objective(disruption_milli=500),
)


def plan(problem: Problem = PROBLEM) -> Solution:
    return GreedySolver().solve(problem, stop=Stop(solutions=5), seed=1)


SOUND = plan()
ROUTE = SOUND.routes[0]
A, B = ROUTE.visits
REST_TAKEN = ROUTE.breaks[0]


def codes(problem: Problem, solution: Solution) -> set[str]:
    return {violation.code for violation in validate(problem, solution)}


def with_route(**change: Any) -> Solution:
    return replace(SOUND, routes=(replace(ROUTE, **change), *SOUND.routes[1:]))


def with_job(number: int, **change: Any) -> Problem:
    jobs = list(PROBLEM.jobs)
    jobs[number] = replace(jobs[number], **change)
    return replace(PROBLEM, jobs=tuple(jobs))


def with_van(**change: Any) -> Problem:
    first, *others = PROBLEM.vehicles
    return replace(PROBLEM, vehicles=(replace(first, **change), *others))


def moved(taken: PlacedBreak, **change: Any) -> Solution:
    return with_route(breaks=(replace(taken, **change),))


def without_way() -> Problem:
    matrix = PROBLEM.matrices[0]
    rows = matrix.durations_s.copy()
    rows[1][2] = UNREACHABLE
    cut = replace(matrix, durations_s=rows)
    return replace(PROBLEM, matrices=(cut,))


def test_validate_accepts_a_sound_plan() -> None:
    assert [visit.job_id for visit in ROUTE.visits] == ["a", "b"]
    assert SOUND.unserved == (Unserved(job_id="c", reason=Reason.EXCEEDS_CAPACITY),)
    assert SOUND.cost.disruption_milli == 500
    assert validate(PROBLEM, SOUND) == ()


Mutation = Callable[[], tuple[Problem, Solution]]
MUTATIONS: dict[str, Mutation] = {
    "unknown_vehicle": lambda: (PROBLEM, with_route(vehicle_id="ghost")),
    "unknown_job": lambda: (
        PROBLEM,
        with_route(visits=(A, replace(B, job_id="ghost"))),
    ),
    "vehicle_repeated": lambda: (
        PROBLEM,
        replace(SOUND, routes=(ROUTE, ROUTE)),
    ),
    "job_repeated": lambda: (PROBLEM, with_route(visits=(A, B, B))),
    "job_served_and_left": lambda: (
        PROBLEM,
        replace(
            SOUND,
            unserved=(*SOUND.unserved, Unserved(job_id="b", reason=Reason.NO_ROOM)),
        ),
    ),
    "job_forgotten": lambda: (PROBLEM, replace(SOUND, unserved=())),
    "locked_moved": lambda: (with_van(locked=("b",)), SOUND),
    "cost_misstated": lambda: (
        PROBLEM,
        replace(SOUND, cost=replace(SOUND.cost, disruption_milli=0)),
    ),
    "route_empty": lambda: (PROBLEM, with_route(visits=())),
    "capability_missing": lambda: (
        with_job(1, required_capabilities=("fridge",)),
        SOUND,
    ),
    "vehicle_not_allowed": lambda: (with_job(1, allowed_vehicles=("two",)), SOUND),
    "pin_broken": lambda: (with_job(1, pinned_vehicle="two"), SOUND),
    "capacity_exceeded": lambda: (with_van(initial_load=(1,)), SOUND),
    "service_wrong": lambda: (with_job(1, service_s=61), SOUND),
    "wait_misstated": lambda: (
        PROBLEM,
        with_route(visits=(A, replace(B, wait_s=B.wait_s + 1))),
    ),
    "window_missed": lambda: (
        with_job(1, windows=(TimeWindow(start_s=0, end_s=B.start_s),)),
        SOUND,
    ),
    "left_before_release": lambda: (with_job(1, release_s=1), SOUND),
    "unreachable": lambda: (without_way(), SOUND),
    "travel_wrong": lambda: (with_van(travel_percent=101), SOUND),
    "break_overlaps": lambda: (
        PROBLEM,
        moved(
            REST_TAKEN,
            start_s=REST_TAKEN.start_s - 1,
            end_s=REST_TAKEN.end_s - 1,
        ),
    ),
    "shift_started_early": lambda: (with_van(start_s=1), SOUND),
    "committed_departure_moved": lambda: (with_van(start_s=-1), SOUND),
    "departure_put_off": lambda: (
        with_van(start_s=-1, locked=(), leaves_at_once=True),
        SOUND,
    ),
    "shift_overrun": lambda: (with_van(end_s=ROUTE.end_s - 1), SOUND),
    "break_unknown": lambda: (PROBLEM, moved(REST_TAKEN, break_index=1)),
    "break_wrong_length": lambda: (
        PROBLEM,
        moved(REST_TAKEN, end_s=REST_TAKEN.end_s - 1),
    ),
    "break_outside_window": lambda: (
        with_van(
            breaks=(replace(REST, earliest_s=9000, latest_s=9001),),
        ),
        SOUND,
    ),
    "break_missing": lambda: (PROBLEM, with_route(breaks=())),
    "figure_misstated": lambda: (
        PROBLEM,
        with_route(distance_m=ROUTE.distance_m + 1),
    ),
    "route_cost_misstated": lambda: (with_van(cost_per_m_milli=26), SOUND),
}

OF_PARTS = {"route_without_roads"}
"""What only a day planned in parts can be guilty of; its own tests have the mutation."""


@pytest.mark.parametrize("code", MUTATIONS)
def test_validate_names_what_is_wrong(code: str) -> None:
    problem, solution = MUTATIONS[code]()

    assert code in codes(problem, solution)


def test_validate_has_a_mutation_for_every_code() -> None:
    said = {
        code
        for module in (judging, judge, weighing)
        for code in re.findall(
            r'(?:_fault|Violation)\(\s*"(\w+)"', inspect.getsource(module)
        )
    }

    assert said - OF_PARTS == set(MUTATIONS) | set(TRIP_MUTATIONS)


@pytest.mark.parametrize(
    ("start_s", "wrong"), [(300, set()), (301, {"break_outside_window"})]
)
def test_validate_keeps_a_break_to_its_last_start(
    start_s: int, wrong: set[str]
) -> None:
    free = replace(PROBLEM.vehicles[0], locked=())
    problem = replace(PROBLEM, vehicles=(free, PROBLEM.vehicles[1]))
    visits, ends_s = _shifted(ROUTE, start_s)

    solution = with_route(
        visits=visits,
        breaks=(replace(REST_TAKEN, start_s=start_s, end_s=start_s + 300),),
        **ends_s,
    )

    assert (codes(problem, solution) & {"break_outside_window"}) == wrong
    assert "break_overlaps" not in codes(problem, solution)


def _shifted(route: RoutePlan, rest_s: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Move all after the rest to begin with it."""
    delta_s = rest_s - REST_TAKEN.start_s
    later = replace(
        B,
        arrival_s=B.arrival_s + delta_s,
        start_s=B.start_s + delta_s,
        departure_s=B.departure_s + delta_s,
    )
    return (A, later), {"end_s": route.end_s + delta_s}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), data=st.data())
def test_validate_catches_a_visit_moved_by_seconds(
    seed: int, data: st.DataObject
) -> None:
    problem = random_problem(seed)
    solution = plan(problem)
    visits = [
        (number, order)
        for number, route in enumerate(solution.routes)
        for order in range(len(route.visits))
    ]
    if not visits:
        assert len(solution.unserved) == len(problem.jobs)
        return
    number, order = data.draw(st.sampled_from(visits))
    shift_s = data.draw(st.integers(1, 900))
    route = solution.routes[number]
    visit = route.visits[order]
    earlier = replace(
        visit,
        arrival_s=visit.arrival_s - shift_s,
        start_s=visit.start_s - shift_s,
        departure_s=visit.departure_s - shift_s,
    )
    changed = replace(
        route, visits=(*route.visits[:order], earlier, *route.visits[order + 1 :])
    )
    routes = list(solution.routes)
    routes[number] = changed

    assert "travel_wrong" in codes(problem, replace(solution, routes=tuple(routes)))


def test_validate_lets_commitments_alone_overrun() -> None:
    late = van(start_s=9_500, end_s=9_600, locked=("a",))
    missed = job("a", 3, windows=(TimeWindow(start_s=0, end_s=10),))
    problem = line_problem(jobs=(missed,), vehicles=(late,))

    assert validate(problem, plan(problem)) == ()
    assert plan(problem).routes[0].overtime_s > 0


def test_validate_asks_no_break_of_a_route_that_is_over() -> None:
    early = van(breaks=(Break(earliest_s=0, latest_s=260, duration_s=300),))
    problem = line_problem(jobs=(job("a", 1),), vehicles=(early,))

    solution = plan(problem)

    assert solution.routes[0].breaks == ()
    assert validate(problem, solution) == ()
