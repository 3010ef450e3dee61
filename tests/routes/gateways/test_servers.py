"""Servers of roads, each in its own words, from a stub on loopback."""

import itertools
import socket
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.units import Point
from apps.routes.gateways.asking import ServerEngine, batches
from apps.routes.gateways.base import RoadsFailed, SourceDown
from apps.routes.gateways.http import TRIES, Server
from apps.routes.gateways.servers import OpenRouteService, OsrmServer, ValhallaServer
from apps.routes.solver.problem import UNREACHABLE
from tests.routes.gateways.stub_server import Stub, metres, serving

PLACES = [
    Point(49.51, 11.28),
    Point(49.52, 11.3),
    Point(49.5, 11.25),
    Point(49.53, 11.29),
]
ISLAND = Point(49.5, 21.0)
KINDS: list[type[ServerEngine]] = [OsrmServer, ValhallaServer, OpenRouteService]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.NAME)

Maker = Callable[..., ServerEngine]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def make(stub: Stub) -> Iterator[Maker]:
    made: list[ServerEngine] = []

    def make(kind: Callable[[Server], ServerEngine], **given: object) -> ServerEngine:
        options = {"url": stub.url, "timeout_s": 5, **given}
        engine = kind(Server(**options))  # type: ignore[arg-type]
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.close()


@EVERY_KIND
def test_table_is_whole_in_batches_and_knows_what_cannot_be_reached(
    make: Maker, stub: Stub, kind: type[ServerEngine]
) -> None:
    stub.max_pairs = 4
    places = [*PLACES, ISLAND]

    durations_s, distances_m = make(kind, max_pairs=4).table(places, range(5), range(5))

    for a, start in enumerate(places):
        for b, end in enumerate(places):
            road = metres(start, end)
            if road is None:
                assert durations_s[a, b] == distances_m[a, b] == UNREACHABLE
            else:
                assert distances_m[a, b] == pytest.approx(road, abs=1)
                assert durations_s[a, b] == pytest.approx(road / 10, abs=0.5)
    assert len(stub.asked) == 8, "nine batches, of which one is a place to itself"


@EVERY_KIND
def test_table_of_a_rectangle(make: Maker, kind: type[ServerEngine]) -> None:
    engine = make(kind)
    square = engine.table(PLACES, range(4), range(4))

    part = engine.table(PLACES, [3], [0, 2])

    assert part[0].tolist() == square[0][np.ix_([3], [0, 2])].tolist()
    assert part[1].tolist() == square[1][np.ix_([3], [0, 2])].tolist()


