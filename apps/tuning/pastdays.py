"""Past days out of the tables: their plan's inputs, and what they were really like; reads."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from apps.core.units import Point
from apps.depots.models import Depot
from apps.orders.models import Order
from apps.recommendations.services import stored_answer, stored_inputs
from apps.routes.models import Plan, Stop
from apps.routes.parameters import Parameters
from apps.routes.selectors import parameters_in_force
from apps.routes.servicefactors import ServicePlace
from apps.routes.servicetimes import place_of
from apps.routes.solver.codec import (
    SolveRequest,
    SplitRequest,
    decode_inputs,
    decode_solution,
)
from apps.routes.states import StopState
from apps.tuning.nearness import DrivenRoute
from apps.tuning.parted import parts_of
from apps.verdicts.selectors import verdicts_of_deviations

DRIVEN = (StopState.SUCCEEDED, StopState.FAILED, StopState.PARTIAL)
SERVED = (StopState.SUCCEEDED, StopState.PARTIAL)
LEAST_SERVED = 5
"""A day with fewer stops served was not driven by its plan."""
LONGEST_SERVICE_S = 3 * 3600
LONGEST_LEG_S = 2 * 3600
LOOKED_BACK = timedelta(days=60)


class CannotReplay(RuntimeError):
    """A day cannot be replayed; the message says why."""


@dataclass(frozen=True, slots=True)
class SeenService:
    """One service as it was: when it began, how long it took, what was planned for it."""

    job_id: str
    began_at: datetime
    took_s: int
    planned_s: int


@dataclass(frozen=True, slots=True)
class SeenLeg:
    """One driven leg between two jobs, at ordinary speed."""

    from_job: str
    to_job: str
    hour: int
    took_s: float


@dataclass(frozen=True, slots=True)
class PastDay:
    """A driven day: what its plan was made from, and what was seen of it."""

    service_date: date
    zone: str
    request: SolveRequest
    then: Parameters
    standards_s: Mapping[str, int | None]
    """The orders' own service times; None: the depot's standard."""
    places: Mapping[str, ServicePlace]
    points: Sequence[Point]
    """Where the problem's places are, in its order."""
    services: tuple[SeenService, ...]
    legs: tuple[SeenLeg, ...]
    routes: tuple[DrivenRoute, ...] = ()
    """The sequences that were driven."""


def driven_dates(depot_id: uuid.UUID, *, until: date, most: int) -> list[date]:
    """Return the newest days before `until` that were planned and driven, oldest first."""
    rows = (
        Stop.objects.filter(
            route__depot_id=depot_id,
            route__service_date__lt=until,
            route__service_date__gte=until - LOOKED_BACK,
            status__in=SERVED,
            arrived_at__isnull=False,
        )
        .order_by()
        .values_list("route__service_date")
        .annotate(count=Count("pk"))
        .filter(count__gte=LEAST_SERVED)
    )
    return sorted(day for day, _ in rows if day is not None)[-most:]


def past_day(depot: Depot, service_date: date) -> PastDay:
    """Read a driven day that was planned as a whole.

    Raises:
        CannotReplay: its first plan is not in the ledger, or was made in parts.
    """
    parts = past_parts(depot, service_date)
    if len(parts) != 1:
        raise CannotReplay("It is so large that it was planned in parts.")
    return parts[0]


def past_parts(depot: Depot, service_date: date) -> list[PastDay]:
    """Read a driven day by the parts in which it was planned: one, or many of a large day.

    Raises:
        CannotReplay: its first plan is not in the ledger.
    """
    plan = (
        Plan.objects.filter(
            depot=depot,
            service_date=service_date,
            kind=Plan.Kind.DAY,
            recommendation__isnull=False,
            published_at__isnull=False,
        )
        .select_related("recommendation__inputs")
        .order_by("-number")
        .first()
    )
    if plan is None or plan.recommendation is None:
        raise CannotReplay("Its first plan is not in the ledger.")
    stored = decode_inputs(stored_inputs(plan.recommendation))
    requests = [stored] if isinstance(stored, SolveRequest) else _parts(stored, plan)
    ids = [job.id for request in requests for job in request.problem.jobs]
    orders = {
        str(order.pk): order
        for order in Order.objects.filter(pk__in=ids).select_related("zone")
    }
    if missing := len(ids) - len(orders):
        raise CannotReplay(f"{missing} of its orders are no longer kept.")
    stops = driven_stops(depot.pk, service_date)
    services, legs = _seen(depot, stops)
    routes = driven_routes(depot.pk, stops)
    then = parameters_in_force(depot.pk, plan.requested_at)
    found = []
    for request in requests:
        mine = {job.id: orders[job.id] for job in request.problem.jobs}
        cars = {car.id for car in request.problem.vehicles}
        found.append(
            PastDay(
                service_date=service_date,
                zone=depot.time_zone,
                request=request,
                then=then,
                standards_s={one: order.service_s for one, order in mine.items()},
                places={one: place_of(order) for one, order in mine.items()},
                points=_points(request, mine, depot),
                services=services,
                legs=legs,
                routes=tuple(
                    one
                    for one in routes
                    if len(requests) == 1 or one.vehicle_id in cars
                ),
            )
        )
    return found


