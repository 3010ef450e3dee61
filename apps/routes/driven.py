"""Reads out of the tables how long legs took that were driven; never writes."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from apps.core.units import great_circle_m
from apps.depots.models import Depot
from apps.drivers.models import ShiftBreak
from apps.routes.models import PlanningParameter, Route, Stop
from apps.routes.parameters import DEFAULTS
from apps.routes.relearning import DrivenLeg
from apps.routes.states import StopState

ROADS = "roads"
"""The quality of travel times that a road network gave (see the gateways' `base`)."""

LEAST_S, MOST_S = 10, 2 * 3600
LEAST_KM = 0.05
"""What is shorter is no drive, and what is longer no leg of a round."""

VISITED = (StopState.SUCCEEDED, StopState.FAILED, StopState.PARTIAL)


def driven_legs(depot: Depot, since: datetime, until: datetime) -> list[DrivenLeg]:
    """Return the legs between finished stops, in the order of time.

    A leg begins when its driver set out, or else with the end of the stop before; one
    with a break in it tells nothing.
    """
    stops = Stop.objects.filter(
        route__depot=depot,
        status__in=VISITED,
        arrived_at__gte=since,
        completed_at__lt=until,
    )
    by_route: dict[uuid.UUID, list[Stop]] = defaultdict(list)
    for stop in stops.select_related("order").order_by("arrived_at", "pk"):
        if stop.route_id is not None:
            by_route[stop.route_id].append(stop)
    routes = Route.objects.filter(pk__in=by_route).select_related(
        "plan", "shift__vehicle__type"
    )
    breaks = _breaks(list(by_route))
    factors = _factors(depot)
    found = []
    for route in routes:
        for start, end in pairwise(by_route[route.pk]):
            leg = _leg(route, start, end, breaks[route.shift_id], depot.time_zone)
            if leg is not None:
                at, hour, crow_km, took_s = leg
                free_s = _free_s(route, start, end, factors)
                found.append((at, DrivenLeg(hour, crow_km, took_s, free_s)))
    return [leg for _, leg in sorted(found, key=lambda pair: pair[0])]


def _leg(
    route: Route,
    start: Stop,
    end: Stop,
    rests: Sequence[datetime],
    zone: str,
) -> tuple[datetime, int, float, float] | None:
    """Return when a leg began, its hour, kilometres, and seconds at ordinary speed."""
    if start.completed_at is None or end.arrived_at is None:
        return None
    left_at = max(start.completed_at, end.enroute_at or start.completed_at)
    took_s = (end.arrived_at - left_at).total_seconds()
    crow_km = great_circle_m(start.order.point, end.order.point) / 1000
    if not (LEAST_S <= took_s <= MOST_S and crow_km >= LEAST_KM):
        return None
    if any(left_at <= rest < end.arrived_at for rest in rests):
        return None
    hour = left_at.astimezone(ZoneInfo(zone)).hour
    speed = route.shift.vehicle.travel_speed_percent / 100
    return left_at, hour, crow_km, took_s * speed


def _free_s(
    route: Route, start: Stop, end: Stop, factors: Sequence[tuple[datetime, float]]
) -> float | None:
    """Return the network's free flow, where the plan had the leg from one."""
    if route.travel_quality != ROADS or end.leg_from != start.pk or not end.leg_s:
        return None
    factor = DEFAULTS.roads_factor
    for valid_from, value in factors:
        if valid_from <= route.plan.requested_at:
            factor = value
    return end.leg_s / factor


def _factors(depot: Depot) -> list[tuple[datetime, float]]:
    rows = PlanningParameter.objects.filter(depot=depot, name="roads_factor")
    found: Iterator[tuple[datetime, float]] = (
        (row.valid_from, float(row.value)) for row in rows.order_by("version")
    )
    return list(found)


def _breaks(route_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, list[datetime]]:
    found: dict[uuid.UUID, list[datetime]] = defaultdict(list)
    rows = ShiftBreak.objects.filter(shift__route__in=route_ids, taken_at__isnull=False)
    for rest in rows:
        if rest.taken_at is not None:
            found[rest.shift_id].append(rest.taken_at)
    return found
