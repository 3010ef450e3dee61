"""The pictures of routes: places, lines of time, and what people read."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.core.units import Point
from apps.core.wording import NOTHING, distance, duration, local_time, money
from apps.routes.palette import COLOURS, colour_of, dash_of
from apps.routes.pictures import MapRoute, MapStop, map_picture
from apps.routes.timelines import Span, TimeLine

HOME = Point(49.5, 11.28)
START = datetime(2026, 3, 17, 6, 0, tzinfo=UTC)


def route(*stops: MapStop) -> MapRoute:
    return MapRoute("Anna", "#123456", "", "/route/", stops)


def test_map_has_north_above_and_east_to_the_right() -> None:
    north = MapStop(Point(49.51, 11.28), "north", 1)
    east = MapStop(Point(49.5, 11.30), "east", 2)
    picture = map_picture(HOME, [route(north, east)])
    home_x, home_y = picture.depot
    drawn_north, drawn_east = picture.routes[0].stops
    assert (drawn_north.x, drawn_north.y < home_y) == (home_x, True)
    assert (drawn_east.x > home_x, drawn_east.y) == (True, home_y)


def test_map_keeps_distances_true_in_both_directions() -> None:
    north = MapStop(Point(49.509, 11.28), "about 1 km north", 1)
    east = MapStop(Point(49.5, 11.2939), "about 1 km east", 2)
    picture = map_picture(HOME, [route(north, east)])
    up = picture.depot[1] - picture.routes[0].stops[0].y
    right = picture.routes[0].stops[1].x - picture.depot[0]
    assert right == pytest.approx(up, rel=0.02)


def test_map_goes_from_the_depot_and_back_and_stays_inside() -> None:
    stops = [MapStop(Point(49.5 + n / 50, 11.2 + n / 30), "", n) for n in range(9)]
    picture = map_picture(HOME, [route(*stops)], [MapStop(Point(49.4, 11.1), "", 0)])
    places = [
        tuple(map(float, at.split(","))) for at in picture.routes[0].points.split()
    ]
    assert places[0] == places[-1] == picture.depot
    assert len(places) == len(stops) + 2
    for x, y in [*places, *((stop.x, stop.y) for stop in picture.left_out)]:
        assert 0 <= x <= picture.width
        assert 0 <= y <= picture.height


def test_map_of_a_route_without_stops_has_no_line() -> None:
    picture = map_picture(HOME, [route()])
    assert picture.routes[0].points == ""
    assert picture.height > 0


def test_scale_is_a_round_length() -> None:
    far = MapStop(Point(49.5, 11.5563), "20 km east", 1)
    picture = map_picture(HOME, [route(far)])
    x, _ = picture.depot
    px_a_km = (picture.routes[0].stops[0].x - x) / 20
    assert picture.scale_text == "5 km"
    assert picture.scale_px == pytest.approx(5 * px_a_km, rel=0.02)


def test_time_line_places_instants_and_cuts_what_lies_outside() -> None:
    line = TimeLine(START, START + timedelta(hours=10), "Europe/Berlin")
    assert line.x(START + timedelta(hours=5)) == 50
    assert line.x(START - timedelta(hours=1)) == 0
    inside = Span(START - timedelta(hours=1), START + timedelta(hours=1), "a", "")
    outside = Span(START - timedelta(hours=2), START - timedelta(hours=1), "b", "")
    [bar] = line.bars([inside, outside])
    assert (bar.x, bar.width) == (0, 10)
    moment = Span(START, START + timedelta(seconds=1), "c", "")
    assert line.bars([moment])[0].width > 0


def test_time_line_writes_the_depots_hours() -> None:
    line = TimeLine(START, START + timedelta(hours=3), "Europe/Berlin")
    assert [tick.text for tick in line.ticks()] == ["07:00", "08:00", "09:00", "10:00"]
    assert len(TimeLine(START, START + timedelta(hours=40), "UTC").ticks()) <= 12


def test_routes_beyond_the_colours_differ_by_their_dashes() -> None:
    marks = {(colour_of(n), dash_of(n)) for n in range(3 * len(COLOURS))}
    assert len(marks) == 3 * len(COLOURS)


@pytest.mark.parametrize("colour", COLOURS)
def test_colour_carries_white_text(colour: str) -> None:
    def linear(part: str) -> float:
        share = int(part, 16) / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[at : at + 2]) for at in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_words_for_figures() -> None:
    assert local_time(START, "Europe/Berlin", "%H:%M") == "07:00"
    assert local_time(None, "UTC") == NOTHING
    assert (duration(59), duration(3660), duration(7199)) == (
        "1 min",
        "1 h 01 min",
        "2 h 00 min",
    )
    assert distance(12_345) == "12.3 km"
    assert money(123_456, "EUR") == "1,234.56 EUR"
    assert money(1234, "JPY") == "1,234 JPY"
    assert money(1234, "KWD") == "1.234 KWD"
