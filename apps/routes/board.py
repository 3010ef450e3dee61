"""What the office's pages ask of a day, a plan and a route; reads only."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum

from apps.depots.models import Depot
from apps.drivers.models import Vehicle
from apps.orders.models import Order
from apps.routes import selectors
from apps.routes.conditionrows import Condition
from apps.routes.inforce import conditions_of_day
from apps.routes.models import Plan, Route, Stop
from apps.routes.palette import colour_of, dash_of
from apps.routes.selectors import LeftOut
from apps.routes.states import DONE, PlanState, StopState
from apps.routes.stopfacts import StopFact, stops_of

AT_RISK_PERCENT = 50
"""From here on a route is named on the board: it goes wrong rather than not."""
FREIGHT = (Sum("order__load_g"), Sum("order__load_ml"), Sum("order__pieces"))


@dataclass(frozen=True, slots=True)
class Load:
    """How full a vehicle is with all that its route brings, in its fullest dimension."""

    percent: int
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a route is, in stops; `warned` ones have a closed or slow road ahead."""

    total: int
    done: int
    failed: int
    warned: int

    @classmethod
    def of(cls, stops: Sequence[Stop | StopFact]) -> Self:
        """Count a route's stops."""
        done = failed = warned = 0
        for stop in stops:
            if stop.status in DONE:
                done += 1
                failed += stop.status == StopState.FAILED
            elif stop.road_warning:
                warned += 1
        return cls(len(stops), done, failed, warned)

    @property
    def percent(self) -> int:
        """How far it is."""
        return round(100 * self.done / self.total) if self.total else 0


class _Row:
    """A route that is shown, with how far it is."""

    __slots__ = ()
    route: Route
    progress: Progress

    @property
    def total(self) -> int:
        """How many stops it has."""
        return self.progress.total

    @property
    def done(self) -> int:
        """At how many stops nothing more is to be done."""
        return self.progress.done

    @property
    def failed(self) -> int:
        """How many stops did not go well."""
        return self.progress.failed

    @property
    def percent(self) -> int:
        """How far it is."""
        return self.progress.percent

    @property
    def warned(self) -> int:
        """At how many stops ahead the road is closed, or slow on the way."""
        return self.progress.warned

    @property
    def is_at_risk(self) -> bool:
        """Tell whether it is worth a look: it is more likely to go wrong than not."""
        percent = self.route.risk_percent
        return percent is not None and percent >= AT_RISK_PERCENT

    @property
    def cause(self) -> str:
        """Why it is at risk, in words; empty where nothing is to be said."""
        causes = self.route.risk_causes
        return str(causes[0]["text"]) if causes else ""


@dataclass(frozen=True, slots=True)
class RouteRow(_Row):
    """One route in a list: how far it is."""

    route: Route
    colour: str
    dash: str
    stops: tuple[StopFact, ...]
    progress: Progress


@dataclass(frozen=True, slots=True)
class WholeRoute(_Row):
    """One route with all that is known of its stops."""

    route: Route
    stops: tuple[Stop, ...]
    progress: Progress
    load: Load


def newest_day(depot_id: uuid.UUID, today: date) -> date:
    """Return the day to show: today where it has a plan or orders, else the newest."""
    plans = Plan.objects.filter(depot_id=depot_id)
    orders = Order.objects.filter(depot_id=depot_id)
    if plans.filter(service_date=today).exists():
        return today
    newest = plans.order_by("-service_date").values_list("service_date").first()
    newest = (
        newest or orders.order_by("-service_date").values_list("service_date").first()
    )
    if orders.filter(service_date=today).exists() or newest is None:
        return today
    found: date = newest[0]
    return found


def today_of(depot: Depot, now: datetime) -> date:
    """Return the day that the depot's calendar shows."""
    return now.astimezone(ZoneInfo(depot.time_zone)).date()


def conditions_on(depot: Depot, day: date, now: datetime) -> list[Condition]:
    """Return the open conditions of a day by the depot's clock; none that are over."""
    zone = ZoneInfo(depot.time_zone)
    begins_at = datetime.combine(day, time(), tzinfo=zone)
    ends_at = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    if ends_at <= now:
        return []
    return list(conditions_of_day(depot.pk, max(begins_at, now), ends_at))


def routes_of_day(depot_id: uuid.UUID, day: date) -> QuerySet[Route]:
    """Return a day's routes."""
    return Route.objects.filter(depot_id=depot_id, service_date=day)


def has_the_day(plan: Plan) -> bool:
    """Tell whether a plan, with its re-optimizations, is what the day is driven by."""
    return plan.status == PlanState.PUBLISHED


