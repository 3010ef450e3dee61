"""Pins hold in every engine: on composed days, judged by the independent validator."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.units import Point
from apps.routes.dayinputs import DayInput, Interval, OrderInput, ShiftInput
from apps.routes.dayversions import present_jobs
from apps.routes.parameters import DEFAULTS
from apps.routes.planning import build_problem
from apps.routes.solver.port import MENDER, Stop, engine_names, open_engine
from apps.routes.solver.problem import UNREACHABLE, Problem
from apps.routes.solver.solution import Solution
from apps.routes.solver.validate import validate
from apps.routes.solving import present_sequence
from tests.factories import NOW, SERVICE_DATE

STOPS = 5
SHIFTS = 3


def _id(kind: int, number: int) -> UUID:
    return UUID(int=kind * 1000 + number)


def _day(places: list[tuple[int, int]], *, departed: bool) -> DayInput:
    """Lay three drivers' stops at whole hundredths of a degree."""
    shifts = tuple(
        ShiftInput(
            shift_id=_id(1, number),
            shift_version=1,
            driver_id=_id(2, number),
            start=Point(49.5, 11.0),
            end=Point(49.5, 11.0),
            free_at=NOW,
            ends_at=NOW + timedelta(hours=9),
            max_overtime_s=0,
            capacities=(1000, 1000, 1000),
            on_board=(0, 0, 0),
            capabilities=(),
            breaks=(),
            cost_per_km_minor=30,
            cost_per_hour_minor=2400,
            speed_percent=100,
            departed=departed,
            ahead=tuple(_id(4, STOPS * number + place) for place in range(STOPS)),
        )
        for number in range(SHIFTS)
    )
    orders = tuple(
        OrderInput(
            order_id=_id(3, number),
            order_version=1,
            point=Point(49.5 + east / 100, 11.0 + north / 100),
            service_s=120,
            windows=(),
            demands=(1, 1, 1),
            requires=(),
            priority=3,
            is_pickup=False,
            stop_id=_id(4, number),
            shift_id=_id(1, number // STOPS),
        )
        for number, (east, north) in enumerate(places)
    )
    return DayInput(_id(5, 0), SERVICE_DATE, NOW, shifts, orders, DEFAULTS)


def _problem(day: DayInput, *, closed: int | None = None) -> Problem:
    points = day.points()
    away = np.array(
        [[abs(a.lat - b.lat) + abs(a.lon - b.lon) for b in points] for a in points]
    )
    durations_s = (away * 10_000).astype(np.int32) + 30
    np.fill_diagonal(durations_s, 0)
    if closed is not None:
        durations_s[:, closed] = UNREACHABLE
    return build_problem(
        day, durations_s=durations_s, distances_m=(away * 100_000).astype(np.int32)
    )


def _sequences(solution: Solution) -> dict[str, list[str]]:
    return {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in solution.routes
    }


places_of = st.lists(
    st.tuples(st.integers(-9, 9), st.integers(-9, 9)),
    min_size=STOPS * SHIFTS,
    max_size=STOPS * SHIFTS,
)


@pytest.mark.parametrize("engine", [*engine_names(), MENDER])
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(
    places=places_of,
    held=st.lists(st.integers(0, STOPS), min_size=SHIFTS, max_size=SHIFTS),
    given_to=st.integers(0, SHIFTS - 1),
    departed=st.booleans(),
)
def test_no_engine_moves_what_is_pinned(
    engine: str,
    places: list[tuple[int, int]],
    held: list[int],
    given_to: int,
    departed: bool,
) -> None:
    day = _day(places, departed=departed)
    shifts = tuple(
        replace(shift, held=count)
        for shift, count in zip(day.shifts, held, strict=True)
    )
    # The last stop of one driver is pinned to a driver, at the depot to any of them.
    last = day.orders[STOPS - 1]
    pinned_to = day.shifts[0 if departed or held[0] == STOPS else given_to].shift_id
    timed = day.orders[STOPS]
    window = Interval(NOW + timedelta(hours=4), NOW + timedelta(hours=4, minutes=10))
    orders = tuple(
        replace(order, pinned_shift=pinned_to)
        if order == last
        else replace(order, windows=(window,), has_pinned_time=True)
        if order == timed
        else order
        for order in day.orders
    )
    day = replace(day, shifts=shifts, orders=orders)
    problem = _problem(day)
    solution = open_engine(engine).solve(
        problem,
        stop=Stop(solutions=30, time_limit_s=10),
        seed=1,
        warm_start=present_sequence(day),
    )
    assert validate(problem, solution) == ()
    found, present = _sequences(solution), present_jobs(day)
    for shift in day.shifts:
        mine = present[shift.shift_id][: shift.held]
        assert found.get(str(shift.shift_id), [])[: shift.held] == mine
    assert str(last.order_id) in found[str(pinned_to)]
    starts = {
        visit.job_id: visit.start_s
        for route in solution.routes
        for visit in route.visits
    }
    assert str(timed.order_id) in starts
    if not held[1]:
        assert 4 * 3600 <= starts[str(timed.order_id)] < 4 * 3600 + 600


def test_validator_sees_a_pin_that_was_moved() -> None:
    day = _day([(place, place) for place in range(STOPS * SHIFTS)], departed=True)
    shifts = (replace(day.shifts[0], held=3), *day.shifts[1:])
    free, pinned = _problem(day), _problem(replace(day, shifts=shifts))
    told = present_sequence(day)
    assert told is not None
    backwards = replace(
        told,
        routes=(
            replace(told.routes[0], visits=tuple(reversed(told.routes[0].visits))),
            *told.routes[1:],
        ),
    )
    solution = open_engine("follow").solve(
        free, stop=Stop(), seed=0, warm_start=backwards
    )
    assert validate(free, solution) == ()
    assert "locked_moved" in {one.code for one in validate(pinned, solution)}


def test_closed_road_undoes_the_pins_behind_it() -> None:
    day = _day([(place, place) for place in range(STOPS * SHIFTS)], departed=True)
    day = replace(day, shifts=(replace(day.shifts[0], held=4), *day.shifts[1:]))
    closed = day.points().index(day.orders[2].point)
    locked = _problem(day, closed=closed).vehicles[0].locked
    assert locked == tuple(str(order.order_id) for order in day.orders[:2])


def test_pinned_place_counts_only_on_its_own_vehicle() -> None:
    day = _day([(place, place) for place in range(STOPS * SHIFTS)], departed=True)
    needy = replace(day.orders[1], requires=("fridge",))
    day = replace(
        day,
        shifts=(replace(day.shifts[0], held=3), *day.shifts[1:]),
        orders=(day.orders[0], needy, *day.orders[2:]),
    )
    locked = _problem(day).vehicles[0].locked
    assert locked == (str(day.orders[0].order_id),)
