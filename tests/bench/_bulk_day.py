"""A driven day of many orders, laid straight into the tables: what the office's pages show.

Nothing is planned or driven: rows are made in bulk, as many of each kind as such a day
leaves behind, so that ten thousand orders take seconds.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model
from django_q.models import OrmQ, Schedule, Success

from apps.core.bulk import columns_of, insert
from apps.core.ids import uuid7
from apps.core.models import TaskRun
from apps.depots.models import Depot, Zone
from apps.drivers.models import Device, Driver, Position, Shift, ShiftBreak, Vehicle
from apps.journal.models import Entry
from apps.orders.models import (
    Address,
    Customer,
    ImportRun,
    Order,
    QuarantinedRow,
    TimeWindow,
)
from apps.recommendations.models import Content, Recommendation
from apps.routes.conditionrows import Condition
from apps.routes.models import Plan, PlanChange, Route, Stop, StopEvent, UnservedOrder
from apps.sync.models import Attachment, DeviceEvent, QuarantinedEvent

STOPS_A_ROUTE = 110
FIXES_A_DRIVER = 240
"""One every two minutes for eight hours."""
BATCH = 5000
FEW = 50
NOON_H = 6
"""Hours after the shifts' begin at which the day is looked at: half of it is done."""
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class BulkDay:
    """A day that was laid out, and the instant at which it stands."""

    depot: Depot
    day: date
    now: datetime
    plan: Plan
    routes: tuple[Route, ...]
    orders: tuple[Order, ...]


def lay_out(depot: Depot, day: date, *, orders: int, seed: int = 7) -> BulkDay:
    """Lay a depot's day into the tables, driven to its middle."""
    return _Day(depot, day, orders, Random(seed)).lay_out()  # noqa: S311  repeatable


def _keep(model: type[Row], rows: Iterable[Row]) -> list[Row]:
    """Store rows; those whose key the database makes come back without it."""
    made = list(rows)
    if len(made) < FEW:
        return list(model._default_manager.bulk_create(made))
    for first in range(0, len(made), BATCH):
        insert(model, columns_of(made[first : first + BATCH]))
    return made


