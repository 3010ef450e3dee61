"""The judge on trips, shipments, and the prices of calm: one plan worked out by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apps.routes.solver.problem import (
    Break,
    Objective,
    Problem,
    Shipment,
    SoftWindow,
)
from apps.routes.solver.solution import (
    CostBreakdown,
    PlacedBreak,
    PlacedReload,
    Reason,
    RouteCost,
    RoutePlan,
    Solution,
    StoppedBy,
    Unserved,
    Visit,
)
from apps.routes.solver.validate import validate
from tests.routes.solver.instances import job, line_problem, van


def soft(start_s: int, end_s: int, early: int, late: int) -> SoftWindow:
    return SoftWindow(
        start_s=start_s, end_s=end_s, early_milli_per_s=early, late_milli_per_s=late
    )


def visit(name: str, arrival_s: int) -> Visit:
    return Visit(
        job_id=name,
        arrival_s=arrival_s,
        wait_s=0,
        start_s=arrival_s,
        departure_s=arrival_s + 60,
    )


# b starts at 580: 80 s late at 3 for its first wish, 20 s early at 5 for its second.
# d starts at 900: 50 s before the told time, at 2. d follows p and e nothing, both not
# as before; between a and b there is only the reload.
PROBLEM = line_problem(
    jobs=(
        job("a", 1, demands=(3,), previous_job=""),
        job(
            "b",
            2,
            demands=(2,),
            previous_job="a",
            soft_windows=(soft(300, 500, 1, 3), soft(600, 700, 5, 9)),
        ),
        job("p", 3, demands=(2,), previous_job="b"),
        job(
            "d", 4, demands=(0,), previous_job="a", soft_windows=(soft(950, 950, 2, 2),)
        ),
        job("e", 1, demands=(1,), previous_job="gone"),
    ),
    vehicles=(
        van(
            "one", capacities=(4,), reload_locations=(5, 0), max_reloads=1, reload_s=120
        ),
        van("two", capacities=(4,)),
    ),
    dimensions=("pieces",),
    shipments=(Shipment(pickup_job="p", delivery_job="d"),),
    objective=Objective(resequence_milli=700, balance_milli_per_s=2),
)
RELOAD = PlacedReload(
    after_visits=1, location=0, arrival_s=260, start_s=260, departure_s=380
)
VISITS = (visit("a", 100), visit("b", 580), visit("p", 740), visit("d", 900))
LONG = RoutePlan(
    vehicle_id="one",
    departure_s=0,
    end_s=1360,
    duration_s=1360,
    travel_s=1000,
    distance_m=10_000,
    overtime_s=0,
    visits=VISITS,
    breaks=(),
    reloads=(RELOAD,),
    cost=RouteCost(
        fixed_milli=0,
        distance_milli=250_000,
        duration_milli=952_000,
        overtime_milli=0,
        soft_milli=200,
    ),
)
SHORT = RoutePlan(
    vehicle_id="two",
    departure_s=0,
    end_s=260,
    duration_s=260,
    travel_s=200,
    distance_m=2000,
    overtime_s=0,
    visits=(visit("e", 100),),
    breaks=(),
    cost=RouteCost(
        fixed_milli=0, distance_milli=50_000, duration_milli=182_000, overtime_milli=0
    ),
)
SOUND = Solution(
    routes=(LONG, SHORT),
    unserved=(),
    cost=CostBreakdown(
        fixed_milli=0,
        distance_milli=300_000,
        duration_milli=1_134_000,
        overtime_milli=0,
        unserved_milli=0,
        disruption_milli=0,
        soft_milli=200,
        resequence_milli=1400,
        balance_milli=2 * (1360 - (1360 + 260) // 2),
    ),
    engine="hand",
    engine_version="1",
    seed=0,
    solutions=0,
    stopped_by=StoppedBy.EXHAUSTED,
)


def codes(problem: Problem, solution: Solution) -> set[str]:
    return {violation.code for violation in validate(problem, solution)}


def with_route(**change: Any) -> Solution:
    return replace(SOUND, routes=(replace(LONG, **change), SHORT))


def with_reload(**change: Any) -> Solution:
    return with_route(reloads=(replace(RELOAD, **change),))


def with_job(name: str, **change: Any) -> Problem:
    jobs = tuple(
        replace(one, **change) if one.id == name else one for one in PROBLEM.jobs
    )
    return replace(PROBLEM, jobs=jobs)


def with_van(**change: Any) -> Problem:
    return replace(
        PROBLEM, vehicles=(replace(PROBLEM.vehicles[0], **change), PROBLEM.vehicles[1])
    )


def with_cost(**change: Any) -> Solution:
    return replace(SOUND, cost=replace(SOUND.cost, **change))


def pairing(pickup: str, delivery: str) -> Problem:
    shipped = Shipment(pickup_job=pickup, delivery_job=delivery)
    return replace(PROBLEM, shipments=(shipped,))


def without(name: str) -> Solution:
    """Leave a visit out of the long route; only what names it is right afterwards."""
    left = Unserved(job_id=name, reason=Reason.NO_ROOM)
    kept = tuple(one for one in VISITS if one.job_id != name)
    return replace(with_route(visits=kept), unserved=(left,))


def test_validate_accepts_trips_worked_out_by_hand() -> None:
    assert validate(PROBLEM, SOUND) == ()


Mutation = Callable[[], tuple[Problem, Solution]]
TRIP_MUTATIONS: dict[str, Mutation] = {
    "reload_too_often": lambda: (with_van(max_reloads=0), SOUND),
    "reload_not_allowed": lambda: (with_van(reload_locations=(5,)), SOUND),
    "reload_wrong_length": lambda: (with_van(reload_s=121), SOUND),
    "reload_misplaced": lambda: (PROBLEM, with_reload(after_visits=4)),
    "reload_too_early": lambda: (PROBLEM, with_reload(start_s=259, departure_s=379)),
    "shipment_halved": lambda: (PROBLEM, without("d")),
    "shipment_parted": lambda: (pairing("p", "e"), SOUND),
    "shipment_reversed": lambda: (pairing("d", "p"), SOUND),
}


@pytest.mark.parametrize("code", TRIP_MUTATIONS)
def test_validate_names_what_is_wrong_with_a_trip(code: str) -> None:
    problem, solution = TRIP_MUTATIONS[code]()

    assert code in codes(problem, solution)


@pytest.mark.parametrize(
    ("code", "broken"),
    [
        ("capacity_exceeded", lambda: (PROBLEM, with_route(reloads=()))),
        ("capacity_exceeded", lambda: (with_job("p", demands=(3,)), SOUND)),
        ("capacity_exceeded", lambda: (with_job("a", demands=(5,)), SOUND)),
        ("capacity_exceeded", lambda: (with_van(initial_load=(1,)), SOUND)),
        ("capacity_exceeded", lambda: (pairing("a", "p"), SOUND)),
        ("travel_wrong", lambda: (PROBLEM, with_reload(location=5))),
        ("travel_wrong", lambda: (PROBLEM, with_reload(arrival_s=261))),
        ("travel_wrong", lambda: (PROBLEM, with_reload(departure_s=381, start_s=261))),
        ("left_before_release", lambda: (with_job("b", release_s=381), SOUND)),
        ("left_before_release", lambda: (with_job("a", release_s=1), SOUND)),
        ("reload_misplaced", lambda: (with_van(locked=("a", "b")), SOUND)),
        ("route_cost_misstated", lambda: (with_job("d", soft_windows=()), SOUND)),
        (
            "route_cost_misstated",
            lambda: (with_job("d", soft_windows=(soft(800, 899, 0, 1),)), SOUND),
        ),
        ("cost_misstated", lambda: (PROBLEM, with_cost(soft_milli=0))),
        ("cost_misstated", lambda: (PROBLEM, with_cost(resequence_milli=700))),
        ("cost_misstated", lambda: (PROBLEM, with_cost(balance_milli=0))),
        ("cost_misstated", lambda: (with_job("b", previous_job=""), SOUND)),
        ("cost_misstated", lambda: (with_job("a", previous_job="b"), SOUND)),
    ],
)
def test_validate_finds_each_broken_rule(code: str, broken: Mutation) -> None:
    problem, solution = broken()

    assert code in codes(problem, solution)


def test_validate_counts_a_release_by_trip() -> None:
    assert codes(with_job("b", release_s=380), SOUND) == set()


def test_validate_lets_a_parcel_stay_on_board_over_a_reload() -> None:
    """From a to b the parcel is carried by both trips, so b's own trip has 3 + 2."""
    heavy = replace(pairing("a", "b"), jobs=with_job("b", demands=(3,)).jobs)

    assert codes(heavy, SOUND) == {"capacity_exceeded"}
    assert codes(pairing("a", "d"), SOUND) == {"capacity_exceeded"}
    assert codes(pairing("a", "b"), SOUND) <= {"capacity_exceeded"}


