"""Conditions of the road: when they are in force, what they do to travel and to a day."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest

from apps.core.units import Point
from apps.routes.conditions import (
    CLOSED_DISTANCE_PERCENT,
    CLOSED_PERCENT,
    UNREACHABLE,
    DailyHours,
    RoadCondition,
    Slice,
    minutes_text,
    slowed,
)
from apps.routes.dayinputs import DayInput, Interval, OrderInput, ShiftInput
from apps.routes.effects import time_looked_at, under_conditions
from apps.routes.gateways.memory import MemoryTravelTimes
from apps.routes.parameters import DEFAULTS
from apps.routes.places import Circle
from apps.routes.solver.solution import Solution
from apps.routes.solving import answer_day

START = datetime(2026, 3, 17, 7, tzinfo=UTC)
HOME, MIDDLE, FAR = Point(49.5, 11.28), Point(49.5, 11.30), Point(49.5, 11.32)
POINTS = [HOME, MIDDLE, FAR]


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def condition(**values: object) -> RoadCondition:
    """Return roadworks about the middle, from seven to nine."""
    usual = RoadCondition(
        condition_id=uuid.UUID(int=1),
        version=1,
        kind="roadworks",
        place=Circle(MIDDLE, 500),
        from_at=START,
        until_at=START + hours(2),
        percent=200,
        name="Roadworks",
    )
    return replace(usual, **values)  # type: ignore[arg-type]


def travel(*conditions: RoadCondition, lasts_h: float = 2) -> list[list[int]]:
    matrix = MemoryTravelTimes().matrix(POINTS)
    durations_s, _ = slowed(
        matrix.durations_s,
        matrix.distances_m,
        POINTS,
        conditions,
        Slice(START, START + hours(lasts_h)),
    )
    rows: list[list[int]] = durations_s.tolist()
    return rows


def test_it_is_in_force_from_its_begin_up_to_its_expiry() -> None:
    row = condition()

    assert not row.is_in_force(START - timedelta(seconds=1))
    assert row.is_in_force(START)
    assert row.is_in_force(START + hours(2) - timedelta(seconds=1))
    assert not row.is_in_force(START + hours(2))
    assert row.share_of(START, START + hours(4)) == 0.5
    assert row.share_of(START + hours(2), START + hours(4)) == 0
    assert row.share_of(START + hours(1), START + hours(1)) == 1


def test_daily_hours_go_by_the_depots_clock_over_the_change_to_summer_time() -> None:
    row = condition(
        from_at=datetime(2026, 3, 27, tzinfo=UTC),
        until_at=datetime(2026, 3, 31, tzinfo=UTC),
        zone="Europe/Berlin",
        daily=DailyHours(time(7), time(9)),
    )
    saturday, sunday = (
        datetime(2026, 3, 28, tzinfo=UTC),
        datetime(2026, 3, 29, tzinfo=UTC),
    )

    assert row.intervals(saturday, saturday + hours(24)) == [
        (saturday + hours(6), saturday + hours(8))
    ]
    assert row.intervals(sunday, sunday + hours(24)) == [
        (sunday + hours(5), sunday + hours(7))
    ]
    assert row.is_in_force(sunday + hours(5))
    assert not row.is_in_force(sunday + hours(7))


def test_daily_hours_may_go_over_midnight() -> None:
    row = condition(
        from_at=START, until_at=START + hours(48), daily=DailyHours(time(22), time(2))
    )
    night = datetime(2026, 3, 17, 22, tzinfo=UTC)

    assert row.intervals(START, START + hours(24)) == [(night, night + hours(4))]
    assert row.is_in_force(night + hours(3))
    assert not row.is_in_force(night + hours(4))


def test_what_lies_inside_takes_longer_both_ways_and_nothing_else_does() -> None:
    clear, slow = travel(), travel(condition())

    share = 1000 / 2890
    assert slow[0][2] == pytest.approx(clear[0][2] * (1 + share), rel=0.01)
    assert slow[0][1] == pytest.approx(clear[0][1] * (1 + 500 / 1445), rel=0.01)
    assert slow[2][0] == slow[0][2]
    assert travel(condition(place=Circle(Point(49.6, 11.3), 500))) == clear


def test_conditions_add_up_and_count_by_the_share_of_time() -> None:
    clear = travel()
    everywhere = condition(place=None, percent=150, kind="weather")

    both = travel(everywhere, condition(place=None))
    half = travel(everywhere, lasts_h=4)

    assert both[0][2] == round(clear[0][2] * 2.5)
    assert half[0][2] == pytest.approx(clear[0][2] * 1.25, abs=1)


def test_an_expired_one_has_no_effect() -> None:
    over = condition(from_at=START - hours(3), until_at=START)

    assert travel(over) == travel()


def test_a_closure_costs_the_way_round_in_time_and_metres() -> None:
    matrix = MemoryTravelTimes().matrix(POINTS)
    closed = condition(kind="closure", percent=None, place=Circle(MIDDLE, 1445))
    apart = matrix.durations_s.copy()
    apart[0, 1] = UNREACHABLE

    durations_s, metres = slowed(
        apart, matrix.distances_m, POINTS, [closed], Slice(START, START + hours(1))
    )

    assert durations_s[0, 1] == UNREACHABLE
    assert durations_s[1, 0] == pytest.approx(
        matrix.durations_s[1, 0] * CLOSED_PERCENT / 100, rel=0.01
    )
    assert metres[1, 0] == pytest.approx(
        matrix.distances_m[1, 0] * CLOSED_DISTANCE_PERCENT / 100, rel=0.01
    )
    assert matrix.durations_s[0, 1] != UNREACHABLE, "what was given stays as it is"


def order(number: int, *windows: Interval, **values: object) -> OrderInput:
    usual = OrderInput(
        order_id=uuid.UUID(int=number),
        order_version=1,
        point=MIDDLE,
        service_s=120,
        windows=windows,
        demands=(0, 0, 1),
        requires=(),
        priority=3,
        is_pickup=False,
    )
    return replace(usual, **values)  # type: ignore[arg-type]


def day(*orders: OrderInput, departed: bool = False, **values: object) -> DayInput:
    shift = ShiftInput(
        shift_id=uuid.UUID(int=99),
        shift_version=1,
        driver_id=uuid.UUID(int=98),
        start=HOME,
        end=HOME,
        free_at=START,
        ends_at=START + hours(8),
        max_overtime_s=0,
        capacities=(1000, 1000, 10),
        on_board=(0, 0, 0),
        capabilities=(),
        breaks=(),
        cost_per_km_minor=30,
        cost_per_hour_minor=2400,
        speed_percent=100,
        departed=departed,
    )
    usual = DayInput(
        depot_id=uuid.UUID(int=97),
        service_date=START.date(),
        origin_at=START,
        shifts=(shift,),
        orders=orders,
        parameters=DEFAULTS,
        conditions=(condition(kind="closure", percent=None),),
    )
    return replace(usual, **values)  # type: ignore[arg-type]


def windows_left(given: DayInput) -> list[tuple[float, float]]:
    """Return the windows of its only order after all conditions, in hours from START."""
    after, _ = under_conditions(given, MemoryTravelTimes().matrix(given.points()))
    return [
        ((w.opens_at - START) / hours(1), (w.closes_at - START) / hours(1))
        for w in after.orders[0].windows
    ]


def test_nobody_goes_into_a_closure_while_it_lasts() -> None:
    early = Interval(START + hours(1), START + hours(4))
    late = Interval(START + hours(5), START + hours(6))

    assert windows_left(day(order(1))) == [(2, 8)]
    assert windows_left(day(order(1, early, late))) == [(2, 4), (5, 6)]
    assert windows_left(day(order(1, point=FAR))) == []
    slow = day(order(1), conditions=(condition(),))
    assert windows_left(slow) == [], "what is slow is not closed"


def test_an_order_that_a_closure_leaves_no_time_is_for_nobody_today() -> None:
    only = Interval(START, START + hours(2))

    [(opens, _)] = windows_left(day(order(1, only)))

    assert opens > 24


def test_a_parcel_on_board_is_brought_when_the_road_is_open_again() -> None:
    only = Interval(START, START + hours(2))
    held = order(1, only, shift_id=uuid.UUID(int=99))

    assert windows_left(day(held, departed=True)) == [(2, 8)]
    whole_day = (condition(kind="closure", percent=None, until_at=START + hours(9)),)
    stays = day(held, departed=True, conditions=whole_day)
    assert windows_left(stays) == [(0, 2)], "it stays where it was"


def test_a_running_days_matrix_looks_two_hours_ahead() -> None:
    assert time_looked_at(day()) == Slice(START, START + hours(8))
    assert time_looked_at(day(departed=True)) == Slice(START, START + hours(2))


def planned(*conditions: RoadCondition) -> Solution:
    """Plan a day of one stop, which nobody serves after half past seven."""
    until = Interval(START, START + timedelta(minutes=30))
    given = day(order(1, until, point=FAR), conditions=conditions)
    by_rules = replace(given, parameters=replace(DEFAULTS, engine="greedy"))
    return answer_day(
        by_rules,
        plan_id=uuid.UUID(int=2),
        kind="plan",
        on_progress=lambda percent, text: None,
    ).solution


def test_an_active_condition_changes_the_matrix_and_the_plan() -> None:
    given = day(order(1, point=FAR))
    clear = MemoryTravelTimes().matrix(given.points())
    everywhere = condition(place=None, until_at=START + hours(8))

    _, slow = under_conditions(replace(given, conditions=(everywhere,)), clear)

    assert slow.durations_s.tolist() == (2 * clear.durations_s).tolist()
    assert clear.durations_s.max() > 0
    [route] = planned().routes
    [slower] = planned(everywhere).routes
    assert slower.travel_s == pytest.approx(2 * route.travel_s, abs=2)
    jammed = replace(everywhere, percent=1000)
    assert [one.job_id for one in planned(jammed).unserved] == [str(uuid.UUID(int=1))]


def test_an_expired_condition_changes_neither_matrix_nor_plan() -> None:
    given = day(order(1, point=FAR))
    clear = MemoryTravelTimes().matrix(given.points())
    over = condition(place=None, from_at=START - hours(2), until_at=START)

    _, after = under_conditions(replace(given, conditions=(over,)), clear)

    assert after.durations_s.tolist() == clear.durations_s.tolist()
    assert planned(over) == planned()


def test_a_day_without_conditions_is_left_as_it_is() -> None:
    clear = day(order(1), conditions=())
    matrix = MemoryTravelTimes().matrix(clear.points())

    assert under_conditions(clear, matrix) == (clear, matrix)


def test_hours_of_traffic_go_by_the_depots_clock() -> None:
    assert day().local_hour == 7
    assert day(zone="Europe/Berlin").local_hour == 8
    assert day(zone="America/New_York").local_hour == 3


def test_minutes_are_said_as_people_say_them() -> None:
    assert [minutes_text(each) for each in (240, -90, 29, 30)] == [
        "+4 min",
        "-2 min",
        "+0 min",
        "+1 min",
    ]


def test_a_matrix_of_a_hundred_places_keeps_its_type() -> None:
    matrix = MemoryTravelTimes().matrix(POINTS * 30)

    durations_s, _ = slowed(
        matrix.durations_s,
        matrix.distances_m,
        POINTS * 30,
        [condition()],
        Slice(START, START + hours(1)),
    )

    assert durations_s.dtype == np.int32
    assert (durations_s >= matrix.durations_s).all()
