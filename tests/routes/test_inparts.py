import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes import chain, inparts, pieces
from apps.routes.chain import ChainAnswer, Failure, NoAnswer
from apps.routes.inparts import Means, PlanningInParts, SplitAnswer
from apps.routes.pieces import around, replay_in_parts
from apps.routes.solver.codec import (
    SplitRequest,
    decode_inputs,
    encode_request,
    encode_solution,
)
from apps.routes.solver.port import Stop, open_engine
from apps.routes.solver.problem import Problem, TimeWindow
from apps.routes.solver.process import SolverFailed, SolverTimeout
from apps.routes.solver.solution import Reason, Solution, StoppedBy
from apps.routes.solver.validate import validate, validate_whole
from tests.routes.solver.instances import composed_day
from tests.routes.solver.rich import rich_problem
from tests.routes.solver.test_splitting import composed_places, dense, places_of

SEEDS = st.integers(min_value=0, max_value=10_000)
MEANS = Means(
    engines=("greedy",),
    stops={},
    seed=5,
    wall_s=60,
    search_s_a_job=0.2,
    jobs_a_part=12,
)
ROUNDS = 4


def solve_here(problem: Problem, *, engine: str, stop: Any, **given: Any) -> Solution:
    """Solve without a child, by few rounds: quick, and the same on every machine."""
    given.pop("timeout_s")
    given.pop("brood", None)
    return open_engine(engine).solve(
        problem, stop=replace(stop, solutions=ROUNDS, time_limit_s=60), **given
    )


@pytest.fixture(autouse=True, scope="module")
def _here() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "solve_in_process", solve_here)
        patch.setattr(pieces, "solve_in_process", solve_here)
        yield


def in_parts(
    problem: Problem,
    places: Any,
    means: Means = MEANS,
    start: Solution | None = None,
) -> SplitAnswer:
    bare = replace(problem, matrices=())
    planning = PlanningInParts(bare, places, dense(problem), means)
    planning.plan(start)
    return planning.answer()


@given(seed=SEEDS)
@settings(max_examples=12, deadline=None)
def test_plan_in_parts_passes_the_judge_of_the_whole_day(seed: int) -> None:
    problem = rich_problem(seed, 36, 6)
    answer = in_parts(problem, places_of(problem))
    assert answer.parts > 1
    assert validate(problem, answer.solution) == ()
    bare = answer.request.whole
    assert validate_whole(bare, answer.solution, answer.pieces) == ()


@given(seed=SEEDS)
@settings(max_examples=5, deadline=None)
def test_plan_in_parts_is_repeated_to_the_byte(seed: int) -> None:
    problem = rich_problem(seed, 36, 6)
    answer = in_parts(problem, places_of(problem))
    stored = decode_inputs(encode_request(answer.request))
    assert isinstance(stored, SplitRequest)
    again = replay_in_parts(stored, limit_s=60)
    assert encode_solution(again) == encode_solution(answer.solution)


@given(seed=SEEDS)
@settings(max_examples=12, deadline=None)
def test_reasons_hold_for_the_whole_fleet(seed: int) -> None:
    problem = rich_problem(seed, 36, 6, shipments=False, reloads=False)
    answer = in_parts(problem, places_of(problem))
    jobs = {job.id: job for job in problem.jobs}
    for left in answer.solution.unserved:
        job = jobs[left.job_id]
        able = [
            car
            for car in problem.vehicles
            if {*job.required_capabilities} <= {*car.capabilities}
            and job.pinned_vehicle in (None, car.id)
            and (job.allowed_vehicles is None or car.id in job.allowed_vehicles)
            and not (job.release_s and car.locked and job.release_s > car.start_s)
        ]
        assert (left.reason == Reason.NO_CAPABLE_VEHICLE) == (not able)


def test_seams_make_a_plan_cheaper() -> None:
    problem = composed_day(160, 6)
    places = composed_places(problem)
    means = replace(MEANS, jobs_a_part=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inparts, "MOST_ROUNDS", 0)
        parted = in_parts(problem, places, means)
    mended = in_parts(problem, places, means)
    assert mended.rounds > 0
    assert mended.solution.cost.total_milli < parted.solution.cost.total_milli


def test_a_start_is_kept_where_nothing_better_is_found() -> None:
    problem = composed_day(120, 5)
    start = open_engine("greedy").solve(
        problem, stop=Stop(solutions=30, time_limit_s=60), seed=1
    )
    means = replace(MEANS, jobs_a_part=40)
    answer = in_parts(problem, composed_places(problem), means, start)
    assert answer.solution.cost.total_milli <= start.cost.total_milli


def test_a_failing_engine_is_replaced_and_then_given_up() -> None:
    problem = composed_day(120, 5)
    tried: list[str] = []
    lock = threading.Lock()

    def failing(problem: Problem, *, engine: str, **given: Any) -> Solution:
        with lock:
            tried.append(engine)
        if engine == "pyvrp":
            raise SolverTimeout("killed after 9 s")
        return solve_here(problem, engine=engine, **given)

    means = replace(MEANS, engines=("pyvrp", "greedy"), jobs_a_part=30, at_a_time=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "solve_in_process", failing)
        answer = in_parts(problem, composed_places(problem), means)
    assert tried.count("pyvrp") == inparts.GIVEN_UP_AFTER
    assert [one.code for one in answer.failures] == ["late"]
    assert answer.solution.engine == "greedy"
    assert validate(problem, answer.solution) == ()


