"""The lines of a route along the roads, leg by leg, as rows keep them. Pure."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby, pairwise

from apps.core.units import Point

UNITS_A_DEGREE = 100_000

Line = list[int]
"""Latitude and longitude of the first point in units of 10⁻⁵ degrees (about a metre), then
the differences from point to point; empty where no way is known."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a route passes: a stop, or its depot."""

    place_id: uuid.UUID
    point: Point


def leg_key(start_id: uuid.UUID, end_id: uuid.UUID) -> str:
    """Return by what a leg's line is kept."""
    return f"{start_id.hex}-{end_id.hex}"


def wanted_legs(places: Sequence[Place]) -> list[str]:
    """Return the keys of all legs of a way, in order."""
    return [leg_key(a.place_id, b.place_id) for a, b in pairwise(places)]


def packed(points: Sequence[Point]) -> Line:
    """Return a line as numbers; points that fall on one another are one."""
    rounded = [
        (round(point.lat * UNITS_A_DEGREE), round(point.lon * UNITS_A_DEGREE))
        for point in points
    ]
    places = [place for place, _ in groupby(rounded)]
    steps = ((b[0] - a[0], b[1] - a[1]) for a, b in pairwise(places))
    return list(chain.from_iterable([*places[:1], *steps]))


def unpacked(numbers: Sequence[int]) -> tuple[Point, ...]:
    """Return the points of a line that `packed` made."""
    lats, lons = accumulate(numbers[::2]), accumulate(numbers[1::2])
    return tuple(
        Point(lat / UNITS_A_DEGREE, lon / UNITS_A_DEGREE)
        for lat, lon in zip(lats, lons, strict=True)
    )
