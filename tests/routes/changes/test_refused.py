"""Changes that are refused: impossible ones, and those whose plan has moved on."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from apps.core.problems import NotFound
from apps.orders.models import Order
from apps.routes.changes import (
    Change,
    ChangeVehicle,
    ChangeWindow,
    EndShiftEarly,
    ExtraBreak,
    GiveStop,
    MoveStop,
    PinStop,
    TakeOff,
    impact_as_wire,
    impact_from_wire,
)
from apps.routes.impact import apply_change, impact_of, prepare_change
from apps.routes.models import Plan, Route
from apps.routes.pinned import Pin
from apps.routes.services.changing import store_change
from apps.routes.services.fitting import StaleInput
from apps.routes.subjects import CannotChange
from tests.factories import NOW, TimeWindowFactory
from tests.routes.changes.laid import AT_WORK, Laid, lay_day
from tests.routes.days import OFFICE, report

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


def refusal(change: Change) -> str:
    with pytest.raises(CannotChange) as refused:
        impact_of(change, now=AT_WORK)
    return refused.value.detail


def test_impossible_changes_say_what_would_be_possible() -> None:
    laid = lay_day()
    laid.depart()
    stops, shift_id = laid.stops(), str(laid.routes[0].shift_id)
    other_id, missing = str(laid.routes[1].shift_id), "0" * 32
    Order.objects.filter(pk=stops[4].order_id).update(requires=["fridge"])
    report(stops[0], "stop.enroute", AT_WORK)
    report(stops[0], "stop.arrived", AT_WORK)
    report(stops[0], "stop.succeeded", AT_WORK)
    report(stops[1], "stop.enroute", AT_WORK)
    first, under_way, third = (str(stop.pk) for stop in stops[:3])
    late = AT_WORK + timedelta(hours=20)

    assert "succeeded already" in refusal(TakeOff(stop_id=first))
    assert "on the way there" in refusal(MoveStop(stop_id=under_way, place=4))
    assert "from 3 on" in refusal(MoveStop(stop_id=third, place=1))
    theirs = laid.ids(1)[0]
    assert "not ahead on this route" in refusal(
        MoveStop(stop_id=third, before_stop_id=theirs)
    )
    assert "in another van" in refusal(GiveStop(stop_id=third, shift_id=other_id))
    assert "has the stop already" in refusal(GiveStop(stop_id=third, shift_id=shift_id))
    assert "anyway" in refusal(EndShiftEarly(shift_id=shift_id, ends_at=late))
    assert "over" in refusal(EndShiftEarly(shift_id=shift_id, ends_at=NOW))
    assert "within it" in refusal(
        ExtraBreak(shift_id=shift_id, from_at=late, until_at=late, duration_s=600)
    )
    assert "already" in refusal(
        ChangeVehicle(
            shift_id=shift_id, vehicle_id=str(laid.routes[0].shift.vehicle_id)
        )
    )
    with pytest.raises(NotFound):
        impact_of(TakeOff(stop_id=missing), now=NOW)


def test_handed_over_parcel_may_change_vans_on_the_road() -> None:
    laid = lay_day()
    laid.depart()
    change = GiveStop(
        stop_id=laid.ids()[2],
        shift_id=str(laid.routes[1].shift_id),
        is_handed_over=True,
    )
    assert impact_of(change, now=AT_WORK).is_feasible


def test_vehicle_that_cannot_is_named() -> None:
    laid = lay_day()
    stop = laid.stops()[2]
    Order.objects.filter(pk=stop.order_id).update(requires=["fridge"])
    given = GiveStop(stop_id=str(stop.pk), shift_id=str(laid.routes[1].shift_id))
    assert "lack" in refusal(given)


def test_broken_window_is_named_with_its_minutes() -> None:
    laid = lay_day()
    laid.depart()
    stops = laid.stops()
    TimeWindowFactory(
        order=stops[0].order, opens_at=NOW, closes_at=AT_WORK + timedelta(minutes=10)
    )
    change = MoveStop(stop_id=str(stops[0].pk), after_stop_id=str(stops[5].pk))
    impact = impact_of(change, now=AT_WORK)
    assert not impact.is_feasible
    assert impact.windows_broken == 1
    (late,) = (one for one in impact.broken if one.code == "window_missed")
    assert (late.stop_id, late.order_id) == (str(stops[0].pk), str(stops[0].order_id))
    assert f"1 window broken (stop 1, {late.minutes_late} min late)" in impact.summary
    assert late.minutes_late > 5
    again = impact_from_wire(impact_as_wire(impact))
    assert (again.broken, again.after) == (impact.broken, impact.after)


def test_change_is_stale_once_the_plan_has_moved_on() -> None:
    laid = lay_day()
    laid.depart()
    ids = laid.ids()
    change = MoveStop(stop_id=ids[4], place=3)
    seen = impact_of(change, now=AT_WORK).version
    report(laid.stops()[0], "stop.arrived", AT_WORK)
    with pytest.raises(StaleInput) as stale:
        apply_change(change, expected_version=seen, by=OFFICE, now=AT_WORK)
    assert stale.value.extra["version"] == impact_of(change, now=AT_WORK).version
    assert laid.ids() == ids[1:]


def test_of_two_changes_worked_out_at_once_one_is_told() -> None:
    laid = lay_day()
    first = prepare_change(MoveStop(stop_id=laid.ids()[4], place=2), now=NOW)
    second = prepare_change(TakeOff(stop_id=laid.ids()[1]), now=NOW)
    store_change(first, expected_version=first.impact.version, by=OFFICE, now=NOW)
    with pytest.raises(StaleInput):
        store_change(second, expected_version=second.impact.version, by=OFFICE, now=NOW)
    assert not Pin.objects.filter(kind="off").exists()


def test_impact_changes_nothing() -> None:
    laid = lay_day()
    before = (
        laid.ids(),
        Plan.objects.count(),
        Route.objects.get(pk=laid.routes[0].pk).version,
    )
    impact_of(TakeOff(stop_id=laid.ids()[1]), now=NOW)
    impact_of(_later(laid), now=NOW)
    impact_of(PinStop(stop_id=laid.ids()[1], at_place=True), now=NOW)
    after = (
        laid.ids(),
        Plan.objects.count(),
        Route.objects.get(pk=laid.routes[0].pk).version,
    )
    assert after == before
    assert not Pin.objects.exists()


def _later(laid: Laid) -> ChangeWindow:
    opens_at = AT_WORK + timedelta(hours=1)
    return ChangeWindow(
        stop_id=laid.ids()[1],
        opens_at=opens_at,
        closes_at=opens_at + timedelta(hours=1),
    )