def routes_shown_by(plan: Plan) -> QuerySet[Route]:
    """Return the routes that a plan's page shows.

    A published plan shows the whole day, since re-optimizations touch routes one by one;
    a plan that gave way shows what still stands of it.
    """
    if has_the_day(plan):
        return routes_of_day(plan.depot_id, plan.service_date)
    return plan.routes.all()


def left_out_now(plan: Plan) -> list[LeftOut]:
    """Return what the plan's day leaves out as it stands."""
    return selectors.left_out(plan.depot_id, plan.service_date)


def route_rows(routes: QuerySet[Route]) -> list[RouteRow]:
    """Return routes with the facts of their stops, in two queries however many."""
    shown = routes.select_related("driver", "shift__vehicle", "depot").order_by(
        "driver__name", "starts_at", "id"
    )
    stops = stops_of([route.pk for route in shown])
    return [
        RouteRow(
            route=route,
            colour=colour_of(number),
            dash=dash_of(number),
            stops=(facts := tuple(stops[route.pk])),
            progress=Progress.of(facts),
        )
        for number, route in enumerate(shown)
    ]


def loads_of(rows: Sequence[RouteRow]) -> dict[uuid.UUID, Load]:
    """Return by route how full its vehicle is, in one query."""
    brought = Stop.objects.filter(
        route__in=[row.route.pk for row in rows], order__kind=Order.Kind.DELIVERY
    ).exclude(status=StopState.CANCELLED)
    summed = brought.order_by().values_list("route_id").annotate(*FREIGHT)
    freight = {route_id: totals for route_id, *totals in summed}
    return {
        row.route.pk: _load(
            freight.get(row.route.pk, (0, 0, 0)), row.route.shift.vehicle
        )
        for row in rows
    }


def whole_route(route: Route) -> WholeRoute:
    """Return a route with its stops, their orders, windows and preferences."""
    rows = route.stops.select_related("order").prefetch_related(
        "order__windows", "order__preferences"
    )
    stops = tuple(in_sequence(rows))
    return WholeRoute(
        route=route,
        stops=stops,
        progress=Progress.of(stops),
        load=load_of(stops, route.shift.vehicle),
    )


def row_of(whole: WholeRoute) -> RouteRow:
    """Return a route that is known as one in a list, alone in it."""
    return RouteRow(
        route=whole.route,
        colour=colour_of(0),
        dash=dash_of(0),
        stops=tuple(stops_of([whole.route.pk])[whole.route.pk]),
        progress=whole.progress,
    )


def in_sequence(stops: Iterable[Stop]) -> list[Stop]:
    """Return stops in the order of their route."""
    return sorted(stops, key=lambda stop: (stop.sequence, str(stop.pk)))


def load_of(stops: Iterable[Stop], vehicle: Vehicle) -> Load:
    """Return how much a route's deliveries fill its vehicle at the start."""
    orders = [
        stop.order
        for stop in stops
        if stop.status != StopState.CANCELLED and stop.order.kind == Order.Kind.DELIVERY
    ]
    return _load(
        (
            sum(order.load_g for order in orders),
            sum(order.load_ml for order in orders),
            sum(order.pieces for order in orders),
        ),
        vehicle,
    )


def _load(brought: Sequence[int], vehicle: Vehicle) -> Load:
    """Return a load of so many grams, millilitres and pieces, as that vehicle's."""
    rooms = (vehicle.capacity_g, vehicle.capacity_ml, vehicle.capacity_pieces)
    units = ((1000, "kg"), (1000, "l"), (1, "pieces"))
    text = ", ".join(
        f"{used / unit:,.0f} of {room / unit:,.0f} {name}"
        for used, room, (unit, name) in zip(brought, rooms, units, strict=True)
    )
    shares = [
        round(100 * used / room) if room else 0
        for used, room in zip(brought, rooms, strict=True)
    ]
    return Load(percent=max(shares), text=text)


def other_plans_of_day(plan: Plan) -> list[Plan]:
    """Return the other plans of a plan's day, newest first."""
    rows = Plan.objects.filter(depot=plan.depot, service_date=plan.service_date)
    return list(rows.exclude(pk=plan.pk).order_by("-number")[:20])


def driving_cost_minor(plan: Plan) -> int | None:
    """Return what driving costs, without the price put on what is left out."""
    totals = plan.totals
    if "cost_minor" not in totals:
        return None
    whole, left_out = totals["cost_minor"], totals.get("unserved_cost_minor", 0)
    return int(whole - left_out)


def is_thinking(plan: Plan) -> bool:
    """Tell whether a plan is still being made."""
    return plan.status in {PlanState.QUEUED, PlanState.SOLVING}
