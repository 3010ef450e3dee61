"""The office of `bench engines`: `python -m tests.bench._engines_day DRIVERS ORDERS`.

Lays a day out, then waits for lines: `plan 0` asks for a plan of it, and says its number;
`look NUMBER` says, as JSON, how that plan is and what the journal tells of it.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.bench._live_day import sit_in

TOLD = ("plan.requested", "plan.engine_failed", "plan.ready", "plan.failed")
ENDED = ("ready", "failed")


def begin(
    drivers: int, orders: int
) -> tuple[dict[str, Any], Callable[[str, int], str]]:
    """Lay out a day that is planned again and again; return what does as it is told."""
    from apps.core import clock  # noqa: PLC0415
    from tests.factories import (  # noqa: PLC0415
        DepotFactory,
        OrderFactory,
        ShiftFactory,
        VehicleFactory,
    )

    now = clock.now()
    depot = DepotFactory(code="engines", time_zone="UTC")
    for _ in range(drivers):
        ShiftFactory(
            depot=depot,
            vehicle=VehicleFactory(depot=depot, capacity_pieces=-(-orders // drivers)),
            service_date=now.date(),
            starts_at=now + timedelta(hours=1),
            ends_at=now + timedelta(hours=10),
        )
    for number in range(orders):
        OrderFactory(
            depot=depot,
            service_date=now.date(),
            latitude=depot.latitude + 0.004 * (number % 9 - 4),
            longitude=depot.longitude + 0.003 * (number % 7 - 3) + 0.0002 * number,
            service_s=180,
        )

    def answer(word: str, number: int) -> str:
        if word == "plan":
            return str(ask_for_a_plan(depot))
        return json.dumps(tell_of(depot, number))

    return {"depot": str(depot.pk)}, answer


def ask_for_a_plan(depot: Any) -> int:
    """Ask for the day's plan as the office does; return its number."""
    from apps.core import clock  # noqa: PLC0415
    from apps.core.actors import SYSTEM  # noqa: PLC0415
    from apps.routes.services.plans import request_plan  # noqa: PLC0415

    now = clock.now()
    return request_plan(
        depot_id=depot.pk, service_date=now.date(), by=SYSTEM, now=now
    ).number


def tell_of(depot: Any, number: int) -> dict[str, Any]:
    """Return how a plan is, by whom it was made, and what the journal tells of it."""
    from apps.journal.models import Entry  # noqa: PLC0415
    from apps.recommendations.words import said  # noqa: PLC0415
    from apps.routes.models import Plan  # noqa: PLC0415

    plan = Plan.objects.select_related("recommendation").get(depot=depot, number=number)
    entries = Entry.objects.filter(kind__in=TOLD, subject_id=str(plan.pk))
    made = plan.recommendation
    return {
        "status": plan.status,
        "has_ended": plan.status in ENDED,
        "problem": plan.problem,
        "totals": plan.totals,
        "engine": made.engine if made else "",
        "mode": made.mode if made else "",
        "reasons": [said(reason) for reason in made.reasons] if made else [],
        "entries": [
            {
                "ms": row.pk.int >> 80,  # UUIDv7 begins with Unix milliseconds
                "kind": row.kind,
                "text": row.payload.get("text", ""),
            }
            for row in entries.order_by("id")
        ],
    }


if __name__ == "__main__":
    sit_in(begin)
