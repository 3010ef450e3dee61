"""Drivers with a live session, in bulk: `python -m tests.bench._sockets_day DRIVERS`.

Prints their tokens as JSON, then waits: each line read, a number, is a re-plan that
touches so many drivers in one transaction, answered by the instant of its commit.
"""

import json
import os
import sys
import time
from datetime import timedelta


def main() -> None:
    """Make the drivers, then plan anew as often as asked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  settings come from this process's environment

    django.setup()
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.db import transaction  # noqa: PLC0415
    from knox.crypto import create_token_string, hash_token  # noqa: PLC0415

    from apps.core import clock  # noqa: PLC0415
    from apps.core.actors import SYSTEM  # noqa: PLC0415
    from apps.drivers.models import Device, Driver, Token  # noqa: PLC0415
    from apps.journal.services import writing  # noqa: PLC0415
    from tests.factories import DepotFactory  # noqa: PLC0415

    count, now, depot = int(sys.argv[1]), clock.now(), DepotFactory(code="sockets")
    users = User.objects.bulk_create(User(username=f"d{n}") for n in range(count))
    drivers = Driver.objects.bulk_create(
        Driver(depot=depot, user=user, name=user.username) for user in users
    )
    devices = Device.objects.bulk_create(
        Device(depot=depot, driver=driver, name="handheld", enrolled_at=now)
        for driver in drivers
    )
    secrets = [create_token_string() for _ in range(count)]
    rows = zip(users, devices, secrets, strict=True)
    Token.objects.bulk_create(
        Token(
            digest=hash_token(secret),
            token_key=secret[:15],
            user=user,
            device=device,
            purpose=Token.Purpose.SESSION,
            expiry=now + timedelta(hours=12),
        )
        for user, device, secret in rows
    )
    print(json.dumps(secrets), flush=True)  # noqa: T201  read by the benchmark
    for line in sys.stdin:
        touched = [driver.pk for driver in drivers[: int(line)]]
        with transaction.atomic():
            transaction.on_commit(say_when)  # before the bell, which counts as latency
            with writing(by=SYSTEM, now=clock.now(), scopes=touched) as journal:
                for driver_id in touched:
                    journal.changed(driver_id, "routes", depot.pk)


def say_when() -> None:
    """Say the instant of the commit."""
    print(time.monotonic(), flush=True)  # noqa: T201  read by the benchmark


if __name__ == "__main__":
    main()
