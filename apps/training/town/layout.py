"""The town's bones: spokes, rings, the cells between them, zones, river, parks."""

import math
import random
from dataclasses import dataclass

from apps.training.town import plane, words
from apps.training.town.chance import stream
from apps.training.town.model import Park, River, Zone
from apps.training.town.plane import Point

SPOKES = 8
INNER_M, OUTER_M, RIM_M = 1_050, 3_050, 5_300
"""Mean radius of the inner ring, the outer ring and the town's edge."""

Line = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A district between two spokes and two rings, to be filled with streets.

    `band` is 0 in the middle, 1 between the rings, 2 outside; `roads` are the
    pieces of its border that are streets.
    """

    code: str
    band: int
    ring: Line
    roads: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The bones, all in whole metres; the same points are used in every shape."""

    spokes: tuple[tuple[Line, Line, Line], ...]
    """Each spoke in three parts: market to inner ring, to outer ring, to the rim."""
    arcs: tuple[tuple[Line, ...], ...]
    """Arc k of a ring runs from spoke k to spoke k + 1: inner, outer, rim."""
    cells: tuple[Cell, ...]
    zones: tuple[Zone, ...]
    river: River
    parks: tuple[Park, ...]


def lay_out(seed: int) -> Layout:
    """Make the bones of the town that belongs to a seed."""
    rng = stream(seed, "layout")
    turn = rng.uniform(-0.2, 0.2)
    angles = [
        turn + k * math.tau / SPOKES + rng.uniform(-0.13, 0.13) for k in range(SPOKES)
    ]
    wobble = _Wobble(rng)
    spokes = tuple(_spoke(angle, wobble) for angle in angles)
    arcs = tuple(
        tuple(_arc(band, k, angles, spokes, wobble) for k in range(SPOKES))
        for band in range(3)
    )
    river = _river(rng)
    return Layout(
        spokes=spokes,
        arcs=arcs,
        cells=_cells(spokes, arcs),
        zones=_zones(spokes, arcs),
        river=river,
        parks=_parks(rng, river),
    )


class _Wobble:
    """The rings' departure from a circle, smooth and closed."""

    def __init__(self, rng: random.Random) -> None:
        self._phases = [rng.uniform(0, math.tau) for _ in range(3)]

    def radius_m(self, mean_m: float, angle: float) -> float:
        two, three, five = self._phases
        return mean_m * (
            1
            + 0.07 * math.sin(2 * angle + two)
            + 0.04 * math.sin(3 * angle + three)
            + 0.015 * math.sin(5 * angle + five)
        )


def _spoke(angle: float, wobble: _Wobble) -> tuple[Line, Line, Line]:
    inner, outer, rim = (
        wobble.radius_m(mean_m, angle) for mean_m in (INNER_M, OUTER_M, RIM_M)
    )
    parts = ((0.0, inner, 3), (inner, outer, 6), (outer, rim, 6))
    lines: list[Line] = []
    for start, end, pieces in parts:
        radii = [start + (end - start) * step / pieces for step in range(pieces + 1)]
        lines.append(
            tuple(
                plane.polar(r, angle + 0.07 * math.sin(r / 700) * (r / RIM_M))
                for r in radii
            )
        )
    first, second, third = lines
    return first, (first[-1], *second[1:]), (second[-1], *third[1:])


def _arc(
    band: int,
    k: int,
    angles: list[float],
    spokes: tuple[tuple[Line, Line, Line], ...],
    wobble: _Wobble,
) -> Line:
    start, end = spokes[k][band][-1], spokes[(k + 1) % SPOKES][band][-1]
    low = math.atan2(start[1], start[0])
    high = math.atan2(end[1], end[0])
    if high <= low:
        high += math.tau
    mean_m = (INNER_M, OUTER_M, RIM_M)[band]
    pieces = (4, 8, 10)[band]
    between = [low + (high - low) * step / pieces for step in range(1, pieces)]
    points = [plane.polar(wobble.radius_m(mean_m, a), a) for a in between]
    return (start, *points, end)


