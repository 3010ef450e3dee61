"""A picture of the town for people: one self-contained SVG, no outside resource."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from apps.training.town import plane
from apps.training.town.day import OrderDraft, TownDay
from apps.training.town.model import Edge, RoadClass, Town
from apps.training.town.plane import LatLon, Point
from apps.training.town.truth import TownTruth

WIDTH, HEIGHT = 1_400, 1_240
_MARGIN, _TITLE = 28, 92

ROUTE_COLOURS = (
    "#d1495b", "#00798c", "#8f5cc2", "#d98a00", "#2e8b57", "#1f5fbf",
    "#b5407f", "#6b7a00", "#c4572b", "#3f4a8a", "#007f5f", "#8a5a44",
)  # fmt: skip

_ZONE_TINTS = (
    "#f3dfc1", "#e3ecd2", "#dbe9ee", "#efe0ea", "#f5ecc9", "#dcebdf", "#e6e3f1",
    "#f2e2d5", "#e0eef0",
)  # fmt: skip

_ROADS = {
    RoadClass.LOCAL: (2.2, "#ffffff", 0.7),
    RoadClass.COLLECTOR: (3.4, "#ffffff", 0.9),
    RoadClass.ARTERIAL: (5.6, "#ffe6a3", 1.1),
}
_CASING = "#b9b2a3"


@dataclass(frozen=True, slots=True)
class _Frame:
    """Turns metres of the flat map into pixels."""

    west: int
    north: int
    scale: float

    def at(self, point: Point) -> tuple[float, float]:
        return (
            round(_MARGIN + (point[0] - self.west) * self.scale, 1),
            round(_TITLE + (self.north - point[1]) * self.scale, 1),
        )

    def path(self, points: Iterable[Point], *, closed: bool = False) -> str:
        steps = " ".join(f"{x:g},{y:g}" for x, y in map(self.at, points))
        return f"M{steps}{'Z' if closed else ''}"


def draw_town_svg(
    town: Town,
    day: TownDay | None = None,
    routes: Sequence[Sequence[LatLon]] | None = None,
) -> str:
    """Draw the town; `routes` are lists of places, joined along the true streets."""
    frame = _frame(town)
    parts = [
        *_ground(town, frame),
        *_streets(town, frame),
        *_dead_zones(town, frame),
        *_routes(town, frame, routes or ()),
        *_orders(frame, day.orders if day else (), routes is not None),
        *_labels(town, frame),
        *_depot(town, frame),
        *_caption(town, frame, day, routes or ()),
    ]
    return "\n".join([*_opening(town), *parts, "</svg>\n"])


def _frame(town: Town) -> _Frame:
    points = [point for zone in town.zones for point in zone.ring]
    west, east = min(p[0] for p in points) - 250, max(p[0] for p in points) + 250
    south, north = min(p[1] for p in points) - 250, max(p[1] for p in points) + 250
    scale = min(
        (WIDTH - 2 * _MARGIN) / (east - west),
        (HEIGHT - _TITLE - _MARGIN) / (north - south),
    )
    spare = (WIDTH - 2 * _MARGIN) / scale - (east - west)
    return _Frame(round(west - spare / 2), north, scale)


def _opening(town: Town) -> list[str]:
    return [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'role="img" aria-label="{escape(town.name)}" '
            'font-family="Avenir Next, Segoe UI, DejaVu Sans, sans-serif">'
        ),
        (
            "<defs>"
            '<pattern id="hatch" width="9" height="9" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)">'
            '<rect width="9" height="9" fill="#3b3b46" fill-opacity=".10"/>'
            '<line x1="0" y1="0" x2="0" y2="9" stroke="#3b3b46" stroke-width="2.4" '
            'stroke-opacity=".42"/></pattern>'
            f'<clipPath id="sheet"><rect x="{_MARGIN}" y="{_TITLE}" '
            f'width="{WIDTH - 2 * _MARGIN}" height="{HEIGHT - _TITLE - _MARGIN}" '
            'rx="10"/></clipPath></defs>'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fbf9f4"/>',
        (
            f'<rect x="{_MARGIN}" y="{_TITLE}" width="{WIDTH - 2 * _MARGIN}" '
            f'height="{HEIGHT - _TITLE - _MARGIN}" rx="10" fill="#e9eddc"/>'
        ),
    ]


def _ground(town: Town, frame: _Frame) -> list[str]:
    parts = ['<g clip-path="url(#sheet)">']
    parts += [
        f'<path d="{frame.path(zone.ring, closed=True)}" '
        f'fill="{_ZONE_TINTS[index % len(_ZONE_TINTS)]}" stroke="#a89f8c" '
        f'stroke-width="1.2" stroke-dasharray="6 4"><title>{escape(zone.name)}'
        "</title></path>"
        for index, zone in enumerate(town.zones)
    ]
    parts += [
        f'<path d="{frame.path(park.ring, closed=True)}" fill="#b9d8a4" '
        f'stroke="#93bd7b" stroke-width="1.5"/>'
        for park in town.parks
    ]
    river = frame.path(town.river.line)
    wide = town.river.width_m * frame.scale
    parts += [
        f'<path d="{river}" fill="none" stroke="{colour}" stroke-width="{width:.1f}" '
        'stroke-linejoin="round"/>'
        for colour, width in (("#7fb2d1", wide + 3), ("#a5d0e8", wide))
    ]
    return [*parts, "</g>"]


def _streets(town: Town, frame: _Frame) -> list[str]:
    def segments(edges: Iterable[Edge]) -> str:
        return " ".join(
            frame.path((town.nodes[edge.start].point, town.nodes[edge.end].point))
            for edge in edges
        )

    parts = ['<g fill="none" stroke-linecap="round">']
    by_class = {
        size: segments(e for e in town.edges if e.road_class is size) for size in _ROADS
    }
    for size, (width, _, edge) in _ROADS.items():
        parts.append(
            f'<path d="{by_class[size]}" stroke="{_CASING}" '
            f'stroke-width="{width + 2 * edge}"/>'
        )
    for size, (width, colour, _) in _ROADS.items():
        parts.append(
            f'<path d="{by_class[size]}" stroke="{colour}" stroke-width="{width}"/>'
        )
    bridges = segments(edge for edge in town.edges if edge.is_bridge)
    parts.append(f'<path d="{bridges}" stroke="#5f5547" stroke-width="9.5"/>')
    parts.append(f'<path d="{bridges}" stroke="#ffd36b" stroke-width="5.6"/>')
    return [*parts, "</g>"]


def _dead_zones(town: Town, frame: _Frame) -> list[str]:
    return [
        f'<path d="{frame.path(zone.ring, closed=True)}" fill="url(#hatch)" '
        f'stroke="#3b3b46" stroke-width="1.6" stroke-dasharray="3 3"/>'
        for zone in town.dead_zones
    ]


def _routes(town: Town, frame: _Frame, routes: Sequence[Sequence[LatLon]]) -> list[str]:
    truth = TownTruth(town)
    parts = ['<g fill="none" stroke-linejoin="round" stroke-linecap="round">']
    for index, route in enumerate(routes):
        places: list[LatLon] = []
        for here, there in itertools.pairwise(route):
            places += truth.true_path(here, there).places
        if not places:
            continue
        line = frame.path(plane.to_plane(place) for place in places)
        colour = ROUTE_COLOURS[index % len(ROUTE_COLOURS)]
        parts.append(
            f'<path d="{line}" stroke="#fff" stroke-width="5.4" stroke-opacity=".7"/>'
            f'<path d="{line}" stroke="{colour}" stroke-width="3" stroke-opacity=".9"/>'
        )
    parts.append("</g><g>")
    for index, route in enumerate(routes):
        colour = ROUTE_COLOURS[index % len(ROUTE_COLOURS)]
        for place in route:
            if place != town.depot.place:
                parts.append(_dot(frame, place, 4.2, colour))
    return [*parts, "</g>"]


def _orders(frame: _Frame, orders: Sequence[OrderDraft], routed: bool) -> list[str]:
    if routed:
        return []
    return [
        _dot(
            frame, order.address.place, 3.9, "#7a2e8e" if order.priority else "#c0392b"
        )
        for order in orders
    ]


def _dot(frame: _Frame, place: LatLon, size: float, colour: str) -> str:
    x, y = frame.at(plane.to_plane(place))
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{size:g}" fill="{colour}" stroke="#fff" '
        'stroke-width="1.2"/>'
    )


def _labels(town: Town, frame: _Frame) -> list[str]:
    parts = [
        (
            '<g text-anchor="middle" paint-order="stroke" stroke-linejoin="round" '
            'stroke="#fffdf8" stroke-opacity=".88" stroke-width="4.5">'
        )
    ]
    for zone in town.zones:
        x, y = frame.at(_middle(zone.ring))
        parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="21" font-weight="600" '
            f'letter-spacing="1.2" fill="#4d4637">{escape(zone.name)}</text>'
        )
    for area, colour in (
        *((park, "#3f7030") for park in town.parks),
        *((zone, "#2d2d38") for zone in town.dead_zones),
    ):
        x, y = _below(frame, area.ring)
        parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="12.5" font-style="italic" '
            f'fill="{colour}">{escape(area.name)}</text>'
        )
    x, y = frame.at(town.river.line[len(town.river.line) // 4])
    parts.append(
        f'<text x="{x:g}" y="{y + 5:g}" font-size="14" font-style="italic" '
        f'stroke="#cfe6f2" fill="#1f5f86">{escape(town.river.name)}</text>'
    )
    return [*parts, "</g>"]


def _below(frame: _Frame, ring: Sequence[Point]) -> tuple[float, float]:
    x, _ = frame.at(_middle(ring))
    return x, round(max(frame.at(point)[1] for point in ring) + 14, 1)


def _middle(ring: Sequence[Point]) -> Point:
    """Return the ring's centre of area."""
    area = x = y = 0
    for a, b in zip(ring, (*ring[1:], ring[0]), strict=True):
        turn = a[0] * b[1] - a[1] * b[0]
        area += turn
        x += (a[0] + b[0]) * turn
        y += (a[1] + b[1]) * turn
    return round(x / (3 * area)), round(y / (3 * area))


