"""What the office's pages ask of a day, a plan and a route; reads only."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from apps.depots.models import Depot
from apps.drivers.models import Vehicle
from apps.orders.models import Order
from apps.routes import selectors
from apps.routes.inforce import conditions_of_day
from apps.routes.models import Condition, Plan, PlanChange, Route, Stop
from apps.routes.palette import colour_of, dash_of
from apps.routes.selectors import DayOverview, LeftOut
from apps.routes.states import DONE, PlanState, StopState

AT_RISK_PERCENT = 50
"""From here on a route is named on the board: it goes wrong rather than not."""


@dataclass(frozen=True, slots=True)
class Load:
    """How full a vehicle is with all that its route brings, in its fullest dimension."""

    percent: int
    text: str


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One route in a list: how far it is, and what it holds."""

    route: Route
    colour: str
    dash: str
    stops: tuple[Stop, ...]
    load: Load

    @property
    def total(self) -> int:
        """How many stops it has."""
        return len(self.stops)

    @property
    def done(self) -> int:
        """At how many stops nothing more is to be done."""
        return sum(stop.status in DONE for stop in self.stops)

    @property
    def failed(self) -> int:
        """How many stops did not go well."""
        return sum(stop.status == StopState.FAILED for stop in self.stops)

    @property
    def percent(self) -> int:
        """How far it is."""
        return round(100 * self.done / self.total) if self.stops else 0

    @property
    def warned(self) -> int:
        """At how many stops ahead the road is closed, or slow on the way."""
        ahead = (stop for stop in self.stops if stop.status not in DONE)
        return sum(bool(stop.road_warning) for stop in ahead)

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

    @property
    def next_stop(self) -> Stop | None:
        """Where the driver goes next."""
        return next((stop for stop in self.stops if stop.status not in DONE), None)


@dataclass(frozen=True, slots=True)
class DayBoard:
    """A depot's day, as its supervisor wants to see it."""

    depot: Depot
    day: date
    is_today: bool
    overview: DayOverview
    orders: int
    routes: Sequence[RouteRow]
    changes: Sequence[PlanChange]
    left_out: Sequence[LeftOut]
    thinking: Sequence[Plan]
    conditions: Sequence[Condition]

    @property
    def warned(self) -> int:
        """How many stops ahead a condition of the road touches."""
        return sum(row.warned for row in self.routes)

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to show of the day."""
        return not (self.orders or self.routes or self.overview.plan)

    @property
    def done(self) -> int:
        """How many stops are done."""
        return sum(row.done for row in self.routes)

    @property
    def stops(self) -> int:
        """How many stops there are."""
        return sum(row.total for row in self.routes)

    @property
    def failed(self) -> int:
        """How many stops did not go well."""
        return sum(row.failed for row in self.routes)

    @property
    def at_risk(self) -> list[RouteRow]:
        """The routes that are likely to go wrong, the worst first."""
        risky = [row for row in self.routes if row.is_at_risk]
        return sorted(risky, key=lambda row: -(row.route.risk_percent or 0))


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


def day_board(depot: Depot, day: date, *, today: date, now: datetime) -> DayBoard:
    """Return all that the board shows of a depot's day."""
    changes = selectors.unacknowledged_changes(depot.pk)
    thinking = Plan.objects.filter(
        depot=depot, service_date=day, status__in=selectors.THINKING
    )
    return DayBoard(
        depot=depot,
        day=day,
        is_today=day == today,
        overview=selectors.day_overview(depot.pk, day),
        orders=Order.objects.filter(depot=depot, service_date=day).count(),
        routes=route_rows(routes_of_day(depot.pk, day)),
        changes=list(changes.filter(route__service_date=day).order_by("made_at")),
        left_out=selectors.left_out(depot.pk, day),
        thinking=list(thinking),
        conditions=conditions_on(depot, day, now),
    )


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
    """Return routes with their stops in order, in few queries."""
    shown = routes.select_related("driver", "shift__vehicle", "depot").order_by(
        "driver__name", "starts_at", "id"
    )
    rows = shown.prefetch_related("stops__order__windows", "stops__order__preferences")
    return [
        RouteRow(
            route=route,
            colour=colour_of(number),
            dash=dash_of(number),
            stops=(stops := tuple(in_sequence(route.stops.all()))),
            load=load_of(stops, route.shift.vehicle),
        )
        for number, route in enumerate(rows)
    ]


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
    parts = [
        (sum(order.load_g for order in orders), vehicle.capacity_g, "kg", 1000),
        (sum(order.load_ml for order in orders), vehicle.capacity_ml, "l", 1000),
        (
            sum(order.pieces for order in orders),
            vehicle.capacity_pieces,
            "pieces",
            1,
        ),
    ]
    shares = [round(100 * used / room) if room else 0 for used, room, *_ in parts]
    text = ", ".join(
        f"{used / unit:,.0f} of {room / unit:,.0f} {name}"
        for used, room, name, unit in parts
    )
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


def is_behind(stop: Stop | None, now: datetime) -> bool:
    """Tell whether a stop's time has passed without a word of it."""
    return stop is not None and stop.eta_at is not None and stop.eta_at < now