@EVERY_KIND
def test_route_is_joined_of_parts_as_long_as_the_server_allows(
    make: Maker, stub: Stub, kind: type[ServerEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "MAX_WAYPOINTS", 3)

    way = make(kind).route(PLACES)

    ends = [(leg[0], leg[-1]) for leg in way.legs]
    assert ends == list(itertools.pairwise(PLACES))
    road_m = sum(metres(a, b) or 0 for a, b in itertools.pairwise(PLACES))
    assert way.distance_m == pytest.approx(road_m, abs=2)
    assert way.duration_s == pytest.approx(road_m / 10, abs=2)
    assert way.quality == "roads"
    assert len(stub.asked) == 2


@EVERY_KIND
def test_snap_returns_the_road_and_the_distance(
    make: Maker, kind: type[ServerEngine]
) -> None:
    found = make(kind).snap(PLACES[0])

    assert found.distance_m < 10
    assert abs(found.point.lat - PLACES[0].lat) < 1e-9
    assert found.source.startswith(f"{kind.NAME} at 127.0.0.1:")


@pytest.mark.parametrize("kind", [ValhallaServer, OpenRouteService])
def test_snap_refuses_a_place_without_a_road(
    make: Maker, kind: type[ServerEngine]
) -> None:
    with pytest.raises(RoadsFailed, match="No road"):
        make(kind).snap(ISLAND)


@pytest.mark.parametrize("kind", [OsrmServer, ValhallaServer])
def test_match_lays_a_trace_on_the_roads(make: Maker, kind: type[ServerEngine]) -> None:
    found = make(kind).match(PLACES, times_s=[0, 10, 20, 30])

    assert found.places == (None, *PLACES[1:])
    assert found.pieces == (tuple(PLACES),)
    assert found.duration_s == pytest.approx(found.distance_m / 10, abs=1)
    assert found.confidence in {0.7, 0.8}


def test_openrouteservice_says_that_it_matches_no_traces(make: Maker) -> None:
    with pytest.raises(RoadsFailed, match="lays no traces"):
        make(OpenRouteService).match(PLACES)


def test_versions_are_those_that_servers_tell_and_asked_for_once(
    make: Maker, stub: Stub
) -> None:
    versions = [make(kind).provenance(PLACES).version for kind in KINDS]
    engine = make(OsrmServer)
    engine.provenance(PLACES)
    asked = len(stub.asked)

    assert versions == ["monday", "3.5.1-1700000000", ""]
    assert engine.provenance(PLACES).version == "monday"
    assert len(stub.asked) == asked


def test_the_key_is_sent_and_shown_nowhere(make: Maker, stub: Stub) -> None:
    engine = make(OpenRouteService, api_key="a-secret")

    source = engine.provenance(PLACES).source
    engine.table(PLACES, range(4), range(4))
    stub.statuses = [403]
    with pytest.raises(SourceDown, match="check ROADS_API_KEY") as refused:
        engine.table(PLACES, range(4), range(4))

    assert stub.headers[0]["Authorization"] == "a-secret"
    assert "a-secret" not in source + str(refused.value)


def test_a_server_that_stumbles_is_asked_again_and_one_that_falls_is_not(
    make: Maker, stub: Stub
) -> None:
    engine = make(OsrmServer)
    stub.statuses = [503, 502]

    engine.table(PLACES, range(4), range(4))
    assert len(stub.asked) == TRIES

    stub.statuses = [503] * 9
    with pytest.raises(SourceDown, match="answers with status 503"):
        engine.table(PLACES, range(4), range(4))
    assert len(stub.asked) == 2 * TRIES


@pytest.mark.parametrize(
    ("status", "words"), [(429, "no more questions"), (500, "status 500"), (302, "302")]
)
def test_a_refusal_is_told(make: Maker, stub: Stub, status: int, words: str) -> None:
    stub.statuses = [status] * TRIES

    with pytest.raises(SourceDown, match=words):
        make(OsrmServer).table(PLACES, range(4), range(4))


def test_the_servers_complaint_is_passed_on(make: Maker, stub: Stub) -> None:
    stub.max_pairs = 1

    with pytest.raises(RoadsFailed, match=r"Too many table coordinates \(TooBig\)"):
        make(OsrmServer).table(PLACES, range(4), range(4))
    with pytest.raises(RoadsFailed, match="Too many routes"):
        make(OpenRouteService).table(PLACES, range(4), range(4))
    with pytest.raises(RoadsFailed, match="Impossible route"):
        make(OsrmServer).route([PLACES[0], ISLAND])


@EVERY_KIND
@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"sources_to_targets": [[{}]]}'])
def test_an_answer_in_another_language_is_refused(
    make: Maker, stub: Stub, kind: type[ServerEngine], body: bytes
) -> None:
    stub.body = body

    with pytest.raises(RoadsFailed, match=f"does not answer as {kind.NAME} does"):
        make(kind).table(PLACES, range(4), range(4))


def test_an_answer_that_is_no_json_is_refused(make: Maker, stub: Stub) -> None:
    stub.body = b"<html>Welcome to nginx</html>"

    with pytest.raises(SourceDown, match="something else than JSON"):
        make(OsrmServer).table(PLACES, range(4), range(4))


def test_time_runs_out_over_all_batches_together(make: Maker, stub: Stub) -> None:
    stub.pause_s = 0.2
    since = time.monotonic()

    with pytest.raises(SourceDown, match=r"no answer in 0\.5 s"):
        make(OsrmServer, timeout_s=0.5, max_pairs=2).table(PLACES, range(4), range(4))

    assert time.monotonic() - since < 5
    assert len(stub.asked) < 8


def test_a_server_that_is_not_there_is_down(make: Maker) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(SourceDown, match="cannot be reached"):
        make(OsrmServer, url=f"http://127.0.0.1:{port}").table(
            PLACES, range(4), range(4)
        )


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 500))
def test_batches_cover_every_pair_once(rows: int, columns: int, pairs: int) -> None:
    seen = np.zeros((rows, columns), dtype=int)

    for high, wide in batches(rows, columns, pairs):
        seen[high, wide] += 1
        assert seen[high, wide].size <= pairs

    assert (seen == 1).all()
