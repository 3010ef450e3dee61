"""Units: conversions that are spelled in one place."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG), in metres."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(at: datetime) -> int:
    """Return an instant as whole milliseconds since 1970."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def instant_of(at_ms: int) -> datetime:
    """Return the instant of milliseconds since 1970."""
    return EPOCH + timedelta(milliseconds=at_ms)


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the Earth, in degrees of WGS 84."""

    lat: float
    lon: float

    def is_valid(self) -> bool:
        """Tell whether both degrees are in range and the place is not 0, 0."""
        in_range = -90 <= self.lat <= 90 and -180 <= self.lon <= 180
        return in_range and (self.lat, self.lon) != (0.0, 0.0)

    def geojson(self) -> dict[str, object]:
        """Return the GeoJSON Point (longitude first, RFC 7946)."""
        return {"type": "Point", "coordinates": [self.lon, self.lat]}


def great_circle_m(a: Point, b: Point) -> float:
    """Return the great-circle distance in metres (haversine formula)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = (lat_b - lat_a) / 2
    half_lon = math.radians(b.lon - a.lon) / 2
    h = (
        math.sin(half_lat) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))


def polygon_contains(ring: list[list[float]], point: Point) -> bool:
    """Tell whether a GeoJSON linear ring (lon, lat pairs) contains `point`.

    Even-odd rule; a point on the border may fall on either side.
    """
    inside = False
    previous = ring[-1]
    for current in ring:
        (lon_a, lat_a), (lon_b, lat_b) = previous[:2], current[:2]
        if (lat_a > point.lat) != (lat_b > point.lat):
            crossing = (lon_b - lon_a) * (point.lat - lat_a) / (lat_b - lat_a) + lon_a
            if point.lon < crossing:
                inside = not inside
        previous = current
    return inside
