"""Drivers on the road, in bulk: `python -m tests.bench._sync_day DRIVERS STOPS`.

Prints them as JSON. With `history N` instead, it adds to what was stored before: N
events in the inbox, in the audit and in the feeds, spread over all devices.
"""

import json
import os
import sys
from datetime import datetime, timedelta
from typing import Any

HISTORY = """
WITH lines AS (
    SELECT d.id AS device_id, d.driver_id, coalesce(h.reached, 0) AS reached,
           row_number() OVER (ORDER BY d.id) - 1 AS place, count(*) OVER () AS devices
      FROM drivers_device d LEFT JOIN sync_inboxhead h ON h.device_id = d.id
), events AS (
    SELECT lines.*, n / devices + 1 AS nth,
           'history-' || place || '-' || (reached + n / devices + 1) AS id
      FROM generate_series(0, %(count)s - 1) AS n JOIN lines ON place = n %% devices
), inbox AS (
    INSERT INTO sync_deviceevent (id, driver_id, device_id, seq, kind, stop_id, payload,
        depends_on, device_time, mono_ms, boot_id, body_hash, occurred_at,
        uncertainty_ms, time_quality, received_at, result, code, detail, rule, yours,
        ours, corrects)
    SELECT id, driver_id, device_id, reached + nth, 'stop.arrived',
        '019a0000-0000-7000-8000-000000000000', '{}', '', now(), nth * 1000,
        'before', md5(id) || md5(id), now() - interval '1 day', 40, 'mono',
        now() - interval '1 day', 'applied', 'ok', '', '', '', '', ''
      FROM events
), audit AS (
    INSERT INTO journal_entry (id, at, actor, kind, subject_type, subject_id, payload,
        previous_hash, hash)
    SELECT gen_random_uuid(), now() - interval '1 day', 'driver:' || driver_id,
        'stop.arrived', 'stop', id, '{"late_s": 0}', '', ''
      FROM events
), heads AS (
    INSERT INTO sync_inboxhead (device_id, reached, ahead, holds, asked_again)
    SELECT device_id, max(reached + nth), '[]', false, '{}' FROM events GROUP BY device_id
    ON CONFLICT (device_id) DO UPDATE SET reached = excluded.reached
)
INSERT INTO journal_change (scope, "table", row_id, number, deleted, at)
SELECT driver_id, 'event_results', id, 1, false, now() - interval '1 day' FROM events
"""


def main() -> None:
    """Do what the arguments say."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  settings come from this process's environment
    from django.conf import settings  # noqa: PLC0415

    # Nobody signs in with these passwords: a slow hash of each would be most of the work.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django.setup()
    if sys.argv[1] == "history":
        add_history(int(sys.argv[2]))
        return
    drivers = make_drivers(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(drivers))  # noqa: T201  read by the benchmark


def add_history(count: int) -> None:
    """Store events of before, and let the database see how much there is now."""
    from django.db import connection  # noqa: PLC0415  after the setup

    with connection.cursor() as cursor:
        cursor.execute(HISTORY, {"count": count})
    settle()


def settle() -> None:
    """Let the database see how much there is, and write out what it has put off.

    Otherwise it does so at some moment of the measurement, beside one of the two.
    """
    from django.db import connection  # noqa: PLC0415  after the setup

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT current_setting('is_superuser')")
        if cursor.fetchone() == ("on",):
            cursor.execute("CHECKPOINT")


def make_drivers(count: int, stops: int) -> list[dict[str, Any]]:
    """Make drivers with a shift, a device, and a published route of so many stops."""
    from apps.core import clock  # noqa: PLC0415  after the setup
    from tests.factories import DepotFactory  # noqa: PLC0415
    from tests.sync import builders  # noqa: PLC0415

    now = clock.now()
    depot = DepotFactory(code=f"bench-{now.timestamp()}")
    made = []
    for _ in range(count):
        began_at = now - timedelta(hours=9)
        day = builders.publish_day(depot=depot, stops=0, now=began_at)
        device = builders.enrol(day.driver)
        made.append(
            {
                "depot_id": str(depot.pk),
                "driver_id": str(day.driver.pk),
                "device_id": str(device.device_id),
                "route_id": str(day.route.pk),
                "token": device.session_token,
                "stops": add_stops(day, stops, now),
            }
        )
    return made


def add_stops(day: Any, count: int, now: datetime) -> list[list[str]]:
    """Publish stops on a route in bulk; return pairs of stop and order."""
    from apps.core.actors import SYSTEM  # noqa: PLC0415  after the setup
    from apps.drivers.models import Shift  # noqa: PLC0415
    from apps.journal.services import writing  # noqa: PLC0415
    from apps.orders.models import Order  # noqa: PLC0415
    from apps.routes.models import Stop, StopAssignment  # noqa: PLC0415
    from apps.routes.states import RouteState  # noqa: PLC0415
    from tests.factories import OrderFactory  # noqa: PLC0415

    depot, route = day.route.depot, day.route
    orders = OrderFactory.build_batch(count, depot=depot, service_date=now.date())
    for number, order in enumerate(orders):
        order.reference = f"bench-{order.pk}"
        order.latitude = 49.5 + number % 10 / 200
        order.longitude = 11.2 + number // 10 / 200
    Order.objects.bulk_create(orders)
    rows = [
        Stop(
            order=order,
            route=route,
            sequence=number,
            service_s=120,
            plan_eta_at=now + timedelta(minutes=6 * number),
            eta_at=now + timedelta(minutes=6 * number),
        )
        for number, order in enumerate(orders, 1)
    ]
    Stop.objects.bulk_create(rows)
    StopAssignment.objects.bulk_create(
        StopAssignment(stop=row, driver=day.driver, from_at=now) for row in rows
    )
    route.status = RouteState.STARTED
    route.ends_at = now + timedelta(hours=8)
    route.save(update_fields=["status", "ends_at"])
    Shift.objects.filter(pk=day.shift.pk).update(
        status="started", started_at=now - timedelta(hours=9), ends_at=route.ends_at
    )
    with writing(by=SYSTEM, now=now, scopes=[day.driver.pk]) as journal:
        journal.changed(day.driver.pk, "stops", *(row.pk for row in rows))
        journal.changed(day.driver.pk, "orders", *(order.pk for order in orders))
    return [[str(row.pk), str(row.order_id)] for row in rows]


if __name__ == "__main__":
    main()
