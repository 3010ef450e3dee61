"""A published day around the present instant, in a process that a benchmark talks to."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from tests.bench.sockets import said
from tests.serving import ROOT

Office = subprocess.Popen[str]


@contextmanager
def open_office(
    module: str, environment: dict[str, str], drivers: int, orders: int
) -> Iterator[Office]:
    """Run a module as an office, which reads lines and says a line to each."""
    office = subprocess.Popen(
        [sys.executable, "-m", module, str(drivers), str(orders)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield office
    finally:
        office.kill()
        office.wait()


async def told(office: Office, word: str) -> str:
    """Tell an office what to do; return what it says.

    Raises:
        RuntimeError: it has ended.
    """
    if office.stdin is None:
        raise TypeError("The office has no ear.")
    office.stdin.write(f"{word}\n")
    office.stdin.flush()
    answer = (await said(office)).strip()
    if not answer:
        raise RuntimeError("The office has ended; its last words are above.")
    return answer


def sit_in(begin: Callable[[int, int], tuple[Any, Callable[[str, int], str]]]) -> None:
    """Be the office: begin a day, say who is there, then do what each line tells.

    `begin` takes the numbers of drivers and orders; it returns what is said first, as
    JSON, and what answers a word with its number.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  settings come from this process's environment

    django.setup()
    first, answer = begin(int(sys.argv[1]), int(sys.argv[2]))
    _say(json.dumps(first))
    for line in sys.stdin:
        word, _, number = line.strip().partition(" ")
        _say(answer(word, int(number or 0)))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  read by the benchmark


def lay_out(
    *,
    code: str,
    drivers: int,
    orders: int,
    begins_at: datetime,
    ends_at: datetime,
    service: timedelta,
) -> tuple[Any, list[Any]]:
    """Plan and publish a day; return its depot and its shifts."""
    from apps.core import clock  # noqa: PLC0415
    from apps.core.actors import SYSTEM  # noqa: PLC0415
    from apps.routes.services.plans import request_plan  # noqa: PLC0415
    from tests.factories import (  # noqa: PLC0415
        DepotFactory,
        OrderFactory,
        ShiftFactory,
        VehicleFactory,
    )
    from tests.queueing import drain  # noqa: PLC0415

    now = clock.now()
    depot = DepotFactory(code=code, time_zone="UTC")
    share = -(-orders // drivers)
    shifts = [
        ShiftFactory(
            depot=depot,
            vehicle=VehicleFactory(depot=depot, capacity_pieces=share),
            service_date=now.date(),
            starts_at=begins_at,
            ends_at=ends_at,
        )
        for _ in range(drivers)
    ]
    for number in range(orders):
        OrderFactory(
            depot=depot,
            service_date=now.date(),
            latitude=depot.latitude + 0.004 * (number % 9 - 4),
            longitude=depot.longitude + 0.003 * (number % 7 - 3) + 0.0002 * number,
            service_s=int(service.total_seconds()),
        )
    request_plan(
        depot_id=depot.pk,
        service_date=now.date(),
        publish_when_ready=True,
        by=SYSTEM,
        now=now,
    )
    drain()
    return depot, shifts
