"""Maps of routes, drawn by ourselves: without tiles, in units of the picture. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.units import Point
from apps.routes.places import Circle, Place

WIDTH = 1000
MARGIN = 36
LEAST_HEIGHT, MOST_HEIGHT = 420, 720
SCALES_M = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
METRES_A_DEGREE = 111_195
SEEN_PX = 1.2
"""Two points of a line that are closer are one to the eye."""
MANY_STOPS = 600
"""From here on a map has dots in a few strokes: a thing each would be slow to show."""


@dataclass(frozen=True, slots=True)
class MapStop:
    """One stop of a route, or an order that is left out."""

    point: Point
    title: str
    number: int
    is_done: bool = False
    is_bad: bool = False


Dot = tuple[float, float, bool]
"""A stop without words: latitude, longitude, and whether it is done."""


@dataclass(frozen=True, slots=True)
class MapRoute:
    """One route to be drawn, from its depot and back.

    `legs` are its ways along the roads: one to each stop and one home, or none at all;
    an empty one is drawn straight. Where stops are very many, `dots` are all of them,
    and `stops` those alone that say something.
    """

    name: str
    colour: str
    dash: str
    url: str
    stops: tuple[MapStop, ...]
    legs: tuple[tuple[Point, ...], ...] = ()
    dots: tuple[Dot, ...] = ()


@dataclass(frozen=True, slots=True)
class MapShape:
    """The place of a condition of the road; `is_sure` once somebody confirmed it."""

    place: Place
    kind: str
    title: str
    is_sure: bool = True
    url: str = ""


@dataclass(frozen=True, slots=True)
class MapVehicle:
    """Where a vehicle was last; `is_stale` when that is long ago."""

    point: Point
    title: str
    name: str
    colour: str
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class DrawnVehicle:
    """A vehicle in the picture's units."""

    x: float
    y: float
    title: str
    name: str
    colour: str
    is_stale: bool


@dataclass(frozen=True, slots=True)
class DrawnShape:
    """A place in the picture's units: a circle, or corners as SVG's polygon takes them."""

    kind: str
    title: str
    is_sure: bool
    url: str
    x: float
    y: float
    radius: float = 0.0
    points: str = ""


@dataclass(frozen=True, slots=True)
class DrawnStop:
    """A stop in the picture's units."""

    x: float
    y: float
    title: str
    number: int
    is_done: bool
    is_bad: bool


@dataclass(frozen=True, slots=True)
class DrawnRoute:
    """A route in the picture's units; `points` as SVG's polyline takes them."""

    name: str
    colour: str
    dash: str
    url: str
    points: str
    stops: tuple[DrawnStop, ...]
    done_dots: str = ""
    dots_ahead: str = ""


@dataclass(frozen=True, slots=True)
class MapPicture:
    """A map of routes: depot, lines, stops, what is left out, and a scale."""

    width: int
    height: int
    depot: tuple[float, float]
    routes: tuple[DrawnRoute, ...]
    left_out: tuple[DrawnStop, ...]
    scale_text: str
    scale_px: float
    shapes: tuple[DrawnShape, ...] = ()
    west: float = 0.0
    north: float = 0.0
    left_px: float = 0.0
    top_px: float = 0.0
    px_a_lon: float = 0.0
    px_a_lat: float = 0.0
    lines_text: str = ""
    ground: tuple[DrawnShape, ...] = ()
    vehicles: tuple[DrawnVehicle, ...] = ()
    is_dense: bool = False


class _Frame:
    """Places on the Earth to places in the picture: north is up, scales are equal."""

    def __init__(self, points: Sequence[Point], width: int) -> None:
        self.south = min(point.lat for point in points)
        self.north = max(point.lat for point in points)
        self.west = min(point.lon for point in points)
        self.east = max(point.lon for point in points)
        middle = math.radians((self.south + self.north) / 2)
        self.metres_a_lon = METRES_A_DEGREE * math.cos(middle)
        wide_m = max((self.east - self.west) * self.metres_a_lon, 200)
        high_m = max((self.north - self.south) * METRES_A_DEGREE, 200)
        inner = width - 2 * MARGIN
        most = MOST_HEIGHT - 2 * MARGIN
        self.px_a_metre = min(inner / wide_m, most / high_m)
        least = LEAST_HEIGHT * width // WIDTH
        self.height = max(least, round(high_m * self.px_a_metre) + 2 * MARGIN)
        self.left = (width - wide_m * self.px_a_metre) / 2
        self.top = (self.height - high_m * self.px_a_metre) / 2

    def place(self, point: Point) -> tuple[float, float]:
        x_m = (point.lon - self.west) * self.metres_a_lon
        y_m = (self.north - point.lat) * METRES_A_DEGREE
        return (
            round(self.left + x_m * self.px_a_metre, 1),
            round(self.top + y_m * self.px_a_metre, 1),
        )


