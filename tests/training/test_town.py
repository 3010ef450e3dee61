"""The composed town: one seed, one town; connected streets; zones that cover it."""

import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.training.town import plane
from apps.training.town.generate import make_town
from apps.training.town.model import COMPOSED, Building, Town, canonical_json

ROOT = Path(__file__).resolve().parents[2]

FINGERPRINT = """
import datetime as dt, hashlib
from apps.training.town.compose import compose_day
from apps.training.town.generate import make_town
from apps.training.town.model import canonical_json
from apps.training.town.truth import TownTruth
town = make_town(7)
day = compose_day(town, dt.date(2026, 5, 12))
truth = TownTruth(town)
at = day.shifts[0].starts_at
times = [
    (truth.true_travel_s(town.depot.place, o.address.place, at),
     truth.true_service_s(o.address, o.pieces, "D01", day.date),
     str(truth.attempt(o.reference, o.address, at).failure))
    for o in day.orders[:40]
]
text = canonical_json(town) + canonical_json(day) + repr(times)
print(hashlib.sha256(text.encode()).hexdigest())
"""


@pytest.fixture(scope="module", params=[7, 1, 42])
def town(request: pytest.FixtureRequest) -> Town:
    return make_town(request.param)


def _digest(town: Town) -> str:
    return hashlib.sha256(canonical_json(town).encode()).hexdigest()


def test_make_town_same_seed_same_bytes() -> None:
    first = _digest(make_town(7))
    make_town.cache_clear()
    assert _digest(make_town(7)) == first
    assert _digest(make_town(8)) != first


def test_make_town_same_bytes_in_fresh_processes() -> None:
    prints = {
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2718")
    }
    assert len(prints) == 1
    assert len(prints.pop()) == 64


def test_make_town_is_labelled_and_of_the_size_asked(town: Town) -> None:
    assert town.label == COMPOSED
    assert 2_950 <= len(town.addresses) <= 3_050
    assert len({a.place for a in town.addresses}) == len(town.addresses)
    doors = {(a.line, a.postcode) for a in town.addresses}
    assert len(doors) == len(town.addresses)
    assert {a.building for a in town.addresses} == set(Building)


def test_make_town_streets_are_one_connected_piece(town: Town) -> None:
    beside: dict[int, list[int]] = {}
    for edge in town.edges:
        beside.setdefault(edge.start, []).append(edge.end)
        beside.setdefault(edge.end, []).append(edge.start)
    seen, todo = {0}, [0]
    while todo:
        for node in beside[todo.pop()]:
            if node not in seen:
                seen.add(node)
                todo.append(node)
    assert len(seen) == len(town.nodes)


def test_make_town_crosses_the_river_on_two_or_three_bridges_only(town: Town) -> None:
    wet = [
        edge
        for edge in town.edges
        if plane.crosses_line(
            town.nodes[edge.start].point,
            town.nodes[edge.end].point,
            town.river.line,
        )
    ]
    assert 2 <= len(wet) <= 3
    assert all(edge.is_bridge for edge in wet)


def test_zones_hold_every_address_exactly_once(town: Town) -> None:
    assert 6 <= len(town.zones) <= 10
    for address in town.addresses:
        holding = [z.code for z in town.zones if z.holds(address.place)]
        assert holding == [address.zone]


def test_zones_cover_the_town_without_overlap(town: Town) -> None:
    """Every point of a fine lattice is in one zone at most; no gap inside."""
    for x in range(-4_000, 4_001, 83):
        for y in range(-4_000, 4_001, 89):
            holding = sum(plane.inside((x, y), zone.ring) for zone in town.zones)
            assert holding <= 1
            if x * x + y * y < 4_200**2:
                assert holding == 1


def test_zones_geojson_is_closed_and_turns_left(town: Town) -> None:
    features = town.zones_geojson()["features"]
    assert len(features) == len(town.zones)
    for feature in features:
        (ring,) = feature["geometry"]["coordinates"]
        assert ring[0] == ring[-1]
        turns = sum(a[0] * b[1] - a[1] * b[0] for a, b in itertools.pairwise(ring))
        assert turns > 0


def test_dead_zones_hold_doors_but_not_the_depot(town: Town) -> None:
    assert 2 <= len(town.dead_zones) <= 4
    assert town.has_signal(town.depot.place)
    for zone in town.dead_zones:
        doors = [a for a in town.addresses if zone.holds(a.place)]
        assert len(doors) >= 3
        assert not town.has_signal(doors[0].place)
    silent = sum(not town.has_signal(a.place) for a in town.addresses)
    assert silent / len(town.addresses) < 0.10