def test_validate_lets_the_delivery_of_a_commitment_be_left() -> None:
    committed = with_van(locked=("a", "b", "p"), reload_locations=(0,))
    free = codes(PROBLEM, without("d"))
    held = codes(committed, without("d"))

    assert "shipment_halved" in free
    assert "shipment_halved" not in held


@pytest.mark.parametrize(
    ("at_reload", "on_arrival", "start_s", "wrong"),
    [
        (True, True, 260, set()),
        (True, True, 259, {"break_overlaps"}),
        (True, False, 380, {"travel_wrong"}),
        (False, False, 160, {"travel_wrong"}),
        (False, True, 580, {"break_overlaps", "wait_misstated"}),
    ],
)
def test_validate_knows_a_break_at_a_reload(
    at_reload: bool, on_arrival: bool, start_s: int, wrong: set[str]
) -> None:
    """A rest of a second; only on arrival, where the loading may wait, is it free."""
    rest = Break(earliest_s=0, latest_s=5000, duration_s=1)
    taken = PlacedBreak(
        break_index=0,
        after_visits=1,
        on_arrival=on_arrival,
        start_s=start_s,
        end_s=start_s + 1,
        at_reload=at_reload,
    )
    waited = replace(RELOAD, start_s=261, departure_s=381) if at_reload else RELOAD
    waited = waited if on_arrival else RELOAD
    solution = with_route(reloads=(waited,), breaks=(taken,))
    found = codes(with_van(breaks=(rest,)), solution)
    if at_reload and on_arrival:
        found -= {"travel_wrong"}  # the second of rest moves what follows

    assert found == wrong


def test_validate_knows_no_break_at_a_reload_that_is_not_there() -> None:
    rest = Break(earliest_s=0, latest_s=5000, duration_s=0)
    taken = PlacedBreak(
        break_index=0,
        after_visits=2,
        on_arrival=True,
        start_s=640,
        end_s=640,
        at_reload=True,
    )

    found = codes(with_van(breaks=(rest,)), with_route(breaks=(taken,)))

    assert found == {"break_unknown"}
