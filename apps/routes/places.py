"""Places on a plane: how much of a way lies inside one, and how far it is. Pure.

Each place is small (a town at the most), so degrees become metres on a plane about the
place's middle: within 0.1 % of the great circle over 50 km.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.core.units import EARTH_RADIUS_M, Point

METRES_A_DEGREE = math.radians(1) * EARTH_RADIUS_M
CHUNK = 20_000
"""Ways that are cut at a ring in one go: their arrays stay in the processor's cache."""

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Circle:
    """All within a radius of a point."""

    centre: Point
    radius_m: int

    @property
    def middle(self) -> Point:
        """Where its plane touches the Earth."""
        return self.centre


@dataclass(frozen=True, slots=True)
class Area:
    """All within a ring of corners, of which the last is not the first again."""

    corners: tuple[Point, ...]

    @property
    def middle(self) -> Point:
        """Where its plane touches the Earth."""
        count = len(self.corners)
        return Point(
            sum(corner.lat for corner in self.corners) / count,
            sum(corner.lon for corner in self.corners) / count,
        )


Place = Circle | Area


@dataclass(frozen=True, slots=True, eq=False)
class _Flat:
    """Places in metres east and north of a middle."""

    x: Floats
    y: Floats

    def at(self, index: Indices) -> "_Flat":
        return _Flat(self.x[index], self.y[index])


def _flat(points: Sequence[Point], middle: Point) -> _Flat:
    lat = np.array([point.lat for point in points], dtype=np.float64)
    lon = np.array([point.lon for point in points], dtype=np.float64)
    across = METRES_A_DEGREE * math.cos(math.radians(middle.lat))
    return _Flat((lon - middle.lon) * across, (lat - middle.lat) * METRES_A_DEGREE)


def shares_of_legs(
    place: Place, starts: Sequence[Point], ends: Sequence[Point]
) -> Floats:
    """Return how much of each straight way from start to end lies inside, from 0 to 1."""
    middle = place.middle
    return _shares(place, _flat(starts, middle), _flat(ends, middle))


def shares_of_ways(
    place: Place,
    starts: Sequence[Point],
    ends: Sequence[Point],
    lines: Sequence[Sequence[Point]],
) -> Floats:
    """Return how much of each way lies inside, from 0 to 1: along its line if it has one.

    A line is the way as it is drawn along the roads, of two points at least; a shorter
    one stands for none, and the way is taken as straight.
    """
    shares = shares_of_legs(place, starts, ends)
    for number, line in enumerate(lines):
        if len(line) > 1:
            flat = _flat(line, place.middle)
            first, last = _Flat(flat.x[:-1], flat.y[:-1]), _Flat(flat.x[1:], flat.y[1:])
            lengths_m = np.hypot(last.x - first.x, last.y - first.y)
            inside_m = float((_shares(place, first, last) * lengths_m).sum())
            shares[number] = inside_m / max(1e-9, float(lengths_m.sum()))
    return shares


def shares_between(
    place: Place, points: Sequence[Point]
) -> tuple[Indices, Indices, Floats]:
    """Return (rows, columns, shares) of the ways that may pass through the place.

    Ways that lie wholly on one side of the place, or miss the circle about it, are never
    cut. A way is the same back: each pair of points comes once.
    """
    flat = _flat(points, place.middle)
    code = _sides(place, flat)
    groups = [(int(each), np.flatnonzero(code == each)) for each in np.unique(code)]
    reach_m = _reach_m(place)
    rows, columns = [], []
    for k, (a, starts) in enumerate(groups):
        for b, ends in groups[k:]:
            if a & b:
                continue
            hit_starts, hit_ends = _hits(flat.at(starts), flat.at(ends), reach_m)
            # Inside and inside: both directions are in the block, one of them counts.
            once = starts[hit_starts] < ends[hit_ends] if a == b else slice(None)
            rows.append(starts[hit_starts][once])
            columns.append(ends[hit_ends][once])
    row, column = _joined(rows), _joined(columns)
    return row, column, _shares(place, flat.at(row), flat.at(column))


def _joined(parts: list[Indices]) -> Indices:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.intp)


def _reach_m(place: Place) -> float:
    """Return the radius of the circle about the middle that holds the whole place."""
    if isinstance(place, Circle):
        return float(place.radius_m)
    ring = _flat(place.corners, place.middle)
    return float(np.hypot(ring.x, ring.y).max())


def _hits(start: _Flat, end: _Flat, reach_m: float) -> tuple[Indices, Indices]:
    """Return which ways' lines pass within reach of the middle, as indices of a block."""
    square = start.x[:, None] - end.x[None, :]
    square *= square
    rise = start.y[:, None] - end.y[None, :]
    rise *= rise
    square += rise
    square *= reach_m**2
    cross = start.x[:, None] * end.y[None, :]
    cross -= start.y[:, None] * end.x[None, :]
    cross *= cross
    rows, columns = np.nonzero(cross <= square)
    return rows, columns


def distances_m(place: Place, points: Sequence[Point]) -> Floats:
    """Return how far each point is from the place's border; 0 inside."""
    flat = _flat(points, place.middle)
    if isinstance(place, Circle):
        beyond: Floats = np.maximum(0.0, np.hypot(flat.x, flat.y) - place.radius_m)
        return beyond
    ring = _flat(place.corners, place.middle)
    away = np.full(len(points), np.inf)
    for k in range(len(place.corners)):
        away = np.minimum(away, _to_edge(flat, ring, k))
    return np.where(_inside(ring, flat), 0.0, away)


