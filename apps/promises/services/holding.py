"""The verbs of a slot: hold it, take it, let it go.

Whoever counts what is left of a day holds its lock (`SlotDay`); after it come orders, as
everywhere. Prices are reckoned before the lock, since they ask for travel times; under it
only the mark is looked at, which changes with whatever the price was made of.
"""

import uuid
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from apps.core.actors import Actor
from apps.core.problems import Conflict
from apps.journal.services import Writer, writing
from apps.orders.drafts import Window
from apps.orders.models import Order
from apps.orders.selectors import order_by_id
from apps.orders.services import reschedule_order
from apps.promises.calendar import Rules
from apps.promises.models import Hold, SlotDay
from apps.promises.offering import Slot, check_movable, price_slot
from apps.promises.selectors import (
    binding_holds,
    hold_by_id,
    marks_of_day,
    open_hold_of,
    rules_of,
)
from apps.promises.services.noting import note_offer, settle_offer
from apps.promises.states import HoldState
from apps.routes.dayinputs import Interval

TRIES = 60
"""Each try that fails means that somebody else got a place: it ends when none is left."""


class SlotGone(Conflict):
    """The slot cannot be had any more."""

    type = "/problems/slot-gone"
    title = "This time is no longer free: please choose another one."


class HoldOver(Conflict):
    """The time for which the slot was kept is over, or it was given up."""

    type = "/problems/hold-over"
    title = "The time was kept for you too long ago: please choose again."


class TooManyAtOnce(Conflict):
    """Too many others choose at this moment."""

    type = "/problems/too-many-at-once"
    title = "Many people choose a time at this moment: please try again in a minute."


def hold_slot(*, order_id: uuid.UUID, slot: Interval, by: Actor, now: datetime) -> Hold:
    """Keep a slot for an order for some minutes; one that it held before is let go.

    The same slot held twice is one hold.

    Raises:
        OrderNotFound: there is no such order.
        OrderClosed: it is delivered or cancelled.
        TooLate: the driver is about to come.
        SlotGone: others have the last place.
        TooManyAtOnce: the day changed with every try.
    """
    order = order_by_id(order_id)
    rules = rules_of(order.depot)
    check_movable(order, rules, now)
    for _ in range(TRIES):
        offered = price_slot(order, rules, slot, now)
        if offered is None:
            raise SlotGone
        hold = _keep(order, offered, rules, by, now)
        if hold is not None:
            return hold
    raise TooManyAtOnce


def _keep(
    order: Order, offered: Slot, rules: Rules, by: Actor, now: datetime
) -> Hold | None:
    """Keep what was offered if it still is; None where somebody was faster."""
    day = offered.service_date
    with writing(by=by, now=now) as writer:
        lock_day(order.depot_id, day)
        held = open_hold_of(order.pk, now)
        if held is not None and held.opens_at == offered.opens_at:
            return held
        if not _still_free(order, offered, rules, now):
            return None
        _settle(_held_by(order), HoldState.RELEASED, writer)
        hold = Hold.objects.create(
            depot_id=order.depot_id,
            order=order,
            route_id=offered.route_id,
            service_date=day,
            opens_at=offered.opens_at,
            closes_at=offered.closes_at,
            added_s=offered.travel_s,
            added_m=offered.distance_m,
            cost_minor=round(offered.cost_milli / 1000),
            co2_g=offered.co2_g,
            held_at=now,
            held_by=str(by),
            expires_at=now + timedelta(minutes=rules.hold_minutes),
        )
        writer.record("slot.held", hold, depot_id=order.depot_id, **_told(hold))
        note_offer(hold, offered, by=by, now=now)
    return hold


def _still_free(order: Order, offered: Slot, rules: Rules, now: datetime) -> bool:
    """Compare the mark of what was priced with what the tables say under the lock."""
    day = offered.service_date
    holds = list(binding_holds(order.depot_id, day, now, but=order.pk))
    if offered.route_id is None:
        return offered.mark == repr([hold.pk.hex for hold in holds])
    return marks_of_day(order.depot_id, day, holds).get(offered.route_id) == (
        offered.mark
    )


