"""Questions to plans, routes and stops; they never write."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from apps.core import queue
from apps.core.statements import Statement, read_uuid
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.routes.coverage import EtaCoverage, coverage_of_day
from apps.routes.lines import Line, Place
from apps.routes.models import (
    Plan,
    PlanChange,
    PlanningParameter,
    Route,
    RouteWay,
    Stop,
    UnservedOrder,
)
from apps.routes.parameters import DEFAULTS, Parameters, with_overrides
from apps.routes.preferences import PreferenceShare, preferences_of_day
from apps.routes.states import DONE, PlanState, RouteState, StopState

SHOWN_PLANS = 6
OUT_THERE = (RouteState.PUBLISHED, RouteState.STARTED)
HOLDING: Final = Statement(
    """
    SELECT DISTINCT r.driver_id FROM routes_stop s
      JOIN routes_route r ON r.id = s.route_id WHERE s.id IN %s
    """,
    read_uuid,
)
THINKING = (PlanState.QUEUED, PlanState.SOLVING)


@dataclass(frozen=True, slots=True)
class DayOverview:
    """A depot's day in figures; `stops` counts by state."""

    depot_id: uuid.UUID
    service_date: date
    plan: Plan | None
    thinking: int
    pending_tasks: int
    routes: int
    stops: dict[str, int]
    orders_open_without_route: int
    unacknowledged_changes: int
    preferences: PreferenceShare
    eta_coverage: EtaCoverage


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An order that no route serves, with the newest reason given for it."""

    order_id: uuid.UUID
    reference: str
    code: str
    detail: str
    plan_id: uuid.UUID | None = None
    """The plan that gave the reason, which can be asked for more."""


@dataclass(frozen=True, slots=True)
class WayOfRoute:
    """Where a route passes, from its depot and back, and the lines that it has."""

    route_id: uuid.UUID
    places: tuple[Place, ...]
    way: RouteWay | None

    def lines_of(self, source: str, version: str) -> dict[str, Line]:
        """Return the lines that a source drew in this version of its roads."""
        if self.way is None or (self.way.source, self.way.version) != (source, version):
            return {}
        return dict(self.way.lines)


def parse_id(text: object) -> uuid.UUID | None:
    """Return a UUID, or None where the text is none."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def parameters_in_force(depot_id: uuid.UUID, at: datetime) -> Parameters:
    """Return the planning parameters of a depot that are in force at an instant."""
    rows = PlanningParameter.objects.filter(depot_id=depot_id, valid_from__lte=at)
    newest: dict[str, object] = {}
    for row in rows.order_by("version"):
        newest[row.name] = row.value
    return with_overrides(newest)


def scopes_of_stops(stop_ids: Collection[str]) -> set[uuid.UUID]:
    """Return the drivers who hold these stops now; unknown ids are passed over."""
    known = [parsed for text in stop_ids if (parsed := parse_id(text)) is not None]
    return {driver_id for (driver_id,) in HOLDING.rows(known)} if known else set()


def shifts_of_routes(route_ids: Collection[str]) -> set[uuid.UUID]:
    """Return the shifts of routes; unknown ids are passed over."""
    known = [parsed for text in route_ids if (parsed := parse_id(text)) is not None]
    return set(Route.objects.filter(pk__in=known).values_list("shift_id", flat=True))


