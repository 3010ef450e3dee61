"""Whatever is said to serve a left-out job does, by a fresh solve; milder does not."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.explaining.kinds import Kind, LeftOutWhy, Outcome, Relaxation
from apps.routes.solver.explaining.obstacles import Binding
from apps.routes.solver.explaining.relaxations import why_left_out
from apps.routes.solver.explaining.standing import CannotExplain, Standing, stand
from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import Stop
from apps.routes.solver.problem import Objective, Problem, TimeWindow
from apps.routes.solver.routestate import build_route
from apps.routes.solver.solution import Reason
from apps.routes.solver.validate import validate
from apps.routes.solver.view import View
from tests.routes.solver.instances import job, line_problem, random_problem, van

HOUR = 3600


def standing_of(problem: Problem, rounds: int = 10) -> Standing:
    answer = GreedySolver().solve(problem, stop=Stop(solutions=rounds), seed=1)
    return stand(problem, answer)


def why(problem: Problem, name: str) -> LeftOutWhy:
    standing = standing_of(problem)
    return why_left_out(standing, standing.job(name))


def one(found: LeftOutWhy, kind: Kind) -> Relaxation:
    return next(item for item in found.relaxations if item.kind == kind)


def serves_by_insertion(problem: Problem, standing: Standing, name: str) -> bool:
    """Try every place of every route, by the engines' own timing, nothing else moved."""
    view = View(problem)
    index = view.job_index[name]
    sequences = [route.sequence for route in standing.routes]
    sequences += [()] * (len(view.cars) - len(sequences))
    for number, sequence in enumerate(sequences):
        locked = len(view.cars[number].locked)
        before = build_route(view, number, sequence)
        if not view.may_serve[number][index] or before is None:
            continue
        for leg in range(locked, len(sequence) + 1):
            route = build_route(view, number, (*sequence[:leg], index, *sequence[leg:]))
            if route is None:
                continue
            standing_milli = (
                standing.routes[number].cost_milli
                if number < len(standing.routes)
                else 0
            )
            if route.cost_milli - standing_milli < view.prize_milli(index):
                return True
    return False


def solved_afresh(item: Relaxation, standing: Standing, name: str) -> bool:
    """Solve the changed problem, the job being a must, and see whether it is served."""
    assert item.problem is not None
    assert item.solution is not None
    gone = {standing.view.jobs[index].id for index in standing.unserved} - {name}
    gone |= {left.job_id for left in item.solution.unserved}
    problem = replace(
        item.problem,
        jobs=tuple(
            replace(j, prize_milli=10**12) if j.id == name else j
            for j in item.problem.jobs
            if j.id not in gone
        ),
    )
    answer = GreedySolver().solve(
        problem, stop=Stop(solutions=5), seed=2, warm_start=item.solution
    )
    assert not validate(problem, answer)
    return any(v.job_id == name for route in answer.routes for v in route.visits)


def explained(problem: Problem) -> Iterator[tuple[Standing, str, LeftOutWhy]]:
    standing = standing_of(problem)
    for index in standing.unserved:
        name = standing.view.jobs[index].id
        yield standing, name, why_left_out(standing, index)


@given(seed=st.integers(0, 100_000))
@settings(max_examples=40, deadline=None)
def test_what_is_named_serves_and_is_judged_sound(seed: int) -> None:
    for standing, name, found in explained(random_problem(seed, job_count=9)):
        for item in found.relaxations:
            if item.outcome not in {Outcome.SERVES, Outcome.COSTS_TOO_MUCH}:
                continue
            if item.solution is None or item.problem is None:
                continue
            assert not validate(item.problem, item.solution)
            served = {v.job_id for r in item.solution.routes for v in r.visits}
            before = {v.job_id for r in standing.stated.routes for v in r.visits}
            lost = {item.other_job_id} if item.kind == Kind.EXCHANGE else set()
            assert served == (before - lost) | {name}
            if item.outcome == Outcome.SERVES:
                assert solved_afresh(item, standing, name)


@given(seed=st.integers(0, 100_000))
@settings(max_examples=40, deadline=None)
def test_what_is_milder_than_the_named_does_not_serve(seed: int) -> None:
    for standing, name, found in explained(random_problem(seed, job_count=9)):
        for item in found.relaxations:
            for problem in milder(item, standing, name):
                assert not serves_by_insertion(problem, standing, name)


