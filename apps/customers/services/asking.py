"""The verb that counts who asks where an order is."""

import uuid
from datetime import datetime, timedelta

from apps.core.actors import Actor
from apps.customers.models import Inquiry
from apps.journal.services import writing
from apps.orders.selectors import order_by_id

ONCE_IN = timedelta(minutes=10)
"""Somebody who looks again so soon is still asking the same."""


def count_inquiry(
    *, order_id: uuid.UUID, channel: str, by: Actor, now: datetime
) -> bool:
    """Count that somebody asked where an order is; tell whether it counted.

    Raises:
        OrderNotFound: there is no such order.
    """
    with writing(by=by, now=now):
        order = order_by_id(order_id)
        known = Inquiry.objects.filter(
            order=order, channel=channel, asked_at__gt=now - ONCE_IN
        )
        if known.exists():
            return False
        Inquiry.objects.create(
            order=order, depot_id=order.depot_id, channel=channel, asked_at=now
        )
    return True
