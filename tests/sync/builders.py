"""A driver's published day, an enrolled device, and a client that talks to the doors."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rest_framework.test import APIClient

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.drivers import services as drivers
from apps.drivers.models import Driver, Shift
from apps.journal.services import writing
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.routes.models import Plan, PlanChange, Route, Stop, StopAssignment
from apps.routes.services.releasing import release_stop
from apps.routes.states import PlanState, RouteState
from tests.factories import DepotFactory, DriverFactory, OrderFactory, ShiftFactory

PUSH, PULL = "/api/sync/v1/push", "/api/sync/v1/pull"


@dataclass
class Day:
    """One driver's published route."""

    driver: Driver
    shift: Shift
    route: Route
    stops: list[Stop]


def make_plan(depot: Any, now: datetime) -> Plan:
    number = Plan.objects.filter(depot=depot).count() + 1
    return Plan.objects.create(
        depot=depot,
        service_date=now.date(),
        kind=Plan.Kind.DAY,
        number=number,
        status=PlanState.PUBLISHED,
        requested_by="system",
        requested_at=now,
    )


def publish_day(
    *, depot: Any = None, stops: int = 3, now: datetime | None = None
) -> Day:
    """Make a driver with a shift and a published route of `stops` stops."""
    now = now or clock.now()
    depot = depot or DepotFactory()
    driver = DriverFactory(depot=depot)
    shift = ShiftFactory(
        depot=depot, driver=driver, service_date=now.date(), starts_at=now
    )
    route = Route.objects.create(
        depot=depot,
        shift=shift,
        driver=driver,
        service_date=now.date(),
        plan=make_plan(depot, now),
        status=RouteState.PUBLISHED,
        version=1,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
    )
    day = Day(driver, shift, route, [])
    with writing(by=SYSTEM, now=now, scopes=[driver.pk]) as journal:
        journal.changed(driver.pk, "routes", route.pk)
    for _ in range(stops):
        add_stop(day, now)
    return day


def add_stop(day: Day, now: datetime) -> Stop:
    """Publish one more stop on a route."""
    order = OrderFactory(depot=day.route.depot, service_date=now.date())
    with writing(by=SYSTEM, now=now, scopes=[day.driver.pk]) as journal:
        stop = Stop.objects.create(
            order=order,
            route=day.route,
            sequence=len(day.stops) + 1,
            service_s=120,
            eta_at=now + timedelta(hours=1),
        )
        StopAssignment.objects.create(stop=stop, driver=day.driver, from_at=now)
        journal.changed(day.driver.pk, "stops", stop.pk)
        journal.changed(day.driver.pk, "orders", order.pk)
    day.stops.append(stop)
    return stop


def give_stop(stop_id: uuid.UUID, old: Day, new: Day, now: datetime) -> None:
    """Move a stop from one driver's route to another's, in one transaction."""
    with writing(by=SYSTEM, now=now, scopes=[old.driver.pk, new.driver.pk]) as journal:
        stop = Stop.objects.get(pk=stop_id)
        stop.route = new.route
        stop.version += 1
        stop.save()
        StopAssignment.objects.filter(stop=stop, until_at=None).update(until_at=now)
        StopAssignment.objects.create(stop=stop, driver=new.driver, from_at=now)
        journal.removed(old.driver.pk, "stops", stop.pk)
        journal.removed(old.driver.pk, "orders", stop.order_id)
        journal.changed(new.driver.pk, "stops", stop.pk)
        journal.changed(new.driver.pk, "orders", stop.order_id)


def cancel_order(stop: Stop, now: datetime) -> None:
    """Cancel a stop's order; a stop under way stays with its driver."""
    with writing(by=SYSTEM, now=now):
        release_stop(stop.pk, because="order", cancel=True, by=SYSTEM, now=now)
        open_ones = Order.objects.filter(pk=stop.order_id, status=OrderState.OPEN)
        open_ones.update(status=OrderState.CANCELLED)