class _Day:
    """The day in the making."""

    def __init__(self, depot: Depot, day: date, orders: int, random: Random) -> None:
        self.depot, self.day, self.count, self.random = depot, day, orders, random
        self.begins_at = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
        self.now = self.begins_at + timedelta(hours=NOON_H)
        self.name = f"{depot.code}-{day:%m%d}"

    def lay_out(self) -> BulkDay:
        self.zones = list(self.depot.zones.all()) or _keep(Zone, self._zones())
        self.people()
        self.order_rows()
        self.plan_rows()
        self.route_rows()
        self.what_devices_sent()
        self.behind()
        return BulkDay(
            depot=self.depot,
            day=self.day,
            now=self.now,
            plan=self.plan,
            routes=tuple(self.routes),
            orders=tuple(self.orders),
        )

    def _zones(self) -> Iterator[Zone]:
        for number in range(6):
            west = self.depot.longitude - 0.18 + 0.12 * (number % 3)
            south = self.depot.latitude - 0.12 + 0.12 * (number // 3)
            east, north = west + 0.12, south + 0.12
            ring = [[west, south], [east, south], [east, north], [west, north]]
            yield Zone(
                depot=self.depot,
                code=f"zone-{number}",
                name=f"Zone {number}",
                boundary={"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
            )

    def people(self) -> None:
        """Drivers, as many as the orders need, and what they work with."""
        count = max(1, math.ceil(self.count / STOPS_A_ROUTE))
        users = User.objects.bulk_create(
            User(username=f"{self.name}-{n}") for n in range(count)
        )
        self.drivers = _keep(
            Driver,
            (
                Driver(depot=self.depot, user=user, name=f"Driver {n:03}", phone="+49")
                for n, user in enumerate(users)
            ),
        )
        self.shifts = self._shifts()
        self.devices = self._devices()
        self._breaks()

    def _shifts(self) -> list[Shift]:
        vehicles = _keep(
            Vehicle,
            (
                Vehicle(
                    depot=self.depot,
                    name=f"Van {self.name} {n}",
                    capacity_g=900_000,
                    capacity_ml=9_000_000,
                    capacity_pieces=400,
                )
                for n in range(len(self.drivers))
            ),
        )
        return _keep(
            Shift,
            (
                Shift(
                    depot=self.depot,
                    driver=driver,
                    vehicle=vehicle,
                    service_date=self.day,
                    starts_at=self.begins_at,
                    ends_at=self.begins_at + timedelta(hours=10),
                    status="started",
                    started_at=self.begins_at,
                )
                for driver, vehicle in zip(self.drivers, vehicles, strict=True)
            ),
        )

    def _devices(self) -> list[Device]:
        return _keep(
            Device,
            (
                Device(
                    depot=self.depot,
                    driver=driver,
                    name=f"Handheld {n}",
                    enrolled_at=self.begins_at,
                    last_seen_at=self.now - timedelta(minutes=n % 40),
                )
                for n, driver in enumerate(self.drivers)
            ),
        )

    def _breaks(self) -> None:
        noon = self.begins_at + timedelta(hours=5)
        _keep(
            ShiftBreak,
            (
                ShiftBreak(
                    shift=shift,
                    opens_at=noon,
                    closes_at=noon + timedelta(hours=2),
                    duration_s=1800,
                )
                for shift in self.shifts
            ),
        )

    def order_rows(self) -> None:
        """Customers, orders about the depot, a window for four in five of them."""
        customers = _keep(
            Customer,
            (
                Customer(
                    depot=self.depot,
                    name=f"Customer {n:05}",
                    phone=f"+4991239{n:06}",
                    email=f"c{n}@example.org",
                )
                for n in range(self.count)
            ),
        )
        run = ImportRun.objects.create(
            depot=self.depot,
            service_date=self.day,
            file_name=f"{self.name}.csv",
            file_sha256="0" * 64,
            state="done",
            rows=self.count,
            created=self.count,
            requested_by="system",
            requested_at=self.begins_at,
        )
        self.orders = _keep(
            Order, (self._order(n, who, run) for n, who in enumerate(customers))
        )
        _keep(TimeWindow, (self._window(n) for n in range(self.count) if n % 5))
        _keep(
            Address,
            (
                Address(
                    depot=self.depot,
                    street=order.street,
                    house_number=order.house_number,
                    postcode=order.postcode,
                    city=order.city,
                    match_key=f"{self.name} {order.reference}",
                    latitude=order.latitude,
                    longitude=order.longitude,
                )
                for order in self.orders
            ),
        )
        kept_back = ({"column": "weight", "code": "bad", "detail": "No number."},)
        _keep(
            QuarantinedRow,
            (
                QuarantinedRow(
                    run=run, line=n + 2, raw={"weight": "-"}, faults=list(kept_back)
                )
                for n in range(1 + self.count // 100)
            ),
        )

    def _order(self, number: int, customer: Customer, run: ImportRun) -> Order:
        line, _ = self._place(number)
        about, turn = self.random.gauss, 2 * math.pi * line / len(self.drivers)
        away = 0.02 + 0.05 * (line % 3)
        return Order(
            depot=self.depot,
            reference=f"{self.name}-{number:06}",
            customer=customer,
            service_date=self.day,
            status="delivered" if self._is_done(number) else "open",
            street=f"Street {number % 700}",
            house_number=str(number % 90),
            postcode=f"912{number % 90:02}",
            city=f"Town {number % 30}",
            latitude=self.depot.latitude + away * math.sin(turn) + about(0, 0.012),
            longitude=self.depot.longitude
            + 1.5 * away * math.cos(turn)
            + about(0, 0.018),
            zone=self.zones[number % len(self.zones)],
            pieces=1 + number % 3,
            load_g=4000,
            load_ml=20_000,
            service_s=150,
            source_run=run,
            source_line=number + 2,
            received_at=self.begins_at,
            changed_at=self.begins_at,
        )

    def _place(self, number: int) -> tuple[int, int]:
        """Return on which route an order stands, and as which stop from 1."""
        count = len(self.drivers)
        return number % count, number // count + 1

    def _visit_at(self, number: int) -> datetime:
        _, sequence = self._place(number)
        longest = math.ceil(self.count / len(self.drivers)) + 1
        return self.begins_at + timedelta(hours=10) * (sequence / longest)

    def _is_done(self, number: int) -> bool:
        return self._visit_at(number) < self.now

    def _window(self, number: int) -> TimeWindow:
        early = timedelta(minutes=10 if number % 23 == 0 else 60 + number % 60)
        opens_at = self._visit_at(number) - early
        length = timedelta(minutes=5) if number % 23 == 0 else timedelta(hours=2)
        return TimeWindow(
            order=self.orders[number], opens_at=opens_at, closes_at=opens_at + length
        )

    def plan_rows(self) -> None:
        """The day's plan and a re-optimization for each tenth of an hour."""
        numbers = range(1 + self.count // 100)
        Content.objects.bulk_create(
            Content(
                hash=f"{what}-{self.name}-{n}",
                body=what[:1].encode() * (40 * self.count // (50 if n else 1)),
                size_bytes=40 * self.count,
            )
            for n in numbers
            for what in ("inputs", "answer")
        )
        ledger = Recommendation.objects.bulk_create(
            self._recommendation(n) for n in numbers
        )
        plans = _keep(
            Plan, (self._plan(n, row) for n, row in enumerate(ledger, start=1))
        )
        self.plan = plans[0]

    def _recommendation(self, number: int) -> Recommendation:
        kind = Recommendation.Kind.REPLAN if number else Recommendation.Kind.PLAN
        costs = {"distance_minor": 1500, "duration_minor": 2500, "total_minor": 4000}
        return Recommendation(
            kind=kind,
            depot=self.depot,
            subject_type="plan",
            subject_id=str(number),
            inputs_id=f"inputs-{self.name}-{number}",
            answer_id=f"answer-{self.name}-{number}",
            engine="pyvrp",
            engine_version="0.14",
            seed=number,
            alternatives=[{"engine": "greedy", **costs, "total_minor": 5200}],
            costs=costs,
            expected_gain={"minor": 1200, "against": "greedy"},
            reasons=[{"code": "served", "text": "All but a few are served."}],
            mode="optimizer",
            issued_at=self.begins_at + timedelta(seconds=number),
        )

    def _plan(self, number: int, row: Recommendation) -> Plan:
        is_first = number == 1
        return Plan(
            depot=self.depot,
            service_date=self.day,
            kind=Plan.Kind.DAY if is_first else Plan.Kind.REPLAN,
            number=number,
            status="published" if is_first else "superseded",
            recommendation=row,
            mode="optimizer",
            totals={"routes": len(self.drivers), "served": self.count, "unserved": 0}
            | {"distance_m": 90_000, "duration_s": 90_000, "cost_minor": 900_000},
            requested_by="user:1",
            requested_at=row.issued_at,
            published_at=row.issued_at,
            published_by="user:1",
        )

    def route_rows(self) -> None:
        """Routes with stops, what no route serves, changes, and trouble on the roads."""
        self.routes = _keep(Route, (self._route(n) for n in range(len(self.shifts))))
        left_out = max(1, self.count // 300)
        served = range(self.count - left_out)
        self.stops = _keep(Stop, (self._stop(n) for n in served))
        self._left_out()
        self._changes()
        _keep(Condition, (self._condition(n) for n in range(4)))

    def _route(self, number: int) -> Route:
        shift = self.shifts[number]
        return Route(
            depot=self.depot,
            shift=shift,
            driver=shift.driver,
            service_date=self.day,
            plan=self.plan,
            status="started",
            version=4,
            starts_at=self.begins_at,
            ends_at=self.begins_at + timedelta(hours=10),
            break_starts_at=self.begins_at + timedelta(hours=5, minutes=30),
            break_ends_at=self.begins_at + timedelta(hours=6),
            distance_m=90_000,
            duration_s=36_000,
            risk_percent=(number * 17) % 100,
            risk_causes=[
                {"code": "tight", "text": "Windows are tight.", "percent": 60}
            ],
        )

    def _left_out(self) -> None:
        _keep(
            UnservedOrder,
            (
                UnservedOrder(
                    plan=self.plan,
                    order=order,
                    code="no_room",
                    detail="All routes are full.",
                )
                for order in self.orders[len(self.stops) :]
            ),
        )

    def _changes(self) -> None:
        """Changes of each route, of which each fifth route's last waits for its driver."""
        _keep(
            PlanChange,
            (
                PlanChange(
                    route=route,
                    driver=route.driver,
                    plan=self.plan,
                    route_version=version,
                    added=[{"stop_id": str(uuid7())}],
                    why="An order came in.",
                    made_at=self.begins_at + timedelta(hours=version),
                    acknowledged_at=None
                    if version == 4 and n % 5 == 0
                    else self.begins_at + timedelta(hours=version, minutes=2),
                )
                for n, route in enumerate(self.routes)
                for version in range(1, 5)
            ),
        )

    def _stop(self, number: int) -> Stop:
        line, sequence = self._place(number)
        at = self._visit_at(number)
        is_done = self._is_done(number)
        status = ("failed" if number % 41 == 0 else "succeeded") if is_done else ""
        half = timedelta(minutes=12)
        return Stop(
            order=self.orders[number],
            route=self.routes[line],
            sequence=sequence,
            status=status or "pending",
            reason="nobody_there" if status == "failed" else "",
            service_s=150,
            planned_arrival_at=at,
            plan_eta_at=at,
            eta_at=at,
            eta_low_at=at - half,
            eta_high_at=at + half,
            told_low_at=at - half,
            told_high_at=at + half,
            arrived_at=at if is_done else None,
            completed_at=at + timedelta(seconds=150) if is_done else None,
            completed_by=self.drivers[line] if is_done else None,
        )

    def _condition(self, number: int) -> Condition:
        return Condition(
            depot=self.depot,
            kind="closure",
            title=f"Bridge {number}",
            latitude=self.depot.latitude + 0.01 * number,
            longitude=self.depot.longitude,
            radius_m=200,
            from_at=self.begins_at,
            until_at=self.begins_at + timedelta(hours=12),
            source="driver",
            status="unconfirmed",
            reported_by=f"driver:{self.drivers[0].pk}",
            reported_at=self.begins_at,
        )

    def what_devices_sent(self) -> None:
        """Three events a done stop, photos, fixes, and what could not be taken."""
        done = [stop for stop in self.stops if stop.completed_at]
        kinds = ("stop.enroute", "stop.arrived", "stop.completed")
        told = [(stop, kind) for stop in done for kind in kinds]
        _keep(StopEvent, (self._event(n, *each) for n, each in enumerate(told)))
        _keep(DeviceEvent, (self._sent(n, *each) for n, each in enumerate(told)))
        _keep(Attachment, (self._photo(stop) for stop in done[::3]))
        _keep(
            QuarantinedEvent,
            (
                QuarantinedEvent(
                    device=self.devices[n % len(self.devices)],
                    driver=self.drivers[n % len(self.drivers)],
                    event_id=f"{self.name}-{n}",
                    body={"kind": "?"},
                    body_hash=f"{n:064}",
                    code="invalid",
                    received_at=self.now,
                )
                for n in range(1 + self.count // 200)
            ),
        )
        _keep(
            Position, (fix for n in range(len(self.drivers)) for fix in self._fixes(n))
        )

    def _holder(self, stop: Stop) -> int:
        return (stop.order.source_line or 2) - 2

    def _event(self, number: int, stop: Stop, kind: str) -> StopEvent:
        line, _ = self._place(self._holder(stop))
        at = stop.completed_at or self.now
        return StopEvent(
            id=f"{self.name}-{number}",
            stop=stop,
            driver=self.drivers[line],
            kind=kind,
            occurred_at=at,
            received_at=at,
            device_seq=number,
            verdict="applied/ok",
        )

    def _sent(self, number: int, stop: Stop, kind: str) -> DeviceEvent:
        line, _ = self._place(self._holder(stop))
        at = stop.completed_at or self.now
        return DeviceEvent(
            id=f"{self.name}-{number}",
            driver=self.drivers[line],
            device=self.devices[line],
            seq=number,
            kind=kind,
            stop_id=str(stop.pk),
            body_hash="0" * 64,
            occurred_at=at,
            received_at=at,
            result="superseded" if number % 50 == 0 else "applied",
            code="ok",
        )

    def _photo(self, stop: Stop) -> Attachment:
        line, _ = self._place(self._holder(stop))
        return Attachment(
            id=stop.pk.hex,
            driver=self.drivers[line],
            device=self.devices[line],
            stop_id=str(stop.pk),
            sha256="0" * 64,
            size_bytes=80_000,
            media_type="image/jpeg",
            status="received",
            received_at=stop.completed_at,
        )

    def _fixes(self, line: int) -> Iterator[Position]:
        driver, device = self.drivers[line], self.devices[line]
        there = self.orders[line]
        newest = self.now - timedelta(minutes=line % 40)
        for step in range(FIXES_A_DRIVER):
            at = newest - timedelta(minutes=2) * step
            yield Position(
                driver=driver,
                device=device,
                boot_key=1,
                mono_ms=int(at.timestamp() * 1000) % 2**40,
                occurred_ms=int(at.timestamp() * 1000),
                lat_e6=round(there.latitude * 1e6),
                lon_e6=round((there.longitude + 0.0001 * step) * 1e6),
                heading_deg=90,
            )

    def behind(self) -> None:
        """The journal, and background work."""
        subjects: list[tuple[str, str, Callable[[Any], str]]] = [
            ("stop.succeeded", "stop", lambda n: str(self.stops[n].pk)),
            ("stop.arrived", "stop", lambda n: str(self.stops[n].pk)),
            ("order.outcome_set", "order", lambda n: str(self.orders[n].pk)),
            ("event.corrected", "deviceevent", lambda n: f"{self.name}-{n}"),
        ]
        _keep(
            Entry,
            (
                Entry(
                    at=self.now,
                    actor=f"driver:{self.drivers[n % len(self.drivers)].pk}",
                    kind=kind,
                    subject_type=subject,
                    subject_id=of(n),
                    depot_id=self.depot.pk,
                    payload={"service_date": f"{self.day}", "outcome": "succeeded"},
                )
                for n in range(len(self.stops))
                for kind, subject, of in subjects
            ),
        )
        tasks = ("routes.tasks.reoptimize", "routes.tasks.follow_order")
        _keep(
            TaskRun,
            (
                TaskRun(
                    task=f"apps.{tasks[n % 2]}",
                    arguments={"depot_id": str(self.depot.pk)},
                    depot_id=self.depot.pk,
                    state="dead" if n % 500 == 1 else "succeeded",
                    attempts=1,
                    enqueued_at=self.now,
                    started_at=self.now,
                    finished_at=self.now,
                )
                for n in range(2 + self.count // 3)
            ),
        )
        self._queue()

    def _queue(self) -> None:
        """What django-q2 keeps; it holds back no more than its limit."""
        count = 2 + min(200, self.count // 50)
        for n in range(count):
            OrmQ.objects.create(key="roundsman", payload="", lock=self.now)
            Schedule.objects.create(name=f"{self.name}-{n}", func="a.b")
        _keep(
            Success,
            (
                Success(
                    id=uuid7().hex[:32],
                    name=f"{self.name}-{n}",
                    func="apps.core.queue.run",
                    started=self.begins_at,
                    stopped=self.begins_at,
                    success=n % 5 > 0,
                )
                for n in range(count)
            ),
        )
