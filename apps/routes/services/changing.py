"""A change that was decided takes effect: the plan at once, and what holds it there."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from apps.core.actors import Actor
from apps.core.ids import uuid7
from apps.drivers import services as drivers
from apps.drivers.services import BreakTime
from apps.journal.services import Writer, writing
from apps.orders import services as orders
from apps.orders.drafts import OrderChanges, Window
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
    as_wire,
)
from apps.routes.models import Route, Stop
from apps.routes.pinned import Pin
from apps.routes.services.applying import store_plan
from apps.routes.services.decided import note_followed
from apps.routes.services.fitting import Answer, StaleInput
from apps.routes.services.holding import end_pins, lock_route, pin_stop, unlock_route
from apps.routes.services.plans import open_changed_plan
from apps.routes.services.stops import record_stop_event
from apps.routes.services.telling import StopReport
from apps.routes.states import StopState
from apps.routes.subjects import Subject

SKIPPED: Final = "skipped"
"""The reason of a failed attempt that was decided before it was made."""

WHY: Final[Mapping[str, str]] = {
    "move_stop": "A stop was moved on your route, as was decided.",
    "pin_stop": "A stop was pinned, as was decided.",
    "give_stop": "A stop was given to another driver, as was decided.",
    "take_off": "A stop was taken off today, as was decided.",
    "change_window": "A stop has another window, as was decided.",
    "take_alternative": "Another plan was chosen instead of the recommended one.",
    "end_shift_early": "A shift ends early, as was decided.",
    "change_vehicle": "A shift has another vehicle, as was decided.",
    "extra_break": "A break was added, as was decided.",
}
"""Why a route changes, in the driver's words, by kind of change."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change worked out on the state that its impact names, ready to take effect.

    `answer` is the plan with it, None where nothing that is driven changes. `versions`
    are those of the routes that were looked at.
    """

    change: Change
    impact: Impact
    subject: Subject
    answer: Answer | None
    versions: Mapping[uuid.UUID, int]


def store_change(
    ready: Prepared,
    *,
    expected_version: str,
    noted: uuid.UUID | None = None,
    by: Actor,
    now: datetime,
) -> Impact:
    """Let a change take effect, if the plan is as it was when its impact was shown.

    `noted` is the impact's row of the ledger, where it is written down already. Everything in one transaction: sequences, pins and locks, shift or order, what the
    drivers are told, and the re-optimization that follows.

    Raises:
        StaleInput: the plan has moved on; `version` is that of the new impact.
        Problem: the shift, vehicle or order does not allow it any more.
    """
    change, impact = ready.change, ready.impact
    if impact.version != expected_version:
        raise StaleInput(
            "The plan has moved on since this was worked out: look at what the change "
            "would do now, and decide again.",
            version=impact.version,
        )
    touched = [uuid.UUID(driver_id) for driver_id in impact.drivers]
    with writing(by=by, now=now, scopes=touched) as journal:
        routes = _unchanged_routes(ready, journal)
        old = _agreed(ready)
        plan_id = _store(ready, journal)
        note_followed(impact, ready.subject.about, noted, journal)
        EFFECTS[type(change)](change, ready, journal)
        journal.record(
            "change.applied",
            routes[0] if routes else ready.subject.about,
            depot_id=ready.subject.depot_id,
            service_date=ready.subject.service_date.isoformat(),
            route_ids=sorted(str(route.pk) for route in routes),
            change=impact.kind,
            values=as_wire(change),
            old=old,
            version=impact.version,
            plan_id=plan_id,
        )
    return impact


def _unchanged_routes(ready: Prepared, journal: Writer) -> list[Route]:
    """Lock the drivers of what the answer plans; return the touched routes.

    Raises:
        StaleInput: a route or the stop has changed since the change was worked out.
    """
    held = ready.answer.day.shifts if ready.answer is not None else ()
    journal.lock(shift.driver_id for shift in held)
    rows = {row.pk: row for row in Route.objects.filter(pk__in=ready.versions)}
    stop = ready.subject.stop
    if stop is not None:
        fresh = Stop.objects.get(pk=stop.pk)
        is_same = (fresh.route_id, fresh.status) == (stop.route_id, StopState.PENDING)
    else:
        is_same = True
    if not is_same or any(
        pk not in rows or rows[pk].version != version
        for pk, version in ready.versions.items()
    ):
        raise StaleInput("The plan has moved on at this very moment: ask again.")
    told = set(ready.impact.drivers)
    return [
        row
        for row in sorted(rows.values(), key=lambda row: row.pk)
        if str(row.driver_id) in told
    ]


def _agreed(ready: Prepared) -> Any:
    """Return what a change replaces, for the history."""
    stop, shift = ready.subject.stop, ready.subject.shift
    if isinstance(ready.change, ChangeWindow) and stop is not None:
        windows = stop.order.windows.order_by("opens_at")
        return [[w.opens_at.isoformat(), w.closes_at.isoformat()] for w in windows]
    if isinstance(ready.change, EndShiftEarly) and shift is not None:
        return shift.ends_at.isoformat()
    if isinstance(ready.change, ChangeVehicle) and shift is not None:
        return str(shift.vehicle_id)
    if stop is not None:
        shift_id = stop.route.shift_id if stop.route is not None else None
        return {"shift_id": str(shift_id or ""), "number": stop.sequence}
    return None


def _store(ready: Prepared, journal: Writer) -> str | None:
    """Publish the plan with the change; a skipped stop's is made after its report."""
    if ready.answer is None or isinstance(ready.change, SkipStop):
        return None
    plan = open_changed_plan(
        depot_id=ready.subject.depot_id,
        service_date=ready.subject.service_date,
        cause={"kind": "change", "change": ready.impact.kind, "step": "decided"},
        by=journal.by,
        now=journal.now,
    )
    answer = replace(ready.answer, draft=None, why=WHY[ready.impact.kind])
    store_plan(plan.pk, answer, by=journal.by, now=journal.now)
    return str(plan.pk)


