"""The ways along the roads that a route's picture follows: asked of a source. No table.

A way is asked for in as few questions as may be. Where one place of many cannot be
reached, the others still get their ways: the question is halved until that place is
alone, and what leads there has no line.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby, pairwise

from apps.core.units import Point
from apps.routes.gateways.base import RoadsFailed, SourceDown, Ways
from apps.routes.lines import Line, Place, leg_key, packed


def missing_lines(
    roads: Ways, places: Sequence[Place], known: Collection[str]
) -> Mapping[str, Line]:
    """Return the lines of the legs that are not known yet, by their keys.

    Raises:
        SourceDown: the source does not answer at all.
    """
    legs = list(pairwise(places))
    found: dict[str, Line] = {}
    for is_missing, run in groupby(
        legs, lambda leg: leg_key(leg[0].place_id, leg[1].place_id) not in known
    ):
        if not is_missing:
            continue
        way = list(run)
        points = [way[0][0].point, *(end.point for _, end in way)]
        for (start, end), line in zip(way, _lines(roads, points), strict=True):
            found[leg_key(start.place_id, end.place_id)] = line
    return found


def _lines(roads: Ways, points: Sequence[Point]) -> list[Line]:
    try:
        return [packed(leg) for leg in roads.route(points).legs]
    except SourceDown:
        raise
    except RoadsFailed:
        if len(points) == 2:
            return [[]]
        middle = len(points) // 2
        return _lines(roads, points[: middle + 1]) + _lines(roads, points[middle:])
