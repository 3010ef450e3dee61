"""A small depot on the road, for pages to look at: `python -m tests.customers.seed`.

Prints the addresses of its customers' pages as JSON, by what they show.
"""

import json
import os
from datetime import UTC, date, datetime, timedelta
from typing import Any

BRAND = {"brand": "Bäckerei Huber", "colour": "#7a3b0f", "phone": "+49 9123 4567"}


def main() -> None:
    """Make the tables, the depot, and its links."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  settings come from this process's environment

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    print(json.dumps(seed(datetime.now(UTC))))  # noqa: T201, TID251


def seed(now: datetime) -> dict[str, str]:
    """Store a running day with one customer for each page; return the addresses."""
    from apps.core.ids import uuid7  # noqa: PLC0415
    from apps.core.units import epoch_ms  # noqa: PLC0415
    from apps.customers.models import CustomerPage, PickupPoint  # noqa: PLC0415
    from apps.drivers.models import Device, Position, Shift  # noqa: PLC0415
    from apps.drivers.states import ShiftState  # noqa: PLC0415
    from apps.orders.models import Address, Order  # noqa: PLC0415
    from apps.routes.states import RouteState, StopState  # noqa: PLC0415
    from tests.bench._slots_day import store_day  # noqa: PLC0415

    begins = now.replace(microsecond=0) - timedelta(hours=1)
    town = store_day(3, 25, 7, begins)
    depot, (out, parked, _) = town.depot, town.routes
    CustomerPage.objects.create(depot=depot, **BRAND)
    PickupPoint.objects.create(
        depot=depot,
        name="Kiosk am Marktplatz",
        street="Marktplatz",
        house_number="3",
        city="Lauf",
        latitude=49.5127,
        longitude=11.2825,
        hours="Mo–Sa 7–20",
    )
    Shift.objects.filter(pk=out.shift_id).update(
        status=ShiftState.STARTED, started_at=begins
    )
    type(out).objects.filter(pk=out.pk).update(status=RouteState.STARTED)
    stops = list(out.stops.order_by("sequence").select_related("order"))
    for stop in stops[:6]:
        stop.status = StopState.SUCCEEDED
        stop.completed_at = stop.arrived_at = stop.eta_at
        stop.save()
        Order.objects.filter(pk=stop.order_id).update(status="delivered")
    device = Device.objects.create(
        depot=depot, driver=out.driver, name="Handheld", enrolled_at=begins
    )
    here = stops[5].order
    Position.objects.create(
        driver=out.driver,
        device=device,
        boot_key=1,
        mono_ms=1,
        occurred_ms=epoch_ms(now),
        lat_e6=round(here.latitude * 1e6),
        lon_e6=round(here.longitude * 1e6),
    )
    _next_days(depot, town.routes, now.date())
    tomorrow = Order.objects.create(
        depot=depot,
        reference=f"HUB-{uuid7().hex[-6:]}",
        service_date=now.date() + timedelta(days=1),
        street="Simonshofer Straße",
        house_number="14",
        postcode="91207",
        city="Lauf",
        latitude=49.5172,
        longitude=11.2861,
        service_s=120,
        received_at=now,
        changed_at=now,
    )
    for number in range(24):
        Address.objects.create(
            depot=depot,
            street="Simonshofer Straße",
            house_number=str(number + 1),
            match_key=f"simonshofer strasse {number + 1}",
            latitude=49.5172 + 0.0006 * (number // 6 - 1.5),
            longitude=11.2861 + 0.0007 * (number % 6 - 2.5),
        )
    planned = parked.stops.order_by("sequence")[4].order
    wanted: dict[str, tuple[Any, str]] = {
        "reschedule": (tomorrow, "reschedule"),
        "tracking_near": (stops[7].order, "tracking"),
        "tracking_far": (stops[-1].order, "tracking"),
        "tracking_planned": (planned, "tracking"),
        "tracking_done": (stops[2].order, "tracking"),
        "survey": (stops[2].order, "survey"),
    }
    return _links(wanted, now)


def _next_days(depot: Any, routes: list[Any], today: date) -> None:
    """Let the same drivers work on the next two days."""
    from apps.drivers.models import Shift  # noqa: PLC0415

    for number in (1, 2):
        for route in routes:
            shift = route.shift
            starts_at = datetime(
                today.year, today.month, today.day, 7, tzinfo=UTC
            ) + timedelta(days=number)
            Shift.objects.create(
                depot=depot,
                driver=shift.driver,
                vehicle=shift.vehicle,
                service_date=today + timedelta(days=number),
                starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=9),
            )


def _links(wanted: dict[str, tuple[Any, str]], now: datetime) -> dict[str, str]:
    from apps.core.actors import SYSTEM  # noqa: PLC0415
    from apps.customers.services import make_link  # noqa: PLC0415

    return {
        name: make_link(purpose=purpose, order_id=order.pk, by=SYSTEM, now=now)
        for name, (order, purpose) in wanted.items()
    }


if __name__ == "__main__":
    main()