def make_plan_change(day: Day, now: datetime) -> PlanChange:
    """Tell a driver of a difference."""
    with writing(by=SYSTEM, now=now, scopes=[day.driver.pk]) as journal:
        day.route.refresh_from_db()
        version = day.route.version + 1
        Route.objects.filter(pk=day.route.pk).update(version=version)
        change = PlanChange.objects.create(
            route=day.route,
            driver=day.driver,
            plan=day.route.plan,
            route_version=version,
            why="One stop moved.",
            made_at=now,
        )
        journal.changed(day.driver.pk, "plan_changes", change.pk)
        journal.changed(day.driver.pk, "routes", day.route.pk)
    return change


@dataclass
class Handheld:
    """A device as an app would hold it: credentials, a counter, and its tables."""

    driver: Driver
    device_id: uuid.UUID
    device_token: str
    session_token: str
    client: APIClient = field(default_factory=APIClient)
    seq: int = 0
    pulled_at: int | None = None
    tables: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def event(self, kind: str, stop: Any = None, /, **payload: Any) -> dict[str, Any]:
        """Write an event into the outbox: a row as the app keeps it."""
        self.seq += 1
        return {
            "id": uuid.uuid4().hex[:16],
            "seq": self.seq,
            "kind": kind,
            "stop_id": str(stop.pk) if isinstance(stop, Stop) else (stop or ""),
            "payload": json.dumps(payload),
            "device_time": round(clock.now().timestamp() * 1000),
            "mono_ms": None,
            "boot_id": "",
            "depends_on": "",
        }

    def sign(self, token: str) -> None:
        self.client.credentials(HTTP_AUTHORIZATION=f"Token {token}")

    def push_raw(self, body: Any, *, token: str | None = None) -> Any:
        self.sign(token or self.session_token)
        return self.client.generic(
            "POST", PUSH, json.dumps(body), content_type="application/json"
        )

    def push(self, *events: dict[str, Any], **device: Any) -> list[dict[str, Any]]:
        """Push events; return the results."""
        body: dict[str, Any] = {"changes": {"events": {"created": list(events)}}}
        if device:
            body["device"] = device
        response = self.push_raw(body)
        assert response.status_code == 200, response.content
        results: list[dict[str, Any]] = json.loads(response.content)["results"]
        return results

    def verdicts(self, *events: dict[str, Any]) -> list[tuple[str, str]]:
        return [(each["result"], each["code"]) for each in self.push(*events)]

    def get(self, *, token: str | None = None, **query: Any) -> Any:
        self.sign(token or self.session_token)
        return self.client.get(PULL, query)

    def page(self, **query: Any) -> dict[str, Any]:
        response = self.get(**query)
        assert response.status_code == 200, response.content
        page: dict[str, Any] = json.loads(response.content)
        return page

    def pull(self, **query: Any) -> None:
        """Pull until nothing is left, and change the tables as the app would."""
        while True:
            since = "null" if self.pulled_at is None else self.pulled_at
            page = self.page(last_pulled_at=since, **query)
            if page.get("experimentalStrategy") == "replacement":
                self.tables = {}
            self.merge(page["changes"])
            assert page["timestamp"] >= max(1, self.pulled_at or 1)
            self.pulled_at = page["timestamp"]
            if not page["has_more"]:
                return

    def merge(self, changes: dict[str, Any]) -> None:
        for name, change in changes.items():
            rows = self.tables.setdefault(name, {})
            assert change["created"] == []
            for row in change["updated"]:
                rows[row["id"]] = row
            for row_id in change["deleted"]:
                rows.pop(row_id, None)

    def snapshot(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what a device that was enrolled just now would hold."""
        fresh = Handheld(
            self.driver, self.device_id, self.device_token, self.session_token
        )
        fresh.pull()
        return fresh.tables


def enrol(driver: Driver) -> Handheld:
    """Enrol a device for a driver."""
    now = clock.now()
    _, code = drivers.create_enrolment_code(driver_id=driver.pk, by=SYSTEM, now=now)
    done = drivers.enrol_device(
        code=code, name="Handheld", platform="test", by=SYSTEM, now=now
    )
    return Handheld(driver, done.device.pk, done.device_token, done.session.token)


def results_of(rows: Iterable[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    return {row["id"]: (row["result"], row["code"]) for row in rows}
