"""A small town as OpenStreetMap has it: streets in a grid, one way alone, one apart.

Five streets each way, `STEP_M` between two crossings. The southernmost leads east only.
Far in the east lies a street that nothing joins to the others.
"""

import math
from pathlib import Path

from apps.core.units import EARTH_RADIUS_M, Point

SIDE = 5
STEP_M = 200
SOUTH, WEST = 50.0, 8.0
APART_ID = 900

_DEGREE_M = math.radians(1) * EARTH_RADIUS_M


def crossing(east: int, north: int) -> Point:
    """Return where the crossing of two streets is."""
    lat = SOUTH + north * STEP_M / _DEGREE_M
    lon = WEST + east * STEP_M / (_DEGREE_M * math.cos(math.radians(SOUTH)))
    return Point(lat=round(lat, 6), lon=round(lon, 6))


def node_id(east: int, north: int) -> int:
    """Return the id of a crossing's node."""
    return 1 + north * SIDE + east


APART = (crossing(14, 2), crossing(14, 3))
"""The ends of the street that nothing joins."""


def write_map(path: Path) -> Path:
    """Write the town as an extract."""
    nodes = [
        _node(node_id(east, north), crossing(east, north))
        for north in range(SIDE)
        for east in range(SIDE)
    ]
    nodes += [_node(APART_ID + n, point) for n, point in enumerate(APART)]
    ways = [
        _way(1000 + north, [node_id(east, north) for east in range(SIDE)], north == 0)
        for north in range(SIDE)
    ]
    ways += [
        _way(2000 + east, [node_id(east, north) for north in range(SIDE)])
        for east in range(SIDE)
    ]
    ways.append(_way(3000, [APART_ID, APART_ID + 1]))
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">\n'
        + "\n".join([*nodes, *ways])
        + "\n</osm>\n"
    )
    return path


def _node(number: int, point: Point) -> str:
    return f'<node id="{number}" version="1" lat="{point.lat}" lon="{point.lon}"/>'


def _way(number: int, nodes: list[int], is_one_way: bool = False) -> str:
    refs = "".join(f'<nd ref="{node}"/>' for node in nodes)
    tags = f'<tag k="highway" v="residential"/><tag k="name" v="Street {number}"/>'
    if is_one_way:
        tags += '<tag k="oneway" v="yes"/>'
    return f'<way id="{number}" version="1">{refs}{tags}</way>'