def _move(change: MoveStop, ready: Prepared, journal: Writer) -> None:
    stop, shift_id = ready.subject.own_stop(), ready.subject.home
    pin_stop(stop, Pin.Kind.PLACE, journal, shift_id=shift_id, why=change.reason)


def _pin(change: PinStop, ready: Prepared, journal: Writer) -> None:
    stop, shift_id = ready.subject.own_stop(), ready.subject.home
    if change.is_released:
        end_pins([stop.pk], journal, kinds=HOLDING)
        return
    if change.at_place:
        pin_stop(stop, Pin.Kind.PLACE, journal, shift_id=shift_id, why=change.reason)
    if change.with_driver:
        pin_stop(stop, Pin.Kind.DRIVER, journal, shift_id=shift_id, why=change.reason)
    if change.from_at is not None or change.until_at is not None:
        pin_stop(
            stop,
            Pin.Kind.TIME,
            journal,
            opens_at=change.from_at,
            closes_at=change.until_at,
            why=change.reason,
        )


def _give(change: GiveStop, ready: Prepared, journal: Writer) -> None:
    stop, shift_id = ready.subject.own_stop(), uuid.UUID(change.shift_id)
    end_pins([stop.pk], journal, kinds=(Pin.Kind.PLACE, Pin.Kind.OFF))
    pin_stop(stop, Pin.Kind.DRIVER, journal, shift_id=shift_id, why=change.reason)
    if change.place is not None:
        pin_stop(stop, Pin.Kind.PLACE, journal, shift_id=shift_id, why=change.reason)


def _take_off(change: TakeOff, ready: Prepared, journal: Writer) -> None:
    stop = ready.subject.own_stop()
    end_pins([stop.pk], journal, kinds=HOLDING)
    pin_stop(stop, Pin.Kind.OFF, journal, why=change.reason)


