"""Both engines on the same problems: sound, complete, and repeatable."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver import ortools_solver
from apps.routes.solver.codec import (
    SolveRequest,
    decode_solution,
    encode_request,
)
from apps.routes.solver.port import Progress, Stop, engine_names, open_engine
from apps.routes.solver.problem import (
    UNREACHABLE,
    Break,
    InvalidProblem,
    Objective,
    Problem,
    TimeWindow,
)
from apps.routes.solver.solution import Reason, Solution, StoppedBy, Visit
from apps.routes.solver.validate import validate
from tests.routes.solver.instances import (
    SOLOMON,
    composed_day,
    job,
    line_problem,
    random_problem,
    solomon,
    van,
)

ROOT = Path(__file__).parents[3]
ENGINES = pytest.mark.parametrize("engine", engine_names())
FRESH = """
import sys
from apps.routes.solver.codec import decode_request, encode_solution
from apps.routes.solver.port import open_engine
request = decode_request(sys.stdin.buffer.read())
solution = open_engine(request.engine).solve(
    request.problem, stop=request.stop, seed=request.seed
)
sys.stdout.buffer.write(encode_solution(solution))
"""


@pytest.fixture(autouse=True, scope="module")
def _brief_opening() -> Iterator[None]:
    """Let OR-Tools search from a poor plan, so that what it finds is what is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ortools_solver, "OPENING_ROUNDS", 3)
        yield


def solve(
    engine: str, problem: Problem, *, solutions: int | None = 60, seconds: int = 20
) -> Solution:
    stop = Stop(solutions=solutions, time_limit_s=seconds)
    solution = open_engine(engine).solve(problem, stop=stop, seed=7)
    assert validate(problem, solution) == ()
    return solution


def served(solution: Solution) -> dict[str, list[str]]:
    return {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in solution.routes
    }


def visit_of(solution: Solution, job_id: str) -> Visit:
    return next(
        visit
        for route in solution.routes
        for visit in route.visits
        if visit.job_id == job_id
    )


def window(start_s: int, end_s: int) -> TimeWindow:
    return TimeWindow(start_s=start_s, end_s=end_s)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1_000_000), jobs=st.integers(0, 16), cars=st.integers(0, 4))
def test_greedy_is_sound_on_any_problem(seed: int, jobs: int, cars: int) -> None:
    problem = random_problem(seed, jobs, cars)

    solution = solve("greedy", problem, solutions=20)

    assert solution.stopped_by in (StoppedBy.SOLUTIONS, StoppedBy.EXHAUSTED)


@settings(max_examples=18, deadline=None)
@given(seed=st.integers(0, 1_000_000), jobs=st.integers(0, 12), cars=st.integers(0, 3))
def test_ortools_is_sound_on_any_problem(seed: int, jobs: int, cars: int) -> None:
    problem = random_problem(seed, jobs, cars)

    solution = solve("ortools", problem, solutions=40)

    assert solution.stopped_by is not StoppedBy.TIME


@pytest.mark.parametrize("engine", ["ortools", "greedy"])
def test_nothing_is_put_in_at_the_end_that_costs_more_than_it_is_worth(
    engine: str,
) -> None:
    """A job whose insertion seemed cheap let a route wait for an hour: 4531 did."""
    problem = random_problem(4531, 10, 2)

    solution = solve(engine, problem, solutions=400)

    assert solution.cost.total_milli <= solution.trace[-1].cost_milli


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_ortools_searches_by_the_cost_that_is_stated(seed: int) -> None:
    """The trace is what OR-Tools believes, the cost what the plan really takes."""
    problem = random_problem(seed, 10, 2)

    solution = solve("ortools", problem, solutions=40)

    assert solution.cost.total_milli <= solution.trace[0].cost_milli
    assert solution.trace == tuple(
        sorted(solution.trace, key=lambda step: -step.cost_milli)
    )


@ENGINES
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_solve_repairs_a_plan_for_a_changed_day(engine: str, seed: int) -> None:
    problem = random_problem(seed)
    before = open_engine("greedy").solve(problem, stop=Stop(solutions=5), seed=1)
    kept = [one for one in problem.jobs if one.id != "j1"]
    gone = {"j1"} & {one for car in problem.vehicles for one in car.locked}
    added = job("new", kept[0].location, demands=(1, 1))
    changed = replace(
        problem,
        jobs=(*kept, added),
        vehicles=tuple(
            replace(car, locked=tuple(one for one in car.locked if one not in gone))
            for car in problem.vehicles
        ),
    )

    stop = Stop(solutions=30)
    after = open_engine(engine).solve(changed, stop=stop, seed=1, warm_start=before)

    assert validate(changed, after) == ()


