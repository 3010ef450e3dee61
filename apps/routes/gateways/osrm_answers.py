"""What OSRM answers, in our words: the same for the engine in-process and a server. Pure.

Answers are mappings and iterables as JSON has them (`Ok`, `routes`, `tracepoints`, …).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

import numpy as np

from apps.core.units import Point
from apps.routes.gateways.base import (
    Entries,
    MatchedTrace,
    Provenance,
    RoadsFailed,
    RouteGeometry,
    SnappedPoint,
)
from apps.routes.solver.problem import UNREACHABLE

FAR_M = 1000.0
"""A place farther than this from any road is not reached: its coordinates are wrong."""

GPS_RADIUS_M = 10.0
"""How far a position of a phone is off, as OSRM's matching takes it (one sigma)."""


def entries(rows: Any, shape: tuple[int, int]) -> Entries:
    """Return a table's numbers, rounded; None, which is no way, is `UNREACHABLE`."""
    every = chain.from_iterable(rows)
    flat = np.fromiter(every, dtype=np.float64, count=shape[0] * shape[1])
    flat[np.isnan(flat)] = UNREACHABLE  # NumPy's reading of None
    return np.rint(flat).astype(np.int32).reshape(shape)


def table(
    answer: Any, sources: Sequence[int], targets: Sequence[int]
) -> tuple[Entries, Entries]:
    """Return durations and distances of a Table answer, without places off the roads."""
    shape = (len(sources), len(targets))
    durations_s = entries(answer["durations"], shape)
    distances_m = entries(answer["distances"], shape)
    no_way = durations_s == UNREACHABLE
    no_way |= _far(answer["sources"])[:, None]
    no_way |= _far(answer["destinations"])[None, :]
    no_way &= np.asarray(sources)[:, None] != np.asarray(targets)[None, :]
    durations_s[no_way] = distances_m[no_way] = UNREACHABLE
    return durations_s, distances_m


def _far(waypoints: Iterable[Any]) -> Any:
    return np.array([each["distance"] > FAR_M for each in waypoints], dtype=bool)


def way(answer: Mapping[str, Any], origin: Provenance) -> RouteGeometry:
    """Return the way of a Route answer with its steps in GeoJSON.

    Raises:
        RoadsFailed: a place is too far off the roads.
    """
    far = [each["distance"] for each in answer["waypoints"] if each["distance"] > FAR_M]
    if far:
        raise RoadsFailed(f"A place lies {max(far):.0f} m off the nearest road")
    route = answer["routes"][0]
    return RouteGeometry(
        legs=tuple(_leg(leg) for leg in route["legs"]),
        duration_s=round(route["duration"]),
        distance_m=round(route["distance"]),
        quality=origin.quality,
        source=origin.source,
        version=origin.version,
    )


def _leg(leg: Mapping[str, Any]) -> tuple[Point, ...]:
    steps = chain.from_iterable(
        step["geometry"]["coordinates"] for step in leg["steps"]
    )
    return tuple(point for point, _ in groupby(map(place, steps)))


def trace(answer: Mapping[str, Any], origin: Provenance) -> MatchedTrace:
    """Return the matched trace of a Match answer with its overview in GeoJSON."""
    matchings = answer["matchings"]
    return MatchedTrace(
        places=tuple(
            None if found is None else place(found["location"])
            for found in answer["tracepoints"]
        ),
        pieces=tuple(
            tuple(
                point
                for point, _ in groupby(map(place, found["geometry"]["coordinates"]))
            )
            for found in matchings
        ),
        duration_s=round(sum(found["duration"] for found in matchings)),
        distance_m=round(sum(found["distance"] for found in matchings)),
        confidence=min((found["confidence"] for found in matchings), default=0.0),
        quality=origin.quality,
        source=origin.source,
        version=origin.version,
    )


def snapped(answer: Mapping[str, Any], origin: Provenance) -> SnappedPoint:
    """Return the nearest place of a Nearest answer.

    Raises:
        RoadsFailed: it is too far away.
    """
    found = answer["waypoints"][0]
    if found["distance"] > FAR_M:
        raise RoadsFailed(f"The nearest road is {found['distance']:.0f} m away")
    return SnappedPoint(
        point=place(found["location"]),
        distance_m=float(found["distance"]),
        street=str(found["name"]),
        quality=origin.quality,
        source=origin.source,
        version=origin.version,
    )


def place(lon_lat: Sequence[float]) -> Point:
    """Return a GeoJSON position as a point."""
    lon, lat = lon_lat
    return Point(lat=lat, lon=lon)
