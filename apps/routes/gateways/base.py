"""The one door to travel times: what every source of them must answer. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from apps.core.units import Point

Entries = NDArray[np.int32]

ESTIMATED = "estimated"
"""The quality of what is reckoned from great circles."""

ROADS = "roads"
"""The quality of what a road network says."""


class RoadsFailed(RuntimeError):
    """A source of travel times did not answer; the message says why."""


class SourceDown(RoadsFailed):
    """It did not answer at all, and will not in the next moment either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where an answer comes from.

    `quality` is `ESTIMATED` or `ROADS`; `source` names the source in words; `version`
    changes when its answers may, and is empty where the source does not tell.
    """

    quality: str
    source: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TravelMatrix:
    """Travel between all `n` points of a list, `n` by `n`: from the row to the column.

    Whole seconds and metres; `UNREACHABLE` (10⁹) where no way leads. `quality` says
    what they are worth: "estimated" or "roads". `failure` says why a better source did
    not answer, where one should have.
    """

    durations_s: Entries
    distances_m: Entries
    quality: str
    source: str
    version: str
    failure: str = ""

    def in_words(self) -> str:
        """Return where the times come from, as a recommendation shows it."""
        words = f"{self.source}, {self.quality}"
        return f"{words}, since: {self.failure}" if self.failure else words


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spokes:
    """Travel between one place and many others, to it and back; as `TravelMatrix` has it."""

    there_s: Entries
    there_m: Entries
    back_s: Entries
    back_m: Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteGeometry:
    """The way through points in their order; `legs` are its pieces, one a leg."""

    legs: tuple[tuple[Point, ...], ...]
    duration_s: int
    distance_m: int
    quality: str
    source: str
    version: str

    @property
    def geometry(self) -> dict[str, object]:
        """Return the whole way as a GeoJSON LineString, no place twice in a row."""
        return line_string([point for point, _ in groupby(chain(*self.legs))])


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedTrace:
    """A trace of positions laid on the roads.

    `places` has an entry for each position: where it was on the road, or None where no
    road fits. `pieces` are the ways driven, more than one where the trace broke off.
    `confidence` is from 0 to 1, of the least sure piece.
    """

    places: tuple[Point | None, ...]
    pieces: tuple[tuple[Point, ...], ...]
    duration_s: int
    distance_m: int
    confidence: float
    quality: str
    source: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnappedPoint:
    """The nearest place on a road, and how far from there the asked one lies."""

    point: Point
    distance_m: float
    street: str
    quality: str
    source: str
    version: str


class Ways(Protocol):
    """What a source knows of single ways; every source answers these."""

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        """Return the way through the points, in their order.

        Raises:
            ValueError: there are fewer than two points.
            RoadsFailed: the source does not answer, or no way leads there.
        """
        ...

    def match(
        self, trace: Sequence[Point], *, times_s: Sequence[int] | None = None
    ) -> MatchedTrace:
        """Lay a trace of positions on the roads; `times_s` are seconds, ascending.

        Raises:
            ValueError: there are fewer than two positions, or as many times do not come.
            RoadsFailed: the source does not answer, or cannot match.
        """
        ...

    def snap(self, point: Point) -> SnappedPoint:
        """Return the nearest place on a road.

        Raises:
            RoadsFailed: the source does not answer, or knows no road near there.
        """
        ...


class TravelTimes(Ways, Protocol):
    """A source of travel times."""

    def matrix(
        self, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> TravelMatrix:
        """Return travel between all points.

        `departs_hour` (0 to 23, local) takes that hour's traffic; None the day's mean.

        Raises:
            RoadsFailed: the source does not answer.
        """
        ...

    def spokes(
        self, hub: Point, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> Spokes:
        """Return travel from all points to the hub, and from there to them.

        Raises:
            RoadsFailed: the source does not answer.
        """
        ...


class Tables(Protocol):
    """What answers for any rectangle of a matrix, at free flow."""

    def provenance(self, points: Sequence[Point]) -> Provenance:
        """Say who would answer for these points, and in which version.

        Raises:
            RoadsFailed: nobody.
        """
        ...

    def table(
        self, points: Sequence[Point], sources: Sequence[int], targets: Sequence[int]
    ) -> tuple[Entries, Entries]:
        """Return durations (s) and distances (m) from `sources` to `targets`.

        Both index `points`; a row a source, a column a target, `UNREACHABLE` where no
        way leads or a place is too far off the roads.

        Raises:
            RoadsFailed: the engine does not answer.
        """
        ...


class RoadEngine(Ways, Tables, Protocol):
    """A road network."""

    def close(self) -> None:
        """Let go of what the engine holds."""
        ...


def spokes_of(matrix: TravelMatrix) -> Spokes:
    """Return the spokes of a matrix whose first place is the hub."""
    return Spokes(
        there_s=matrix.durations_s[1:, 0],
        there_m=matrix.distances_m[1:, 0],
        back_s=matrix.durations_s[0, 1:],
        back_m=matrix.distances_m[0, 1:],
    )


def line_string(points: Sequence[Point]) -> dict[str, object]:
    """Return a GeoJSON LineString through the points (longitude first, RFC 7946)."""
    return {
        "type": "LineString",
        "coordinates": [[point.lon, point.lat] for point in points],
    }


def check_way(points: Sequence[Point]) -> None:
    """Refuse a way of less than two points.

    Raises:
        ValueError: there are fewer than two.
    """
    if len(points) < 2:
        raise ValueError("A way needs two points at least.")


def check_trace(trace: Sequence[Point], times_s: Sequence[int] | None) -> None:
    """Refuse a trace that cannot be matched.

    Raises:
        ValueError: it is too short, or its times do not fit it.
    """
    if len(trace) < 2:
        raise ValueError("A trace needs two positions at least.")
    if times_s is None:
        return
    if len(times_s) != len(trace):
        raise ValueError(f"{len(trace)} positions came with {len(times_s)} times.")
    if any(later < earlier for earlier, later in pairwise(times_s)):
        raise ValueError("A trace's times must ascend.")
