"""The page on which a customer moves a delivery, and says what to do at the door."""

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy

from apps.core.problems import Invalid, Problem
from apps.customers.forms import correction_of, interval_of, wish_from
from apps.customers.models import Link
from apps.customers.pinning import REACH_M, SIDE, PinMap, pin_map
from apps.customers.selectors import open_proposal, pickup_points, where_is, wish_of
from apps.customers.services import (
    customer_of,
    keep_slot,
    make_wish,
    prefer_part,
    propose_address,
    reschedule_delivery,
)
from apps.customers.services.wishes import (
    TooLateForWishes,
    check_not_too_late,
    part_preferred,
)
from apps.customers.states import Purpose
from apps.customers.views.door import Visit, opened
from apps.customers.words import refusal_text
from apps.orders.services import OrderClosed
from apps.promises.models import Hold
from apps.promises.offering import Slot, TooLate, offer_slots
from apps.promises.selectors import open_hold_of
from apps.promises.services import release_hold
from apps.promises.states import HoldState

DAY_PARTS = (
    ("", gettext_lazy("Any time of day")),
    ("morning", gettext_lazy("Morning")),
    ("afternoon", gettext_lazy("Afternoon")),
    ("evening", gettext_lazy("Evening")),
)


@opened(Purpose.RESCHEDULE)
def reschedule_page(visit: Visit) -> HttpResponse:
    """Show where the delivery stands and what can be changed; take one change."""
    if visit.request.method == "POST":
        verb = _VERBS.get(visit.request.POST.get("do", ""))
        if verb is None:
            raise Invalid(
                str(gettext_lazy("This button is unknown. Please try again."))
            )
        try:
            return verb(visit) or visit.again("reschedule")
        except Problem as problem:
            return _page(visit, problem)
    return _page(visit)


@opened(Purpose.RESCHEDULE)
def pin_picture(visit: Visit) -> HttpResponse:
    """Return the picture of the surroundings, on which a tap sets the pin."""
    shown, side = _map_of(visit), SIDE
    context = {"map": shown, "side": side, "middle": side // 2, "reach_m": REACH_M}
    svg = render_to_string("customers/picture.svg", context)
    return HttpResponse(svg, content_type="image/svg+xml")


def _page(visit: Visit, problem: Problem | None = None) -> HttpResponse:
    order, now = visit.link.order, visit.now
    held = open_hold_of(order.pk, now)
    taken = _taken_by(visit.link)
    context: dict[str, Any] = {
        "problem_text": refusal_text(problem),
        "tracked": where_is(order.pk, now=now),
        "zone": ZoneInfo(order.depot.time_zone),
        "held": held if taken is None else None,
        "taken": taken,
        "why_fixed": None,
        "days": [],
        **_door_context(visit),
    }
    if held is None and taken is None:
        try:
            slots = offer_slots(order_id=order.pk, now=now)
            context["days"] = _by_day(slots, order.depot.time_zone)
        except (TooLate, OrderClosed) as fixed:
            context["why_fixed"] = refusal_text(fixed)
    status = problem.status if problem else 200
    return visit.page("customers/reschedule.html", context, status)


def _door_context(visit: Visit) -> Mapping[str, Any]:
    """Return what can be said of the door, unless the driver is nearly there."""
    order = visit.link.order
    try:
        check_not_too_late(order, visit.now)
    except TooLateForWishes:
        return {"may_wish": False}
    if order.status not in ("open", "failed"):
        return {"may_wish": False}
    return {
        "may_wish": True,
        "wish": wish_of(order),
        "pickup_points": pickup_points(order.depot),
        "proposal": open_proposal(order),
        "part": part_preferred(order),
        "parts": DAY_PARTS,
        "code": visit.code,
    }


def _map_of(visit: Visit) -> PinMap:
    order = visit.link.order
    proposal = open_proposal(order)
    if proposal is not None and proposal.latitude is not None:
        return pin_map(order, (proposal.latitude, proposal.longitude or 0.0))
    return pin_map(order, (order.latitude, order.longitude))


def _taken_by(link: Link) -> Hold | None:
    """Return the slot that this link has moved the delivery into."""
    if link.used_at is None:
        return None
    rows = Hold.objects.filter(
        order=link.order, status=HoldState.TAKEN, held_by=str(customer_of(link))
    )
    return rows.first()


def _by_day(
    slots: tuple[Slot, ...], time_zone: str
) -> list[tuple[date, list[tuple[Slot, datetime, datetime]]]]:
    zone = ZoneInfo(time_zone)
    rows = [
        (slot, slot.opens_at.astimezone(zone), slot.closes_at.astimezone(zone))
        for slot in slots
    ]
    return [
        (day, list(found))
        for day, found in groupby(rows, key=lambda row: row[0].service_date)
    ]


def _hold(visit: Visit) -> None:
    slot = interval_of(visit.request.POST.get("slot", ""))
    keep_slot(link=visit.link, slot=slot, now=visit.now)


def _take(visit: Visit) -> None:
    reschedule_delivery(link=visit.link, hold_id=_hold_id(visit), now=visit.now)


def _release(visit: Visit) -> None:
    held = open_hold_of(visit.link.order_id, visit.now)
    if held is not None:
        release_hold(hold_id=held.pk, by=customer_of(visit.link), now=visit.now)


def _hold_id(visit: Visit) -> uuid.UUID:
    try:
        return uuid.UUID(visit.request.POST.get("hold", ""))
    except ValueError:
        text = gettext_lazy("Please choose a time first.")
        raise Invalid(str(text)) from None


def _wish(visit: Visit) -> None:
    make_wish(
        order_id=visit.link.order_id,
        wish=wish_from(visit.request.POST),
        by=customer_of(visit.link),
        now=visit.now,
    )


def _prefer(visit: Visit) -> None:
    check_not_too_late(visit.link.order, visit.now)
    prefer_part(
        order_id=visit.link.order_id,
        part=visit.request.POST.get("part", ""),
        by=customer_of(visit.link),
        now=visit.now,
    )


def _address(visit: Visit) -> None:
    if not visit.door.takes_addresses:
        raise Invalid(str(gettext_lazy("Addresses are not changed here.")))
    propose_address(
        order_id=visit.link.order_id,
        correction=correction_of(visit.request.POST, _map_of(visit)),
        by=customer_of(visit.link),
        now=visit.now,
    )


_VERBS: dict[str, Callable[[Visit], None]] = {
    "hold": _hold,
    "take": _take,
    "release": _release,
    "wish": _wish,
    "prefer": _prefer,
    "address": _address,
}
