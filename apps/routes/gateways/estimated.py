"""Travel times without roads: a power law of the great circle, by hour of the day.

`t = c · d^p` with d in km fits OSRM's free flow of a town to about 20 % (mean error), and
unlike one speed it does not fail on legs under a kilometre.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from geopy.distance import geodesic
from numpy.typing import NDArray

from apps.core.units import EARTH_RADIUS_M, Point, great_circle_m
from apps.routes.gateways.base import (
    ESTIMATED,
    MatchedTrace,
    RouteGeometry,
    SnappedPoint,
    Spokes,
    TravelMatrix,
    check_trace,
    check_way,
)
from apps.routes.hours import HOUR_EFFECT, hour_factor

QUALITY = ESTIMATED
VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateParameters:
    """The law's numbers. First values: our fit on 400 addresses of the town of Lauf."""

    c_s: float = 219.0
    p: float = 0.70
    detour: float = 1.35
    """Metres on the road for a metre of the great circle."""
    hour_effect: float = HOUR_EFFECT
    by_hour: tuple[float, ...] = ()
    """Learned factors of the 24 hours; empty: the built-in ones by `hour_effect`."""

    @property
    def source(self) -> str:
        """Return the law in words."""
        return f"{self.c_s:g} s x km^{self.p:g}"


class EstimatedTravelTimes:
    """The embedded default: needs nothing, says that it is an estimate."""

    def __init__(self, parameters: EstimateParameters | None = None) -> None:
        """Take the law's numbers."""
        self._parameters = parameters or EstimateParameters()

    def matrix(
        self, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> TravelMatrix:
        """Return estimated travel between all points, which is the same both ways."""
        law, count = self._parameters, len(points)
        scale = law.c_s * self.hour_factor(departs_hour)
        durations_s = np.zeros((count, count), dtype=np.int32)
        distances_m = np.zeros((count, count), dtype=np.int32)
        for rows, crow_m in _strips(points):
            columns = slice(rows.start, count)
            durations = np.power(crow_m / 1000, law.p)
            durations *= scale
            durations_s[rows, columns] = np.rint(durations, out=durations)
            distances_m[rows, columns] = np.rint(crow_m * law.detour)
            _mirror(durations_s, rows)
            _mirror(distances_m, rows)
        return TravelMatrix(
            durations_s=durations_s,
            distances_m=distances_m,
            quality=QUALITY,
            source=law.source,
            version=VERSION,
        )

    def spokes(
        self, hub: Point, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> Spokes:
        """Return estimated travel to the hub, the same both ways."""
        law = self._parameters
        scale = law.c_s * self.hour_factor(departs_hour)
        crow_m = np.zeros(0)
        if points:
            _, strip = next(_strips([hub, *points], rows=1))
            crow_m = strip[0, 1:]
        times = np.rint(scale * np.power(crow_m / 1000, law.p)).astype(np.int32)
        metres = np.rint(crow_m * law.detour).astype(np.int32)
        return Spokes(there_s=times, there_m=metres, back_s=times, back_m=metres)

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        """Return straight lines through the points, with estimated figures."""
        check_way(points)
        law = self._parameters
        legs = tuple(itertools.pairwise(points))
        legs_m = [geodesic((a.lat, a.lon), (b.lat, b.lon)).m for a, b in legs]
        return RouteGeometry(
            legs=legs,
            duration_s=round(sum(law.c_s * (leg / 1000) ** law.p for leg in legs_m)),
            distance_m=round(sum(legs_m) * law.detour),
            quality=QUALITY,
            source=law.source,
            version=VERSION,
        )

    def match(
        self, trace: Sequence[Point], *, times_s: Sequence[int] | None = None
    ) -> MatchedTrace:
        """Return the trace as it is: without roads there is nothing to lay it on."""
        check_trace(trace, times_s)
        metres = sum(great_circle_m(a, b) for a, b in itertools.pairwise(trace))
        return MatchedTrace(
            places=tuple(trace),
            pieces=(tuple(trace),),
            duration_s=times_s[-1] - times_s[0] if times_s else 0,
            distance_m=round(metres),
            confidence=0.0,
            quality=QUALITY,
            source=self._parameters.source,
            version=VERSION,
        )

    def snap(self, point: Point) -> SnappedPoint:
        """Return the place itself: without roads every place is as good."""
        return SnappedPoint(
            point=point,
            distance_m=0.0,
            street="",
            quality=QUALITY,
            source=self._parameters.source,
            version=VERSION,
        )

    def hour_factor(self, hour: int | None) -> float:
        """Return how much longer travel takes at `hour` than in the day's mean."""
        law = self._parameters
        return hour_factor(hour, effect=law.hour_effect, by_hour=law.by_hour)


STRIP = 128
"""Rows that are reckoned at a time: what they need stays in the processor's cache."""


def great_circles_m(points: Sequence[Point]) -> NDArray[np.float64]:
    """Return the n × n great-circle distances in metres (chord, mean radius).

    Within 0.6 % of the ellipsoid's geodesic, and some hundred times as fast.
    """
    count = len(points)
    circles = np.zeros((count, count))
    for rows, crow_m in _strips(points):
        circles[rows, rows.start :] = crow_m
        _mirror(circles, rows)
    return circles


def _strips(
    points: Sequence[Point], rows: int = STRIP
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield the upper triangle in strips: rows, and distances from column `start` on.

    The chord `k` between two unit vectors spans the arc `2 asin(k / 2)`.
    """
    lat = np.radians([point.lat for point in points])
    lon = np.radians([point.lon for point in points])
    axes = (np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
    for start in range(0, len(points), rows):
        strip = slice(start, min(start + rows, len(points)))
        chord = np.zeros((strip.stop - start, len(points) - start))
        for axis in axes:
            step = axis[strip, None] - axis[None, start:]
            step *= step
            chord += step
        np.sqrt(chord, out=chord)
        chord *= 0.5
        np.arcsin(np.minimum(chord, 1.0, out=chord), out=chord)
        chord *= 2 * EARTH_RADIUS_M
        yield strip, chord


def _mirror(square: NDArray[Any], rows: slice) -> None:
    """Copy a strip of the upper triangle to below the diagonal."""
    square[rows.stop :, rows] = square[rows, rows.stop :].T