@ENGINES
def test_solve_repeats_itself_in_a_fresh_process(engine: str) -> None:
    problem = random_problem(11, 25, 3)
    stop = Stop(solutions=700, time_limit_s=60)
    request = SolveRequest(problem=problem, engine=engine, stop=stop, seed=7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ortools_solver, "OPENING_ROUNDS", 600)
        here = open_engine(engine).solve(problem, stop=stop, seed=7)

    there = subprocess.run(
        [sys.executable, "-c", FRESH],
        input=encode_request(request),
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
    )

    assert decode_solution(there.stdout) == here
    assert here.solutions == 700
    assert here.stopped_by is StoppedBy.SOLUTIONS


@ENGINES
def test_solve_repeats_a_search_that_time_stopped(engine: str) -> None:
    problem = composed_day(60, 3)
    # More rounds than a second holds, so that only the clock can end the search.
    cut = solve(engine, problem, solutions=100_000, seconds=1)

    again = solve(engine, problem, solutions=cut.solutions, seconds=120)

    assert cut.stopped_by is StoppedBy.TIME
    assert again == replace(cut, stopped_by=StoppedBy.SOLUTIONS)


def test_solve_takes_the_seed() -> None:
    problem = composed_day(40, 3)
    solver = open_engine("greedy")

    plans = [
        solver.solve(problem, stop=Stop(solutions=3), seed=seed) for seed in range(3)
    ]

    assert len({plan.cost.total_milli for plan in plans}) > 1


@ENGINES
def test_solve_serves_only_with_the_right_capabilities(engine: str) -> None:
    problem = line_problem(
        jobs=(
            job("cold", 1, required_capabilities=("fridge",)),
            job("hot", 2, required_capabilities=("oven",)),
        ),
        vehicles=(van("plain"), van("cooled", capabilities=("fridge",))),
    )

    solution = solve(engine, problem)

    assert served(solution) == {"cooled": ["cold"]}
    assert solution.unserved[0].reason is Reason.NO_CAPABLE_VEHICLE


@ENGINES
def test_solve_keeps_locked_jobs_first_whatever_they_cost(engine: str) -> None:
    far_first = ("e", "a")
    problem = line_problem(
        jobs=tuple(job(name, place) for place, name in enumerate("abcde", start=1)),
        vehicles=(van("one", locked=far_first), van("two")),
    )

    solution = solve(engine, problem)

    assert served(solution)["one"][:2] == ["e", "a"]
    assert solution.unserved == ()


@ENGINES
def test_solve_gives_nothing_to_a_car_whose_commitments_overrun(engine: str) -> None:
    problem = line_problem(
        jobs=(job("a", 5), job("b", 5)),
        vehicles=(van(start_s=9500, end_s=9600, locked=("a",)),),
    )

    solution = solve(engine, problem)

    assert served(solution) == {"van": ["a"]}
    assert solution.unserved[0].reason is Reason.NO_WINDOW_IN_ANY_SHIFT


@ENGINES
def test_solve_answers_for_a_day_without_vehicles_or_jobs(engine: str) -> None:
    nobody = line_problem(jobs=(job("a", 1),), vehicles=())
    nothing = line_problem(jobs=(), vehicles=(van(),))

    assert [one.reason for one in solve(engine, nobody).unserved] == [
        Reason.NO_CAPABLE_VEHICLE
    ]
    assert solve(engine, nothing).routes == ()


@ENGINES
def test_solve_keeps_pinned_jobs_on_their_vehicle(engine: str) -> None:
    problem = line_problem(
        jobs=(
            job("a", 4, pinned_vehicle="two"),
            job("b", 4),
            job("c", 4, allowed_vehicles=("two",)),
        ),
        vehicles=(van("one"), van("two", fixed_cost_milli=9_000_000)),
    )

    assert {"a", "c"} <= set(served(solve(engine, problem))["two"])


@ENGINES
def test_solve_serves_in_the_second_window(engine: str) -> None:
    problem = line_problem(
        jobs=(job("a", 3, windows=(window(0, 200), window(5000, 5100))),),
        vehicles=(van(),),
    )

    solution = solve(engine, problem)

    assert visit_of(solution, "a").start_s == 5000
    assert solution.routes[0].departure_s == 4700


@ENGINES
def test_solve_departs_late_for_a_release(engine: str) -> None:
    problem = line_problem(
        jobs=(job("a", 1), job("b", 1, release_s=3000)), vehicles=(van(),)
    )

    solution = solve(engine, problem)

    assert solution.routes[0].departure_s >= 3000
    assert solution.unserved == ()


@ENGINES
def test_solve_gives_every_driver_the_break(engine: str) -> None:
    rest = Break(earliest_s=300, latest_s=500, duration_s=600)
    problem = line_problem(
        jobs=(
            *(job(f"j{one}", one, windows=(window(0, 900),)) for one in (1, 2, 3)),
            job("late", 4, windows=(window(1500, 2000),)),
        ),
        vehicles=(van(breaks=(rest,), cost_per_s_milli=1),),
    )

    solution = solve(engine, problem)

    assert solution.unserved == ()
    assert 300 <= solution.routes[0].breaks[0].start_s <= 500


