"""The office of `bench approval`: `python -m tests.bench._approval_day DRIVERS ORDERS`.

Prints the drivers' session tokens as JSON, then waits for lines: `ask N` lets the N-th
driver ask for a move that needs approval, `approve` approves it and prints when that
began and when it was committed.
"""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.bench._live_day import lay_out, sit_in


def begin(drivers: int, orders: int) -> tuple[list[str], Callable[[str, int], str]]:
    """Plan and publish a day; return the drivers' secrets, and what asks and approves."""
    day = Day(drivers, orders)
    return (
        day.secrets,
        lambda word, number: day.ask(number) if word == "ask" else day.approve(),
    )


class Day:
    """A published day around the present instant, with a supervisor."""

    def __init__(self, drivers: int, orders: int) -> None:
        from apps.core import clock  # noqa: PLC0415
        from apps.core.actors import user_actor  # noqa: PLC0415
        from apps.overrides.models import DecisionRight  # noqa: PLC0415
        from apps.routes.models import Route  # noqa: PLC0415
        from tests.office import make_user  # noqa: PLC0415
        from tests.sync.builders import enrol  # noqa: PLC0415

        # Every move of a driver needs somebody who agrees.
        DecisionRight.objects.filter(
            kind="move_stop", role="Driver", outcome="allowed"
        ).delete()
        begins_at = clock.now() + timedelta(minutes=20)
        depot, _ = lay_out(
            code="approval",
            drivers=drivers,
            orders=orders,
            begins_at=begins_at,
            ends_at=begins_at + timedelta(hours=8),
            service=timedelta(minutes=2),
        )
        rows = Route.objects.filter(depot=depot).select_related("driver__user")
        self.routes: list[Any] = [row for row in rows if row.stops.count() > 1]
        self.secrets = [enrol(row.driver).session_token for row in self.routes]
        self.by = user_actor(make_user("Supervisor", depot))
        self.asked: Any = None

    def ask(self, number: int) -> str:
        """Let a driver ask for the last stop to come first; price it."""
        from apps.core import clock  # noqa: PLC0415
        from apps.core.actors import Actor  # noqa: PLC0415
        from apps.core.ids import uuid7  # noqa: PLC0415
        from apps.overrides.pricing import price_override  # noqa: PLC0415
        from apps.overrides.services import asking  # noqa: PLC0415
        from apps.overrides.wishes import Wish  # noqa: PLC0415
        from apps.routes.changes import MoveStop  # noqa: PLC0415

        route, now = self.routes[number % len(self.routes)], clock.now()
        last = route.stops.order_by("sequence").last()
        row = asking.request_override(
            Wish(
                client_id=str(uuid7()),
                change=MoveStop(stop_id=str(last.pk), place=1),
            ),
            asker=asking.driver_asker(route.driver, "device"),
            asked_at=now,
            by=Actor("driver", str(route.driver_id)),
            now=now,
        )
        self.asked = price_override(row.pk, now=now)
        if self.asked.state != "waiting":
            raise RuntimeError(f"{self.asked.state}: {self.asked.problem}")
        return str(self.asked.pk)

    def approve(self) -> str:
        """Approve what was asked; return when that began, and was committed."""
        from apps.core import clock  # noqa: PLC0415
        from apps.overrides.pricing import Consent, approve  # noqa: PLC0415

        began_s = time.monotonic()
        consent = Consent(version=self.asked.version)
        approve(self.asked.pk, consent, by=self.by, now=clock.now())
        return json.dumps([began_s, time.monotonic()])


if __name__ == "__main__":
    sit_in(begin)
