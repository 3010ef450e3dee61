"""A published day of many long routes, for `bench slots`: stored as it would be."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from django.contrib.auth.models import User

from apps.core.ids import uuid7
from apps.core.units import Point
from apps.depots.models import Depot
from apps.drivers.models import Driver, Shift, Vehicle
from apps.orders.models import Order, TimeWindow
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.models import Plan, Route, Stop
from apps.routes.states import PlanState, RouteState

DAY = datetime(2026, 3, 17, 7, 0, tzinfo=UTC)
"""Eight in the morning in Berlin: the shifts begin."""

HOURS = 10
MIDDLE = Point(49.5126, 11.2823)
REACH_KM = 6.0
SERVICE_S = 120
WINDOW_SHARE = 0.3
KM_PER_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class Town:
    """What was stored: the depot, its routes, and places to ask for."""

    depot: Depot
    routes: list[Route]
    places: list[Point]


def store_day(routes: int, stops: int, seed: int, begins: datetime = DAY) -> Town:
    """Store a published day: a sector of the town a route, driven out and back."""
    random = Random(seed)  # noqa: S311  a repeatable town
    depot = Depot.objects.create(
        code=f"bench-{uuid7().hex[-8:]}",
        name="Bench",
        time_zone="Europe/Berlin",
        country="DE",
        currency="EUR",
        latitude=MIDDLE.lat,
        longitude=MIDDLE.lon,
    )
    plan = Plan.objects.create(
        depot=depot,
        service_date=begins.date(),
        kind=Plan.Kind.DAY,
        number=1,
        status=PlanState.PUBLISHED,
        requested_by="bench",
        requested_at=begins,
        published_at=begins,
        published_by="bench",
    )
    made = [_route(plan, number, routes, stops, random) for number in range(routes)]
    places = [_place(random, 2 * math.pi * random.random(), 1.0) for _ in range(500)]
    return Town(depot, made, places)


def _route(plan: Plan, number: int, routes: int, stops: int, random: Random) -> Route:
    depot = plan.depot
    user = User.objects.create(username=f"{depot.code}-{number}")
    driver = Driver.objects.create(depot=depot, user=user, name=f"Driver {number}")
    vehicle = Vehicle.objects.create(
        depot=depot,
        name=f"Van {number}",
        capacity_g=10**9,
        capacity_ml=10**9,
        capacity_pieces=10**6,
    )
    shift = Shift.objects.create(
        depot=depot,
        driver=driver,
        vehicle=vehicle,
        service_date=plan.service_date,
        starts_at=plan.requested_at,
        ends_at=plan.requested_at + timedelta(hours=HOURS),
    )
    route = Route.objects.create(
        depot=depot,
        shift=shift,
        driver=driver,
        service_date=plan.service_date,
        plan=plan,
        status=RouteState.PUBLISHED,
        version=1,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
    )
    width = 2 * math.pi / routes
    begin = number * width
    tour = sorted(
        (_place(random, begin + width * random.random(), 1.0) for _ in range(stops)),
        key=lambda point: _turn(point, begin + width / 2),
    )
    _fill(route, tour, random)
    return route


def _place(random: Random, angle: float, share: float) -> Point:
    away_km = REACH_KM * share * math.sqrt(0.02 + 0.98 * random.random())
    lat = MIDDLE.lat + away_km * math.sin(angle) / KM_PER_DEGREE
    shrink = math.cos(math.radians(MIDDLE.lat))
    return Point(lat, MIDDLE.lon + away_km * math.cos(angle) / KM_PER_DEGREE / shrink)


def _turn(point: Point, middle: float) -> float:
    """Sort out on one side of a sector, and back on the other."""
    shrink = math.cos(math.radians(MIDDLE.lat))
    north = (point.lat - MIDDLE.lat) * KM_PER_DEGREE
    east = (point.lon - MIDDLE.lon) * KM_PER_DEGREE * shrink
    away_km = math.hypot(north, east)
    is_left = math.sin(math.atan2(north, east) - middle) > 0
    return 2 * REACH_KM - away_km if is_left else away_km


def _fill(route: Route, tour: list[Point], random: Random) -> None:
    depot = route.depot
    orders, stops, windows = [], [], []
    matrix = EstimatedTravelTimes().matrix([depot.point, *tour], departs_hour=8)
    at, here = route.starts_at, 0
    for number, point in enumerate(tour, 1):
        at += timedelta(seconds=int(matrix.durations_s[here, number]))
        order = Order(
            depot=depot,
            reference=f"{route.pk.hex[-8:]}-{number}",
            service_date=route.service_date,
            latitude=point.lat,
            longitude=point.lon,
            service_s=SERVICE_S,
            received_at=route.starts_at,
            changed_at=route.starts_at,
        )
        orders.append(order)
        stops.append(
            Stop(
                order=order,
                route=route,
                sequence=number,
                service_s=SERVICE_S,
                eta_at=at,
                planned_arrival_at=at,
                plan_eta_at=at,
                eta_low_at=at - timedelta(minutes=12),
                eta_high_at=at + timedelta(minutes=17),
            )
        )
        if random.random() < WINDOW_SHARE:
            opens_at = at - timedelta(minutes=random.randrange(20, 90))
            closes_at = at + timedelta(minutes=random.randrange(30, 90))
            windows.append(
                TimeWindow(order=order, opens_at=opens_at, closes_at=closes_at)
            )
        at, here = at + timedelta(seconds=SERVICE_S), number
    Order.objects.bulk_create(orders)
    Stop.objects.bulk_create(stops)
    TimeWindow.objects.bulk_create(windows)
