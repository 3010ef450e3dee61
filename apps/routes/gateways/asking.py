"""How a server of roads is asked: in batches, within its limits, and saying who answered."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from apps.core.units import Point
from apps.routes.gateways.base import (
    ROADS,
    Entries,
    MatchedTrace,
    Provenance,
    RoadsFailed,
    RouteGeometry,
    SnappedPoint,
    check_trace,
    check_way,
)
from apps.routes.gateways.http import BoundedClient, Server
from apps.routes.gateways.osrm_answers import FAR_M

VERSION_KEPT_S = 60.0
"""A server is asked for its version once in so long."""


class ServerEngine(ABC):
    """What the servers have in common: batches, limits of time, provenance."""

    NAME: str
    PROFILE: str
    MAX_PAIRS: int
    MAX_WAYPOINTS: int

    def __init__(self, server: Server, router: Callable[..., Any], **more: Any) -> None:
        """Make the router of `routingpy` with our client."""
        self._profile = server.profile or self.PROFILE
        self._max_pairs = server.max_pairs or self.MAX_PAIRS
        self._router = router(
            base_url=server.url, timeout=server.timeout_s, client=BoundedClient, **more
        )
        self._client: BoundedClient = self._router.client
        self._version = ("", -math.inf)

    def provenance(self, points: Sequence[Point]) -> Provenance:
        """Say which server answers; its version where it tells it."""
        version, asked_s = self._version
        if points and time.monotonic() - asked_s > VERSION_KEPT_S:
            self._client.begin()
            with self._understood():
                version = self._ask_version(points[0])
            self._version = (version, time.monotonic())
        return self._origin()

    def table(
        self, points: Sequence[Point], sources: Sequence[int], targets: Sequence[int]
    ) -> tuple[Entries, Entries]:
        """Return a rectangle of the matrix, in as many requests as the server wants."""
        self._client.begin()
        durations_s = np.zeros((len(sources), len(targets)), dtype=np.int32)
        distances_m = np.zeros_like(durations_s)
        for rows, columns in batches(len(sources), len(targets), self._max_pairs):
            used = sorted({*sources[rows], *targets[columns]})
            if len(used) < 2:
                continue  # from a place to itself: servers refuse so short a question
            place = {index: number for number, index in enumerate(used)}
            with self._understood():
                found = self._table(
                    [points[index] for index in used],
                    [place[index] for index in sources[rows]],
                    [place[index] for index in targets[columns]],
                )
            durations_s[rows, columns], distances_m[rows, columns] = found
        return durations_s, distances_m

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        """Return the way through the points, in as many requests as the server wants."""
        check_way(points)
        self._client.begin()
        step = self.MAX_WAYPOINTS - 1
        parts = []
        for start in range(0, len(points) - 1, step):
            with self._understood():
                parts.append(self._route(points[start : start + step + 1]))
        origin = self._origin()
        return RouteGeometry(
            legs=tuple(leg for part in parts for leg in part.legs),
            duration_s=sum(part.duration_s for part in parts),
            distance_m=sum(part.distance_m for part in parts),
            quality=origin.quality,
            source=origin.source,
            version=origin.version,
        )

    def match(
        self, trace: Sequence[Point], *, times_s: Sequence[int] | None = None
    ) -> MatchedTrace:
        """Lay a trace of positions on the roads."""
        check_trace(trace, times_s)
        self._client.begin()
        with self._understood():
            return self._match(trace, times_s)

    def snap(self, point: Point) -> SnappedPoint:
        """Return the nearest place on a road."""
        self._client.begin()
        with self._understood():
            found = self._snap(point)
        if found.distance_m > FAR_M:
            raise RoadsFailed(f"The nearest road is {found.distance_m:.0f} m away")
        return found

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _origin(self) -> Provenance:
        source = f"{self.NAME} at {self._client.name} by {self._profile}"
        return Provenance(quality=ROADS, source=source, version=self._version[0])

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Turn what an answer lacks into a failure of the server."""
        try:
            yield
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise RoadsFailed(
                f"{self._client.name} does not answer as {self.NAME} does: {error!r}"
            ) from error

    @abstractmethod
    def _ask_version(self, point: Point) -> str: ...

    @abstractmethod
    def _table(
        self, points: list[Point], sources: list[int], targets: list[int]
    ) -> tuple[Entries, Entries]: ...

    @abstractmethod
    def _route(self, points: Sequence[Point]) -> RouteGeometry: ...

    @abstractmethod
    def _match(
        self, trace: Sequence[Point], times_s: Sequence[int] | None
    ) -> MatchedTrace: ...

    @abstractmethod
    def _snap(self, point: Point) -> SnappedPoint: ...


def batches(rows: int, columns: int, max_pairs: int) -> Iterator[tuple[slice, slice]]:
    """Yield rectangles of at most `max_pairs` that cover all, as square as may be."""
    if not rows or not columns:
        return
    high = min(rows, max(math.isqrt(max_pairs), max_pairs // columns, 1))
    wide = min(columns, max(1, max_pairs // high))
    for top in range(0, rows, high):
        for left in range(0, columns, wide):
            yield (
                slice(top, min(rows, top + high)),
                slice(left, min(columns, left + wide)),
            )
