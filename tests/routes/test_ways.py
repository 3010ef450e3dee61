"""The ways of routes along the roads: asked for once, kept by leg, drawn."""

import uuid
from collections.abc import Sequence

import pytest
from django.test import Client
from pytest_django import Settings

from apps.core.units import Point
from apps.routes.gateways import choice
from apps.routes.gateways.base import (
    Provenance,
    RoadsFailed,
    RouteGeometry,
    SourceDown,
    check_way,
)
from apps.routes.gateways.memory import MemoryTravelTimes
from apps.routes.lines import Place, packed, unpacked, wanted_legs
from apps.routes.models import Route, RouteWay, Stop
from apps.routes.pictures import MapRoute, MapStop, map_picture
from apps.routes.tasks import draw_ways
from apps.routes.tracing import missing_lines
from tests.factories import DEPOT_POINT, SERVICE_DATE, UserFactory
from tests.queueing import drain
from tests.routes.days import make_day, make_order, publish_day, sequence

HOME = Point(*DEPOT_POINT)
ISLAND = Point(49.6, 11.5)


class Bends(MemoryTravelTimes):
    """Roads that make a bend in the middle of each leg, and never reach the island."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []
        self.version = "1"
        self.is_down = False

    def provenance(self, points: Sequence[Point]) -> Provenance:
        if self.is_down:
            raise SourceDown("nobody there")
        return Provenance(quality="roads", source="bends", version=self.version)

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        check_way(points)
        self.lengths.append(len(points))
        if ISLAND in points:
            raise RoadsFailed("NoRoute")
        straight = super().route(points)
        return RouteGeometry(
            legs=tuple((a, bend(a, b), b) for a, b in straight.legs),
            duration_s=straight.duration_s,
            distance_m=straight.distance_m,
            quality="roads",
            source="bends",
            version=self.version,
        )


def bend(a: Point, b: Point) -> Point:
    return Point(round((a.lat + b.lat) / 2 + 0.001, 5), round((a.lon + b.lon) / 2, 5))


@pytest.fixture
def roads(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Bends:
    """Let the settings ask for roads, and these be what they get."""
    found = Bends()
    settings.ROADS_SOURCE, settings.ROADS_CACHE_MB = "local", 0
    monkeypatch.setattr(choice, "road_engine", lambda: found)
    memory = MemoryTravelTimes()
    monkeypatch.setattr("apps.routes.solving.travel_times_of", lambda _: memory)
    return found


def test_a_line_is_packed_and_comes_back_to_the_metre() -> None:
    line = [Point(49.512604, 11.282296), Point(49.5126, 11.2823), Point(-0.5, -71.25)]

    numbers = packed(line)

    assert numbers == [4951260, 1128230, -5001260, -8253230]
    assert unpacked(numbers) == (Point(49.5126, 11.2823), Point(-0.5, -71.25))
    assert (packed([]), unpacked([])) == ([], ())


def test_only_legs_that_are_missing_are_asked_for_a_run_at_a_time() -> None:
    places = [Place(make_id(n), Point(49.5 + n / 100, 11.3)) for n in range(6)]
    legs = wanted_legs(places)
    roads = Bends()

    found = missing_lines(roads, places, {legs[2]})

    assert sorted(found) == sorted({*legs} - {legs[2]})
    assert roads.lengths == [3, 3], "two legs before the known one, two behind it"
    first, second = places[0].point, places[1].point
    assert unpacked(found[legs[0]]) == (first, bend(first, second), second)


def test_a_place_that_cannot_be_reached_costs_its_own_two_legs_alone() -> None:
    points = [Point(49.5 + n / 100, 11.3) for n in range(8)]
    points[3] = ISLAND
    places = [Place(make_id(n), point) for n, point in enumerate(points)]
    legs = wanted_legs(places)

    found = missing_lines(Bends(), places, ())

    assert [not found[leg] for leg in legs] == [k in {2, 3} for k in range(7)]


@pytest.mark.django_db
def test_each_plan_has_the_days_routes_drawn(roads: Bends) -> None:
    depot = make_day(orders=8)
    publish_day(depot)

    ways = list(RouteWay.objects.select_related("route"))

    assert ways
    for way in ways:
        stops = sequence(way.route)
        places = [
            Place(depot.pk, HOME),
            *(Place(stop.pk, stop.order.point) for stop in stops),
            Place(depot.pk, HOME),
        ]
        assert set(way.lines) == set(wanted_legs(places))
        assert all(len(line) == 6 for line in way.lines.values())
        assert (way.source, way.version) == ("bends", "1")
    assert sum(len(way.lines) - 1 for way in ways) == 8


@pytest.mark.django_db
def test_a_changed_route_asks_for_its_new_legs_and_drops_the_old(roads: Bends) -> None:
    depot = make_day(orders=6, shifts=1)
    publish_day(depot)
    before = RouteWay.objects.get().lines
    roads.lengths.clear()
    stops = sequence(Route.objects.get())
    first, second = stops[:2]
    Stop.objects.filter(pk=first.pk).update(sequence=2)
    Stop.objects.filter(pk=second.pk).update(sequence=1)

    draw(depot.pk)

    after = RouteWay.objects.get().lines
    assert len(after) == len(before) == 7
    assert sorted(roads.lengths) == [4], "the depot, both, and the third: one run"
    assert len(after.keys() & before.keys()) == 4
    draw(depot.pk)
    assert roads.lengths == [4], "what is drawn is not asked for again"


@pytest.mark.django_db
def test_new_speeds_of_the_roads_draw_all_ways_anew(roads: Bends) -> None:
    depot = make_day(orders=4, shifts=1)
    publish_day(depot)
    roads.lengths.clear()
    roads.version = "2"

    draw(depot.pk)

    assert roads.lengths == [6]
    assert RouteWay.objects.get().version == "2"


@pytest.mark.django_db
def test_a_source_that_is_down_leaves_the_pictures_as_they_are(roads: Bends) -> None:
    depot = make_day(orders=4, shifts=1)
    publish_day(depot)
    before = RouteWay.objects.get().lines
    roads.is_down = True
    make_order(depot, 9)

    draw(depot.pk)

    assert RouteWay.objects.get().lines == before


@pytest.mark.django_db
def test_without_roads_no_way_is_asked_for() -> None:
    depot = make_day(orders=4, shifts=1)
    publish_day(depot)

    assert "draw_ways" not in drain()
    draw(depot.pk)
    assert not RouteWay.objects.exists()


@pytest.mark.django_db
def test_the_page_of_a_route_draws_the_bends_and_names_their_source(
    roads: Bends, client: Client
) -> None:
    publish_day(make_day(orders=5, shifts=1))
    route = Route.objects.get()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    address = f"/admin/routes/route/{route.pk}/change/"

    drawn = client.get(address).content.decode()
    RouteWay.objects.all().delete()
    straight = client.get(address).content.decode()

    assert "Lines follow the roads by bends. © OpenStreetMap contributors." in drawn
    assert "Lines are drawn straight, not along the streets." in straight
    assert corners(straight) == 5 + 2
    assert corners(drawn) > corners(straight) + 5


def test_a_picture_follows_its_legs_and_holds_them() -> None:
    stop = MapStop(Point(49.52, 11.29), "", 1)
    far = Point(49.53, 11.35)
    legs = ((HOME, far, stop.point), ())

    picture = map_picture(HOME, [MapRoute("Ada", "#123456", "", "", (stop,), legs)])

    line = [tuple(map(float, at.split(","))) for at in picture.routes[0].points.split()]
    assert line[0] == line[-1] == picture.depot
    assert max(line)[0] > picture.routes[0].stops[0].x, "the bend lies in the east"
    assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in line)


def corners(page: str) -> int:
    return len(page.partition('<polyline points="')[2].partition('"')[0].split())


def draw(depot_id: object) -> None:
    draw_ways(depot_id=str(depot_id), service_date=SERVICE_DATE.isoformat())


def make_id(number: int) -> uuid.UUID:

    return uuid.UUID(int=number)
