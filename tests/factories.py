"""Factories: each builds the smallest valid row; tests say only what matters."""

# factory-boy types only half of itself: its declarations count as untyped calls, and a
# factory's call as the factory. To mypy, a factory is therefore a class with an unknown
# base, and what it builds fits wherever a row is wanted.
# mypy: disable-error-code="misc"

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User

from apps.depots.models import Absence, Depot, DepotMembership, Zone
from apps.drivers.models import Device, Driver, Shift, ShiftBreak, Vehicle
from apps.learning.models import Estimate
from apps.notifications.models import Message
from apps.orders.models import (
    Address,
    Customer,
    ImportRun,
    Order,
    PreferredWindow,
    TimeWindow,
)
from apps.overrides.models import DecisionRight, Override
from apps.routes.conditionrows import Condition

if TYPE_CHECKING:
    DjangoModelFactory: Any
    factory: Any
else:
    import factory
    from factory.django import DjangoModelFactory

SERVICE_DATE = date(2026, 3, 17)
"""The Tuesday on which the tests' orders are served, unless they say otherwise."""

NOW = datetime(2026, 3, 17, 5, 0, tzinfo=UTC)
"""Six in the morning in Lauf, on the day of service."""

DEPOT_POINT = (49.5126, 11.2823)
"""The market place of Lauf an der Pegnitz."""


class UserFactory(DjangoModelFactory[User]):
    """An office user without any permission."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.django.Password("secret-password")


class DepotFactory(DjangoModelFactory[Depot]):
    """A depot in Lauf, in the zone of Berlin."""

    class Meta:
        model = Depot

    code = factory.Sequence(lambda n: f"depot-{n}")
    name = factory.Sequence(lambda n: f"Depot {n}")
    time_zone = "Europe/Berlin"
    country = "DE"
    currency = "EUR"
    latitude, longitude = DEPOT_POINT


class DepotMembershipFactory(DjangoModelFactory[DepotMembership]):
    """A user who works for a depot."""

    class Meta:
        model = DepotMembership

    depot = factory.SubFactory(DepotFactory)
    user = factory.SubFactory(UserFactory)


class AbsenceFactory(DjangoModelFactory[Absence]):
    """A user who is away for the day of service, without a stand-in."""

    class Meta:
        model = Absence

    user = factory.SubFactory(UserFactory)
    from_at = NOW
    until_at = NOW + timedelta(hours=18)
    noted_at = NOW
    noted_by = "user:1"


def square(lat: float, lon: float, half_degree: float = 0.05) -> dict[str, Any]:
    """Return a GeoJSON Polygon: a square about a point."""
    west, east = lon - half_degree, lon + half_degree
    south, north = lat - half_degree, lat + half_degree
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


class ZoneFactory(DjangoModelFactory[Zone]):
    """A square zone about the depot."""

    class Meta:
        model = Zone

    depot = factory.SubFactory(DepotFactory)
    code = factory.Sequence(lambda n: f"zone-{n}")
    name = factory.Sequence(lambda n: f"Zone {n}")
    boundary = factory.LazyFunction(lambda: square(*DEPOT_POINT))


class DriverFactory(DjangoModelFactory[Driver]):
    """A driver with a log-in."""

    class Meta:
        model = Driver

    depot = factory.SubFactory(DepotFactory)
    user = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Driver {n}")


class VehicleFactory(DjangoModelFactory[Vehicle]):
    """A van with room for a usual day."""

    class Meta:
        model = Vehicle

    depot = factory.SubFactory(DepotFactory)
    name = factory.Sequence(lambda n: f"Van {n}")
    capacity_g = 800_000
    capacity_ml = 9_000_000
    capacity_pieces = 200


class ShiftFactory(DjangoModelFactory[Shift]):
    """A shift of eight hours that is planned and has not started."""

    class Meta:
        model = Shift

    depot = factory.SubFactory(DepotFactory)
    driver = factory.SubFactory(DriverFactory, depot=factory.SelfAttribute("..depot"))
    vehicle = factory.SubFactory(VehicleFactory, depot=factory.SelfAttribute("..depot"))
    service_date = SERVICE_DATE
    starts_at = NOW + timedelta(hours=1)
    ends_at = factory.LazyAttribute(lambda shift: shift.starts_at + timedelta(hours=8))


class ShiftBreakFactory(DjangoModelFactory[ShiftBreak]):
    """Half an hour, to be begun in the shift's fourth or fifth hour."""

    class Meta:
        model = ShiftBreak

    shift = factory.SubFactory(ShiftFactory)
    opens_at = factory.LazyAttribute(
        lambda row: row.shift.starts_at + timedelta(hours=3)
    )
    closes_at = factory.LazyAttribute(
        lambda row: row.shift.starts_at + timedelta(hours=5)
    )
    duration_s = 1800


class DeviceFactory(DjangoModelFactory[Device]):
    """An active handheld."""

    class Meta:
        model = Device

    depot = factory.SelfAttribute("driver.depot")
    driver = factory.SubFactory(DriverFactory)
    name = factory.Sequence(lambda n: f"Handheld {n}")
    enrolled_at = NOW