def take_slot(*, hold_id: uuid.UUID, by: Actor, now: datetime) -> Hold:
    """Move the order into the slot that is held for it; taken twice, it is moved once.

    The slot is checked again: the day may have changed since it was held.

    Raises:
        HoldNotFound: there is no such hold.
        HoldOver: it has expired, or another slot was chosen since.
        SlotGone: the day has no place for it any more.
        TooLate: the driver is about to come.
        OrderClosed: it was delivered or cancelled meanwhile.
        OrderMoved: somebody else changed the order at the same moment.
    """
    hold = hold_by_id(hold_id)
    if hold.status == HoldState.TAKEN:
        return hold
    if hold.status != HoldState.HELD or hold.expires_at <= now:
        raise HoldOver
    order = order_by_id(hold.order_id)
    rules = rules_of(order.depot)
    check_movable(order, rules, now)
    window = Interval(hold.opens_at, hold.closes_at)
    if price_slot(order, rules, window, now, chosen_at=hold.held_at) is None:
        with writing(by=by, now=now) as writer:
            _settle(Hold.objects.filter(pk=hold.pk), HoldState.RELEASED, writer)
        raise SlotGone
    with writing(by=by, now=now) as writer:
        lock_day(hold.depot_id, hold.service_date)
        if not _settle(Hold.objects.filter(pk=hold.pk), HoldState.TAKEN, writer):
            return _first_answer(hold_id)
        reschedule_order(
            order_id=order.pk,
            service_date=hold.service_date,
            windows=[Window(hold.opens_at, hold.closes_at)],
            expected_version=order.version,
            by=by,
            now=now,
        )
    return hold_by_id(hold_id)


def _first_answer(hold_id: uuid.UUID) -> Hold:
    """Return what the one made of the hold who was faster.

    Raises:
        HoldOver: it was given up.
    """
    hold = hold_by_id(hold_id)
    if hold.status != HoldState.TAKEN:
        raise HoldOver
    return hold


def release_hold(*, hold_id: uuid.UUID, by: Actor, now: datetime) -> bool:
    """Let a held slot go; tell whether it was held."""
    with writing(by=by, now=now) as writer:
        rows = Hold.objects.filter(pk=hold_id)
        return bool(_settle(rows, HoldState.RELEASED, writer))


def expire_holds(*, by: Actor, now: datetime) -> int:
    """Close the holds whose time is over; return how many. They bind nothing since."""
    with writing(by=by, now=now) as writer:
        rows = Hold.objects.filter(status=HoldState.HELD, expires_at__lte=now)
        return _settle(rows, HoldState.EXPIRED, writer)


def lock_day(depot_id: uuid.UUID, day: date) -> None:
    """Take the lock of a depot's day; the first one makes it."""
    key = {"depot_id": depot_id, "service_date": day}
    SlotDay.objects.bulk_create([SlotDay(**key)], ignore_conflicts=True)
    SlotDay.objects.select_for_update().get(**key)


def _held_by(order: Order) -> QuerySet[Hold]:
    return Hold.objects.filter(order=order)


def _settle(rows: QuerySet[Hold], state: HoldState, writer: Writer) -> int:
    """Settle those of the holds that are held; return how many."""
    open_ones = list(rows.filter(status=HoldState.HELD).order_by("pk"))
    done = 0
    for hold in open_ones:
        hit = Hold.objects.filter(pk=hold.pk, status=HoldState.HELD).update(
            status=state, settled_at=writer.now
        )
        if hit:
            done += 1
            kind = f"slot.{state}"
            writer.record(kind, hold, depot_id=hold.depot_id, **_told(hold))
            settle_offer(hold, state, by=writer.by, now=writer.now)
    return done


def _told(hold: Hold) -> dict[str, str | int]:
    return {
        "order_id": str(hold.order_id),
        "opens_at": hold.opens_at.isoformat(),
        "closes_at": hold.closes_at.isoformat(),
        "cost_minor": hold.cost_minor,
        "co2_g": hold.co2_g,
    }