def milder(item: Relaxation, standing: Standing, name: str) -> Iterator[Problem]:
    """Yield what is milder of the same kind: a minute less, or none that helps at all."""
    problem, index = standing.problem, standing.job(name)
    wanted = problem.jobs[index]

    def with_job(**values: object) -> Problem:
        jobs = list(problem.jobs)
        jobs[index] = replace(wanted, **values)  # type: ignore[arg-type]
        return replace(problem, jobs=tuple(jobs))

    in_vain = item.outcome == Outcome.DOES_NOT_HELP
    if item.kind == Kind.AS_IT_IS and in_vain:
        yield problem
    if item.kind == Kind.WIDEN_WINDOW and in_vain:
        yield with_job(windows=())
    if item.window and item.outcome == Outcome.SERVES and item.minutes > 1:
        less_s = 60 * (item.minutes - 1)
        yield with_job(
            windows=tuple(
                TimeWindow(start_s=w.start_s - less_s, end_s=w.end_s + less_s)
                for w in wanted.windows
            )
        )
    if item.kind == Kind.ALLOW_OVERTIME and item.outcome == Outcome.SERVES:
        assert item.problem is not None
        yield replace(
            problem,
            vehicles=tuple(
                replace(was, max_overtime_s=will.max_overtime_s - 60)
                if was != will
                else was
                for was, will in zip(
                    problem.vehicles, item.problem.vehicles, strict=True
                )
            ),
        )
    if item.kind == Kind.LEND_CAPACITY and item.outcome == Outcome.SERVES:
        assert item.problem is not None
        for axis, (dimension, _) in enumerate(item.lent):
            del axis
            at = problem.dimensions.index(dimension)
            yield replace(
                item.problem,
                vehicles=tuple(
                    replace(
                        will,
                        capacities=tuple(
                            room - (column == at)
                            for column, room in enumerate(will.capacities)
                        ),
                    )
                    if was != will
                    else was
                    for was, will in zip(
                        problem.vehicles, item.problem.vehicles, strict=True
                    )
                ),
            )
    if item.kind == Kind.DROP_CAPABILITY and in_vain:
        yield with_job(required_capabilities=())


@given(seed=st.integers(0, 100_000))
@settings(max_examples=25, deadline=None)
def test_cheapest_is_the_cheapest_of_what_serves(seed: int) -> None:
    for standing, _, found in explained(random_problem(seed, job_count=9)):
        totals = [
            item.change.total_milli
            for item in found.relaxations
            if item.outcome == Outcome.SERVES and item.change
        ]
        cheapest = found.cheapest
        if cheapest is None:
            assert not totals
            continue
        assert cheapest.change is not None
        assert cheapest.solution is not None
        assert cheapest.change.total_milli == min(totals)
        before = standing.stated.cost.total_milli
        after = cheapest.solution.cost.total_milli
        assert cheapest.change.total_milli == after - before


def test_window_gives_way_by_the_least_minutes() -> None:
    # It takes 500 s to get there: the window closes at 310, so four minutes are short.
    late = job("late", 5, windows=(TimeWindow(start_s=0, end_s=310),))
    found = why(line_problem(jobs=(late,), vehicles=(van(),)), "late")
    item = one(found, Kind.WIDEN_WINDOW)
    assert found.reason == Reason.NO_WINDOW_IN_ANY_SHIFT
    assert item.outcome == Outcome.SERVES
    assert item.minutes == 4
    assert item.window == (
        TimeWindow(start_s=0, end_s=310),
        TimeWindow(start_s=0, end_s=310 + 240),
    )
    [obstacle] = found.obstacles
    assert obstacle.bindings == (Binding.OUTSIDE_SHIFT,)


def test_window_may_have_to_open_earlier() -> None:
    shift = van(end_s=700)
    evening = job("evening", 1, windows=(TimeWindow(start_s=1000, end_s=2000),))
    item = one(
        why(line_problem(jobs=(evening,), vehicles=(shift,)), "evening"),
        Kind.WIDEN_WINDOW,
    )
    assert item.outcome == Outcome.SERVES
    # Service of 60 s and 100 s home: it must begin by 540, 460 s before it opens.
    assert item.minutes == 8
    assert item.window is not None
    assert item.window[1] == TimeWindow(start_s=1000 - 480, end_s=2000)


