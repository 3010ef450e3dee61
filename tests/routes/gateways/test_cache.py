"""The cache of matrices: only what is missing is asked for, and nothing else changes."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import cast

import numpy as np
import pytest
import time_machine
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from apps.core.units import Point
from apps.routes.gateways.base import Entries, Provenance, RoadEngine, RoadsFailed
from apps.routes.gateways.cache import MatrixCache
from apps.routes.gateways.estimated import EstimatedTravelTimes
from apps.routes.gateways.roads import RoadTravelTimes
from apps.routes.gateways.squares import (
    cached_table,
    missing_rectangles,
    place_keys,
)
from apps.routes.solver.problem import UNREACHABLE

NETWORK = Provenance(quality="roads", source="network", version="1")


class Engine:
    """Answers of the great circle, with a one-way turn, and counts what it is asked."""

    def __init__(self, version: str = "1") -> None:
        self.version = version
        self.asked: list[tuple[int, int]] = []
        self.is_down = False

    def provenance(self, points: Sequence[Point]) -> Provenance:
        return Provenance(quality="roads", source="network", version=self.version)

    def table(
        self, points: Sequence[Point], sources: Sequence[int], targets: Sequence[int]
    ) -> tuple[Entries, Entries]:
        if self.is_down:
            raise RoadsFailed("The network is down")
        self.asked.append((len(sources), len(targets)))
        square = EstimatedTravelTimes().matrix(points)
        turned = square.durations_s + np.triu(np.ones_like(square.durations_s), 1)
        names = np.array([point.lat for point in points])
        turned = square.durations_s + (names[:, None] < names[None, :])
        part = np.ix_(list(sources), list(targets))
        return turned[part].astype(np.int32), square.distances_m[part]


def places(count: int, seed: int = 1) -> list[Point]:
    random = Random(seed)  # noqa: S311 (repeatable points)
    return [
        Point(
            lat=round(random.uniform(49.4, 49.6), 6),
            lon=round(random.uniform(11.1, 11.4), 6),
        )
        for _ in range(count)
    ]


def ask(cache: MatrixCache, engine: Engine, points: Sequence[Point]) -> Entries:
    durations_s, _ = cached_table(cache, engine, engine.provenance(points), points)
    return durations_s


@pytest.fixture
def cache(tmp_path: Path) -> MatrixCache:
    return MatrixCache(tmp_path / "matrices.sqlite3", most_bytes=10_000_000)


def test_a_second_question_asks_nothing(cache: MatrixCache) -> None:
    engine, points = Engine(), places(30)

    first = ask(cache, engine, points)
    again = ask(cache, engine, list(reversed(points)))

    assert engine.asked == [(30, 30)]
    assert again.tolist() == first[::-1, ::-1].tolist()
    assert ask(cache, engine, points[5:9]).tolist() == first[5:9, 5:9].tolist()
    assert engine.asked == [(30, 30)]


def test_new_places_cost_their_rows_and_columns_alone(cache: MatrixCache) -> None:
    engine, points = Engine(), places(40)
    ask(cache, engine, points[:37])

    found = ask(cache, engine, points)

    assert engine.asked[1:] == [(3, 40), (37, 3)]
    assert found.tolist() == ask_without_cache(points).tolist()
    assert ask(cache, engine, points).tolist() == found.tolist()
    assert len(engine.asked) == 3


@bounds(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.lists(st.integers(0, 24), min_size=1, max_size=12), min_size=1, max_size=6
    )
)
def test_whatever_was_asked_before_the_answer_is_the_engines(
    tmp_path_factory: pytest.TempPathFactory, questions: list[list[int]]
) -> None:
    town, engine = places(25), Engine()
    path = tmp_path_factory.mktemp("cache") / "matrices.sqlite3"
    cache = MatrixCache(path, most_bytes=3000)

    for question in questions:
        points = [town[number] for number in question]
        found = ask(cache, engine, points)
        assert found.tolist() == ask_without_cache(points).tolist()
    assert cache.size_bytes() <= 3000


@given(
    st.lists(st.lists(st.booleans(), min_size=9, max_size=9), min_size=9, max_size=9)
)
def test_rectangles_cover_what_is_missing(rows: list[list[bool]]) -> None:
    missing = np.array(rows) & ~np.eye(9, dtype=bool)
    covered = np.zeros_like(missing)

    rectangles = list(missing_rectangles(missing))
    for sources, targets in rectangles:
        covered[np.ix_(sources, targets)] = True

    assert not (missing & ~covered).any()
    assert len(rectangles) <= 9


def test_another_version_is_another_answer_and_the_old_one_goes(
    cache: MatrixCache,
) -> None:
    points = places(10)
    ask(cache, Engine("1"), points)
    before = cache.size_bytes()
    newer = Engine("2")

    ask(cache, newer, points)

    assert newer.asked == [(10, 10)]
    assert cache.size_bytes() == before
    known = cache.look_up(NETWORK, place_keys(points))
    assert known.is_known.sum() == 10, "of the old version the diagonal alone"


def test_a_source_without_a_version_is_asked_again_after_a_week(
    cache: MatrixCache,
) -> None:
    points, engine = places(5), Engine("")
    with time_machine.travel("2026-03-02", tick=False) as traveller:
        ask(cache, engine, points)
        traveller.move_to("2026-03-08")
        ask(cache, engine, points)
        assert len(engine.asked) == 1
        traveller.move_to("2026-03-10")
        ask(cache, engine, points)
        ask(cache, engine, points)
        assert len(engine.asked) == 2


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    engine = Engine()
    old, kept, new = places(10, 1), places(10, 2), places(10, 3)
    cache = MatrixCache(tmp_path / "small.sqlite3", most_bytes=1780)
    with time_machine.travel("2026-03-02 08:00", tick=False) as traveller:
        ask(cache, engine, old)
        traveller.move_to("2026-03-02 09:30")
        ask(cache, engine, kept)
        traveller.move_to("2026-03-02 11:00")
        ask(cache, engine, old)
        traveller.move_to("2026-03-02 12:30")
        ask(cache, engine, new)
        assert cache.size_bytes() == 2 * 10 * 10 * 8
        asked = len(engine.asked)
        ask(cache, engine, old[:5])
        ask(cache, engine, new)

    assert len(engine.asked) == asked, "what was used last is still there"
    keys = place_keys(kept)
    assert cache.look_up(NETWORK, keys).is_known.sum() < 100


def test_a_square_larger_than_the_cache_is_answered_all_the_same(
    tmp_path: Path,
) -> None:
    cache = MatrixCache(tmp_path / "tiny.sqlite3", most_bytes=100)
    points = places(10)

    assert ask(cache, Engine(), points).tolist() == ask_without_cache(points).tolist()
    assert cache.size_bytes() == 0


def test_a_broken_file_is_begun_anew(cache: MatrixCache, tmp_path: Path) -> None:
    engine, points = Engine(), places(8)
    (tmp_path / "matrices.sqlite3").write_bytes(b"no database at all" * 100)

    first = ask(cache, engine, points)
    again = ask(cache, engine, points)

    assert first.tolist() == again.tolist() == ask_without_cache(points).tolist()
    assert len(engine.asked) == 1, "the file was begun anew and kept the first answer"


def test_a_damaged_row_is_as_good_as_none(cache: MatrixCache, tmp_path: Path) -> None:
    engine, points = Engine(), places(8)
    ask(cache, engine, points)
    with sqlite3.connect(tmp_path / "matrices.sqlite3") as file:
        file.execute("UPDATE rows SET entries = x'00ff'")
    file.close()

    assert ask(cache, engine, points).tolist() == ask_without_cache(points).tolist()
    assert len(engine.asked) == 2


def test_a_directory_that_cannot_be_written_costs_the_cache_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    cache = MatrixCache(tmp_path / "file" / "matrices.sqlite3", most_bytes=10**6)
    points = places(5)

    assert ask(cache, Engine(), points).tolist() == ask_without_cache(points).tolist()


def test_several_writers_at_once_lose_nothing(cache: MatrixCache) -> None:
    town = places(40)
    wrong: list[str] = []

    def work(seed: int) -> None:
        random, engine = Random(seed), Engine()  # noqa: S311 (repeatable)
        for _ in range(6):
            points = random.sample(town, 20)
            if (
                ask(cache, engine, points).tolist()
                != ask_without_cache(points).tolist()
            ):
                wrong.append(f"thread {seed}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong


def test_places_that_are_one_place_are_asked_for_once(cache: MatrixCache) -> None:
    engine, points = Engine(), places(3)

    found = ask(cache, engine, [points[0], points[1], points[0]])

    assert engine.asked == [(2, 2)]
    assert found[0, 2] == found[2, 0] == 0
    assert found[0].tolist() == found[2].tolist()


def test_an_engine_that_fails_leaves_the_cache_as_it_was(cache: MatrixCache) -> None:
    engine, points = Engine(), places(6)
    first = ask(cache, engine, points[:4])
    engine.is_down = True

    with pytest.raises(RoadsFailed):
        ask(cache, engine, points)

    assert ask(cache, engine, points[:4]).tolist() == first.tolist()


def test_free_flow_is_kept_and_factors_are_applied_to_it(cache: MatrixCache) -> None:
    class Gap(Engine):
        def table(
            self,
            points: Sequence[Point],
            sources: Sequence[int],
            targets: Sequence[int],
        ) -> tuple[Entries, Entries]:
            found = super().table(points, sources, targets)
            found[0][0, 1] = found[1][0, 1] = UNREACHABLE
            return found

    engine, points = Gap(), sorted(places(5), key=lambda point: point.lat)
    roads = cast("RoadEngine", engine)
    plain = RoadTravelTimes(roads, cache=cache).matrix(points)
    slower = RoadTravelTimes(
        roads, cache=cache, factor=1.2, hour_factor=lambda hour: 1.5 if hour else 1
    ).matrix(points, departs_hour=8)

    assert len(engine.asked) == 1
    assert slower.durations_s[0, 1] == plain.durations_s[0, 1] == UNREACHABLE
    reached = plain.durations_s < UNREACHABLE
    assert np.array_equal(
        slower.durations_s[reached], np.rint(plain.durations_s[reached] * 1.8)
    )
    assert np.array_equal(slower.distances_m, plain.distances_m)


def ask_without_cache(points: Sequence[Point]) -> Entries:
    every = range(len(points))
    durations_s, _ = Engine().table(points, every, every)
    return durations_s
