"""Travel times of a road network: the engine's free flow, as it is really driven.

A network knows no queue and no parking: its times are multiplied by what was learned from
finished stops (`factor`), and by the hour's traffic.
"""

from collections.abc import Callable, Sequence

import numpy as np

from apps.core.units import Point
from apps.routes.gateways.base import (
    Entries,
    MatchedTrace,
    RoadEngine,
    RouteGeometry,
    SnappedPoint,
    Spokes,
    TravelMatrix,
)
from apps.routes.gateways.cache import MatrixCache
from apps.routes.gateways.squares import cached_table
from apps.routes.solver.problem import UNREACHABLE


class RoadTravelTimes:
    """An engine as a source of travel times, with a cache between them."""

    def __init__(
        self,
        engine: RoadEngine,
        *,
        cache: MatrixCache | None = None,
        factor: float = 1.0,
        hour_factor: Callable[[int | None], float] = lambda hour: 1.0,
    ) -> None:
        """Take the engine, a cache, and what free flow is multiplied by."""
        self._engine = engine
        self._cache = cache
        self._factor = factor
        self._hour_factor = hour_factor

    def matrix(
        self, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> TravelMatrix:
        """Return travel between all points along the roads."""
        origin = self._engine.provenance(points)
        if not points:
            durations_s = distances_m = np.zeros((0, 0), dtype=np.int32)
        elif self._cache is None:
            every = range(len(points))
            durations_s, distances_m = self._engine.table(points, every, every)
        else:
            durations_s, distances_m = cached_table(
                self._cache, self._engine, origin, points
            )
        return TravelMatrix(
            durations_s=_times(
                durations_s, self._factor * self._hour_factor(departs_hour)
            ),
            distances_m=distances_m,
            quality=origin.quality,
            source=origin.source,
            version=origin.version,
        )

    def spokes(
        self, hub: Point, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> Spokes:
        """Return travel to the hub and back along the roads, as the engine has it."""
        places = [hub, *points]
        others = range(1, len(places))
        there_s, there_m = self._engine.table(places, others, [0])
        back_s, back_m = self._engine.table(places, [0], others)
        factor = self._factor * self._hour_factor(departs_hour)
        return Spokes(
            there_s=_times(there_s[:, 0], factor),
            there_m=there_m[:, 0],
            back_s=_times(back_s[0], factor),
            back_m=back_m[0],
        )

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        """Return the way through the points, along the roads, at free flow."""
        return self._engine.route(points)

    def match(
        self, trace: Sequence[Point], *, times_s: Sequence[int] | None = None
    ) -> MatchedTrace:
        """Lay a trace of positions on the roads."""
        return self._engine.match(trace, times_s=times_s)

    def snap(self, point: Point) -> SnappedPoint:
        """Return the nearest place on a road."""
        return self._engine.snap(point)


def _times(durations_s: Entries, factor: float) -> Entries:
    """Return the durations times a factor; what cannot be reached stays so."""
    if factor == 1.0:
        return durations_s
    known = durations_s < UNREACHABLE
    slower = np.rint(np.where(known, durations_s, 0) * factor).astype(np.int32)
    return np.where(known, slower, np.int32(UNREACHABLE))
