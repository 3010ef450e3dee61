"""The verbs of links: make one, take it back."""

import uuid
from datetime import datetime

from django.conf import settings

from apps.core.actors import Actor
from apps.customers.codes import address_of, end_of_day, hash_of, new_code
from apps.customers.models import Link
from apps.customers.states import LIFETIMES, Purpose
from apps.journal.services import writing
from apps.orders.models import Order
from apps.orders.selectors import order_by_id


def make_link(*, purpose: str, order_id: uuid.UUID, by: Actor, now: datetime) -> str:
    """Make a link to one page of an order, and return its absolute address.

    `purpose` is "reschedule", "tracking" or "survey". The address is known to nobody
    but the caller: what is stored is a hash. It holds nothing personal.

    Raises:
        OrderNotFound: there is no such order.
        ValueError: there is no such purpose.
    """
    wanted, code = Purpose(purpose), new_code()
    with writing(by=by, now=now) as writer:
        order = order_by_id(order_id)
        link = Link.objects.create(
            order=order,
            purpose=wanted,
            code_hash=hash_of(code),
            made_at=now,
            made_by=str(by),
            expires_at=_expiry(wanted, order, now),
        )
        writer.record("link.made", link, depot_id=order.depot_id, purpose=str(wanted))
    return address_of(code, wanted, settings.PUBLIC_URL)


def _expiry(purpose: Purpose, order: Order, now: datetime) -> datetime:
    if purpose == Purpose.SURVEY:
        return now + LIFETIMES[purpose]
    day_over = end_of_day(order.service_date, order.depot.time_zone)
    return max(now, day_over) + LIFETIMES[purpose]


def revoke_links(
    *, order_id: uuid.UUID, purpose: str | None = None, by: Actor, now: datetime
) -> int:
    """Take an order's links back, of one purpose or all; return how many were open."""
    with writing(by=by, now=now) as writer:
        rows = Link.objects.filter(order_id=order_id, revoked_at=None).select_related(
            "order"
        )
        open_ones = list(rows.filter(purpose=purpose) if purpose else rows)
        Link.objects.filter(pk__in=[link.pk for link in open_ones]).update(
            revoked_at=now, revoked_by=str(by)
        )
        for link in open_ones:
            writer.record("link.revoked", link, depot_id=link.order.depot_id)
    return len(open_ones)
