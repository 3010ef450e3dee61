"""A running day whose customers' pages are all there to be looked at."""

from datetime import UTC, date, datetime, timedelta

from apps.core.actors import SYSTEM
from apps.core.ids import uuid7
from apps.core.units import epoch_ms
from apps.customers.models import CustomerPage, PickupPoint
from apps.customers.services import make_link
from apps.depots.models import Depot
from apps.drivers.models import Device, Position, Shift
from apps.drivers.states import ShiftState
from apps.orders.models import Address, Order
from apps.routes.models import Route, Stop
from apps.routes.states import RouteState, StopState
from tests.bench._slots_day import store_day

BRAND = {"brand": "Bäckerei Huber", "colour": "#7a3b0f", "phone": "+49 9123 4567"}
STREET, CITY = "Simonshofer Straße", "Lauf"
LATITUDE, LONGITUDE = 49.5172, 11.2861
HOUSES = 24
DONE = 6


def lay_running_day(now: datetime) -> dict[str, str]:
    """Store a running day with one customer for each page; return the addresses."""
    begins = now.replace(microsecond=0) - timedelta(hours=1)
    town = store_day(3, 25, 7, begins)
    depot, (out, parked, _) = town.depot, town.routes
    _open_pages(depot)
    stops = _drive_half(out, begins, now)
    _lay_next_days(depot, town.routes, now.date())
    wanted: dict[str, tuple[Order, str]] = {
        "reschedule": (_order_of_tomorrow(depot, now), "reschedule"),
        "tracking_near": (stops[7].order, "tracking"),
        "tracking_far": (stops[-1].order, "tracking"),
        "tracking_planned": (
            parked.stops.order_by("sequence")[4].order,
            "tracking",
        ),
        "tracking_done": (stops[2].order, "tracking"),
        "survey": (stops[2].order, "survey"),
    }
    return {
        name: make_link(purpose=purpose, order_id=order.pk, by=SYSTEM, now=now)
        for name, (order, purpose) in wanted.items()
    }


def _open_pages(depot: Depot) -> None:
    """Give the depot its page's looks, and a place where parcels are fetched."""
    CustomerPage.objects.create(depot=depot, **BRAND)
    PickupPoint.objects.create(
        depot=depot,
        name="Kiosk am Marktplatz",
        street="Marktplatz",
        house_number="3",
        city=CITY,
        latitude=49.5127,
        longitude=11.2825,
        hours="Mo–Sa 7–20",
    )


def _drive_half(route: Route, begins: datetime, now: datetime) -> list[Stop]:
    """Start a route, deliver its first stops, and leave its van at the last of them."""
    Shift.objects.filter(pk=route.shift_id).update(
        status=ShiftState.STARTED, started_at=begins
    )
    Route.objects.filter(pk=route.pk).update(status=RouteState.STARTED)
    stops = list(route.stops.order_by("sequence").select_related("order"))
    for stop in stops[:DONE]:
        stop.status = StopState.SUCCEEDED
        stop.completed_at = stop.arrived_at = stop.eta_at
        stop.save()
        Order.objects.filter(pk=stop.order_id).update(status="delivered")
    device = Device.objects.create(
        depot=route.depot, driver=route.driver, name="Handheld", enrolled_at=begins
    )
    here = stops[DONE - 1].order
    Position.objects.create(
        driver=route.driver,
        device=device,
        boot_key=1,
        mono_ms=1,
        occurred_ms=epoch_ms(now),
        lat_e6=round(here.latitude * 1e6),
        lon_e6=round(here.longitude * 1e6),
    )
    return stops


def _lay_next_days(depot: Depot, routes: list[Route], today: date) -> None:
    """Let the same drivers work on the next two days."""
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


def _order_of_tomorrow(depot: Depot, now: datetime) -> Order:
    """Return an order that can be moved, in a street whose houses are known."""
    order = Order.objects.create(
        depot=depot,
        reference=f"HUB-{uuid7().hex[-6:]}",
        service_date=now.date() + timedelta(days=1),
        street=STREET,
        house_number="14",
        postcode="91207",
        city=CITY,
        latitude=LATITUDE,
        longitude=LONGITUDE,
        service_s=120,
        received_at=now,
        changed_at=now,
    )
    for number in range(HOUSES):
        Address.objects.create(
            depot=depot,
            street=STREET,
            house_number=str(number + 1),
            match_key=f"simonshofer strasse {number + 1}",
            latitude=LATITUDE + 0.0006 * (number // 6 - 1.5),
            longitude=LONGITUDE + 0.0007 * (number % 6 - 2.5),
        )
    return order
