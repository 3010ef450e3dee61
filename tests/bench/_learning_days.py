"""Driven days of many stops in the tables: what the nightly learning reads, and no more."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Model

from apps.core.bulk import columns_of, insert
from apps.core.ids import uuid7
from apps.depots.models import Depot, Zone
from apps.drivers.models import Driver, Shift, Vehicle
from apps.journal.models import Entry
from apps.orders.models import Order
from apps.routes.models import Plan, Route, Stop, StopEvent

STOPS_A_ROUTE = 100
DRIVERS = 50
HOUSES = 12_000
"""So many houses a town has that are delivered to again and again."""

ZONES = 12
BEGINS_AT = datetime(2026, 6, 1, 6, tzinfo=UTC)
BATCH = 5000
Row = TypeVar("Row", bound=Model)


@dataclass
class LearningDays:
    """A depot whose days are laid out one after another, 50 drivers a day."""

    depot: Depot
    zones: list[Zone]
    drivers: list[Driver]
    vehicles: list[Vehicle]
    random: Random
    now: datetime = BEGINS_AT

    @classmethod
    def new(cls) -> "LearningDays":
        """Make a depot with its zones, people and vehicles."""
        code = f"learning-{uuid7().hex[-12:]}"
        depot = Depot.objects.create(
            code=code,
            name=code,
            time_zone="Europe/Berlin",
            country="DE",
            currency="EUR",
            latitude=49.5,
            longitude=11.2,
        )
        boundary = {"type": "Polygon", "coordinates": [[[11, 49], [12, 49], [12, 50]]]}
        zones = [
            Zone(depot=depot, code=f"z-{n}", name=f"Zone {n:02}", boundary=boundary)
            for n in range(ZONES)
        ]
        users = User.objects.bulk_create(
            User(username=f"{code}-{n}", date_joined=BEGINS_AT - timedelta(days=90))
            for n in range(DRIVERS)
        )
        drivers = [
            Driver(depot=depot, user=user, name=f"Driver {n}", phone="+49")
            for n, user in enumerate(users)
        ]
        vehicles = [
            Vehicle(
                depot=depot,
                name=f"Van {n}",
                type_id="van",
                capacity_g=900_000,
                capacity_ml=9_000_000,
                capacity_pieces=400,
            )
            for n in range(DRIVERS)
        ]
        return cls(
            depot,
            list(Zone.objects.bulk_create(zones)),
            list(Driver.objects.bulk_create(drivers)),
            list(Vehicle.objects.bulk_create(vehicles)),
            Random(7),  # noqa: S311  repeatable
        )

    def lay_out(self, stops: int) -> None:
        """Lay so many stops out, day after day."""
        left = stops
        while left > 0:
            routes = min(DRIVERS, -(-left // STOPS_A_ROUTE))
            self._day(routes, min(left, routes * STOPS_A_ROUTE))
            left -= routes * STOPS_A_ROUTE

    def _day(self, routes: int, stops: int) -> None:
        day, begins_at = self.now.date(), self.now
        plan = Plan.objects.create(
            depot=self.depot,
            service_date=day,
            kind=Plan.Kind.DAY,
            number=1,
            requested_by="system",
            requested_at=begins_at,
        )
        shifts = [
            Shift(
                depot=self.depot,
                driver=self.drivers[n],
                vehicle=self.vehicles[n],
                service_date=day,
                starts_at=begins_at,
                ends_at=begins_at + timedelta(hours=10),
                status="started",
                started_at=begins_at,
            )
            for n in range(routes)
        ]
        Shift.objects.bulk_create(shifts)
        lines = [
            Route(
                depot=self.depot,
                shift=shift,
                driver=shift.driver,
                service_date=day,
                plan=plan,
                status="active",
                starts_at=shift.starts_at,
                ends_at=shift.ends_at,
            )
            for shift in shifts
        ]
        Route.objects.bulk_create(lines)
        orders = [self._order(n, routes, begins_at) for n in range(stops)]
        _keep(Order, orders)
        visits = list(self._stops(orders, lines))
        _keep(Stop, visits)
        _keep(StopEvent, self._events(visits))
        _keep(Entry, self._entries(visits))
        self.now = begins_at + timedelta(days=1)

    def _order(self, number: int, routes: int, begins_at: datetime) -> Order:
        zone = (number // routes * ZONES // STOPS_A_ROUTE + number) % ZONES
        house = self.random.randrange(HOUSES // ZONES) * ZONES + zone
        return Order(
            depot=self.depot,
            reference=f"{begins_at:%y%m%d}-{number:06}",
            service_date=begins_at.date(),
            status="delivered",
            street=f"Street {house // 40}",
            house_number=str(house % 40),
            postcode="91207",
            latitude=49.4 + 0.02 * (zone % 4) + 0.00002 * (house % 900),
            longitude=11.1 + 0.03 * (zone // 4) + 0.00003 * (house // 13 % 900),
            zone=self.zones[zone],
            pieces=1 + house % 5,
            service_s=150,
            received_at=begins_at,
            changed_at=begins_at,
        )

    def _stops(self, orders: list[Order], routes: list[Route]) -> Iterator[Stop]:
        """Yield each route's visits, one every five or so minutes."""
        for line, route in enumerate(routes):
            at, before = route.starts_at, None
            for place, order in enumerate(orders[line :: len(routes)], start=1):
                at += timedelta(seconds=60 + self.random.expovariate(1 / 90))
                took_s = 150 * self.random.lognormvariate(0.1, 0.4)
                ended_at = at + timedelta(seconds=took_s)
                stop = Stop(
                    order=order,
                    route=route,
                    sequence=place,
                    status="failed" if self.random.random() < 0.05 else "succeeded",
                    service_s=150,
                    planned_arrival_at=at,
                    leg_from=before,
                    arrived_at=at,
                    completed_at=ended_at,
                    completed_by=route.driver,
                )
                yield stop
                at, before = ended_at, stop.pk

    def _events(self, stops: Iterable[Stop]) -> Iterator[StopEvent]:
        for stop in stops:
            for kind, at in (
                ("stop.arrived", stop.arrived_at),
                (f"stop.{stop.status}", stop.completed_at),
            ):
                if at is not None and stop.completed_by is not None:
                    yield StopEvent(
                        id=f"{kind[5]}{stop.pk.hex}",
                        stop=stop,
                        driver=stop.completed_by,
                        kind=kind,
                        occurred_at=at,
                        received_at=at + timedelta(seconds=2),
                        verdict="applied/ok",
                    )

    def _entries(self, stops: Iterable[Stop]) -> Iterator[Entry]:
        for stop in stops:
            yield Entry(
                id=_numbered_at(stop.completed_at or self.now),
                at=stop.completed_at or self.now,
                actor="system",
                kind=f"stop.{stop.status}",
                subject_type="stop",
                subject_id=str(stop.pk),
                depot_id=self.depot.pk,
            )


def _numbered_at(at: datetime) -> UUID:
    """Return the number that an entry gets which is written at an instant."""
    head = round(at.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62
    return UUID(int=head | uuid7().int & (1 << 62) - 1)


def _keep(model: type[Row], rows: Iterable[Row]) -> None:
    made = list(rows)
    for first in range(0, len(made), BATCH):
        insert(model, columns_of(made[first : first + BATCH]))