def never_planned(order_ids: Collection[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Return those of these orders that no plan has left out yet."""
    seen = UnservedOrder.objects.filter(order__in=order_ids)
    return frozenset(order_ids) - set(seen.values_list("order_id", flat=True))


def routes_in_motion(
    stop_ids: Collection[str], driver_ids: Collection[uuid.UUID], at: datetime
) -> set[uuid.UUID]:
    """Return the routes that hold these stops, and those that drivers are driving."""
    known = [parsed for text in stop_ids if (parsed := parse_id(text)) is not None]
    day = timedelta(hours=12)
    theirs = Q(driver_id__in=driver_ids, status__in=OUT_THERE)
    theirs &= Q(starts_at__lt=at + day, ends_at__gt=at - day)
    holding = Stop.objects.filter(pk__in=known, route__isnull=False)
    rows = Route.objects.filter(Q(pk__in=holding.values("route_id")) | theirs)
    return set(rows.values_list("pk", flat=True))


def running_days(depot_id: uuid.UUID | None, at: datetime) -> list[Plan]:
    """Return the newest published plan of each day that is driven now, or about to."""
    near = timedelta(days=1)
    rows = Plan.objects.filter(
        status=PlanState.PUBLISHED,
        service_date__range=((at - near).date(), (at + near).date()),
    )
    if depot_id is not None:
        rows = rows.filter(depot=depot_id)
    newest = {(plan.depot_id, plan.service_date): plan for plan in rows.order_by("id")}
    return list(newest.values())


def published_plan(depot_id: uuid.UUID, service_date: date) -> Plan | None:
    """Return the newest published plan of a day, or None before the first."""
    rows = Plan.objects.filter(
        depot_id=depot_id, service_date=service_date, published_at__isnull=False
    )
    return rows.order_by("-number").first()


def plan_of_day(depot_id: uuid.UUID, service_date: date) -> Plan | None:
    """Return what a day goes by: the newest published plan, else the newest."""
    plans = Plan.objects.filter(depot_id=depot_id, service_date=service_date)
    return published_plan(depot_id, service_date) or plans.first()


def orders_without_route(depot_id: uuid.UUID, service_date: date) -> QuerySet[Order]:
    """Return the open orders of a day that stand on no route."""
    routed = Stop.objects.filter(order=OuterRef("pk"), route__isnull=False)
    return Order.objects.filter(
        ~Exists(routed.exclude(status__in=DONE)),
        depot_id=depot_id,
        service_date=service_date,
        status=OrderState.OPEN,
    )


def left_out(depot_id: uuid.UUID, service_date: date) -> list[LeftOut]:
    """Return the orders that the day leaves out, each with why."""
    waiting = orders_without_route(depot_id, service_date)
    rows = (
        UnservedOrder.objects.filter(order__in=waiting)
        .select_related("order")
        .order_by("plan__number")
    )
    newest = {
        row.order_id: LeftOut(
            row.order_id, row.order.reference, row.code, row.detail, row.plan_id
        )
        for row in rows
    }
    for order_id, reference in waiting.values_list("pk", "reference"):
        text = "No plan has looked at it yet."
        newest.setdefault(order_id, LeftOut(order_id, reference, "not_planned", text))
    return sorted(newest.values(), key=lambda item: item.reference)


def day_overview(depot_id: uuid.UUID, service_date: date) -> DayOverview:
    """Return a depot's day in figures."""
    plans = Plan.objects.filter(depot_id=depot_id, service_date=service_date)
    routes = Route.objects.filter(depot_id=depot_id, service_date=service_date)
    counted = (
        Stop.objects.filter(route__in=routes)
        .order_by()
        .values_list("status")
        .annotate(count=Count("pk"))
    )
    return DayOverview(
        depot_id=depot_id,
        service_date=service_date,
        plan=plan_of_day(depot_id, service_date),
        thinking=plans.filter(status__in=THINKING).count(),
        pending_tasks=queue.pending(),
        routes=routes.count(),
        stops=dict(counted),
        orders_open_without_route=orders_without_route(depot_id, service_date).count(),
        unacknowledged_changes=unacknowledged_changes(depot_id)
        .filter(route__service_date=service_date)
        .count(),
        preferences=preferences_of_day(depot_id, service_date),
        eta_coverage=coverage_of_day(depot_id, service_date),
    )


def unacknowledged_changes(depot_id: uuid.UUID) -> QuerySet[PlanChange]:
    """Return the changes of plans that their drivers have not confirmed (C8)."""
    return PlanChange.objects.filter(
        route__depot_id=depot_id, acknowledged_at=None
    ).select_related("route", "driver")


def overdue_routes(now: datetime) -> list[Route]:
    """Return the published routes whose next stop is late, outside the demo.

    The demo's day must repeat with its seed: there only events give cause to re-plan.
    """
    waiting = Stop.objects.filter(
        route=OuterRef("pk"), status__in=[StopState.PENDING, StopState.ENROUTE]
    )
    rows = Route.objects.filter(
        status__in=[RouteState.PUBLISHED, RouteState.STARTED],
        depot__is_demo=False,
        ends_at__gt=now - timedelta(hours=4),
    ).annotate(next_eta=Subquery(waiting.order_by("sequence").values("eta_at")[:1]))
    late = timedelta(seconds=DEFAULTS.late_s)
    return list(rows.filter(next_eta__lt=now - late))


def planning_progress() -> list[str]:
    """Return a line for each plan in the making, and for each day's plan when made."""
    wanted = Q(status__in=THINKING) | Q(kind=Plan.Kind.DAY, solved_at__isnull=False)
    rows = Plan.objects.filter(wanted).select_related("depot").order_by("-id")
    return [_progress_line(plan) for plan in reversed(rows[:SHOWN_PLANS])]


def _progress_line(plan: Plan) -> str:
    name = f"{plan.depot} {plan.service_date} {plan.get_kind_display().lower()}"
    if plan.status in THINKING:
        said = f"{plan.progress_percent} % {plan.progress_text}".rstrip()
    else:
        said = (
            f"{plan.get_status_display().lower()}, {plan.totals['served']} stops on "
            f"{plan.totals['routes']} routes, {plan.totals['unserved']} left out"
        )
    return f"{name} #{plan.number}: {said}"


def ways_of_day(depot_id: uuid.UUID, service_date: date) -> list[WayOfRoute]:
    """Return the ways of a day's routes that have any stop."""
    rows = Route.objects.filter(depot_id=depot_id, service_date=service_date)
    found = []
    for route in (
        rows.select_related("depot", "way")
        .prefetch_related("stops__order")
        .order_by("pk")
    ):
        home = Place(route.depot_id, route.depot.point)
        stops = sorted(route.stops.all(), key=lambda s: (s.sequence, str(s.pk)))
        through = [Place(stop.pk, stop.order.point) for stop in stops]
        if through:
            places = (home, *through, home)
            found.append(WayOfRoute(route.pk, places, getattr(route, "way", None)))
    return found
