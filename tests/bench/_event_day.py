"""The office of `bench event`: `python -m tests.bench._event_day DRIVERS ORDERS`.

Plans and publishes a day, enrols a device a driver, and prints as JSON who they are. Then
it waits for lines: `since MS` prints what the journal and the queue tell of the time
since, in milliseconds of Unix time.
"""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench._live_day import lay_out, sit_in

TOLD = (
    "condition.reported",
    "condition.touched",
    "plan.requested",
    "plan.ready",
    "plan.published",
    "plan.unchanged",
    "plan.failed",
)
"""What of the journal the log tells; of several of a kind in a row, the first."""


def begin(
    drivers: int, orders: int
) -> tuple[list[dict[str, Any]], Callable[[str, int], str]]:
    """Plan a day that begins about now; return its drivers, and what tells the history."""
    from apps.core import clock  # noqa: PLC0415
    from apps.routes.models import Route  # noqa: PLC0415
    from tests.sync.builders import enrol  # noqa: PLC0415

    now = clock.now()
    depot, shifts = lay_out(
        code="event",
        drivers=drivers,
        orders=orders,
        begins_at=now - timedelta(minutes=5),
        ends_at=now + timedelta(hours=9),
        service=timedelta(minutes=4),
    )
    stops: dict[Any, list[Any]] = {shift.pk: [] for shift in shifts}
    for route in Route.objects.filter(depot=depot).prefetch_related("stops__order"):
        stops[route.shift_id] += sorted(route.stops.all(), key=lambda it: it.sequence)
    people = [
        {
            "driver": shift.driver.name,
            "token": enrol(shift.driver).session_token,
            "shift_id": str(shift.pk),
            "at": [
                (one.order.latitude, one.order.longitude) for one in stops[shift.pk]
            ],
        }
        for shift in shifts
    ]
    return people, lambda _word, since_ms: json.dumps(told_since(since_ms))


def told_since(since_ms: int) -> dict[str, Any]:
    """Return what happened since: rows of the journal, and re-plans with their ends."""
    from apps.journal.models import Entry  # noqa: PLC0415
    from apps.routes.models import Plan  # noqa: PLC0415

    since = datetime.fromtimestamp(since_ms / 1000, UTC)
    entries = [
        {"ms": made_ms(row.pk), "kind": row.kind, "subject": row.subject_id}
        for row in Entry.objects.filter(kind__in=TOLD).order_by("id")
        if made_ms(row.pk) >= since_ms
    ]
    plans = Plan.objects.filter(kind=Plan.Kind.REPLAN, requested_at__gte=since)
    return {
        "entries": entries,
        "plans": {
            str(plan.pk): {
                "number": plan.number,
                "status": plan.status,
                "step": plan.cause.get("step", ""),
                "engine": plan.recommendation.engine if plan.recommendation else "",
            }
            for plan in plans.select_related("recommendation")
        },
        "waits": plans.filter(status__in=["queued", "solving"]).exists(),
    }


def made_ms(key: uuid.UUID) -> int:
    """Return when a row was made, of its id: UUIDv7 begins with Unix milliseconds."""
    return key.int >> 80


if __name__ == "__main__":
    sit_in(begin)
