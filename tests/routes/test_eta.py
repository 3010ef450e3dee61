"""ETAs: driven in thought leg by leg, with an interval and a reason. No solver."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from apps.core.units import Point
from apps.routes.conditions import RoadCondition
from apps.routes.dayinputs import Interval
from apps.routes.eta import propagate
from apps.routes.etaparts import Expected, Outset, Rest, TravelLaw, Visit
from apps.routes.hours import hour_factor
from apps.routes.marks import warnings_for
from apps.routes.places import Circle

NINE = datetime(2026, 3, 17, 9, tzinfo=UTC)
HOME = Point(49.5, 11.28)
PLACES = [Point(49.5, 11.28 + 0.01 * number) for number in range(1, 6)]
LAW = TravelLaw(
    c_s=200,
    p=0.7,
    speed_percent=100,
    zone="UTC",
    travel_cv=0.3,
    service_cv=0.5,
    drift=0.08,
    by_hour=(1.0,) * 24,
)
START = Outset(HOME, NINE)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def visit(number: int, **values: object) -> Visit:
    """Return a visit ten minutes behind the one before, and five minutes long."""
    usual = Visit(
        stop_id=uuid.UUID(int=number),
        point=PLACES[number - 1],
        service_s=300,
        leg_s=600,
        plan_eta_at=NINE + minutes(15 * number - 5),
    )
    return replace(usual, **values)  # type: ignore[arg-type]


def expect(
    *visits: Visit,
    outset: Outset = START,
    rests: tuple[Rest, ...] = (),
    conditions: tuple[RoadCondition, ...] = (),
    law: TravelLaw = LAW,
) -> list[Expected]:
    return propagate(outset, visits, rests, conditions, law)


def after_nine(found: list[Expected]) -> list[float]:
    return [(each.eta_at - NINE) / minutes(1) for each in found]


def roadworks(number: int, **values: object) -> RoadCondition:
    """Return roadworks about a place, where travel takes three times as long."""
    usual = RoadCondition(
        condition_id=uuid.UUID(int=50 + number),
        version=1,
        kind="roadworks",
        place=Circle(PLACES[number - 1], 300),
        from_at=NINE,
        until_at=NINE + minutes(600),
        percent=300,
        name="Roadworks: Bridge",
    )
    return replace(usual, **values)  # type: ignore[arg-type]


def test_legs_and_services_add_up_and_what_goes_as_planned_needs_no_reason() -> None:
    found = expect(*(visit(number) for number in range(1, 6)))

    assert after_nine(found) == [10, 25, 40, 55, 70]
    assert {each.reason for each in found} == {""}
    assert found[1].leaves_at == NINE + minutes(15)


def test_a_leg_that_no_plan_has_is_reckoned_by_the_law() -> None:
    [found] = expect(visit(1, leg_s=None))

    km = 0.722
    assert after_nine([found]) == [pytest.approx(200 * km**0.7 / 60, rel=0.01)]


def test_each_leg_has_the_traffic_of_its_own_hour_by_the_depots_clock() -> None:
    by_hour = tuple(2.0 if hour == 11 else 1.0 for hour in range(24))
    law = replace(LAW, by_hour=by_hour, zone="Europe/Berlin")
    late = replace(START, at=NINE + minutes(50))

    second = visit(2, plan_eta_at=NINE + minutes(75))

    found = expect(visit(1), second, outset=late, law=law)

    assert after_nine(found) == [60, 85], "ten at Berlin's clock, then eleven"
    assert found[1].reason == "Usual traffic of the hour: +10 min"
    assert found[0].reason == "Travel and stops before it: +50 min"
    plain = replace(LAW, by_hour=())
    [usual] = expect(visit(1), law=plain)
    assert after_nine([usual]) == [pytest.approx(10 * hour_factor(9))]


def test_a_slower_vehicle_takes_longer() -> None:
    [found] = expect(visit(1), law=replace(LAW, speed_percent=50))

    assert after_nine([found]) == [20]


def test_lateness_is_passed_on_and_named() -> None:
    late = Outset(HOME, NINE + minutes(12), late_s=720, where="stop 3")

    found = expect(visit(1), visit(2), outset=late)

    assert after_nine(found) == [22, 37]
    assert [each.reason for each in found] == [
        "12 min late at the stop before",
        "12 min late at stop 3",
    ]


def test_one_who_starts_late_has_no_stop_before() -> None:
    late = Outset(HOME, NINE + minutes(12), late_s=720)

    found = expect(visit(1), visit(2), outset=late)

    assert {each.reason for each in found} == {"12 min late at the start"}


def test_an_early_driver_waits_for_the_window_and_the_lateness_is_swallowed() -> None:
    window = Interval(NINE + minutes(30), NINE + minutes(90))

    found = expect(visit(1, windows=(window,)), visit(2))

    assert after_nine(found) == [30, 45]
    assert found[0].arrives_at == NINE + minutes(10)
    assert found[0].low_at == found[0].eta_at == window.opens_at
    assert "Waits for its window at 09:30" in found[0].reason


def test_intervals_hold_the_eta_and_widen_with_what_is_ahead() -> None:
    found = expect(*(visit(number) for number in range(1, 6)))

    widths = [(each.high_at - each.low_at) / minutes(1) for each in found]
    assert all(each.low_at <= each.eta_at <= each.high_at for each in found)
    assert widths == sorted(widths)
    assert widths[0] == pytest.approx(2 * 1.645 * 10 * (0.3**2 + 0.08**2) ** 0.5, 0.01)


def test_roadworks_slow_the_leg_and_are_named_with_their_minutes() -> None:
    clear = expect(visit(1), visit(2), visit(3))
    slow = expect(visit(1), visit(2), visit(3), conditions=(roadworks(3),))

    more = after_nine(slow)[2] - after_nine(clear)[2]
    assert after_nine(slow)[:2] == after_nine(clear)[:2]
    assert more == pytest.approx(2 * 10 * 300 / 722, rel=0.02)
    assert slow[2].reason == "Roadworks: Bridge on the way: +8 min"


def test_a_condition_counts_at_the_moment_of_each_leg() -> None:
    over = roadworks(3, until_at=NINE + minutes(20))
    begins = roadworks(3, from_at=NINE + minutes(35))

    for never in (over, begins):
        found = expect(visit(1), visit(2), visit(3), conditions=(never,))
        assert after_nine(found) == [10, 25, 40]


def test_a_break_is_taken_when_planned_and_one_that_moves_is_said() -> None:
    rest = Rest(
        opens_at=NINE + minutes(10),
        closes_at=NINE + minutes(120),
        duration_s=1800,
        planned_at=NINE + minutes(30),
    )
    behind = visit(3, plan_eta_at=NINE + minutes(70))

    found = expect(visit(1), visit(2), behind, rests=(rest,))
    assert after_nine(found) == [10, 25, 70]
    assert {each.reason for each in found} == {""}

    late = Outset(HOME, NINE + minutes(16), late_s=960, where="stop 1")
    moved = expect(visit(1), visit(2), behind, outset=late, rests=(rest,))
    assert after_nine(moved) == [26, 71, 86]
    assert "break moved before it" in moved[1].reason


def test_a_break_that_no_plan_has_is_named() -> None:
    rest = Rest(opens_at=NINE, closes_at=NINE + minutes(120), duration_s=1800)

    found = expect(visit(1), rests=(rest,))

    assert after_nine(found) == [40]
    assert found[0].reason == "Break before it: +30 min"


def test_one_who_waits_for_the_departure_rests_meanwhile() -> None:
    rest = Rest(opens_at=NINE, closes_at=NINE + minutes(120), duration_s=1800)
    waits = replace(START, at=NINE + minutes(60), idle_from=NINE + minutes(30))
    hardly = replace(waits, idle_from=NINE + minutes(31))
    planned = visit(1, plan_eta_at=NINE + minutes(70))

    assert after_nine(expect(planned, outset=waits, rests=(rest,))) == [70]
    assert after_nine(expect(planned, outset=hardly, rests=(rest,))) == [100]


def test_a_break_fits_into_a_wait() -> None:
    rest = Rest(
        opens_at=NINE + minutes(10), closes_at=NINE + minutes(90), duration_s=1200
    )
    window = Interval(NINE + minutes(60), NINE + minutes(90))

    found = expect(visit(1, windows=(window,)), visit(2), rests=(rest,))

    assert after_nine(found) == [60, 75]


def test_nothing_ahead_expects_nothing() -> None:
    assert expect() == []


def test_marks_name_the_gravest_condition_by_the_depots_clock() -> None:
    visits = [visit(number) for number in range(1, 6)]
    closed = roadworks(
        2,
        kind="closure",
        percent=None,
        name="Closed road: Market",
        until_at=NINE + minutes(90),
        zone="Europe/Berlin",
        is_confirmed=False,
    )
    conditions = (roadworks(2), roadworks(4), closed)
    expected = expect(*visits, conditions=conditions)

    marks = warnings_for(HOME, visits, expected, conditions, now=NINE)

    found = {stop_id.int: (mark.kind, mark.text) for stop_id, mark in marks.items()}
    assert found == {
        2: (
            "closure",
            "Closed road: Market at this stop until 11:30, not yet confirmed",
        ),
        3: ("closure", found[3][1]),
        4: ("roadworks", "Roadworks: Bridge on the way here until 19:00"),
        5: ("roadworks", "Roadworks: Bridge on the way here until 19:00"),
    }
    assert found[3][1].startswith("Closed road: Market on the way here")


def test_what_is_over_before_the_visit_or_holds_everywhere_marks_nothing() -> None:
    visits = [visit(1), visit(2)]
    expected = expect(*visits)
    past = roadworks(2, kind="closure", percent=None, until_at=NINE)
    everywhere = roadworks(2, place=None)

    assert warnings_for(HOME, visits, expected, (past, everywhere), now=NINE) == {}


def test_a_way_that_is_drawn_around_a_condition_is_neither_slowed_nor_marked() -> None:
    works = roadworks(2)
    far = visit(3)
    bend = Point(49.6, 11.30)
    around = replace(far, line=(HOME, bend, far.point))

    straight, drawn = (expect(one, conditions=(works,)) for one in (far, around))

    assert straight[0].arrives_at > drawn[0].arrives_at == NINE + minutes(10)
    for way, expected, is_marked in ((far, straight, True), (around, drawn, False)):
        marks = warnings_for(HOME, [way], expected, [works], now=NINE)
        assert bool(marks) is is_marked
