"""Plans as somebody else would have them: timed, priced, and what they break by name."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.explaining.around import plan_around
from apps.routes.solver.explaining.forcing import (
    Follow,
    LeaveOut,
    PutBeside,
    PutOnRoute,
    Wish,
    force,
)
from apps.routes.solver.explaining.standing import CannotExplain, Standing, cost_parts
from apps.routes.solver.problem import Break, Problem, TimeWindow
from apps.routes.solver.validate import validate
from tests.routes.solver.explaining.test_relaxations import standing_of
from tests.routes.solver.instances import job, line_problem, random_problem, van

DAY = line_problem(
    jobs=(
        job("a", 1),
        job("b", 2, windows=(TimeWindow(start_s=0, end_s=300),)),
        job("c", 3),
    ),
    vehicles=(van("one"), van("two", fixed_cost_milli=900_000)),
)
BENDABLE = {
    "window_missed",
    "shift_overrun",
    "capacity_exceeded",
    "capability_missing",
    "vehicle_not_allowed",
    "pin_broken",
    "left_before_release",
    "break_missing",
}
"""Rules that a forced plan may break; it never misstates a time or a cost."""


def sequence_of(standing: Standing, vehicle_id: str) -> list[str]:
    number = standing.car(vehicle_id)
    return [standing.view.jobs[one].id for one in standing.routes[number].sequence]


def test_forced_order_breaks_the_window_that_it_misses_and_says_so() -> None:
    standing = standing_of(DAY)
    assert sequence_of(standing, "one") == ["a", "b", "c"]
    found = force(standing, PutBeside(job_id="c", other_id="a"))
    # There by 300, served until 360; a by 560 until 620; b at 720, 421 s late.
    [broken] = found.change.broken
    assert (broken.code, broken.job_id) == ("window_missed", "b")
    assert broken.detail == "starts 720"
    [route] = found.solution.routes
    assert [visit.job_id for visit in route.visits] == ["c", "a", "b"]
    assert found.change.duration_s == route.duration_s - 780
    assert dict(found.fixed)["one"] == ("c", "a", "b")


def test_forced_order_without_harm_costs_what_it_costs() -> None:
    standing = standing_of(DAY)
    found = force(standing, PutBeside(job_id="c", other_id="b", after=True))
    assert found.change.total_milli == 0
    assert found.change.moved == ()
    assert found.change.broken == ()


def test_stop_is_put_on_another_route_where_it_costs_least() -> None:
    standing = standing_of(DAY)
    found = force(standing, PutOnRoute(job_id="c", vehicle_id="two"))
    assert found.change.broken == ()
    assert found.change.part_milli("fixed") == 900_000
    [moved] = found.change.moved
    assert (moved.vehicle_before, moved.vehicle_after) == ("one", "two")
    assert (moved.place_before, moved.place_after) == (3, 1)


def test_stop_is_put_where_the_vehicle_cannot_take_it_all_the_same() -> None:
    problem = line_problem(
        jobs=(
            job("cold", 1, required_capabilities=("fridge",), demands=(3,)),
            job("other", 2, demands=(3,)),
        ),
        vehicles=(
            van("fridge", capabilities=("fridge",), capacities=(3,)),
            van("plain", capacities=(4,)),
        ),
        dimensions=("pieces",),
    )
    standing = standing_of(problem)
    found = force(standing, PutOnRoute(job_id="cold", vehicle_id="plain"))
    codes = {(one.code, one.job_id) for one in found.change.broken}
    assert codes == {("capability_missing", "cold"), ("capacity_exceeded", None)}


def test_stop_is_left_out_at_its_price() -> None:
    standing = standing_of(DAY)
    found = force(standing, LeaveOut(job_id="c"))
    assert found.change.part_milli("unserved") == DAY.jobs[2].prize_milli
    assert found.change.duration_s == -260
    assert found.change.distance_m == -2000
    assert not found.change.broken


def test_drivers_own_sequence_is_timed_as_told() -> None:
    standing = standing_of(DAY)
    found = force(standing, Follow(vehicle_id="one", job_ids=("b", "a", "c")))
    [route] = found.solution.routes
    assert [visit.job_id for visit in route.visits] == ["b", "a", "c"]
    assert found.change.broken == ()
    assert found.change.duration_s == 200


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (PutBeside(job_id="a", other_id="a"), "cannot come before or after itself"),
        (PutBeside(job_id="a", other_id="zz"), "made without the stop zz"),
        (PutOnRoute(job_id="a", vehicle_id="one"), "on this route already"),
        (PutOnRoute(job_id="a", vehicle_id="nine"), "without the route nine"),
        (Follow(vehicle_id="one", job_ids=("a", "b")), "does not name 1 .* c"),
        (Follow(vehicle_id="one", job_ids=("a", "b", "c", "c")), "a stop twice"),
        (Follow(vehicle_id="two", job_ids=("a",)), "not on the route: a"),
    ],
)
def test_wish_that_does_not_fit_is_refused(wish: PutBeside, said: str) -> None:
    with pytest.raises(CannotExplain, match=said):
        force(standing_of(DAY), wish)


def test_committed_stop_is_not_moved() -> None:
    first = replace(DAY.vehicles[0], locked=("a",))
    standing = standing_of(replace(DAY, vehicles=(first, DAY.vehicles[1])))
    wishes: tuple[Wish, ...] = (
        LeaveOut(job_id="a"),
        PutBeside(job_id="c", other_id="a"),
        Follow(vehicle_id="one", job_ids=("b", "a", "c")),
    )
    for wish in wishes:
        with pytest.raises(CannotExplain, match="bound to"):
            force(standing, wish)


def test_break_is_kept_in_a_forced_sequence() -> None:
    rest = Break(earliest_s=300, latest_s=400, duration_s=300)
    problem = replace(DAY, vehicles=(replace(DAY.vehicles[0], breaks=(rest,)),))
    found = force(
        standing_of(problem), Follow(vehicle_id="one", job_ids=("c", "b", "a"))
    )
    assert len(found.solution.routes[0].breaks) == 1
    assert {one.code for one in found.change.broken} == {"window_missed"}


@given(seed=st.integers(0, 100_000))
@settings(max_examples=50, deadline=None)
def test_forced_plan_is_true_but_for_the_rules_that_it_names(seed: int) -> None:
    random = Random(seed)  # noqa: S311  a repeatable choice
    standing = standing_of(random_problem(seed, job_count=9))
    jobs = [one.id for one in standing.problem.jobs]
    vehicles = [one.id for one in standing.problem.vehicles]
    wishes: list[Wish] = [
        PutBeside(job_id=random.choice(jobs), other_id=random.choice(jobs)),
        PutOnRoute(job_id=random.choice(jobs), vehicle_id=random.choice(vehicles)),
        LeaveOut(job_id=random.choice(jobs)),
        shuffled(standing, random),
    ]
    for wish in wishes:
        try:
            found = force(standing, wish)
        except CannotExplain:
            continue
        assert {one.code for one in found.change.broken} <= BENDABLE
        before, after = (
            cost_parts(standing.stated.cost),
            cost_parts(found.solution.cost),
        )
        assert found.change.total_milli == sum(after.values()) - sum(before.values())


def shuffled(standing: Standing, random: Random) -> Follow:
    route = max(standing.routes, key=lambda one: len(one.sequence))
    car = standing.view.cars[route.number]
    rest = list(route.sequence[len(car.locked) :])
    random.shuffle(rest)
    names = standing.view.jobs
    return Follow(
        vehicle_id=car.vehicle.id,
        job_ids=tuple(names[one].id for one in (*car.locked, *rest)),
    )


@given(seed=st.integers(0, 100_000))
@settings(max_examples=15, deadline=None)
def test_planning_around_keeps_the_wish_and_is_never_worse(seed: int) -> None:
    random = Random(seed)  # noqa: S311  a repeatable choice
    problem = random_problem(seed, job_count=9)
    standing = standing_of(problem)
    wishes: tuple[Wish, ...] = (shuffled(standing, random), LeaveOut(job_id="j3"))
    for wish in wishes:
        try:
            forced = force(standing, wish)
        except CannotExplain:
            continue
        found = plan_around(standing, forced)
        worth = (len(found.change.broken), found.change.total_milli)
        assert worth <= (len(forced.change.broken), forced.change.total_milli)
        assert {one.code for one in validate(problem, found.solution)} <= BENDABLE
        if isinstance(wish, Follow):
            visits = [
                visit.job_id
                for route in found.solution.routes
                if route.vehicle_id == wish.vehicle_id
                for visit in route.visits
            ]
            assert tuple(visits[: len(wish.job_ids)]) == wish.job_ids


def test_others_make_room_for_what_was_forced() -> None:
    found = plan_around(
        standing_of(AROUND),
        force(standing_of(AROUND), PutBeside(job_id="c", other_id="a")),
    )
    assert found.around
    assert found.change.broken == ()
    homes = {
        visit.job_id: route.vehicle_id
        for route in found.solution.routes
        for visit in route.visits
    }
    assert homes == {"c": "one", "a": "one", "b": "two"}


AROUND: Problem = replace(
    DAY, vehicles=(DAY.vehicles[0], replace(DAY.vehicles[1], fixed_cost_milli=100_000))
)
