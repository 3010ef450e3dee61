"""The town's flat map: whole metres east and north of its centre.

All shapes are made in whole metres, so that "inside" and "crosses" are exact, and
are turned into latitude and longitude (6 decimals, 0.1 m) only when handed out.
"""

import itertools
import math
from collections.abc import Sequence

Point = tuple[int, int]
"""Metres (east, north) of the town's centre."""

LatLon = tuple[float, float]
"""Degrees (latitude, longitude), WGS 84."""

CENTRE: LatLon = (42.618, -76.357)
"""Farmland in the state of New York: no town of this size stands there."""

METRES_A_DEGREE_LAT = 111_195.0
METRES_A_DEGREE_LON = 81_829.0
"""At the latitude of the centre: 111,195 m times its cosine."""


def to_lat_lon(point: Point) -> LatLon:
    """Return where a point of the flat map lies on the globe."""
    return (
        round(CENTRE[0] + point[1] / METRES_A_DEGREE_LAT, 6),
        round(CENTRE[1] + point[0] / METRES_A_DEGREE_LON, 6),
    )


def to_plane(place: LatLon) -> Point:
    """Return the whole-metre point of the flat map nearest to a place."""
    return (
        round((place[1] - CENTRE[1]) * METRES_A_DEGREE_LON),
        round((place[0] - CENTRE[0]) * METRES_A_DEGREE_LAT),
    )


def polar(radius_m: float, angle: float) -> Point:
    """Return the point at this radius and angle (radians from east, leftwards)."""
    return round(radius_m * math.cos(angle)), round(radius_m * math.sin(angle))


def distance_m(a: Point, b: Point) -> float:
    """Return the straight distance between two points in metres."""
    return math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)


def _side(a: Point, b: Point, c: Point) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def crosses(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Say whether segments a-b and c-d cut each other; exact."""
    return (_side(a, b, c) > 0) != (_side(a, b, d) > 0) and (_side(c, d, a) > 0) != (
        _side(c, d, b) > 0
    )


def crosses_line(a: Point, b: Point, line: Sequence[Point]) -> bool:
    """Say whether segment a-b cuts a line of several points."""
    return any(crosses(a, b, c, d) for c, d in itertools.pairwise(line))


def meeting(a: Point, b: Point, c: Point, d: Point) -> Point:
    """Return the whole-metre point where crossing segments a-b and c-d meet."""
    left, right = _side(c, d, a), _side(c, d, b)
    share = left / (left - right)
    return round(a[0] + share * (b[0] - a[0])), round(a[1] + share * (b[1] - a[1]))


def inside(point: Point, ring: Sequence[Point]) -> bool:
    """Say whether a point is inside a closed ring (first point not repeated).

    Even-odd rule in whole numbers. A point on a border shared by two rings made of
    the same vertices is inside exactly one of them.
    """
    x, y = point
    odd = False
    for a, b in zip(ring, (*ring[1:], ring[0]), strict=True):
        low, high = (a, b) if a[1] <= b[1] else (b, a)
        if low[1] <= y < high[1] and _side(low, high, (x, y)) > 0:
            odd = not odd
    return odd


def to_segment_m(point: Point, a: Point, b: Point) -> tuple[float, float]:
    """Return (distance in metres to segment a-b, share of the way from a to b)."""
    run, rise = b[0] - a[0], b[1] - a[1]
    length_2 = run * run + rise * rise
    share = 0.0
    if length_2:
        along = (point[0] - a[0]) * run + (point[1] - a[1]) * rise
        share = min(1.0, max(0.0, along / length_2))
    gap_x = a[0] + share * run - point[0]
    gap_y = a[1] + share * rise - point[1]
    return math.sqrt(gap_x * gap_x + gap_y * gap_y), share


def to_line_m(point: Point, line: Sequence[Point]) -> float:
    """Return the distance in metres from a point to a line of several points."""
    return min(to_segment_m(point, a, b)[0] for a, b in itertools.pairwise(line))
