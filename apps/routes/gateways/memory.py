"""A source of travel times for tests: exact, by a constant speed on the great circle."""

import itertools
from collections.abc import Sequence

import numpy as np

from apps.core.units import Point, great_circle_m
from apps.routes.gateways.base import (
    MatchedTrace,
    RouteGeometry,
    SnappedPoint,
    Spokes,
    TravelMatrix,
    check_trace,
    check_way,
    spokes_of,
)


class MemoryTravelTimes:
    """Answers at once; `asked` keeps the points of each question."""

    def __init__(self, speed_m_s: float = 10.0) -> None:
        """Take the speed, in metres a second."""
        self.speed_m_s = speed_m_s
        self.asked: list[tuple[Point, ...]] = []

    def matrix(
        self, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> TravelMatrix:
        """Return distances over the speed; the hour changes nothing."""
        self.asked.append(tuple(points))
        distances_m = np.array(
            [[round(great_circle_m(a, b)) for b in points] for a in points],
            dtype=np.int32,
        ).reshape(len(points), len(points))
        return TravelMatrix(
            durations_s=np.rint(distances_m / self.speed_m_s).astype(np.int32),
            distances_m=distances_m,
            quality="test",
            source="memory",
            version="1",
        )

    def spokes(
        self, hub: Point, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> Spokes:
        """Return distances over the speed, to the hub and back."""
        return spokes_of(self.matrix([hub, *points], departs_hour=departs_hour))

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        """Return straight lines through the points."""
        check_way(points)
        legs = tuple(itertools.pairwise(points))
        metres = sum(great_circle_m(a, b) for a, b in legs)
        return RouteGeometry(
            legs=legs,
            duration_s=round(metres / self.speed_m_s),
            distance_m=round(metres),
            quality="test",
            source="memory",
            version="1",
        )

    def match(
        self, trace: Sequence[Point], *, times_s: Sequence[int] | None = None
    ) -> MatchedTrace:
        """Return the trace as it is."""
        check_trace(trace, times_s)
        metres = sum(great_circle_m(a, b) for a, b in itertools.pairwise(trace))
        return MatchedTrace(
            places=tuple(trace),
            pieces=(tuple(trace),),
            duration_s=round(metres / self.speed_m_s),
            distance_m=round(metres),
            confidence=1.0,
            quality="test",
            source="memory",
            version="1",
        )

    def snap(self, point: Point) -> SnappedPoint:
        """Return the place itself."""
        return SnappedPoint(
            point=point,
            distance_m=0.0,
            street="",
            quality="test",
            source="memory",
            version="1",
        )
