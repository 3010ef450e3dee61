"""Composed large days of a depot, as planning reads them, or as rows of the database.

Orders lie in towns of the size of a quarter, and between them; the area grows with their
number, so that the density, and with it the work a stop takes, stays as it is.
"""

import math
import random
import uuid
from datetime import UTC, date, datetime, timedelta

from django.contrib.auth.models import User

from apps.core.units import Point
from apps.depots.models import Depot
from apps.drivers.models import Driver, Shift, ShiftBreak, Vehicle
from apps.orders.models import Order, TimeWindow
from apps.routes.dayinputs import BreakRule, DayInput, Interval, OrderInput, ShiftInput
from apps.routes.parameters import DEFAULTS, Parameters

DEPOT = Point(49.5126, 11.2823)
DAY = date(2026, 3, 17)
BEGINS_AT = datetime(2026, 3, 17, 6, tzinfo=UTC)
SHIFT = timedelta(hours=9, minutes=30)
KM_A_DEGREE = 111.2
ORDERS_A_KM2 = 5.0
"""The density of parcels in a town's suburb, so that a van can bring 100 in a shift."""
ORDERS_A_TOWN = 160
CAPABLE_SHARE = 5
"""Every fifth van can lift, and every fiftieth order wants that."""


def composed_large_day(
    *,
    orders: int,
    shifts: int,
    seed: int = 7,
    centre: Point = DEPOT,
    parameters: Parameters = DEFAULTS,
) -> DayInput:
    """Compose a depot's day that is not yet running; the same for the same arguments."""
    chance = random.Random(f"{seed}/{orders}/{shifts}/{centre}")  # noqa: S311
    towns = _towns(orders, chance)
    return DayInput(
        depot_id=_id(chance),
        service_date=DAY,
        origin_at=BEGINS_AT,
        shifts=tuple(_shift(n, centre, chance) for n in range(shifts)),
        orders=tuple(_order(n, towns, centre, chance) for n in range(orders)),
        parameters=parameters,
    )


def _id(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128), version=4)


