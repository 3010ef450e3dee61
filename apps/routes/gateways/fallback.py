"""The better source while it answers, the one that needs nothing when it does not."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from apps.core.units import Point
from apps.routes.gateways.base import (
    MatchedTrace,
    RoadsFailed,
    RouteGeometry,
    SnappedPoint,
    SourceDown,
    Spokes,
    TravelMatrix,
    TravelTimes,
)

log = structlog.get_logger(__name__)

LEFT_ALONE_S = 60.0
"""So long a source that could not be reached is not asked again: each plan would wait."""


class Patience:
    """Remembers that a source failed, so that the next question need not wait for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock that never goes back, in seconds."""
        self._clock = clock
        self._why = ""
        self._until_s = 0.0

    def failed(self, why: str) -> None:
        """Note a failure."""
        self._why, self._until_s = why, self._clock() + LEFT_ALONE_S

    def check(self) -> None:
        """Refuse to ask while the source is left alone.

        Raises:
            RoadsFailed: it failed a moment ago.
        """
        if self._clock() < self._until_s:
            raise RoadsFailed(self._why)


class WithFallback:
    """Asks the first source, and the second where the first fails; says so."""

    def __init__(
        self, first: TravelTimes, second: TravelTimes, patience: Patience
    ) -> None:
        """Take both, and the memory of the first one's failures."""
        self._first = first
        self._second = second
        self._patience = patience

    def matrix(
        self, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> TravelMatrix:
        """Return travel between all points, with the failure where there was one."""
        try:
            self._patience.check()
            return self._first.matrix(points, departs_hour=departs_hour)
        except RoadsFailed as error:
            self._note(error, "matrix")
            found = self._second.matrix(points, departs_hour=departs_hour)
            return replace(found, failure=str(error))

    def spokes(
        self, hub: Point, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> Spokes:
        """Return travel between a place and others; estimated where roads fail."""
        try:
            self._patience.check()
            return self._first.spokes(hub, points, departs_hour=departs_hour)
        except RoadsFailed as error:
            self._note(error, "spokes")
            return self._second.spokes(hub, points, departs_hour=departs_hour)

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        """Return the way through the points; straight lines where roads fail."""
        try:
            self._patience.check()
            return self._first.route(points)
        except RoadsFailed as error:
            self._note(error, "route")
            return self._second.route(points)

    def match(
        self, trace: Sequence[Point], *, times_s: Sequence[int] | None = None
    ) -> MatchedTrace:
        """Lay a trace on the roads; the trace itself where roads fail."""
        try:
            self._patience.check()
            return self._first.match(trace, times_s=times_s)
        except RoadsFailed as error:
            self._note(error, "match")
            return self._second.match(trace, times_s=times_s)

    def snap(self, point: Point) -> SnappedPoint:
        """Return the nearest place on a road; the place itself where roads fail."""
        try:
            self._patience.check()
            return self._first.snap(point)
        except RoadsFailed as error:
            self._note(error, "snap")
            return self._second.snap(point)

    def _note(self, error: RoadsFailed, ask: str) -> None:
        log.warning("roads_failed", ask=ask, why=str(error))
        if isinstance(error, SourceDown):
            self._patience.failed(str(error))
