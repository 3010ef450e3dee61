"""Why a stop is where it is: its neighbours, and what every other place costs."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.explaining.placing import why_here
from apps.routes.solver.explaining.standing import CannotExplain, stand
from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import Stop
from apps.routes.solver.problem import Shipment, TimeWindow
from apps.routes.solver.routestate import build_route
from tests.routes.solver.explaining.test_relaxations import standing_of
from tests.routes.solver.instances import (
    composed_day,
    job,
    line_problem,
    random_problem,
    van,
)

LINE = line_problem(
    jobs=(
        job("a", 1),
        job("b", 2, windows=(TimeWindow(start_s=0, end_s=800),)),
        job("c", 3),
    ),
    vehicles=(van("one"), van("two", fixed_cost_milli=1_000_000)),
)


def test_neighbours_place_and_slack_are_those_of_the_plan() -> None:
    standing = standing_of(LINE)
    here = why_here(standing, standing.job("b"))
    sequence = [LINE.jobs[index].id for index in standing.routes[0].sequence]
    assert here.vehicle_id == "one"
    assert sequence[here.place - 1] == "b"
    assert here.visits == 3
    assert here.slack_s == 799 - here.visit.start_s
    around = [None, *sequence, None]
    assert here.previous_job_id == around[here.place - 1]
    assert here.next_job_id == around[here.place + 1]


def test_other_places_cost_what_the_changed_plan_costs_more() -> None:
    standing = standing_of(LINE)
    here = why_here(standing, standing.job("c"))
    # Before b it lies on the way as well, b on the way back: the same 6 km.
    assert here.same_route is not None
    assert (here.same_route.place, here.same_route.added_milli) == (2, 0)
    assert here.same_route.later_s == -60
    [other] = here.other_routes
    assert other.vehicle_id == "two"
    # Alone on two: 6 km, 660 s, the vehicle; without it one goes to 2 km and back.
    alone = 6000 * 25 + 660 * 700 + 1_000_000
    saved = 2000 * 25 + 260 * 700
    assert here.saved_milli == saved
    assert other.added_milli == alone - saved
    assert here.without_milli == LINE.jobs[2].prize_milli - saved


def test_committed_stop_has_no_other_place() -> None:
    problem = replace(
        LINE, vehicles=(replace(LINE.vehicles[0], locked=("a",)), *LINE.vehicles[1:])
    )
    standing = standing_of(problem)
    here = why_here(standing, standing.job("a"))
    assert here.committed
    assert (here.same_route, here.other_routes) == (None, ())


def test_left_out_stop_and_shipment_have_no_place_to_explain() -> None:
    standing = standing_of(
        line_problem(jobs=(job("x", 1, prize_milli=1),), vehicles=(van(),))
    )
    with pytest.raises(CannotExplain, match="leaves it out"):
        why_here(standing, 0)
    solution = standing_of(LINE).solution
    parcel = replace(LINE, shipments=(Shipment(pickup_job="a", delivery_job="c"),))
    with pytest.raises(CannotExplain, match="move together"):
        why_here(stand(parcel, solution), 0)


@given(seed=st.integers(0, 100_000))
@settings(max_examples=30, deadline=None)
def test_no_built_place_is_cheaper_than_the_best_named(seed: int) -> None:
    standing = standing_of(random_problem(seed, job_count=9))
    view = standing.view
    for route in standing.routes:
        for index in route.sequence:
            here = why_here(standing, index)
            if here.committed:
                continue
            for other in standing.routes:
                if (
                    other.number == route.number
                    or not view.may_serve[other.number][index]
                ):
                    continue
                named = [
                    one.added_milli
                    for one in here.other_routes
                    if one.vehicle_id == view.cars[other.number].vehicle.id
                ]
                first = len(view.cars[other.number].locked)
                for leg in range(first, len(other.sequence) + 1):
                    sequence = (*other.sequence[:leg], index, *other.sequence[leg:])
                    built = build_route(view, other.number, sequence)
                    if built is None:
                        continue
                    added = built.cost_milli - other.cost_milli - here.saved_milli
                    assert named
                    assert named[0] <= added


def test_places_of_a_large_day_are_named() -> None:
    day = composed_day(120, 4)
    answer = GreedySolver().solve(day, stop=Stop(solutions=3), seed=1)
    standing = stand(day, answer)
    assert standing.stated.cost == answer.cost
    assert standing.stated.routes == answer.routes
    for route in standing.routes:
        here = why_here(standing, route.sequence[len(route.sequence) // 2])
        assert here.routes_without_place + len(here.other_routes) <= 3
        found = [one.added_milli for one in here.other_routes]
        assert found == sorted(found)
