"""A live plan is mended: what holds on any day, and what each kind of event does."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.live import Event, LivePlan
from apps.routes.solver.port import Stop
from apps.routes.solver.problem import Problem, TimeWindow
from apps.routes.solver.repair import RepairSolver, answer_event, check_touched
from apps.routes.solver.solution import Reason, Solution
from apps.routes.solver.validate import validate
from tests.routes.solver.instances import (
    composed_day,
    job,
    line_problem,
    random_problem,
    van,
)
from tests.routes.solver.sequences import plan_of


def repair(problem: Problem, present: Solution | None = None) -> Solution:
    return RepairSolver().solve(problem, stop=Stop(), seed=0, warm_start=present)


def sequences(solution: Solution) -> dict[str, list[str]]:
    return {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in solution.routes
    }


@given(seed=st.integers(0, 100_000))
@settings(max_examples=40, deadline=None)
def test_answer_event_stays_drivable_and_serves_each_job_once(seed: int) -> None:
    problem = random_problem(seed)
    random = Random(seed)  # noqa: S311
    locked = {job_id for one in problem.vehicles for job_id in one.locked}
    free = [one for one in problem.jobs if one.id not in locked]
    random.shuffle(free)
    new, gone = free[:3], free[3:5]
    before = replace(problem, jobs=tuple(one for one in problem.jobs if one not in new))
    live = LivePlan(before, repair(before))
    late = random.choice(before.vehicles)
    start_s = late.start_s + 1500
    late = replace(late, start_s=start_s, end_s=max(late.end_s, start_s))

    answer = answer_event(
        live,
        Event(
            cancelled=tuple(one.id for one in gone),
            added=tuple(new),
            vehicles=(late,),
        ),
    )

    assert validate(live.problem, answer) == ()
    assert check_touched(live, answer) == []
    assert answer == answer_event(
        LivePlan(before, repair(before)),
        Event(
            cancelled=tuple(one.id for one in gone),
            added=tuple(new),
            vehicles=(late,),
        ),
    )


def test_repair_leaves_alone_what_no_event_touches() -> None:
    problem = composed_day(60, 4)
    present = repair(problem)
    live = LivePlan(problem, present)
    victim = present.routes[0].visits[3].job_id

    answer = answer_event(live, Event(cancelled=(victim,)))

    assert answer.routes[1:] == present.routes[1:]
    without = [one for one in sequences(present)["van-00"] if one != victim]
    assert sequences(answer)["van-00"] == without


def test_repair_of_a_sound_plan_changes_nothing() -> None:
    problem = composed_day(60, 4)
    present = repair(problem)
    assert repair(problem, present) == replace(present)


def test_repair_late_driver_hands_over_what_he_cannot_reach() -> None:
    window = (TimeWindow(start_s=0, end_s=1000),)
    problem = line_problem(
        jobs=(job("a", 1, windows=window), job("b", 4)),
        vehicles=(van("late", start_s=950), van("free")),
    )
    answer = repair(problem, plan_of({"late": ["a", "b"]}))
    assert sequences(answer) == {"late": ["b"], "free": ["a"]}


def test_repair_ejects_one_for_one_where_nothing_else_fits() -> None:
    """The new job fits van one alone, which is full; its other job may go with two."""
    problem = line_problem(
        jobs=(
            job("cold", 1, demands=(1,), required_capabilities=("fridge",)),
            job("any", 2, demands=(1,)),
        ),
        vehicles=(
            van("one", capacities=(1,), capabilities=("fridge",)),
            van("two", capacities=(1,)),
        ),
        dimensions=("pieces",),
    )
    answer = repair(problem, plan_of({"one": ["any"]}))
    assert sequences(answer) == {"one": ["cold"], "two": ["any"]}


def test_repair_moves_a_third_where_two_do_not_suffice() -> None:
    def only(*names: str) -> dict[str, object]:
        return {"demands": (1,), "allowed_vehicles": names}

    problem = line_problem(
        jobs=(
            job("new", 1, **only("one")),
            job("first", 2, **only("one", "two")),
            job("second", 3, **only("two", "three")),
        ),
        vehicles=tuple(van(name, capacities=(1,)) for name in ("one", "two", "three")),
        dimensions=("pieces",),
    )
    answer = repair(problem, plan_of({"one": ["first"], "two": ["second"]}))
    assert sequences(answer) == {"one": ["new"], "two": ["first"], "three": ["second"]}


def test_repair_keeps_commitments_first_and_in_order() -> None:
    problem = line_problem(
        jobs=(job("a", 1), job("b", 5), job("c", 2)),
        vehicles=(van("van", locked=("b", "a")),),
    )
    answer = repair(problem, plan_of({"van": ["a", "c", "b"]}))
    assert sequences(answer) == {"van": ["b", "a", "c"]}


def test_repair_says_why_a_job_is_left_out() -> None:
    problem = line_problem(
        jobs=(
            job("crane", 1, required_capabilities=("crane",)),
            job("dear", 5, prize_milli=1),
            job(
                "a", 1, pinned_vehicle="van", windows=(TimeWindow(start_s=0, end_s=9),)
            ),
        ),
        vehicles=(van(),),
    )
    answer = repair(problem)
    assert {one.job_id: one.reason for one in answer.unserved} == {
        "crane": Reason.NO_CAPABLE_VEHICLE,
        "dear": Reason.NOT_WORTH_IT,
        "a": Reason.NO_WINDOW_IN_ANY_SHIFT,
    }
    assert answer.unserved[1].cheapest_insertion_milli


@pytest.mark.parametrize("count", [0, 1])
def test_repair_a_day_without_vehicles_or_jobs(count: int) -> None:
    jobs = tuple(job(f"j{number}", 1) for number in range(count))
    problem = line_problem(jobs=jobs, vehicles=())
    answer = repair(problem)
    assert [one.reason for one in answer.unserved] == (
        [Reason.NO_CAPABLE_VEHICLE] * count
    )
    assert validate(problem, answer) == ()


def test_repair_departs_late_for_a_release() -> None:
    problem = line_problem(
        jobs=(job("a", 1), job("b", 2, release_s=3000)), vehicles=(van(),)
    )
    answer = repair(problem, plan_of({"van": ["a"]}))
    assert answer.unserved == ()
    assert answer.routes[0].departure_s >= 3000
    assert validate(problem, answer) == ()