def test_overtime_is_the_least_on_the_vehicle_that_needs_least() -> None:
    far = job("far", 5)
    found = why(
        line_problem(jobs=(far,), vehicles=(van("a", end_s=500), van("b", end_s=900))),
        "far",
    )
    item = one(found, Kind.ALLOW_OVERTIME)
    # 500 s there, 60 s of service, 500 s back: 160 s after the end of b's shift.
    assert (item.vehicle_id, item.minutes) == ("b", 3)
    assert item.change is not None
    assert item.change.part_milli("overtime") == 160 * 350


def test_capacity_is_lent_where_least_is_missing() -> None:
    found = why(
        line_problem(
            jobs=(job("big", 1, demands=(9, 4)),),
            vehicles=(van("a", capacities=(4, 9)), van("b", capacities=(8, 9))),
            dimensions=("kg", "pieces"),
        ),
        "big",
    )
    item = one(found, Kind.LEND_CAPACITY)
    assert (item.vehicle_id, item.lent) == ("b", (("kg", 1),))
    assert found.obstacles[0].short == (("kg", 5),)
    assert found.obstacles[0].bindings == (Binding.TOO_LARGE,)


def test_as_few_capabilities_are_dropped_as_serve() -> None:
    found = why(
        line_problem(
            jobs=(job("cold", 1, required_capabilities=("fridge", "lift", "adr")),),
            vehicles=(
                van("a", capabilities=("fridge",)),
                van("b", capabilities=("fridge", "lift")),
            ),
        ),
        "cold",
    )
    item = one(found, Kind.DROP_CAPABILITY)
    assert (item.dropped, item.vehicle_id) == (("adr",), "b")
    assert found.obstacles[0].lacks == ("adr", "lift")
    assert found.reason == Reason.NO_CAPABLE_VEHICLE


def test_pin_is_lifted_where_another_vehicle_can() -> None:
    found = why(
        line_problem(
            jobs=(job("mine", 5, pinned_vehicle="a"),),
            vehicles=(van("a", end_s=500), van("b")),
        ),
        "mine",
    )
    item = one(found, Kind.UNPIN)
    assert (item.outcome, item.vehicle_id) == (Outcome.SERVES, "b")
    assert found.obstacles[1].bindings == (Binding.NOT_ALLOWED,)


def test_extra_shift_is_as_short_as_the_window_lets_it_be() -> None:
    evening = job("evening", 1, windows=(TimeWindow(start_s=9000, end_s=9600),))
    found = why(
        line_problem(jobs=(evening,), vehicles=(van(end_s=700),)),
        "evening",
    )
    item = one(found, Kind.EXTRA_SHIFT)
    assert item.outcome == Outcome.SERVES
    assert item.shift_s is not None
    begins_s, ends_s = item.shift_s
    # Nobody waits at the door: it leaves 100 s before service begins, by the minute.
    assert 8900 - 60 < begins_s <= 9500
    assert ends_s - begins_s < 260 + 120
    assert item.vehicle_id not in {"van", None}


def test_extra_shift_comes_before_the_days_first_where_only_that_serves() -> None:
    dawn = job("dawn", 1, windows=(TimeWindow(start_s=-7200, end_s=-3600),))
    day = line_problem(jobs=(dawn,), vehicles=(van(end_s=700),))
    item = one(why(day, "dawn"), Kind.EXTRA_SHIFT)
    assert item.outcome == Outcome.SERVES
    assert item.shift_s is not None
    begins_s, ends_s = item.shift_s
    assert -7200 - 160 <= begins_s < -3600
    assert ends_s - begins_s < 260 + 120
    running = replace(day, vehicles=(van(end_s=700, initial_load=(1,)),))
    running = replace(
        running,
        dimensions=("pieces",),
        jobs=(replace(dawn, demands=(1,)),),
        vehicles=(replace(running.vehicles[0], capacities=(9,)),),
    )
    found = one(why(running, "dawn"), Kind.EXTRA_SHIFT)
    assert found.outcome == Outcome.DOES_NOT_APPLY