def _towns(orders: int, chance: random.Random) -> list[tuple[float, float, float]]:
    """Return east and north in kilometres and the spread of each town."""
    radius_km = math.sqrt(orders / ORDERS_A_KM2 / math.pi)
    towns = []
    for _ in range(max(1, orders // ORDERS_A_TOWN)):
        angle = chance.uniform(0, 2 * math.pi)
        away_km = radius_km * math.sqrt(chance.random())
        spread_km = chance.uniform(0.5, 1.6)
        towns.append((away_km * math.cos(angle), away_km * math.sin(angle), spread_km))
    return towns


def _shift(number: int, centre: Point, chance: random.Random) -> ShiftInput:
    noon = BEGINS_AT + timedelta(hours=4)
    return ShiftInput(
        shift_id=_id(chance),
        shift_version=1,
        driver_id=_id(chance),
        start=centre,
        end=centre,
        free_at=BEGINS_AT,
        ends_at=BEGINS_AT + SHIFT,
        max_overtime_s=3600,
        capacities=(1_200_000, 12_000_000, 150),
        on_board=(0, 0, 0),
        capabilities=("lift",) if number % CAPABLE_SHARE == 0 else (),
        breaks=(BreakRule(noon, noon + timedelta(hours=2), 1800),),
        cost_per_km_minor=30,
        cost_per_hour_minor=2400,
        speed_percent=100,
        departed=False,
    )


def _order(
    number: int,
    towns: list[tuple[float, float, float]],
    centre: Point,
    chance: random.Random,
) -> OrderInput:
    east_km, north_km, spread_km = towns[number % len(towns)]
    east_km = chance.gauss(east_km, spread_km)
    north_km = chance.gauss(north_km, spread_km)
    lat = centre.lat + north_km / KM_A_DEGREE
    lon = centre.lon + east_km / KM_A_DEGREE / math.cos(math.radians(centre.lat))
    return OrderInput(
        order_id=_id(chance),
        order_version=1,
        point=Point(round(lat, 6), round(lon, 6)),
        service_s=chance.choice((60, 90, 90, 120, 180)),
        windows=_windows(number, chance),
        demands=(chance.randrange(200, 9000), chance.randrange(1000, 60_000), 1),
        requires=("lift",) if number % 50 == 7 else (),
        priority=3,
        is_pickup=number % 40 == 3,
    )


def _windows(number: int, chance: random.Random) -> tuple[Interval, ...]:
    """Give three of ten orders half a day, and one of twenty two hours."""
    share = number % 20
    if share >= 7:
        return ()
    hours = 2 if share == 0 else 5
    opens_at = BEGINS_AT + timedelta(hours=chance.randrange(0, 10 - hours))
    return (Interval(opens_at, opens_at + timedelta(hours=hours)),)


def lay_out_days(
    *, depots: int, orders: int, vehicles: int, seed: int = 7
) -> list[Depot]:
    """Put composed days of several depots into the database; return the depots.

    Orders and vehicles are shared out evenly. The depots are so far apart that their
    areas do not meet.
    """
    apart_km = 3 * math.sqrt(orders / depots / ORDERS_A_KM2 / math.pi)
    laid = []
    for number in range(depots):
        centre = Point(DEPOT.lat, round(DEPOT.lon + number * apart_km / 72.2, 6))
        day = composed_large_day(
            orders=_share(orders, depots, number),
            shifts=_share(vehicles, depots, number),
            seed=seed + number,
            centre=centre,
        )
        depot = Depot.objects.create(
            code=f"large-{number}",
            name=f"Large depot {number}",
            time_zone="Europe/Berlin",
            country="DE",
            currency="EUR",
            latitude=centre.lat,
            longitude=centre.lon,
        )
        _lay_out_shifts(day, depot)
        _lay_out_orders(day, depot)
        laid.append(depot)
    return laid


def _share(total: int, count: int, number: int) -> int:
    return total // count + (number < total % count)


def _lay_out_shifts(day: DayInput, depot: Depot) -> None:
    users = User.objects.bulk_create(
        User(username=f"{depot.code}-{number}") for number in range(len(day.shifts))
    )
    for number, (shift, user) in enumerate(zip(day.shifts, users, strict=True)):
        driver = Driver(
            id=shift.driver_id, depot=depot, user=user, name=f"Driver {number}"
        )
        grams, millilitres, pieces = shift.capacities
        vehicle = Vehicle(
            depot=depot,
            name=f"Van {number}",
            capacity_g=grams,
            capacity_ml=millilitres,
            capacity_pieces=pieces,
            capabilities=list(shift.capabilities),
            cost_per_km_minor=shift.cost_per_km_minor,
            cost_per_hour_minor=shift.cost_per_hour_minor,
        )
        row = Shift(
            id=shift.shift_id,
            depot=depot,
            driver=driver,
            vehicle=vehicle,
            service_date=day.service_date,
            starts_at=shift.free_at,
            ends_at=shift.ends_at,
            max_overtime_s=shift.max_overtime_s,
        )
        driver.save()
        vehicle.save()
        row.save()
        ShiftBreak.objects.bulk_create(
            ShiftBreak(
                shift=row,
                opens_at=rule.opens_at,
                closes_at=rule.closes_at,
                duration_s=rule.duration_s,
            )
            for rule in shift.breaks
        )


def _lay_out_orders(day: DayInput, depot: Depot) -> None:
    Order.objects.bulk_create(
        (
            Order(
                id=order.order_id,
                depot=depot,
                reference=f"{depot.code}-{number}",
                kind=Order.Kind.PICKUP if order.is_pickup else Order.Kind.DELIVERY,
                service_date=day.service_date,
                latitude=order.point.lat,
                longitude=order.point.lon,
                priority=order.priority,
                load_g=order.demands[0],
                load_ml=order.demands[1],
                pieces=order.demands[2],
                service_s=order.service_s,
                requires=list(order.requires),
                received_at=BEGINS_AT,
                changed_at=BEGINS_AT,
            )
            for number, order in enumerate(day.orders)
        ),
        batch_size=1000,
    )
    TimeWindow.objects.bulk_create(
        (
            TimeWindow(
                order_id=order.order_id,
                opens_at=window.opens_at,
                closes_at=window.closes_at,
            )
            for order in day.orders
            for window in order.windows
        ),
        batch_size=1000,
    )
