"""The estimate answers where roads fail, and says so."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.core.units import Point
from apps.routes.gateways import choice
from apps.routes.gateways.base import (
    MatchedTrace,
    RoadsFailed,
    RouteGeometry,
    SnappedPoint,
    SourceDown,
    Spokes,
    TravelMatrix,
)
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.gateways.fallback import LEFT_ALONE_S, Patience, WithFallback
from apps.routes.parameters import Parameters

POINTS = [Point(49.51, 11.28), Point(49.52, 11.3)]


class Failing:
    """Raises what it is given, and counts."""

    def __init__(self, error: RoadsFailed) -> None:
        self.error = error
        self.asked = 0

    def _fail(self) -> RoadsFailed:
        self.asked += 1
        return self.error

    def matrix(
        self, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> TravelMatrix:
        raise self._fail()

    def spokes(
        self, hub: Point, points: Sequence[Point], *, departs_hour: int | None = None
    ) -> Spokes:
        raise self._fail()

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        raise self._fail()

    def match(
        self, trace: Sequence[Point], *, times_s: Sequence[int] | None = None
    ) -> MatchedTrace:
        raise self._fail()

    def snap(self, point: Point) -> SnappedPoint:
        raise self._fail()


class Clock:
    """A clock that is set by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_every_question_is_answered_by_the_estimate() -> None:
    roads = Failing(RoadsFailed("no network holds these places"))
    source = WithFallback(roads, EstimatedTravelTimes(), Patience())

    matrix = source.matrix(POINTS, departs_hour=8)

    assert matrix.quality == "estimated"
    assert matrix.failure == "no network holds these places"
    assert matrix.in_words() == (
        "219 s x km^0.7, estimated, since: no network holds these places"
    )
    plain = EstimatedTravelTimes().matrix(POINTS, departs_hour=8)
    assert matrix.durations_s.tolist() == plain.durations_s.tolist()
    assert source.route(POINTS).quality == "estimated"
    assert source.match(POINTS).quality == "estimated"
    assert source.snap(POINTS[0]).point == POINTS[0]
    assert roads.asked == 4


def test_the_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    source = WithFallback(
        Failing(RoadsFailed("because")), EstimatedTravelTimes(), Patience()
    )

    source.matrix(POINTS)

    assert "roads_failed" in caplog.text
    assert "because" in caplog.text


def test_a_source_that_is_down_is_left_alone_for_a_while() -> None:
    clock, roads = Clock(), Failing(SourceDown("gone"))
    source = WithFallback(roads, EstimatedTravelTimes(), Patience(clock))

    for _ in range(5):
        assert source.matrix(POINTS).failure == "gone"
    assert roads.asked == 1
    clock.now_s += LEFT_ALONE_S
    source.matrix(POINTS)
    assert roads.asked == 2


def test_settings_choose_the_source(settings: Settings, tmp_path: Path) -> None:
    settings.ROADS_DIR = tmp_path
    assert choice.travel_times(Parameters()).matrix(POINTS).quality == "estimated"
    assert not choice.knows_roads()

    settings.ROADS_SOURCE = "local"
    found = choice.travel_times(Parameters(travel_c_s=200)).matrix(POINTS)

    assert choice.knows_roads()
    assert found.quality == "estimated"
    assert "build_roads" in found.failure
    assert found.source == "200 s x km^0.7"


def test_no_cache_where_the_settings_want_none(
    settings: Settings, tmp_path: Path
) -> None:
    settings.ROADS_DIR, settings.ROADS_CACHE_MB = tmp_path, 0
    assert choice.matrix_cache() is None
    settings.ROADS_CACHE_MB = 1
    assert choice.matrix_cache() is not None