def map_picture(
    depot: Point,
    routes: Sequence[MapRoute],
    left_out: Sequence[MapStop] = (),
    shapes: Sequence[MapShape] = (),
    *,
    width: int = WIDTH,
    holds_shapes: bool = False,
    lines_text: str = "",
    ground: Sequence[MapShape] = (),
    vehicles: Sequence[MapVehicle] = (),
) -> MapPicture:
    """Draw routes about their depot, and the road's conditions beneath them.

    With `holds_shapes` the frame is wide enough for every shape; otherwise a shape is
    cut off where the picture of the routes ends. `lines_text` says what lines follow;
    `ground` lies under everything.
    """
    stops = [stop for route in routes for stop in route.stops] + list(left_out)
    dots = [Point(lat, lon) for route in routes for lat, lon in _ends_of(route.dots)]
    corners = [c for shape in shapes for c in _box(shape.place)] if holds_shapes else []
    along = [point for route in routes for leg in route.legs for point in leg]
    frame = _Frame(
        [depot, *(stop.point for stop in stops), *dots, *along, *corners], width
    )
    home = frame.place(depot)
    scale_m = next(
        (m for m in reversed(SCALES_M) if m * frame.px_a_metre <= width / 4),
        SCALES_M[0],
    )
    return MapPicture(
        width=width,
        height=frame.height,
        depot=home,
        routes=tuple(
            (_dotted_route if route.dots else _drawn_route)(route, home, frame)
            for route in routes
        ),
        left_out=tuple(_drawn_stop(stop, frame) for stop in left_out),
        scale_text=f"{scale_m // 1000} km" if scale_m >= 1000 else f"{scale_m} m",
        scale_px=round(scale_m * frame.px_a_metre, 1),
        shapes=tuple(_drawn_shape(shape, frame) for shape in shapes),
        west=frame.west,
        north=frame.north,
        left_px=round(frame.left, 3),
        top_px=round(frame.top, 3),
        px_a_lon=frame.metres_a_lon * frame.px_a_metre,
        px_a_lat=METRES_A_DEGREE * frame.px_a_metre,
        lines_text=lines_text,
        ground=tuple(_drawn_shape(shape, frame) for shape in ground),
        vehicles=tuple(
            DrawnVehicle(*frame.place(v.point), v.title, v.name, v.colour, v.is_stale)
            for v in vehicles
        ),
        is_dense=bool(dots),
    )


def _box(place: Place) -> list[Point]:
    """Return corners between which a place lies."""
    if not isinstance(place, Circle):
        return list(place.corners)
    centre = place.centre
    high = place.radius_m / METRES_A_DEGREE
    wide = high / max(0.01, math.cos(math.radians(centre.lat)))
    return [
        Point(centre.lat - high, centre.lon - wide),
        Point(centre.lat + high, centre.lon + wide),
    ]


def _drawn_shape(shape: MapShape, frame: _Frame) -> DrawnShape:
    x, y = frame.place(shape.place.middle)
    radius, points = 0.0, ""
    if isinstance(shape.place, Circle):
        radius = max(6.0, round(shape.place.radius_m * frame.px_a_metre, 1))
    else:
        corners = (frame.place(corner) for corner in shape.place.corners)
        points = " ".join(f"{cx},{cy}" for cx, cy in corners)
    return DrawnShape(
        shape.kind, shape.title, shape.is_sure, shape.url, x, y, radius, points
    )


def _drawn_route(
    route: MapRoute, home: tuple[float, float], frame: _Frame
) -> DrawnRoute:
    stops = tuple(_drawn_stop(stop, frame) for stop in route.stops)
    ends = [*((stop.x, stop.y) for stop in stops), home] if stops else []
    legs = route.legs or ((),) * len(ends)
    way = [home] if stops else []
    for end, leg in zip(ends, legs, strict=True):
        way += _thinned([frame.place(point) for point in leg])
        way.append(end)
    return DrawnRoute(
        name=route.name,
        colour=route.colour,
        dash=route.dash,
        url=route.url,
        points=" ".join(f"{x},{y}" for x, y in way),
        stops=stops,
    )


def _ends_of(dots: Sequence[Dot]) -> list[tuple[float, float]]:
    """Return two opposite corners between which dots lie."""
    if not dots:
        return []
    lats, lons = [dot[0] for dot in dots], [dot[1] for dot in dots]
    return [(min(lats), min(lons)), (max(lats), max(lons))]


def _dotted_route(
    route: MapRoute, home: tuple[float, float], frame: _Frame
) -> DrawnRoute:
    """Draw straight, and a route's stops as dots of two strokes, in whole units."""
    px_a_lon = frame.metres_a_lon * frame.px_a_metre
    px_a_lat = METRES_A_DEGREE * frame.px_a_metre
    left, top = frame.left - frame.west * px_a_lon, frame.top + frame.north * px_a_lat
    left, top = left + 0.5, top + 0.5  # so that what is cut off is rounded
    places = [
        (f"{int(left + lon * px_a_lon)} {int(top - lat * px_a_lat)}", is_done)
        for lat, lon, is_done in route.dots
    ]
    start = f"{home[0]:.0f} {home[1]:.0f}"
    return DrawnRoute(
        name=route.name,
        colour=route.colour,
        dash=route.dash,
        url=route.url,
        points=" ".join([start, *(at for at, _ in places), start]),
        stops=tuple(_drawn_stop(stop, frame) for stop in route.stops),
        done_dots="".join(f"M{at}h0" for at, is_done in places if is_done),
        dots_ahead="".join(f"M{at}h0" for at, is_done in places if not is_done),
    )


def _thinned(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Leave out what lies closer to the point before it than the eye can tell."""
    kept: list[tuple[float, float]] = []
    for x, y in line:
        if not kept or math.hypot(x - kept[-1][0], y - kept[-1][1]) >= SEEN_PX:
            kept.append((x, y))
    return kept


def _drawn_stop(stop: MapStop, frame: _Frame) -> DrawnStop:
    x, y = frame.place(stop.point)
    return DrawnStop(x, y, stop.title, stop.number, stop.is_done, stop.is_bad)
