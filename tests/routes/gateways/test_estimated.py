import time
from random import Random

import numpy as np
import pytest
from geopy.distance import geodesic

from apps.core.units import Point
from apps.routes.gateways.base import TravelTimes
from apps.routes.gateways.estimated import (
    EstimatedTravelTimes,
    EstimateParameters,
    great_circles_m,
)
from apps.routes.gateways.memory import MemoryTravelTimes

HAMBURG = Point(lat=53.55, lon=9.99)
LUEBECK = Point(lat=53.87, lon=10.69)
SOURCES = pytest.mark.parametrize(
    "source", [EstimatedTravelTimes(), MemoryTravelTimes()], ids=["estimated", "memory"]
)


def scattered(count: int, seed: int = 1) -> list[Point]:
    random = Random(seed)  # noqa: S311 (repeatable points)
    return [
        Point(lat=random.uniform(-75, 75), lon=random.uniform(-179, 179))
        for _ in range(count)
    ]


def town(count: int) -> list[Point]:
    random = Random(2)  # noqa: S311 (repeatable points)
    return [
        Point(lat=random.uniform(49.4, 49.6), lon=random.uniform(11.1, 11.4))
        for _ in range(count)
    ]


def test_great_circles_come_within_six_thousandths_of_the_geodesic() -> None:
    points = scattered(40) + town(20)

    circles_m = great_circles_m(points)

    for a, start in enumerate(points):
        for b, end in enumerate(points):
            true_m = geodesic((start.lat, start.lon), (end.lat, end.lon)).m
            assert abs(circles_m[a, b] - true_m) <= 0.006 * true_m + 0.001


def test_matrix_follows_the_law() -> None:
    law = EstimateParameters(c_s=200, p=0.5, detour=1.5)
    a, b = Point(lat=0.0, lon=0.0), Point(lat=0.0, lon=0.0359728)  # 4 km at the equator

    matrix = EstimatedTravelTimes(law).matrix([a, b])

    assert matrix.durations_s.tolist() == [[0, 400], [400, 0]]
    assert matrix.distances_m[0][1] == pytest.approx(6000, abs=2)
    assert matrix.quality == "estimated"


def test_matrix_of_a_large_day_takes_well_under_a_second() -> None:
    points = town(400)
    began = time.perf_counter()

    matrix = EstimatedTravelTimes().matrix(points, departs_hour=9)

    assert time.perf_counter() - began < 0.9
    assert matrix.durations_s.shape == (400, 400)


def test_matrix_is_slower_at_nine_than_at_night() -> None:
    source = EstimatedTravelTimes()
    pair = [HAMBURG, LUEBECK]

    by_hour = [
        source.matrix(pair, departs_hour=hour).durations_s[0][1] for hour in range(24)
    ]

    assert by_hour[9] > source.matrix(pair).durations_s[0][1] > by_hour[5]
    assert min(by_hour) > 0.5 * max(by_hour)
    assert by_hour.index(max(by_hour)) == 9


def test_matrix_ignores_the_hour_where_it_has_no_effect() -> None:
    flat = EstimatedTravelTimes(EstimateParameters(hour_effect=0))
    pair = [HAMBURG, LUEBECK]

    at_nine, mean = flat.matrix(pair, departs_hour=9), flat.matrix(pair)
    assert np.array_equal(at_nine.durations_s, mean.durations_s)
    assert np.array_equal(at_nine.distances_m, mean.distances_m)


@SOURCES
def test_every_source_answers_alike(source: TravelTimes) -> None:
    points = town(5)

    matrix = source.matrix(points, departs_hour=12)

    for entries in (matrix.durations_s, matrix.distances_m):
        assert entries.shape == (5, 5)
        assert entries.dtype == np.int32
        assert entries.min() >= 0
        assert entries.diagonal().tolist() == [0] * 5
    assert matrix.version
    assert matrix.source


@SOURCES
def test_every_source_answers_for_no_points(source: TravelTimes) -> None:
    assert source.matrix([]).durations_s.shape == (0, 0)


@SOURCES
def test_route_goes_through_its_points(source: TravelTimes) -> None:
    points = town(3)

    way = source.route(points)

    assert way.geometry == {
        "type": "LineString",
        "coordinates": [[point.lon, point.lat] for point in points],
    }
    assert way.duration_s > 0
    assert way.distance_m > 0


def test_every_answer_of_the_estimate_says_that_it_is_one() -> None:
    source, points = EstimatedTravelTimes(), town(3)
    answers = (
        source.matrix(points),
        source.route(points),
        source.match(points),
        source.snap(points[0]),
    )
    said = {(each.quality, each.source, each.version) for each in answers}
    assert len(said) == 1
    [(quality, words, version)] = said
    assert (quality, words) == ("estimated", "219 s x km^0.7")
    assert version


@SOURCES
def test_route_refuses_a_single_point(source: TravelTimes) -> None:
    with pytest.raises(ValueError, match="two points"):
        source.route([HAMBURG])


def test_memory_keeps_what_it_was_asked() -> None:
    source = MemoryTravelTimes(speed_m_s=5)

    matrix = source.matrix([HAMBURG, LUEBECK])

    assert source.asked == [(HAMBURG, LUEBECK)]
    assert matrix.durations_s[0][1] == round(matrix.distances_m[0][1] / 5)