def test_an_infeasible_answer_is_not_taken() -> None:
    problem = composed_day(80, 4)

    def lying(problem: Problem, *, engine: str, **given: Any) -> Solution:
        found = solve_here(problem, engine="greedy", **given)
        return found if engine == "greedy" else replace(found, routes=found.routes[1:])

    means = replace(MEANS, engines=("pyvrp",), jobs_a_part=30, at_a_time=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "solve_in_process", lying)
        answer = in_parts(problem, composed_places(problem), means)
    assert answer.failures[0].code == "infeasible"
    assert "job_forgotten" in answer.failures[0].detail
    assert validate(problem, answer.solution) == ()


@given(seed=SEEDS)
@settings(max_examples=8, deadline=None)
def test_a_part_of_a_plan_stands_on_its_own(seed: int) -> None:
    problem = rich_problem(seed, 36, 6)
    answer = in_parts(problem, places_of(problem))
    solution = answer.solution
    asked = [{"vehicle": route.vehicle_id} for route in solution.routes]
    asked += [{"job": route.visits[-1].job_id} for route in solution.routes]
    asked += [{"job": left.job_id} for left in solution.unserved[:3]]
    for one in asked:
        part, plan = around(answer.request, solution, **one)
        assert validate(part, plan) == ()
        names = {job.id for job in part.jobs} | {car.id for car in part.vehicles}
        assert {*one.values()} <= names
    with pytest.raises(LookupError):
        around(answer.request, solution, job="nobody's")


def test_where_no_child_can_be_had_the_rules_do_without() -> None:
    problem = composed_day(80, 4)

    def dead(problem: Problem, *, engine: str, **given: Any) -> Solution:
        raise SolverFailed(1, ["out of memory"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "solve_in_process", dead)
        means = replace(MEANS, engines=("pyvrp", "greedy"), jobs_a_part=30)
        answer = in_parts(problem, composed_places(problem), means)
    assert {one.detail for one in answer.failures} == {"out of memory"}
    assert {one.engine for one in answer.failures} == {"pyvrp", "greedy"}
    assert answer.solution.engine == "greedy"
    assert validate(problem, answer.solution) == ()


def test_a_part_without_any_answer_is_an_error() -> None:
    problem = composed_day(80, 4)
    nothing = ChainAnswer(None, (Failure(engine="greedy", code="no_time"),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inparts, "solve_by_chain", lambda *_, **__: nothing)
        with pytest.raises(NoAnswer, match="no time left"):
            in_parts(problem, composed_places(problem), MEANS)


def test_parcels_on_board_may_be_brought_late() -> None:
    problem = composed_day(80, 4)
    gone = problem.jobs[0]
    never = (TimeWindow(start_s=0, end_s=1),)
    first = replace(gone, windows=never, allowed_vehicles=("van-00",))
    problem = replace(problem, jobs=(first, *problem.jobs[1:]))
    bare = replace(problem, matrices=())
    means = replace(MEANS, jobs_a_part=30)
    planning = PlanningInParts(bare, composed_places(problem), dense(problem), means)
    planning.plan()
    assert gone.id in {one.job_id for one in planning.answer().solution.unserved}
    jobs = (replace(first, windows=()), *problem.jobs[1:])
    planning.serve_late(replace(bare, jobs=jobs), {gone.id: "van-00"})
    answer = planning.answer()
    assert answer.solution.unserved == ()
    assert validate(replace(problem, jobs=jobs), answer.solution) == ()
    stored = decode_inputs(encode_request(answer.request))
    assert isinstance(stored, SplitRequest)
    again = replay_in_parts(stored, limit_s=60)
    assert encode_solution(again) == encode_solution(answer.solution)


def test_the_judge_finds_what_is_wrong_with_a_whole_day() -> None:
    problem = composed_day(80, 4)
    answer = in_parts(problem, composed_places(problem), replace(MEANS, jobs_a_part=30))
    bare, solution = answer.request.whole, answer.solution

    def codes(changed: Solution, pieces: Any = answer.pieces) -> set[str]:
        return {one.code for one in validate_whole(bare, changed, pieces)}

    first, *others = solution.routes
    longer = replace(first, distance_m=first.distance_m + 1)
    assert codes(replace(solution, routes=(longer, *others))) == {"figure_misstated"}
    assert codes(replace(solution, routes=tuple(others))) == {"job_forgotten"}
    cheaper = replace(solution.cost, distance_milli=0)
    assert codes(replace(solution, cost=cheaper)) == {"cost_misstated"}
    assert "route_without_roads" in codes(solution, {})
    late = replace(first.visits[0], start_s=first.visits[0].start_s - 40_000)
    early = replace(first, visits=(late, *first.visits[1:]))
    assert codes(replace(solution, routes=(early, *others)))


def test_an_answer_by_time_says_how_often_it_is_repeated() -> None:
    problem = composed_day(80, 4)

    def timed(problem: Problem, *, stop: Any, **given: Any) -> Solution:
        found = solve_here(problem, stop=stop, **given)
        return replace(found, stopped_by=StoppedBy.TIME)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "solve_in_process", timed)
        means = replace(MEANS, jobs_a_part=30)
        answer = in_parts(problem, composed_places(problem), means)
    assert answer.solution.stopped_by == StoppedBy.SOLUTIONS
    assert {one.request.stop.solutions for one in answer.request.pieces} == {ROUNDS}
