"""A small day to plan: a depot, its shifts, its orders, all near Lauf."""

from datetime import datetime, timedelta

from apps.core.actors import Actor
from apps.core.verdicts import Verdict
from apps.depots.models import Depot
from apps.drivers.models import Shift
from apps.drivers.services.shifts import start_shift
from apps.orders.models import Order
from apps.routes.models import Plan, PlanningParameter, Route, Stop
from apps.routes.services.plans import request_plan
from apps.routes.services.stops import record_stop_event
from apps.routes.services.telling import StopReport
from tests.factories import (
    DEPOT_POINT,
    NOW,
    SERVICE_DATE,
    DepotFactory,
    OrderFactory,
    ShiftFactory,
)
from tests.queueing import drain

OFFICE = Actor("user", "1")
DEVICE = Actor("driver", "d")


def make_day(*, orders: int = 12, shifts: int = 2) -> Depot:
    """Make a depot with shifts and orders around it, and a search that is short."""
    depot = DepotFactory()
    for name, value in (
        ("day_rounds", 200),
        ("replan_rounds", 200),
        ("day_solutions", 20),
        ("replan_solutions", 20),
        ("rules_day_rounds", 50),
    ):
        PlanningParameter.objects.create(
            depot=depot,
            name=name,
            version=1,
            value=value,
            valid_from=NOW - timedelta(days=1),
            created_by="test",
        )
    for _ in range(shifts):
        ShiftFactory(depot=depot)
    for number in range(orders):
        make_order(depot, number)
    return depot


def make_order(depot: Depot, number: int = 0, **values: object) -> Order:
    """Make an order some hundred metres further out with each number."""
    lat, lon = DEPOT_POINT
    order: Order = OrderFactory(
        depot=depot,
        latitude=lat + 0.004 * (number % 5 - 2) + 0.0007 * number,
        longitude=lon + 0.004 * (number % 3 - 1) - 0.0005 * number,
        service_s=120,
        **values,
    )
    return order


def publish_day(depot: Depot, now: datetime = NOW) -> Plan:
    """Plan and publish the day, with the queue drained."""
    plan = request_plan(
        depot_id=depot.pk,
        service_date=SERVICE_DATE,
        publish_when_ready=True,
        by=OFFICE,
        now=now,
    )
    drain()
    plan.refresh_from_db()
    return plan


def sequence(route: Route) -> list[Stop]:
    """Return the route's stops in their order."""
    return list(route.stops.order_by("sequence"))


def report(stop: Stop, kind: str, at: datetime, **payload: object) -> Verdict:
    """Report an event as the device of the stop's holder would."""
    assert stop.route is not None
    return record_stop_event(
        StopReport(
            event_id=f"{kind}-{stop.pk.hex[-12:]}-{at:%H%M%S}",
            stop_id=str(stop.pk),
            kind=kind,
            driver_id=stop.route.driver_id,
            occurred_at=at,
            received_at=at,
            device_seq=int(at.timestamp()),
            payload=payload,
        ),
        by=DEVICE,
        now=at,
    )


def begin(shift: Shift, at: datetime) -> None:
    """Start a shift through its verb."""
    start_shift(shift_id=shift.pk, occurred_at=at, by=DEVICE, now=at)
