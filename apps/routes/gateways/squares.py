"""A square of ways: what a cache lacks of it is asked for, in few rectangles."""

from collections.abc import Iterator, Sequence

import numpy as np
import structlog
from numpy.typing import NDArray

from apps.core.units import Point
from apps.routes.gateways.base import Entries, Provenance, Tables
from apps.routes.gateways.cache import Keys, MatrixCache

log = structlog.get_logger(__name__)

MOST_RECTANGLES = 8


def cached_table(
    cache: MatrixCache, engine: Tables, origin: Provenance, points: Sequence[Point]
) -> tuple[Entries, Entries]:
    """Return the square between all points; only what the cache lacks is asked for.

    Raises:
        RoadsFailed: the engine does not answer.
    """
    keys = place_keys(points)
    distinct, first, back = np.unique(keys, return_index=True, return_inverse=True)
    places = [points[index] for index in first]
    known = cache.look_up(origin, distinct)
    missing = ~known.is_known
    lacking = int(missing.sum())
    rectangles = list(missing_rectangles(missing))
    for sources, targets in rectangles:
        used = np.union1d(sources, targets)
        durations_s, distances_m = engine.table(
            [places[index] for index in used],
            np.searchsorted(used, sources).tolist(),
            np.searchsorted(used, targets).tolist(),
        )
        known.durations_s[np.ix_(sources, targets)] = durations_s
        known.distances_m[np.ix_(sources, targets)] = distances_m
    pairs = missing.size - len(places)
    log.info(
        "matrix_cache",
        places=len(points),
        pairs=pairs,
        fetched=lacking,
        rectangles=len(rectangles),
        hit_percent=round(100 * (1 - lacking / pairs), 1) if pairs else 100.0,
    )
    if rectangles:
        cache.store(origin, distinct, known)
    durations_s, distances_m = known.durations_s, known.distances_m
    return (
        durations_s.take(back, axis=0).take(back, axis=1),
        distances_m.take(back, axis=0).take(back, axis=1),
    )


def missing_rectangles(
    missing: NDArray[np.bool_],
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Cover what is missing with few rectangles: rows and columns.

    New places lack their whole row, and the others lack a column each of them: two
    rectangles. Where the gaps are more ragged than `MOST_RECTANGLES`, one covers them.
    """
    wide = missing.sum(axis=1) >= max(1, missing.shape[0] - 1)
    if wide.any():
        yield np.flatnonzero(wide), np.arange(missing.shape[1])
    rest = np.flatnonzero(missing.any(axis=1) & ~wide)
    patterns: dict[bytes, list[int]] = {}
    for row in rest:
        patterns.setdefault(missing[row].tobytes(), []).append(int(row))
    if len(patterns) > MOST_RECTANGLES:
        yield rest, np.flatnonzero(missing[rest].any(axis=0))
        return
    for rows in patterns.values():
        yield np.array(rows), np.flatnonzero(missing[rows[0]])


def place_keys(points: Sequence[Point]) -> Keys:
    """Return a number for each place: its degrees in millionths (0.1 m), as OSRM rounds.

    The latitude stands above the 32 bits of the longitude.
    """
    lat = np.rint(np.array([point.lat for point in points]) * 1e6).astype(np.int64)
    lon = np.rint(np.array([point.lon for point in points]) * 1e6).astype(np.int64)
    return ((lat + 90_000_000) << 32) + (lon + 180_000_000)
