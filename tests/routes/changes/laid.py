"""A published day laid straight into the tables: routes that nobody had to search for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.orders.models import Order
from apps.routes.models import Plan, PlanningParameter, Route, Stop, StopAssignment
from apps.routes.services.etas import refresh_etas
from tests.factories import (
    DEPOT_POINT,
    NOW,
    SERVICE_DATE,
    DepotFactory,
    OrderFactory,
    ShiftFactory,
)
from tests.queueing import drain
from tests.routes.days import begin

AT_WORK = NOW + timedelta(hours=1)
"""When the shifts begin."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A depot's published day."""

    depot: Depot
    routes: tuple[Route, ...]

    def stops(self, number: int = 0) -> list[Stop]:
        """Return what is ahead on a route, in its sequence."""
        rows = self.routes[number].stops.filter(status="pending")
        return list(rows.order_by("sequence").select_related("order"))

    def ids(self, number: int = 0) -> list[str]:
        """Return the stops ahead on a route by their ids."""
        return [str(stop.pk) for stop in self.stops(number)]

    def depart(self, number: int = 0, at: datetime = AT_WORK) -> None:
        """Let a driver leave the depot."""
        begin(self.routes[number].shift, at)


def lay_day(routes: int = 2, stops: int = 6, **parameters: object) -> Laid:
    """Lay a day: each driver goes out on a ray of his own, and back.

    It is planned by the rules alone, so that answers come at once.
    """
    depot = DepotFactory()
    values = {"engine": "greedy", "rules_replan_rounds": 20} | parameters
    PlanningParameter.objects.bulk_create(
        PlanningParameter(
            depot=depot,
            name=name,
            version=1,
            value=value,
            valid_from=NOW - timedelta(days=1),
            created_by="test",
        )
        for name, value in values.items()
    )
    plan = Plan.objects.create(
        depot=depot,
        service_date=SERVICE_DATE,
        kind=Plan.Kind.DAY,
        number=1,
        status="published",
        totals={"served": routes * stops, "unserved": 0, "routes": routes},
        requested_by="test",
        requested_at=NOW,
        published_at=NOW,
        published_by="test",
    )
    laid = Laid(depot, tuple(_lay_route(plan, ray, stops) for ray in range(routes)))
    refresh_etas([route.pk for route in laid.routes], by=SYSTEM, now=NOW)
    Stop.objects.filter(route__in=laid.routes).update(plan_eta_at=F("eta_at"))
    drain()
    return laid


def _lay_route(plan: Plan, ray: int, stops: int) -> Route:
    shift = ShiftFactory(depot=plan.depot)
    route = Route.objects.create(
        depot=plan.depot,
        shift=shift,
        driver=shift.driver,
        service_date=SERVICE_DATE,
        plan=plan,
        status="published",
        version=1,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
    )
    rows = [
        Stop(
            order=_order(plan.depot, ray, place),
            route=route,
            sequence=place,
            service_s=120,
        )
        for place in range(1, stops + 1)
    ]
    Stop.objects.bulk_create(rows)
    StopAssignment.objects.bulk_create(
        StopAssignment(stop=stop, driver=shift.driver, from_at=NOW) for stop in rows
    )
    return route


def _order(depot: Depot, ray: int, place: int) -> Order:
    lat, lon = DEPOT_POINT
    order: Order = OrderFactory(
        depot=depot,
        reference=f"{ray}-{place}",
        latitude=lat + 0.003 * place * (1 if ray % 2 else -1),
        longitude=lon + 0.002 * place + 0.03 * (ray // 2),
        service_s=120,
    )
    return order
