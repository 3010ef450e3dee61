"""The office of `bench approval`: `python -m tests.bench._approval_day DRIVERS ORDERS`.

Prints the drivers' session tokens as JSON, then waits for lines: `ask N` lets the N-th
driver ask for a move that needs approval, `approve` approves it and prints when that
began and when it was committed.
"""

import json
import os
import sys
import time
from datetime import timedelta
from typing import Any


def main() -> None:
    """Plan and publish a day, then ask and approve as told."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  settings come from this process's environment

    django.setup()
    day = Day(int(sys.argv[1]), int(sys.argv[2]))
    say(json.dumps(day.secrets))
    for line in sys.stdin:
        word, _, number = line.strip().partition(" ")
        say(day.ask(int(number)) if word == "ask" else day.approve())


class Day:
    """A published day around the present instant, with a supervisor."""

    def __init__(self, drivers: int, orders: int) -> None:
        from apps.core import clock  # noqa: PLC0415
        from apps.core.actors import SYSTEM, user_actor  # noqa: PLC0415
        from apps.overrides.models import DecisionRight  # noqa: PLC0415
        from apps.routes.models import Route  # noqa: PLC0415
        from apps.routes.services.plans import request_plan  # noqa: PLC0415
        from tests.factories import (  # noqa: PLC0415  # noqa: PLC0415
            DepotFactory,
            OrderFactory,
            ShiftFactory,
            VehicleFactory,
        )
        from tests.office import make_user  # noqa: PLC0415
        from tests.queueing import drain  # noqa: PLC0415
        from tests.sync.builders import enrol  # noqa: PLC0415

        now = clock.now()
        depot = DepotFactory(code="approval", time_zone="UTC")
        share = -(-orders // drivers)
        for _ in range(drivers):
            van = VehicleFactory(depot=depot, capacity_pieces=share)
            ShiftFactory(
                depot=depot,
                vehicle=van,
                service_date=now.date(),
                starts_at=now + timedelta(minutes=20),
            )
        for number in range(orders):
            OrderFactory(
                depot=depot,
                service_date=now.date(),
                latitude=depot.latitude + 0.004 * (number % 9 - 4),
                longitude=depot.longitude + 0.003 * (number % 7 - 3) + 0.0002 * number,
                service_s=120,
            )
        # Every move of a driver needs somebody who agrees.
        DecisionRight.objects.filter(
            kind="move_stop", role="Driver", outcome="allowed"
        ).delete()
        request_plan(
            depot_id=depot.pk,
            service_date=now.date(),
            publish_when_ready=True,
            by=SYSTEM,
            now=now,
        )
        drain()
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


def say(text: str) -> None:
    """Say a line to the benchmark."""
    print(text, flush=True)  # noqa: T201  read by the benchmark


if __name__ == "__main__":
    main()
