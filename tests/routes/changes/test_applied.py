"""Each kind of change takes effect, and no re-optimization undoes it: by the real task."""

import uuid  # noqa: TC003 - a local annotation
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.drivers.models import ShiftBreak
from apps.journal.models import Change as Told
from apps.journal.models import Entry
from apps.journal.services import _Unit
from apps.orders import services as orders
from apps.orders.drafts import OrderChanges
from apps.orders.models import Order
from apps.recommendations.services import Draft, issue
from apps.routes.changes import (
    Change,
    ChangeVehicle,
    ChangeWindow,
    EndShiftEarly,
    ExtraBreak,
    GiveStop,
    Impact,
    LockRoute,
    MoveStop,
    PinStop,
    SkipStop,
    TakeAlternative,
    TakeOff,
    UnlockRoute,
)
from apps.routes.impact import apply_change, impact_of
from apps.routes.models import PlanChange, Route, Stop, UnservedOrder
from apps.routes.pinned import Pin
from apps.routes.solving import replay
from tests.factories import NOW, SERVICE_DATE, VehicleFactory
from tests.queueing import drain
from tests.routes.changes.laid import AT_WORK, Laid, lay_day
from tests.routes.days import OFFICE, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


def decide(change: Change) -> Impact:
    """Look at a change's impact, let it take effect, and let the machine go on."""
    impact = settle(change)
    assert "reoptimize" in drain()
    return impact


def settle(change: Change) -> Impact:
    """Look at a change's impact, and let it take effect."""
    impact = impact_of(change, now=NOW)
    apply_change(change, expected_version=impact.version, by=OFFICE, now=NOW)
    return impact


def disturb(laid: Laid) -> Order:
    """Let an order come in that lies on the way of the first route."""
    order = make_order(laid.depot)
    Order.objects.filter(pk=order.pk).update(
        latitude=laid.stops()[1].order.latitude,
        longitude=laid.stops()[1].order.longitude,
    )
    changes = OrderChanges.of(notes="Ring twice.")
    orders.change_order(
        order_id=order.pk, expected_version=None, changes=changes, by=OFFICE, now=NOW
    )
    drain()
    order.refresh_from_db()
    return order


def test_moved_stop_keeps_its_place_and_its_driver_is_told() -> None:
    laid = lay_day()
    ids = laid.ids()
    last = MoveStop(stop_id=ids[5], place=1, reason="The shop closes early.")
    impact = settle(last)
    assert impact.summary.startswith("6 before 1: +")
    assert impact.is_feasible
    assert laid.ids() == [ids[5], *ids[:5]]
    assert [one.stop_id for one in impact.after[0].stops] == laid.ids()
    change = PlanChange.objects.get(route=laid.routes[0])
    assert change.moved[0]["stop_id"] == ids[5]
    assert Told.objects.filter(table="plan_changes", row_id=str(change.pk)).exists()
    order = disturb(laid)
    assert laid.ids()[0] == ids[5], "what came in does not undo what people decided"
    assert Stop.objects.get(order=order).route_id is not None
    entry = Entry.objects.get(kind="change.applied")
    assert entry.actor == str(OFFICE)
    assert entry.payload["values"] == {
        "stop_id": ids[5],
        "place": 1,
        "reason": "The shop closes early.",
    }


def test_given_stop_stays_with_its_new_driver_and_both_are_told() -> None:
    laid = lay_day()
    stop = laid.stops()[1]
    given = GiveStop(stop_id=str(stop.pk), shift_id=str(laid.routes[1].shift_id))
    impact = decide(given)
    assert impact.minutes > 0
    assert impact.other_drivers == (str(laid.routes[1].driver_id),)
    told = PlanChange.objects.filter(plan__cause__change="give_stop")
    assert {change.route_id for change in told} == {one.pk for one in laid.routes}
    disturb(laid)
    stop.refresh_from_db()
    assert stop.route_id == laid.routes[1].pk, "it is dearer there, and stays there"


def test_stop_leaves_one_driver_and_enters_anothers_in_one_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    units: list[dict[tuple[uuid.UUID, str, str], bool]] = []
    flush = _Unit.flush

    def seen(unit: _Unit, now: Any) -> None:
        units.append(dict(unit.changes))
        flush(unit, now)

    laid = lay_day()
    stop, (old, new) = laid.stops()[1], laid.routes[:2]
    monkeypatch.setattr(_Unit, "flush", seen)
    decide(GiveStop(stop_id=str(stop.pk), shift_id=str(new.shift_id)))
    left = (old.driver_id, "stops", str(stop.pk))
    entered = (new.driver_id, "stops", str(stop.pk))
    [moved] = [unit for unit in units if left in unit]
    assert moved[left] is True
    assert moved[entered] is False


def test_stop_taken_off_is_planned_by_nobody() -> None:
    laid = lay_day()
    stop = laid.stops()[2]
    impact = decide(TakeOff(stop_id=str(stop.pk), reason="Parcel is damaged."))
    assert impact.left_out == (str(stop.order_id),)
    assert impact.minutes < 0
    disturb(laid)
    stop.refresh_from_db()
    assert stop.route_id is None
    assert stop.order.status == "open"
    assert UnservedOrder.objects.get(order=stop.order).code == "taken_off"
    orders.reschedule_order(
        order_id=stop.order_id,
        service_date=SERVICE_DATE + timedelta(days=1),
        windows=[],
        by=OFFICE,
        now=NOW,
    )
    drain()
    assert not Pin.objects.filter(stop=stop, ended_at=None).exists()


def test_skipped_stop_has_failed_and_the_others_move_up() -> None:
    laid = lay_day()
    stop = laid.stops()[0]
    decide(SkipStop(stop_id=str(stop.pk), reason="Gate is locked."))
    stop.refresh_from_db()
    assert (stop.status, stop.reason) == ("failed", "skipped")
    assert stop.order.status == "failed"
    assert str(stop.pk) not in laid.ids()


