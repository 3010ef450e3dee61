"""The streets: grid districts hung between the spokes and rings of the layout."""

import itertools
import math
import random
from dataclasses import dataclass, field

from apps.training.town import plane, words
from apps.training.town.chance import stream
from apps.training.town.layout import SPOKES, Cell, Layout
from apps.training.town.model import Edge, Node, RoadClass
from apps.training.town.plane import Point

BRIDGES = 3

SPEED_KMH = {
    RoadClass.ARTERIAL: 52,
    RoadClass.COLLECTOR: 40,
    RoadClass.LOCAL: 27,
}

_SPACING_M = (130, 215, 330)
_JITTER = (0.11, 0.07, 0.13)
_MISSING = (0.06, 0.07, 0.16)
_RIVERSIDE_M = 75

Segment = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class Streets:
    """The finished network: one connected piece."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(slots=True)
class _Draft:
    """Segments gathered so far, before they are joined into a network."""

    layout: Layout
    names: list[str]
    arterials: dict[Segment, str] = field(default_factory=dict)
    splits: dict[Segment, list[Point]] = field(default_factory=dict)
    pieces: list[tuple[Point, Point, str, RoadClass, bool]] = field(
        default_factory=list
    )

    def is_dry(self, a: Point, b: Point) -> bool:
        """Say whether a street from a to b stays on one bank."""
        return not plane.crosses_line(a, b, self.layout.river.line)


def build_streets(seed: int, layout: Layout) -> Streets:
    """Make the street network of a layout."""
    draft = _Draft(layout, _street_names(seed))
    _lay_arterials(draft)
    for cell in layout.cells:
        _fill_cell(draft, cell, stream(seed, f"cell {cell.code}"))
    _cut_arterials(draft)
    return _join(draft)


def _street_names(seed: int) -> list[str]:
    names = [
        f"{stem} {kind}" for stem in words.STREET_STEMS for kind in words.STREET_TYPES
    ]
    stream(seed, "street names").shuffle(names)
    return names


def _lay_arterials(draft: _Draft) -> None:
    layout = draft.layout
    for k in range(SPOKES):
        parts = layout.spokes[k] if k % 2 == 0 else layout.spokes[k][1:]
        for line in parts:
            for a, b in itertools.pairwise(line):
                draft.arterials[a, b] = words.RADIALS[k]
    for arcs, name in (
        (layout.arcs[0], words.INNER_RING),
        (layout.arcs[1], words.OUTER_RING),
    ):
        for line in arcs:
            for a, b in itertools.pairwise(line):
                draft.arterials[a, b] = name


def _fill_cell(draft: _Draft, cell: Cell, rng: random.Random) -> None:
    """Lay a turned grid into a cell and tie its loose ends to the roads around."""
    spacing_m = _SPACING_M[cell.band] * rng.uniform(0.92, 1.08)
    angle = rng.uniform(0, math.pi / 2)
    east = plane.polar(1_000, angle)
    axes = (east, (-east[1], east[0]))
    points = _grid_points(draft, cell, spacing_m, axes, rng)
    streets: dict[tuple[int, int], str] = {}

    def street(axis: int, line: int) -> tuple[str, RoadClass]:
        if (axis, line) not in streets:
            streets[axis, line] = draft.names.pop()
        big = line % 4 == 0
        return streets[axis, line], RoadClass.COLLECTOR if big else RoadClass.LOCAL

    for (i, j), here in points.items():
        for axis, (di, dj) in enumerate(((1, 0), (0, 1))):
            there = points.get((i + di, j + dj))
            built = there is not None and rng.random() >= _MISSING[cell.band]
            if built and there is not None and draft.is_dry(here, there):
                name, size = street(axis, (j, i)[axis])
                draft.pieces.append((here, there, name, size, False))
            for sign in (1, -1):
                loose = (i + sign * di, j + sign * dj) not in points
                if loose and rng.random() < 0.72:
                    way = (sign * axes[axis][0], sign * axes[axis][1])
                    hit = _tie(draft, cell, here, way, spacing_m)
                    if hit is not None:
                        name, size = street(axis, (j, i)[axis])
                        draft.pieces.append((here, hit, name, size, False))


def _grid_points(
    draft: _Draft,
    cell: Cell,
    spacing_m: float,
    axes: tuple[Point, Point],
    rng: random.Random,
) -> dict[tuple[int, int], Point]:
    xs, ys = [p[0] for p in cell.ring], [p[1] for p in cell.ring]
    middle = (min(xs) + max(xs)) // 2, (min(ys) + max(ys)) // 2
    half = math.ceil(
        plane.distance_m((min(xs), min(ys)), (max(xs), max(ys))) / spacing_m
    )
    border = [*cell.roads, (*cell.ring, cell.ring[0])]
    jitter_m = _JITTER[cell.band] * spacing_m
    points: dict[tuple[int, int], Point] = {}
    for i in range(-half, half + 1):
        for j in range(-half, half + 1):
            dx, dy = rng.uniform(-jitter_m, jitter_m), rng.uniform(-jitter_m, jitter_m)
            u, v = i * spacing_m / 1_000, j * spacing_m / 1_000
            point = (
                round(middle[0] + u * axes[0][0] + v * axes[1][0] + dx),
                round(middle[1] + u * axes[0][1] + v * axes[1][1] + dy),
            )
            if not plane.inside(point, cell.ring):
                continue
            if min(plane.to_line_m(point, line) for line in border) < 0.34 * spacing_m:
                continue
            if plane.to_line_m(point, draft.layout.river.line) < _RIVERSIDE_M:
                continue
            if any(plane.inside(point, park.ring) for park in draft.layout.parks):
                continue
            points[i, j] = point
    return points


def _tie(
    draft: _Draft, cell: Cell, here: Point, way: Point, spacing_m: float
) -> Point | None:
    """Return where a street going this way meets a road of the border, if near."""
    reach = 1.35 * spacing_m / 1_000
    end = round(here[0] + reach * way[0]), round(here[1] + reach * way[1])
    nearest: tuple[float, Segment, Point] | None = None
    for line in cell.roads:
        for a, b in itertools.pairwise(line):
            if not plane.crosses(here, end, a, b):
                continue
            hit = plane.meeting(here, end, a, b)
            away_m = plane.distance_m(here, hit)
            if nearest is None or away_m < nearest[0]:
                nearest = away_m, (a, b), hit
    if nearest is None or not draft.is_dry(here, nearest[2]):
        return None
    _, segment, hit = nearest
    for known in (*segment, *draft.splits.get(segment, [])):
        if plane.distance_m(known, hit) < 25:
            return known
    draft.splits.setdefault(segment, []).append(hit)
    return hit


def _cut_arterials(draft: _Draft) -> None:
    """Turn the arterials into pieces; of those over water keep the bridges only."""
    bridges = _choose_bridges(draft)
    for (a, b), name in draft.arterials.items():
        splits = sorted(
            draft.splits.get((a, b), []),
            key=lambda point, a=a: (plane.distance_m(a, point), point),  # type: ignore[misc]
        )
        chain = [a, *splits, b]
        for here, there in itertools.pairwise(chain):
            wet = not draft.is_dry(here, there)
            if not wet or (a, b) in bridges:
                draft.pieces.append((here, there, name, RoadClass.ARTERIAL, wet))


def _choose_bridges(draft: _Draft) -> set[Segment]:
    """Keep the crossing nearest the market and the outermost on either side."""
    wet = [segment for segment in draft.arterials if not draft.is_dry(*segment)]
    oldest = min(wet, key=lambda s: (plane.distance_m(s[0], (0, 0)), s))
    ring = [s for s in wet if draft.arterials[s] == words.OUTER_RING] or wet
    return {oldest, min(ring), max(ring)}


def _join(draft: _Draft) -> Streets:
    """Number the largest connected piece."""
    beside: dict[Point, list[Point]] = {}
    for a, b, *_ in draft.pieces:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    left = dict.fromkeys(beside)
    largest: dict[Point, None] = {}
    while left:
        seen = {next(iter(left)): None}
        todo = list(seen)
        while todo:
            for point in beside[todo.pop()]:
                if point not in seen:
                    seen[point] = None
                    todo.append(point)
        for point in seen:
            del left[point]
        largest = max(largest, seen, key=len)
    number = {point: index for index, point in enumerate(sorted(largest))}
    nodes = tuple(
        Node(index, point, *plane.to_lat_lon(point)) for point, index in number.items()
    )
    return Streets(nodes, _edges(draft, number))


def _edges(draft: _Draft, number: dict[Point, int]) -> tuple[Edge, ...]:
    edges: list[Edge] = []
    known: set[tuple[int, int]] = set()
    for a, b, name, size, wet in draft.pieces:
        if a not in number or a == b:
            continue
        start, end = sorted((number[a], number[b]))
        if (start, end) in known:
            continue
        known.add((start, end))
        length_m = max(1, round(plane.distance_m(a, b)))
        speed_kmh = 30 if wet else SPEED_KMH[size]
        edges.append(Edge(len(edges), start, end, name, size, length_m, speed_kmh, wet))
    return tuple(edges)