def _parts(request: SplitRequest, plan: Plan) -> list[SolveRequest]:
    if plan.recommendation is None:
        return []
    return parts_of(request, decode_solution(stored_answer(plan.recommendation)))


def driven_routes(
    depot_id: uuid.UUID, stops: Sequence[Stop]
) -> tuple[DrivenRoute, ...]:
    """Return the sequences of visited stops, each with its newest verdict."""
    by_route = _by_route(stops)
    starts = [rows[0].arrived_at for rows in by_route.values() if rows[0].arrived_at]
    if not starts:
        return ()
    since = min(starts) - timedelta(days=1)
    rows = verdicts_of_deviations(depot_id, since, since + LOOKED_BACK)
    verdicts = {row.route_id: row.verdict for row in rows}
    return tuple(
        DrivenRoute(
            tuple(str(one.order_id) for one in found),
            verdicts.get(route_id, ""),
            str(found[0].route.shift_id) if found[0].route else "",
        )
        for route_id, found in by_route.items()
    )


def _by_route(stops: Sequence[Stop]) -> dict[uuid.UUID, list[Stop]]:
    found: dict[uuid.UUID, list[Stop]] = defaultdict(list)
    for stop in stops:
        if stop.route_id is not None:
            found[stop.route_id].append(stop)
    return found


def _points(
    request: SolveRequest, orders: Mapping[str, Order], depot: Depot
) -> list[Point]:
    """Return the places in the problem's order: the depot's, and each order's."""
    found = [depot.point] * request.problem.location_count
    for job in request.problem.jobs:
        found[job.location] = orders[job.id].point
    return found


def seen_services(stops: Sequence[Stop]) -> tuple[SeenService, ...]:
    """Return the services of served stops; one before its window opened waited."""
    found = []
    for stop in stops:
        if stop.status not in SERVED or not stop.arrived_at or not stop.completed_at:
            continue
        opens = [one.opens_at for one in stop.order.windows.all()]
        began_at = max(stop.arrived_at, min(opens, default=stop.arrived_at))
        took_s = round((stop.completed_at - began_at).total_seconds())
        if 0 < took_s <= LONGEST_SERVICE_S:
            found.append(
                SeenService(str(stop.order_id), began_at, took_s, stop.service_s)
            )
    return tuple(found)


def _seen(
    depot: Depot, stops: Sequence[Stop]
) -> tuple[tuple[SeenService, ...], tuple[SeenLeg, ...]]:
    legs: list[SeenLeg] = []
    zone = ZoneInfo(depot.time_zone)
    for rows in _by_route(stops).values():
        legs += [
            leg for a, b in pairwise(rows) if (leg := _leg(a, b, zone)) is not None
        ]
    return seen_services(stops), tuple(legs)


def driven_stops(depot_id: uuid.UUID, service_date: date) -> list[Stop]:
    """Return the visited stops of a day, in the order of their arrival."""
    rows = Stop.objects.filter(
        Q(route__depot_id=depot_id),
        route__service_date=service_date,
        status__in=DRIVEN,
        arrived_at__isnull=False,
    )
    return list(
        rows.select_related("order__zone", "route__shift__vehicle__type")
        .prefetch_related("order__windows", "route__shift__breaks")
        .order_by("arrived_at", "pk")
    )


def _leg(start: Stop, end: Stop, zone: ZoneInfo) -> SeenLeg | None:
    if start.completed_at is None or end.arrived_at is None or end.route is None:
        return None
    left_at = max(start.completed_at, end.enroute_at or start.completed_at)
    rests = [rest.taken_at for rest in end.route.shift.breaks.all() if rest.taken_at]
    if any(left_at <= rest < end.arrived_at for rest in rests):
        return None
    speed = end.route.shift.vehicle.travel_speed_percent / 100
    took_s = (end.arrived_at - left_at).total_seconds() * speed
    if not 0 < took_s <= LONGEST_LEG_S:
        return None
    hour = left_at.astimezone(zone).hour
    return SeenLeg(str(start.order_id), str(end.order_id), hour, took_s)


def day_ratio(pairs: Sequence[tuple[float, float]], *, belief: int = 10) -> float:
    """Return how much longer things took than told on a day: (told, took) pairs.

    The median, drawn towards 1 as if `belief` pairs had gone as told: few say little.
    """
    ratios = [took / told for told, took in pairs if told > 0]
    if not ratios:
        return 1.0
    share = len(ratios) / (len(ratios) + belief)
    return 1.0 + (median(ratios) - 1.0) * share