def _to_edge(points: _Flat, ring: _Flat, k: int) -> Floats:
    """Return the distances of points to the edge that ends at corner `k`."""
    ax, ay = ring.x[k - 1], ring.y[k - 1]
    dx, dy = ring.x[k] - ax, ring.y[k] - ay
    along = (points.x - ax) * dx + (points.y - ay) * dy
    t = np.clip(along / max(dx * dx + dy * dy, 1e-9), 0, 1)
    distances: Floats = np.hypot(points.x - ax - t * dx, points.y - ay - t * dy)
    return distances


def _sides(place: Place, flat: _Flat) -> NDArray[np.int_]:
    """Return on which sides of the place's bounding box each point lies, as bits."""
    if isinstance(place, Circle):
        west = south = -float(place.radius_m)
        east = north = float(place.radius_m)
    else:
        ring = _flat(place.corners, place.middle)
        west, east = float(ring.x.min()), float(ring.x.max())
        south, north = float(ring.y.min()), float(ring.y.max())
    beside = (flat.x < west) * 1 + (flat.x > east) * 2
    above = (flat.y < south) * 4 + (flat.y > north) * 8
    sides: NDArray[np.int_] = beside + above
    return sides


def _shares(place: Place, start: _Flat, end: _Flat) -> Floats:
    if isinstance(place, Circle):
        return _in_circle(float(place.radius_m), start, end)
    ring = _flat(place.corners, place.middle)
    parts = [
        _in_ring(
            ring,
            _Flat(start.x[low : low + CHUNK], start.y[low : low + CHUNK]),
            _Flat(end.x[low : low + CHUNK], end.y[low : low + CHUNK]),
        )
        for low in range(0, len(start.x), CHUNK)
    ]
    joined: Floats = np.concatenate(parts) if parts else np.zeros(0)
    return joined


def _in_circle(radius_m: float, start: _Flat, end: _Flat) -> Floats:
    """Solve |start + t (end - start)| = radius for t; the share lies between the roots."""
    dx, dy = end.x - start.x, end.y - start.y
    square = np.maximum(dx * dx + dy * dy, 1e-9)
    towards = start.x * dx + start.y * dy
    outside = start.x**2 + start.y**2 - radius_m**2
    under_root = np.maximum(towards * towards - square * outside, 0)
    root = np.sqrt(under_root)
    first = np.clip((-towards - root) / square, 0, 1)
    last = np.clip((-towards + root) / square, 0, 1)
    standing = dx * dx + dy * dy < 1e-9
    shares: Floats = np.where(standing, outside <= 0, last - first)
    return shares


def _in_ring(ring: _Flat, start: _Flat, end: _Flat) -> Floats:
    """Return the shares inside a ring that does not cross itself.

    Along a way, what lies inside is where it leaves less where it enters, and its end
    where that is inside. Which of both a cut is, the edge's direction says.
    """
    dx, dy = end.x - start.x, end.y - start.y
    turn = np.sign(_area_m2(ring))
    inside = _inside(ring, end).astype(np.float64)
    for k in range(len(ring.x)):
        ax, ay = ring.x[k - 1], ring.y[k - 1]
        ex, ey = ring.x[k] - ax, ring.y[k] - ay
        cross = dx * ey - dy * ex
        parallel = np.abs(cross) < 1e-9
        cross[parallel] = 1.0
        wx, wy = ax - start.x, ay - start.y
        t = (wx * ey - wy * ex) / cross
        u = (wx * dy - wy * dx) / cross
        is_cut = (t > 0) & (t < 1) & (u >= 0) & (u < 1) & ~parallel
        inside += np.where(is_cut, t * np.sign(cross) * turn, 0.0)
    shares: Floats = np.clip(inside, 0.0, 1.0)
    return shares


def _area_m2(ring: _Flat) -> float:
    """Return the area within a ring, positive where it turns to the left."""
    x, y = np.roll(ring.x, 1), np.roll(ring.y, 1)
    return float((x * ring.y - ring.x * y).sum()) / 2


def crosses_itself(corners: Sequence[Point]) -> bool:
    """Tell whether a ring of corners crosses itself, or has no area."""
    ring = _flat(corners, Area(tuple(corners)).middle)
    if abs(_area_m2(ring)) < 1.0:
        return True
    count = len(corners)
    for k in range(count):
        edge = ring.at(np.array([k - 1, k]))
        others = [
            each
            for each in range(count)
            if each not in {k, (k + 1) % count, (k - 1) % count}
        ]
        index = np.array(others, dtype=np.intp)
        if len(index) and _meets(edge, ring.at(index - 1), ring.at(index)).any():
            return True
    return False


def _meets(edge: _Flat, start: _Flat, end: _Flat) -> NDArray[np.bool_]:
    """Tell which of the ways from start to end cross an edge."""

    def side(px: Floats, py: Floats, qx: Floats, qy: Floats, at: _Flat) -> Floats:
        value: Floats = (qx - px) * (at.y - py) - (qy - py) * (at.x - px)
        return value

    first, last = edge.at(np.array([0])), edge.at(np.array([1]))
    a = side(first.x, first.y, last.x, last.y, start)
    b = side(first.x, first.y, last.x, last.y, end)
    c = side(start.x, start.y, end.x, end.y, first)
    d = side(start.x, start.y, end.x, end.y, last)
    meets: NDArray[np.bool_] = (a * b < 0) & (c * d < 0)
    return meets


def _inside(ring: _Flat, points: _Flat) -> NDArray[np.bool_]:
    """Tell which points the ring contains, by the even-odd rule."""
    inside = np.zeros(len(points.x), dtype=bool)
    for k in range(len(ring.x)):
        ax, ay, bx, by = ring.x[k - 1], ring.y[k - 1], ring.x[k], ring.y[k]
        if ay == by:
            continue
        between = (ay > points.y) != (by > points.y)
        inside ^= between & (points.x < (bx - ax) * (points.y - ay) / (by - ay) + ax)
    return inside