def test_pinned_time_is_kept_by_plan_and_eta_and_released_again() -> None:
    laid = lay_day()
    laid.depart()
    stop = laid.stops()[2]
    from_at = AT_WORK + timedelta(hours=2)
    impact = decide(
        PinStop(
            stop_id=str(stop.pk), from_at=from_at, until_at=from_at + timedelta(hours=1)
        )
    )
    assert impact.is_feasible
    disturb(laid)
    stop.refresh_from_db()
    assert stop.eta_at is not None
    assert from_at <= stop.eta_at < from_at + timedelta(hours=1)
    decide(PinStop(stop_id=str(stop.pk), is_released=True))
    assert not Pin.objects.filter(stop=stop, ended_at=None).exists()


def test_changed_window_is_on_the_order_with_its_history() -> None:
    laid = lay_day()
    laid.depart()
    stop = laid.stops()[4]
    opens_at = AT_WORK + timedelta(minutes=10)
    change = ChangeWindow(
        stop_id=str(stop.pk),
        opens_at=opens_at,
        closes_at=opens_at + timedelta(minutes=8),
    )
    impact = decide(change)
    assert impact.is_feasible
    (window,) = stop.order.windows.all()
    assert window.opens_at == opens_at
    stop.refresh_from_db()
    assert stop.eta_at is not None
    assert opens_at <= stop.eta_at < window.closes_at
    assert Entry.objects.get(kind="change.applied").payload["old"] == []


def test_locked_route_gets_nothing_and_loses_nothing_until_it_is_unlocked() -> None:
    laid = lay_day()
    ids = laid.ids()
    impact = decide(LockRoute(route_id=str(laid.routes[0].pk), reason="Loaded."))
    assert impact.reasons == ("Nothing that is driven changes.",)
    version = Route.objects.get(pk=laid.routes[0].pk).version
    order = disturb(laid)
    assert laid.ids() == ids
    assert Route.objects.get(pk=laid.routes[0].pk).version == version
    assert Stop.objects.get(order=order).route_id == laid.routes[1].pk
    decide(UnlockRoute(route_id=str(laid.routes[0].pk)))
    newer = disturb(laid)
    assert Stop.objects.get(order=newer).route_id == laid.routes[0].pk


def test_taken_alternative_holds() -> None:
    laid = lay_day()
    ids = laid.stops()
    backwards = [str(stop.order_id) for stop in reversed(ids)]
    shift_id = str(laid.routes[0].shift_id)
    row = issue(_draft(laid, {shift_id: backwards}), by=OFFICE, now=NOW)
    laid.routes[0].plan.recommendation = row
    laid.routes[0].plan.save()
    decide(TakeAlternative(recommendation_id=str(row.pk)))
    disturb(laid)
    assert [str(stop.order_id) for stop in laid.stops()][:6] == backwards


def test_shift_that_ends_early_sheds_what_does_not_fit() -> None:
    laid = lay_day()
    ends_at = AT_WORK + timedelta(minutes=20)
    impact = decide(
        EndShiftEarly(shift_id=str(laid.routes[0].shift_id), ends_at=ends_at)
    )
    assert impact.other_drivers == (str(laid.routes[1].driver_id),)
    assert 0 < len(laid.ids()) < 6
    assert len(laid.ids()) + len(laid.ids(1)) == 12
    route = Route.objects.select_related("shift").get(pk=laid.routes[0].pk)
    assert route.shift.ends_at == ends_at
    assert route.ends_at <= ends_at


def test_smaller_vehicle_carries_what_fits() -> None:
    laid = lay_day()
    small = VehicleFactory(depot=laid.depot, capacity_pieces=2)
    change = ChangeVehicle(
        shift_id=str(laid.routes[0].shift_id), vehicle_id=str(small.pk)
    )
    decide(change)
    assert len(laid.ids()) == 2
    assert len(laid.ids(1)) == 10
    assert Route.objects.get(pk=laid.routes[0].pk).shift.vehicle_id == small.pk


def test_extra_break_is_planned() -> None:
    laid = lay_day()
    laid.depart()
    change = ExtraBreak(
        shift_id=str(laid.routes[0].shift_id),
        from_at=AT_WORK + timedelta(minutes=5),
        until_at=AT_WORK + timedelta(minutes=15),
        duration_s=1800,
    )
    impact = decide(change)
    assert impact.minutes == 30
    assert ShiftBreak.objects.get(shift=laid.routes[0].shift).duration_s == 1800
    route = Route.objects.get(pk=laid.routes[0].pk)
    assert route.break_starts_at is not None
    assert change.from_at <= route.break_starts_at <= change.until_at


def test_impact_is_made_again_to_the_byte() -> None:
    laid = lay_day()
    ids = laid.ids()
    for change in (
        MoveStop(stop_id=ids[0], after_stop_id=ids[3]),
        EndShiftEarly(
            shift_id=str(laid.routes[0].shift_id),
            ends_at=AT_WORK + timedelta(minutes=20),
        ),
    ):
        impact = impact_of(change, now=NOW)
        assert impact.answer
        assert replay(impact.inputs) == impact.answer


def _draft(laid: Laid, routes: dict[str, list[str]]) -> Draft:
    return Draft(
        kind="plan",
        depot_id=laid.depot.pk,
        subject_type="plan",
        subject_id=str(laid.routes[0].plan_id),
        inputs=b"{}",
        answer=b"{}",
        engine="greedy",
        engine_version="1",
        seed=1,
        mode="rules",
        alternatives=[{"engine": "greedy", "total_minor": 0, "routes": routes}],
    )