def test_parcel_on_board_is_offered_no_other_van() -> None:
    bound = job(
        "bound",
        5,
        allowed_vehicles=("a",),
        previous_vehicle="a",
        required_capabilities=("x",),
    )
    found = why(line_problem(jobs=(bound,), vehicles=(van("a"), van("b"))), "bound")
    assert one(found, Kind.EXTRA_SHIFT).outcome == Outcome.DOES_NOT_APPLY
    assert one(found, Kind.UNPIN).outcome == Outcome.DOES_NOT_APPLY
    assert one(found, Kind.DROP_CAPABILITY).vehicle_id == "a"


def test_exchange_gives_up_what_is_worth_less() -> None:
    window = (TimeWindow(start_s=500, end_s=501),)
    problem = line_problem(
        jobs=(
            job("dear", 5, windows=window, prize_milli=90_000_000),
            job("cheap", 5, windows=window, prize_milli=9_000_000),
        ),
        vehicles=(van(),),
    )
    served_cheap = standing_of(replace(problem, jobs=problem.jobs[1:])).solution
    standing = stand(problem, served_cheap)
    found = why_left_out(standing, standing.job("dear"))
    item = one(found, Kind.EXCHANGE)
    assert (item.outcome, item.other_job_id) == (Outcome.SERVES, "cheap")
    assert item.change is not None
    assert item.change.part_milli("unserved") == 9_000_000 - 90_000_000
    swapped = stand(problem, item.solution) if item.solution else standing
    other = why_left_out(swapped, swapped.job("cheap"))
    assert one(other, Kind.EXCHANGE).outcome == Outcome.DOES_NOT_HELP


def test_one_stop_moves_to_another_route_so_that_nothing_has_to_give() -> None:
    problem = line_problem(
        jobs=(
            job("moves", 1, demands=(2,)),
            job("comes", 2, demands=(2,), required_capabilities=("fridge",)),
        ),
        vehicles=(
            van("cold", capacities=(2,), capabilities=("fridge",)),
            van("warm", capacities=(2,), fixed_cost_milli=1),
        ),
        dimensions=("pieces",),
    )
    without = replace(problem, jobs=problem.jobs[:1])
    standing = stand(problem, standing_of(without).solution)
    assert standing.routes[0].sequence == (0,)
    found = why_left_out(standing, 1)
    item = one(found, Kind.REARRANGE)
    assert item.outcome == Outcome.SERVES
    assert (item.other_job_id, item.other_vehicle_id) == ("moves", "warm")
    assert (found.reason, item.vehicle_id) == (Reason.NO_ROOM, "cold")


def test_prize_is_raised_to_just_above_the_cost() -> None:
    problem = line_problem(
        jobs=(job("poor", 5, prize_milli=1000),),
        vehicles=(van(),),
        objective=Objective(unserved_weight=2),
    )
    found = why(problem, "poor")
    item = one(found, Kind.RAISE_PRIZE)
    assert found.reason == Reason.NOT_WORTH_IT
    assert one(found, Kind.AS_IT_IS).outcome == Outcome.COSTS_TOO_MUCH
    added = 10_000 * 25 + 1060 * 700
    assert item.outcome == Outcome.SERVES
    assert item.prize_milli == added // 2 + 1 - 1000
    assert item.change is not None
    assert item.change.total_milli == added - 2000
    assert found.cheapest == item


def test_nothing_serves_what_no_way_leads_to() -> None:
    from tests.routes.solver.instances import _cut_off  # noqa: PLC0415

    problem = line_problem(jobs=(job("island", 5),), vehicles=(van(),))
    cut = replace(problem, matrices=(_cut_off(problem.matrices[0], 5),))
    found = why(cut, "island")
    assert found.reason == Reason.UNREACHABLE
    assert found.cheapest is None
    assert found.obstacles[0].bindings == (Binding.NO_WAY,)


def test_what_fits_as_it_is_needs_nothing_to_give() -> None:
    problem = line_problem(jobs=(job("a", 1), job("b", 2)), vehicles=(van(),))
    half = standing_of(replace(problem, jobs=problem.jobs[:1])).solution
    standing = stand(problem, half)
    found = why_left_out(standing, 1)
    assert [item.kind for item in found.relaxations] == [Kind.AS_IT_IS]
    assert found.cheapest is not None


def test_served_job_is_not_left_out() -> None:
    standing = standing_of(line_problem(jobs=(job("a", 1),), vehicles=(van(),)))
    with pytest.raises(CannotExplain, match="serves it"):
        why_left_out(standing, 0)