class AddressFactory(DjangoModelFactory[Address]):
    """One row of the gazetteer."""

    class Meta:
        model = Address

    depot = factory.SubFactory(DepotFactory)
    street = "Marktplatz"
    house_number = factory.Sequence(lambda n: str(n + 1))
    postcode = "91207"
    city = "Lauf"
    match_key = factory.LazyAttribute(
        lambda row: f"{row.street} {row.house_number}".casefold()
    )
    latitude, longitude = DEPOT_POINT


class CustomerFactory(DjangoModelFactory[Customer]):
    """Somebody who receives, of whom we know only the depot."""

    class Meta:
        model = Customer

    depot = factory.SubFactory(DepotFactory)


class OrderFactory(DjangoModelFactory[Order]):
    """An open delivery, a few metres from the depot, without a window."""

    class Meta:
        model = Order

    depot = factory.SubFactory(DepotFactory)
    reference = factory.Sequence(lambda n: f"R-{n}")
    service_date = SERVICE_DATE
    latitude = factory.LazyAttribute(lambda order: order.depot.latitude + 0.001)
    longitude = factory.LazyAttribute(lambda order: order.depot.longitude + 0.001)
    received_at = NOW
    changed_at = NOW


class TimeWindowFactory(DjangoModelFactory[TimeWindow]):
    """Two hours in the morning."""

    class Meta:
        model = TimeWindow

    order = factory.SubFactory(OrderFactory)
    opens_at = NOW + timedelta(hours=3)
    closes_at = factory.LazyAttribute(lambda row: row.opens_at + timedelta(hours=2))


class PreferredWindowFactory(DjangoModelFactory[PreferredWindow]):
    """Two hours in the afternoon, as the order's customer likes it best."""

    class Meta:
        model = PreferredWindow

    order = factory.SubFactory(OrderFactory)
    customer = factory.LazyAttribute(lambda row: row.order.customer)
    opens_at = NOW + timedelta(hours=7)
    closes_at = factory.LazyAttribute(lambda row: row.opens_at + timedelta(hours=2))


class ConditionFactory(DjangoModelFactory[Condition]):
    """A closed road of 150 m about the depot, confirmed, for the hours of the shift."""

    class Meta:
        model = Condition

    depot = factory.SubFactory(DepotFactory)
    kind = "closure"
    title = "Market place"
    latitude, longitude = DEPOT_POINT
    radius_m = 150
    from_at = NOW
    until_at = NOW + timedelta(hours=9)
    status = "confirmed"
    source = "admin"
    reported_by = "user:1"
    reported_at = NOW
    confirmed_at = NOW
    confirmed_by = "user:1"


class EstimateFactory(DjangoModelFactory[Estimate]):
    """What services of a depot take, from forty of them."""

    class Meta:
        model = Estimate

    depot = factory.SubFactory(DepotFactory)
    kind = "service"
    key = "depot"
    n = 40
    mean = 1.2
    spread = 0.05
    as_of = NOW


class DecisionRightFactory(DjangoModelFactory[DecisionRight]):
    """Drivers of a depot may move stops, up to ten minutes."""

    class Meta:
        model = DecisionRight

    kind = "move_stop"
    role = "Driver"
    depot = factory.SubFactory(DepotFactory)
    outcome = "allowed"
    max_minutes = 10
    valid_from = NOW - timedelta(days=1)
    created_at = NOW - timedelta(days=1)
    created_by = "user:1"


class OverrideFactory(DjangoModelFactory[Override]):
    """Somebody wants a stop taken off; a coordinator is asked."""

    class Meta:
        model = Override

    depot = factory.SubFactory(DepotFactory)
    service_date = SERVICE_DATE
    kind = "take_off"
    change = factory.LazyFunction(lambda: {"stop_id": str(uuid.uuid4())})
    asked_change = factory.LazyAttribute(lambda row: row.change)
    source = "device"
    asked_by = "driver:1"
    asked_role = "Driver"
    client_id = factory.Sequence(lambda n: f"asked-{n}")
    asked_at = NOW
    received_at = NOW
    state = "waiting"
    approver = "Coordinator"
    deadline_at = NOW + timedelta(minutes=45)


class ImportRunFactory(DjangoModelFactory[ImportRun]):
    """A file that has been handed in."""

    class Meta:
        model = ImportRun

    depot = factory.SubFactory(DepotFactory)
    service_date = SERVICE_DATE
    file_name = "orders.csv"
    mapping = factory.LazyFunction(lambda: {"reference": "order_id"})
    file_sha256 = "0" * 64
    requested_by = "system"
    requested_at = NOW


class MessageFactory(DjangoModelFactory[Message]):
    """A text to Anna about a planned delivery, that waits to be sent."""

    class Meta:
        model = Message

    depot = factory.SubFactory(DepotFactory)
    kind = "planned"
    purpose = "delivery"
    reason = factory.Sequence(lambda n: f"planned/{n}")
    language = "de"
    title = "Ihre Lieferung"
    text = "Lauf: Lieferung Di 17.3. 10:00-12:00. https://x.example/t/abc"
    encoding = "gsm7"
    segments = 1
    ways = factory.LazyFunction(lambda: [["sms", "+4915112345678"]])
    channel = "sms"
    address = "+4915112345678"
    created_at = NOW
    created_by = "system"
    due_at = NOW
