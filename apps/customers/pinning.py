"""A small picture of the place, on which a tap sets the pin: it needs no script and no map.

It shows the addresses that the depot knows around the place, with their numbers: enough to
say "not there, here". A tap on it sends where it was hit, which every browser can.
"""

import math
from dataclasses import dataclass

from apps.core.units import Point
from apps.orders.models import Address, Order

SIDE = 320
"""Pixels; the picture shows `REACH_M` metres each way from its middle."""

REACH_M = 160
METRES_A_DEGREE = 111_200
MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Mark:
    """A known address on the picture, in pixels."""

    x: int
    y: int
    text: str


@dataclass(frozen=True, slots=True)
class PinMap:
    """A picture about a middle, with the pin and the addresses around."""

    lat: float
    lon: float
    marks: tuple[Mark, ...] = ()

    def point_at(self, x: int, y: int) -> Point | None:
        """Return the place of a pixel; None where it is not on the picture."""
        if not (0 <= x <= SIDE and 0 <= y <= SIDE):
            return None
        scale = 2 * REACH_M / SIDE
        north_m, east_m = (SIDE / 2 - y) * scale, (x - SIDE / 2) * scale
        shrink = math.cos(math.radians(self.lat))
        return Point(
            round(self.lat + north_m / METRES_A_DEGREE, 6),
            round(self.lon + east_m / METRES_A_DEGREE / shrink, 6),
        )


def pin_map(order: Order, middle: tuple[float, float]) -> PinMap:
    """Return the picture about a place, with the addresses of the depot's gazetteer."""
    lat, lon = middle
    high = REACH_M / METRES_A_DEGREE
    shrink = math.cos(math.radians(lat))
    wide = high / shrink
    rows = Address.objects.filter(
        depot_id=order.depot_id,
        latitude__range=(lat - high, lat + high),
        longitude__range=(lon - wide, lon + wide),
    ).values_list("latitude", "longitude", "house_number", "street")
    marks = [
        Mark(
            round(SIDE / 2 + (at_lon - lon) / wide * SIDE / 2),
            round(SIDE / 2 - (at_lat - lat) / high * SIDE / 2),
            number or street,
        )
        for at_lat, at_lon, number, street in rows[:MOST_SHOWN]
    ]
    return PinMap(lat, lon, tuple(marks))
