"""The office of `bench event`: `python -m tests.bench._event_day DRIVERS ORDERS`.

Plans and publishes a day, enrols a device a driver, and prints as JSON who they are. Then
it waits for lines: `since MS` prints what the journal and the queue tell of the time
since, in milliseconds of Unix time.
"""

import json
import os
import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench._approval_day import say

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


def main() -> None:
    """Lay out the day, then tell as asked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  settings come from this process's environment

    django.setup()
    say(json.dumps(lay_out(int(sys.argv[1]), int(sys.argv[2]))))
    for line in sys.stdin:
        _, _, since_ms = line.strip().partition(" ")
        say(json.dumps(told_since(int(since_ms))))


def lay_out(drivers: int, orders: int) -> list[dict[str, Any]]:
    """Plan a day that begins about now; return its drivers with their devices."""
    from apps.core import clock  # noqa: PLC0415
    from apps.core.actors import SYSTEM  # noqa: PLC0415
    from apps.routes.models import Route  # noqa: PLC0415
    from apps.routes.services.plans import request_plan  # noqa: PLC0415
    from tests.factories import (  # noqa: PLC0415
        DepotFactory,
        OrderFactory,
        ShiftFactory,
        VehicleFactory,
    )
    from tests.queueing import drain  # noqa: PLC0415
    from tests.sync.builders import enrol  # noqa: PLC0415

    now = clock.now()
    depot = DepotFactory(code="event", time_zone="UTC")
    share = -(-orders // drivers)
    shifts = [
        ShiftFactory(
            depot=depot,
            vehicle=VehicleFactory(depot=depot, capacity_pieces=share),
            service_date=now.date(),
            starts_at=now - timedelta(minutes=5),
            ends_at=now + timedelta(hours=9),
        )
        for _ in range(drivers)
    ]
    for number in range(orders):
        OrderFactory(
            depot=depot,
            service_date=now.date(),
            latitude=depot.latitude + 0.004 * (number % 9 - 4),
            longitude=depot.longitude + 0.003 * (number % 7 - 3) + 0.0002 * number,
            service_s=240,
        )
    request_plan(
        depot_id=depot.pk,
        service_date=now.date(),
        publish_when_ready=True,
        by=SYSTEM,
        now=now,
    )
    drain()
    stops: dict[Any, list[Any]] = {shift.pk: [] for shift in shifts}
    for route in Route.objects.filter(depot=depot).prefetch_related("stops__order"):
        stops[route.shift_id] += sorted(route.stops.all(), key=lambda it: it.sequence)
    return [
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
    main()