@ENGINES
def test_solve_ends_an_open_route_anywhere(engine: str) -> None:
    problem = line_problem(jobs=(job("a", 5),), vehicles=(van(end_location=None),))

    assert solve(engine, problem).routes[0].distance_m == 5000


@ENGINES
def test_solve_changes_no_vehicle_unless_it_pays(engine: str) -> None:
    def day(disruption_milli: int) -> Problem:
        return line_problem(
            jobs=(job("a", 3), job("b", 4, previous_vehicle="two")),
            vehicles=(van("one"), van("two", fixed_cost_milli=100_000)),
            objective=Objective(disruption_milli=disruption_milli),
        )

    cheap = solve(engine, day(10))
    dear = solve(engine, day(10_000_000))

    assert served(cheap) == {"one": ["a", "b"]} or served(cheap) == {"one": ["b", "a"]}
    assert cheap.cost.disruption_milli == 10
    assert "b" in served(dear)["two"]


@ENGINES
def test_solve_pays_for_overtime_only_up_to_its_limit(engine: str) -> None:
    problem = line_problem(
        jobs=(job("near", 1), job("far", 5)),
        vehicles=(van(end_s=1000, max_overtime_s=120),),
    )
    shorter = replace(problem, vehicles=(van(end_s=1000, max_overtime_s=119),))

    long = solve(engine, problem)

    assert long.unserved == ()
    assert long.routes[0].overtime_s == 120
    assert long.cost.overtime_milli == 120 * 350
    assert len(solve(engine, shorter).unserved) == 1


@ENGINES
def test_solve_leaves_out_what_is_not_worth_its_way(engine: str) -> None:
    problem = line_problem(
        jobs=(job("a", 5, prize_milli=100_000), job("b", 1)), vehicles=(van(),)
    )

    left = solve(engine, problem).unserved[0]

    assert (left.job_id, left.reason) == ("a", Reason.NOT_WORTH_IT)
    assert left.cheapest_insertion_milli is not None
    assert left.cheapest_insertion_milli >= 100_000


@ENGINES
def test_solve_says_why_each_job_is_left(engine: str) -> None:
    problem = line_problem(
        jobs=(
            job("big", 1, demands=(11,)),
            job("early", 5, demands=(1,), windows=(window(0, 300),)),
            job("x", 1, demands=(10,)),
            job("y", 1, demands=(10,)),
            job("island", 4, demands=(1,)),
        ),
        vehicles=(van(capacities=(10,)),),
        dimensions=("pieces",),
    )
    rows = problem.matrices[0].durations_s.copy()
    for row in rows:
        row[4] = UNREACHABLE
    cut = replace(problem.matrices[0], durations_s=rows)
    problem = replace(problem, matrices=(cut,))

    reasons = {left.job_id: left.reason for left in solve(engine, problem).unserved}

    assert reasons.pop("big") is Reason.EXCEEDS_CAPACITY
    assert reasons.pop("early") is Reason.NO_WINDOW_IN_ANY_SHIFT
    assert reasons.pop("island") is Reason.UNREACHABLE
    assert list(reasons.values()) == [Reason.NO_ROOM]


@ENGINES
def test_solve_refuses_a_problem_that_contradicts_itself(engine: str) -> None:
    problem = line_problem(jobs=(job("a", 99),), vehicles=(van(),))

    with pytest.raises(InvalidProblem, match="job a: location out of range"):
        open_engine(engine).solve(problem, stop=Stop(solutions=1), seed=1)


@ENGINES
def test_solve_reports_progress(engine: str) -> None:
    heard: list[Progress] = []

    open_engine(engine).solve(
        composed_day(40, 3),
        stop=Stop(solutions=80, time_limit_s=60),
        seed=1,
        on_progress=heard.append,
    )

    assert heard
    assert heard == sorted(heard, key=lambda one: one.solutions)
    assert all(0 <= one.percent <= 100 for one in heard)


def test_greedy_plans_a_large_day_within_seconds() -> None:
    problem = composed_day()

    solution = solve("greedy", problem, solutions=30)

    assert solution.unserved == ()
    assert solution.cost.total_milli < solution.trace[0].cost_milli


@pytest.mark.skipif(not SOLOMON.exists(), reason="Solomon's instances are not here")
@pytest.mark.parametrize(("engine", "gap"), [("greedy", 1.10), ("ortools", 1.06)])
def test_solve_comes_near_the_best_known(engine: str, gap: float) -> None:
    best_known = {"C101": 8273, "R101": 16377}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ortools_solver, "OPENING_ROUNDS", 600)

        for name, best in best_known.items():
            solution = solve(engine, solomon(name), solutions=650, seconds=60)

            assert solution.unserved == ()
            assert best <= solution.cost.distance_milli <= gap * best