def _loop(*lines: Line) -> Line:
    """Join lines that follow one another into one closed ring."""
    return tuple(point for line in lines for point in line[:-1])


def _cells(
    spokes: tuple[tuple[Line, Line, Line], ...], arcs: tuple[tuple[Line, ...], ...]
) -> tuple[Cell, ...]:
    cells = [
        Cell(
            "C",
            0,
            _loop(*arcs[0]),
            (*arcs[0], *(spokes[k][0] for k in range(0, SPOKES, 2))),
        )
    ]
    for band in (1, 2):
        for k in range(SPOKES):
            here, there = spokes[k][band], spokes[(k + 1) % SPOKES][band]
            below, above = arcs[band - 1][k], arcs[band][k]
            ring = _loop(here, above, there[::-1], below[::-1])
            roads = (here, there, below) if band == 2 else (here, there, below, above)
            cells.append(Cell(f"{band}{k}", band, ring, roads))
    return tuple(cells)


def _zones(
    spokes: tuple[tuple[Line, Line, Line], ...], arcs: tuple[tuple[Line, ...], ...]
) -> tuple[Zone, ...]:
    """Cover the town: the old town, four districts inside the outer ring, four out."""
    zones = [Zone("C", words.ZONE_NAMES["C"], _loop(*arcs[0]))]
    for band, letter, first in ((1, "I", 0), (2, "O", 1)):
        for number in range(4):
            k = (first + 2 * number) % SPOKES
            middle, last = (k + 1) % SPOKES, (k + 2) % SPOKES
            code = f"{letter}{number + 1}"
            ring = _loop(
                spokes[k][band],
                arcs[band][k],
                arcs[band][middle],
                spokes[last][band][::-1],
                arcs[band - 1][middle][::-1],
                arcs[band - 1][k][::-1],
            )
            zones.append(Zone(code, words.ZONE_NAMES[code], ring))
    return tuple(zones)


def _river(rng: random.Random) -> River:
    """Let a river wind from west to east, south of the old town."""
    tilt, phase = rng.uniform(-0.09, 0.09), rng.uniform(0, math.tau)
    points: list[Point] = []
    for x in range(-9_100, 9_101, 140):
        bend = 260 * math.sin(x / 1_150 + phase) + 90 * math.sin(x / 430 + 2 * phase)
        points.append((x, round(-1_750 + tilt * x + bend)))
    name = rng.choice(words.RIVERS)
    return River(f"{name} River", tuple(points), 70)


def _parks(rng: random.Random, river: River) -> tuple[Park, ...]:
    parks: list[Park] = []
    names = ["Founders' Park", "Lime Common", "Mill Green", "Beacon Woods"]
    radii = (1_750, 2_300, 2_150, 4_200)
    first = rng.uniform(0, math.tau)
    for number, (name, away_m) in enumerate(zip(names, radii, strict=True)):
        middle = plane.polar(away_m, first + number * math.tau / len(names))
        if plane.to_line_m(middle, river.line) < 500:
            middle = (middle[0], middle[1] + 1_000)
        size_m = 230 if number < 3 else 480
        parks.append(Park(f"P{number + 1}", name, blob(rng, middle, size_m)))
    return tuple(parks)


def blob(rng: random.Random, middle: Point, size_m: float) -> Line:
    """Return a round, uneven ring of 24 points about a middle."""
    two, three = rng.uniform(0, math.tau), rng.uniform(0, math.tau)
    ring: list[Point] = []
    for step in range(24):
        angle = step * math.tau / 24
        uneven = (
            1 + 0.15 * math.sin(2 * angle + two) + 0.1 * math.sin(3 * angle + three)
        )
        x, y = plane.polar(size_m * uneven, angle)
        ring.append((middle[0] + x, middle[1] + y))
    return tuple(ring)