def _skip(change: SkipStop, ready: Prepared, journal: Writer) -> None:
    """Report the attempt as failed in the driver's stead: all that follows a report does."""
    stop = ready.subject.own_stop()
    if stop.route is None:
        raise TypeError("A stop without a route cannot be skipped.")
    record_stop_event(
        StopReport(
            event_id=str(uuid7()),
            stop_id=str(stop.pk),
            kind="stop.failed",
            driver_id=stop.route.driver_id,
            occurred_at=journal.now,
            received_at=journal.now,
            device_seq=0,
            payload={"reason": SKIPPED, "note": change.reason},
        ),
        by=journal.by,
        now=journal.now,
    )


def _window(change: ChangeWindow, ready: Prepared, journal: Writer) -> None:
    stop = ready.subject.own_stop()
    end_pins([stop.pk], journal, kinds=(Pin.Kind.TIME,))
    window = Window(change.opens_at, change.closes_at)
    order = stop.order
    orders.change_order(
        order_id=order.pk,
        expected_version=None,
        changes=OrderChanges.of(windows=(window,)),
        by=journal.by,
        now=journal.now,
    )


def _lock(change: LockRoute, ready: Prepared, journal: Writer) -> None:
    if ready.subject.route is not None:
        lock_route(
            ready.subject.route, journal, until_at=change.until_at, why=change.reason
        )


def _unlock(change: UnlockRoute, ready: Prepared, journal: Writer) -> None:
    del change
    if ready.subject.route is not None:
        unlock_route(ready.subject.route, journal)


def _alternative(change: TakeAlternative, ready: Prepared, journal: Writer) -> None:
    """Hold each changed route as far as its last stop: what is new comes behind it."""
    last = {
        sketch.stops[-1].order_id: uuid.UUID(sketch.shift_id)
        for sketch in ready.impact.after
        if sketch.stops
    }
    rows = Stop.objects.filter(order__in=list(last), status=StopState.PENDING)
    for stop in rows.select_related("order"):
        shift_id = last[str(stop.order_id)]
        pin_stop(stop, Pin.Kind.PLACE, journal, shift_id=shift_id, why=change.reason)


def _end_early(change: EndShiftEarly, ready: Prepared, journal: Writer) -> None:
    del ready
    drivers.end_shift_early(
        shift_id=uuid.UUID(change.shift_id),
        ends_at=change.ends_at,
        by=journal.by,
        now=journal.now,
    )


def _vehicle(change: ChangeVehicle, ready: Prepared, journal: Writer) -> None:
    del ready
    drivers.swap_vehicle(
        shift_id=uuid.UUID(change.shift_id),
        vehicle_id=uuid.UUID(change.vehicle_id),
        by=journal.by,
        now=journal.now,
    )


def _rest(change: ExtraBreak, ready: Prepared, journal: Writer) -> None:
    del ready
    drivers.add_break(
        shift_id=uuid.UUID(change.shift_id),
        rest=BreakTime(change.from_at, change.until_at, change.duration_s),
        by=journal.by,
        now=journal.now,
    )


HOLDING: Final = (Pin.Kind.PLACE, Pin.Kind.DRIVER, Pin.Kind.TIME)

EFFECTS: Final[Mapping[type, Callable[[Any, Prepared, Writer], None]]] = {
    MoveStop: _move,
    PinStop: _pin,
    GiveStop: _give,
    TakeOff: _take_off,
    SkipStop: _skip,
    ChangeWindow: _window,
    LockRoute: _lock,
    UnlockRoute: _unlock,
    TakeAlternative: _alternative,
    EndShiftEarly: _end_early,
    ChangeVehicle: _vehicle,
    ExtraBreak: _rest,
}
"""What each kind of change sets beside the sequences, and what keeps it there."""