def _depot(town: Town, frame: _Frame) -> list[str]:
    x, y = frame.at(plane.to_plane(town.depot.place))
    return [
        (
            f'<g transform="translate({x:g} {y:g})"><path d="M-15,12V-5L0,-16L15,-5V12Z" '
            'fill="#20313b" stroke="#fff" stroke-width="2.4"/>'
            '<path d="M-8,12V0H8V12" fill="#ffd36b"/></g>'
        )
    ]


def _caption(
    town: Town,
    frame: _Frame,
    day: TownDay | None,
    routes: Sequence[Sequence[LatLon]],
) -> list[str]:
    facts = [f"{len(town.addresses):,} doors", f"{len(town.zones)} zones"]
    if day is not None:
        facts += [
            f"{len(day.orders)} orders and {len(day.drivers)} drivers on {day.date}"
        ]
    if routes:
        facts.append(f"{len(routes)} routes")
    bar_m, right = 1_000, WIDTH - _MARGIN - 18
    low, left = HEIGHT - _MARGIN - 18, right - bar_m * frame.scale
    return [
        (
            f'<text x="{_MARGIN}" y="50" font-size="36" font-weight="700" fill="#20313b">'
            f"{escape(town.name)}</text>"
        ),
        (
            f'<text x="{_MARGIN}" y="76" font-size="15.5" fill="#5b5648">'
            f"{escape(' · '.join(facts))}</text>"
        ),
        (
            f'<text x="{WIDTH - _MARGIN}" y="50" font-size="15" text-anchor="end" '
            f'fill="#8a3b2a">Composed from seed {town.seed}: an invented town</text>'
        ),
        (
            f'<text x="{WIDTH - _MARGIN}" y="76" font-size="13" text-anchor="end" '
            'fill="#5b5648">hatched: no telephone signal</text>'
        ),
        (
            f'<path d="M{left:.1f},{low - 6}V{low}H{right}V{low - 6}" fill="none" '
            'stroke="#20313b" stroke-width="2"/>'
        ),
        (
            f'<text x="{(left + right) / 2:.1f}" y="{low - 8}" font-size="13" '
            'text-anchor="middle" fill="#20313b">1 km</text>'
        ),
    ]
