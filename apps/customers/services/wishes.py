"""The verbs of what a customer asks of the driver, and prefers."""

import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.core.actors import Actor
from apps.core.problems import Conflict, FieldError, Invalid
from apps.core.units import Point
from apps.customers.models import DeliveryWish, PickupPoint
from apps.customers.selectors import door_of
from apps.customers.states import WishKind
from apps.journal.services import writing
from apps.orders.drafts import AddressDraft, OrderChanges, Window
from apps.orders.models import Order
from apps.orders.selectors import order_by_id
from apps.orders.services import change_order
from apps.promises.selectors import movable_stop
from apps.routes.states import UNDER_WAY

MARK = "Customer: "
"""Begins the line of an order's notes that is the customer's own."""

DAY_PARTS = {
    "morning": (time(8), time(12)),
    "afternoon": (time(12), time(17)),
    "evening": (time(17), time(21)),
}


class TooLateForWishes(Conflict):
    """The driver is nearly there."""

    type = "/problems/too-late-for-wishes"
    title = "The driver is nearly there: this can no longer be changed."


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: a kind, where, and a word for the driver."""

    kind: str
    place: str = ""
    instructions: str = ""
    pickup_point_id: uuid.UUID | None = None


def make_wish(
    *, order_id: uuid.UUID, wish: Wish, by: Actor, now: datetime
) -> DeliveryWish:
    """Ask the driver for something; the last word counts.

    It stands in the order's notes, which the driver sees on the device; a pickup point
    changes where the order goes.

    Raises:
        Invalid: a place is missing, or a pickup point is none of the depot's.
        TooLateForWishes: the driver is nearly there.
        OrderClosed: the order is delivered or cancelled.
    """
    with writing(by=by, now=now) as writer:
        order = order_by_id(order_id)
        check_not_too_late(order, now)
        point = _pickup_point(order, wish)
        _check(wish)
        row, _ = DeliveryWish.objects.update_or_create(
            order=order,
            defaults={
                "kind": wish.kind,
                "place": wish.place.strip(),
                "instructions": wish.instructions.strip(),
                "pickup_point": point,
                "changed_at": now,
            },
        )
        change_order(
            order_id=order_id,
            expected_version=None,
            changes=_changes(order, row, point),
            by=by,
            now=now,
        )
        writer.record("wish.made", row, depot_id=order.depot_id, wish=wish.kind)
    return row


def check_not_too_late(order: Order, now: datetime) -> None:
    """Let an order pass whose driver is not nearly there.

    Raises:
        TooLateForWishes: the driver is.
    """
    stop = movable_stop(order)
    if stop is None or stop.route is None:
        return
    minutes = door_of(order.depot).wish_cutoff_minutes
    is_due = stop.eta_at is not None and stop.eta_at < now + timedelta(minutes=minutes)
    if stop.status in UNDER_WAY or is_due:
        raise TooLateForWishes


def _check(wish: Wish) -> None:
    needs_place = wish.kind in (WishKind.SAFE_PLACE, WishKind.NEIGHBOUR)
    if needs_place and not wish.place.strip():
        text = "Say where: the garage, or the neighbour's name."
        raise Invalid(text, errors=[FieldError("/place", "required", text)])
    if wish.kind not in WishKind.values:
        text = "Choose one of the ways."
        raise Invalid(text, errors=[FieldError("/kind", "unknown", text)])


def _pickup_point(order: Order, wish: Wish) -> PickupPoint | None:
    if wish.kind != WishKind.PICKUP:
        return None
    point = None
    if wish.pickup_point_id is not None:
        rows = PickupPoint.objects.filter(depot=order.depot_id, is_active=True)
        point = rows.filter(pk=wish.pickup_point_id).first()
    if point is None:
        text = "Choose one of the pickup points."
        raise Invalid(text, errors=[FieldError("/pickup_point", "required", text)])
    return point


def _changes(
    order: Order, wish: DeliveryWish, point: PickupPoint | None
) -> OrderChanges:
    notes = notes_with(order.notes, wish)
    if point is None:
        return OrderChanges.of(notes=notes)
    address = AddressDraft(point.street, point.house_number, point.postcode, point.city)
    return OrderChanges.of(
        notes=notes, address=address, point=Point(point.latitude, point.longitude)
    )


def notes_with(notes: str, wish: DeliveryWish) -> str:
    """Return an order's notes with the customer's line as the wish has it."""
    kept = [line for line in notes.splitlines() if not line.startswith(MARK)]
    words = [] if wish.kind == WishKind.DOOR else [str(wish.get_kind_display())]
    if wish.pickup_point is not None:
        words.append(wish.pickup_point.name)
    words += [word for word in (wish.place, wish.instructions) if word]
    own = [MARK + "; ".join(" ".join(word.split()) for word in words)] if words else []
    return "\n".join([*kept, *own])


def prefer_part(*, order_id: uuid.UUID, part: str, by: Actor, now: datetime) -> Order:
    """Let the plan know which part of the day the customer likes best; "" is none.

    Raises:
        Invalid: there is no such part.
        OrderClosed: the order is delivered or cancelled.
    """
    order = order_by_id(order_id)
    if part and part not in DAY_PARTS:
        text = "Choose one of the times of day."
        raise Invalid(text, errors=[FieldError("/part", "unknown", text)])
    windows = (_part_of_day(order, part),) if part else ()
    return change_order(
        order_id=order_id,
        expected_version=None,
        changes=OrderChanges.of(preferred_windows=windows),
        by=by,
        now=now,
    )


def _part_of_day(order: Order, part: str) -> Window:
    zone = ZoneInfo(order.depot.time_zone)
    opens, closes = (
        datetime.combine(order.service_date, clock, tzinfo=zone)
        for clock in DAY_PARTS[part]
    )
    return Window(opens, closes)


def part_preferred(order: Order) -> str:
    """Return which part of the day is preferred; "" where it is none of them."""
    zone = ZoneInfo(order.depot.time_zone)
    first = order.preferences.first()
    if first is None:
        return ""
    opens = first.opens_at.astimezone(zone).time()
    return next((name for name, (at, _) in DAY_PARTS.items() if at == opens), "")
