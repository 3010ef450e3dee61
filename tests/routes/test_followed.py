"""Plans chosen by how they will be followed: off at first, best in the mean, repeatable."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.chain import Budget, solve_by_chain
from apps.routes.followed import (
    BadFollowed,
    Followed,
    followed_from,
    percent_of,
    stored,
)
from apps.routes.parameters import DEFAULTS, with_overrides
from apps.routes.solver.codec import (
    decode_solution,
    encode_request,
    encode_solution,
)
from apps.routes.solver.deviating import (
    as_told,
    certain,
    drive,
    expected_milli,
    is_uncertain,
    luck_of,
)
from apps.routes.solver.expecting import plan_expecting, with_margin
from apps.routes.solver.port import Stop, open_engine
from apps.routes.solver.problem import Problem, TimeWindow
from apps.routes.solver.solution import Solution, StoppedBy
from apps.routes.solver.validate import validate
from apps.routes.solving import replay
from tests.routes.solver.instances import job, line_problem, van
from tests.routes.solver.rich import rich_problem
from tests.routes.solver.sequences import plan_of

STOP = Stop(solutions=40)


def uncertain(seed: int, percent: int = 60, late_milli_per_s: int = 1700) -> Problem:
    problem = rich_problem(seed, 12, 2, reloads=False, shipments=False)
    return replace(
        problem,
        jobs=tuple(replace(one, followed_percent=percent) for one in problem.jobs),
        objective=replace(problem.objective, late_milli_per_s=late_milli_per_s),
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_plan_for_drivers_who_follow_is_the_plain_plan(seed: int) -> None:
    problem = uncertain(seed, percent=100)
    engine = open_engine("greedy")

    found = plan_expecting(engine, problem, stop=STOP, seed=5)

    assert found.expected is None
    assert found == engine.solve(certain(problem), stop=STOP, seed=5)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_chosen_plan_is_sound_and_comes_to_no_more_than_the_plain_one(
    seed: int,
) -> None:
    problem = uncertain(seed)
    engine = open_engine("greedy")
    plain = engine.solve(problem, stop=STOP, seed=5)

    found = plan_expecting(engine, problem, stop=STOP, seed=5)

    assert validate(problem, found) == ()
    assert found.expected is not None
    assert found.expected.plain_milli == expected_milli(problem, plain, 5)
    assert found.expected.milli == expected_milli(problem, found, 5)
    assert found.expected.milli <= found.expected.plain_milli
    assert encode_solution(decode_solution(encode_solution(found))) == encode_solution(
        found
    )


def late_trap() -> Problem:
    """Two stops beyond a third whose window closes soon after the plan would be there.

    Followed to the letter nothing is late; a driver who takes `by_the_way` first is.
    """
    jobs = (
        job("urgent", 4, windows=(TimeWindow(start_s=0, end_s=520),)),
        job("by_the_way", 1, followed_percent=100),
    )
    return line_problem(jobs=jobs, vehicles=(van(),))


def test_drive_goes_to_the_nearest_where_luck_says_so() -> None:
    problem = late_trap()
    problem = replace(
        problem,
        jobs=tuple(replace(one, followed_percent=0) for one in problem.jobs),
    )
    found = open_engine("greedy").solve(problem, stop=STOP, seed=1)
    sequence = [visit.job_id for visit in found.routes[0].visits]
    driven = drive(problem, found, as_told(problem), luck_of(problem, 1), 0)

    assert driven.deviations == 1
    assert sequence[0] == "urgent" or driven.late_s == 0


def test_drive_of_a_plan_that_is_followed_comes_to_its_stated_cost() -> None:
    problem = line_problem(
        jobs=(job("a", 1), job("b", 2), job("c", 3)), vehicles=(van(),)
    )
    found = open_engine("greedy").solve(problem, stop=STOP, seed=1)

    driven = drive(problem, found, as_told(problem), luck_of(problem, 1), 0)

    assert driven.deviations == 0
    assert driven.late_s == 0
    assert driven.cost_milli == found.cost.total_milli


def test_margin_leaves_a_quarter_of_each_window_and_no_commitment_moves() -> None:
    window = TimeWindow(start_s=0, end_s=1000)
    problem = line_problem(
        jobs=(job("free", 1, windows=(window,)), job("bound", 2, windows=(window,))),
        vehicles=(van(locked=("bound",)),),
    )

    free, bound = with_margin(problem, 900).jobs

    assert free.windows == (TimeWindow(start_s=0, end_s=250),)
    assert bound.windows == (window,)


def test_search_that_the_clock_ends_gives_the_plain_plan_and_says_so() -> None:
    class Slow:
        name = "greedy"
        version = "1"

        def refuses(self, problem: Problem) -> str | None:
            return None

        def solve(self, problem: Problem, **more: object) -> Solution:
            plan = plan_of({"van": ["a"]})
            return replace(plan, stopped_by=StoppedBy.TIME, solutions=3)

    problem = replace(
        line_problem(jobs=(job("a", 1, followed_percent=50),), vehicles=(van(),)),
    )
    problem = replace(
        problem, objective=replace(problem.objective, late_milli_per_s=10)
    )
    found = plan_expecting(Slow(), problem, stop=STOP, seed=1)

    assert found.expected is None
    assert found.stopped_by is StoppedBy.TIME


@pytest.mark.parametrize("engine", ["greedy", "pyvrp"])
def test_answer_of_the_chain_is_made_again_byte_by_byte(engine: str) -> None:

    problem = uncertain(11)
    answer = solve_by_chain(
        problem,
        engines=(engine,),
        stops={engine: Stop(solutions=60, time_limit_s=20)},
        seed=3,
        budget=Budget(60),
    )
    assert answer.found is not None
    assert answer.found.solution.expected is not None

    again = replay(encode_request(answer.found.request))

    assert again == encode_solution(answer.found.solution)


def test_parameters_expect_that_plans_are_followed_at_first() -> None:
    assert dict(DEFAULTS.followed) == {}
    assert percent_of(DEFAULTS.followed, "Old town") == 100
    assert not is_uncertain(rich_problem(1))


def test_zone_comes_before_the_depot() -> None:
    shares = {"depot": Followed(0.9), "zone:Old town": Followed(0.614)}

    assert percent_of(shares, "Old town") == 61
    assert percent_of(shares, "Meadows") == 90


def test_shares_come_back_as_they_were_stored() -> None:
    shares = {"zone:Old town": Followed(0.6, 44, "2026-03-17")}

    assert with_overrides({"followed": stored(shares)}).followed == shares


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"zone:": 0.5},
        {"Old town": 0.5},
        {"depot": 1.5},
        {"depot": True},
        {"depot": {"share": 0.5, "n": -1}},
        {"depot": {"share": 0.5, "as_of": "soon"}},
        {"depot": {"share": 0.5, "what": 1}},
    ],
)
def test_shares_that_cannot_be_planned_with_are_refused(wrong: object) -> None:
    with pytest.raises(BadFollowed):
        followed_from(wrong)
