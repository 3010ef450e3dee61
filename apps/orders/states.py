"""States of orders and of import runs."""

from django.db import models

from apps.core.states import Transitions


class OrderState(models.TextChoices):
    """What the customer would be told of the order as a whole."""

    OPEN = "open"
    DELIVERED = "delivered"
    PARTIAL = "partial", "Partly delivered"
    FAILED = "failed", "Attempt failed"
    CANCELLED = "cancelled"


ORDER_STEPS = Transitions(
    {
        OrderState.OPEN: [
            OrderState.DELIVERED,
            OrderState.PARTIAL,
            OrderState.FAILED,
            OrderState.CANCELLED,
        ],
        OrderState.FAILED: [
            OrderState.OPEN,
            OrderState.DELIVERED,
            OrderState.PARTIAL,
            OrderState.CANCELLED,
        ],
        OrderState.PARTIAL: [OrderState.OPEN, OrderState.DELIVERED, OrderState.FAILED],
        OrderState.DELIVERED: [OrderState.OPEN, OrderState.PARTIAL, OrderState.FAILED],
        OrderState.CANCELLED: [OrderState.DELIVERED, OrderState.PARTIAL],
    }
)
"""A delivered order opens again only by a device's `stop.reopened` or a correction; a
cancelled one may turn out to have been delivered while the van was out of reach."""


class ImportState(models.TextChoices):
    """How an import run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


IMPORT_STEPS = Transitions(
    {
        ImportState.QUEUED: [ImportState.RUNNING, ImportState.REFUSED],
        ImportState.RUNNING: [ImportState.DONE, ImportState.REFUSED],
        ImportState.DONE: [],
        ImportState.REFUSED: [],
    }
)
