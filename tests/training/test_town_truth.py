"""True times and outcomes: positive, repeatable, and unlike the planner's estimate."""

import datetime as dt
import random
import statistics
import zoneinfo

import pytest
from geopy.distance import great_circle

from apps.training.town.generate import make_town
from apps.training.town.model import Address, Building
from apps.training.town.truth import FailureReason, Mode, TownTruth

ZONE = zoneinfo.ZoneInfo("America/New_York")
TUESDAY = dt.datetime(2026, 5, 12, 10, 30, tzinfo=ZONE)


@pytest.fixture(scope="module")
def truth() -> TownTruth:
    return TownTruth(make_town(7))


def _pairs(truth: TownTruth, count: int) -> list[tuple[Address, Address]]:
    rng = random.Random(5)  # noqa: S311 - a sample, no secret
    pairs = [rng.sample(truth.town.addresses, 2) for _ in range(count)]
    return [(a, b) for a, b in pairs]


def _estimate_s(a: Address, b: Address) -> float:
    return float(220 * great_circle(a.place, b.place).km ** 0.72)


def test_free_flow_is_positive_symmetric_and_obeys_the_triangle(
    truth: TownTruth,
) -> None:
    rng = random.Random(3)  # noqa: S311 - a sample, no secret
    for _ in range(150):
        a, b, c = (x.place for x in rng.sample(truth.town.addresses, 3))
        direct = truth.true_path(a, c).free_flow_ms
        assert direct > 0
        # passing b costs at most its own two junctions and rounding of metres
        around = truth.true_path(a, b).free_flow_ms + truth.true_path(b, c).free_flow_ms
        assert direct <= around + 15_000
        assert abs(direct - truth.true_path(c, a).free_flow_ms) <= 15_000


def test_true_path_follows_the_streets(truth: TownTruth) -> None:
    for a, b in _pairs(truth, 60):
        path = truth.true_path(a.place, b.place)
        assert (path.places[0], path.places[-1]) == (a.place, b.place)
        crow_m = great_circle(a.place, b.place).m
        assert crow_m - 60 <= path.distance_m <= 4 * crow_m + 1_500
        assert list(path.metres) == sorted(path.metres)
        assert path.at_share(0) == a.place
        assert path.at_share(1) == b.place


def test_true_travel_to_where_one_is_takes_a_moment(truth: TownTruth) -> None:
    place = truth.town.addresses[0].place
    assert truth.true_travel_s(place, place, TUESDAY) == 1
    path = truth.true_path(place, place)
    assert path.distance_m == 0
    assert path.at_share(0.5) == place


def test_true_travel_snaps_a_place_off_the_streets(truth: TownTruth) -> None:
    depot = truth.town.depot.place
    door = truth.town.addresses[100]
    near = round(door.lat + 0.0001, 6), door.lon
    exact = truth.true_travel_s(depot, door.place, TUESDAY)
    assert abs(truth.true_travel_s(depot, near, TUESDAY) - exact) < 90


def test_true_travel_is_slower_in_the_rush_but_not_by_bike(truth: TownTruth) -> None:
    rush = TUESDAY.replace(hour=17, minute=0)
    for a, b in _pairs(truth, 40):
        calm_s = truth.true_travel_s(a.place, b.place, TUESDAY)
        assert truth.true_travel_s(a.place, b.place, rush) > calm_s
        ride = [
            truth.true_travel_s(a.place, b.place, at, Mode.CARGO_BIKE)
            for at in (TUESDAY, rush)
        ]
        assert ride[0] == ride[1]


def test_true_travel_reads_the_hour_in_the_towns_zone(truth: TownTruth) -> None:
    a, b = _pairs(truth, 1)[0]
    utc = TUESDAY.astimezone(dt.UTC)
    assert truth.true_travel_s(a.place, b.place, utc) == truth.true_travel_s(
        a.place, b.place, TUESDAY
    )


def test_true_travel_differs_from_the_estimate_by_planted_structure(
    truth: TownTruth,
) -> None:
    """Near 1 overall; the middle and the bridges are what the estimate misses."""
    ratios: dict[str, list[float]] = {"centre": [], "outside": [], "bridge": []}
    for a, b in _pairs(truth, 1_500):
        ratio = truth.true_travel_s(a.place, b.place, TUESDAY) / _estimate_s(a, b)
        if truth.true_path(a.place, b.place).bridges:
            ratios["bridge"].append(ratio)
        elif a.zone == b.zone == "C":
            ratios["centre"].append(ratio)
        elif a.zone[0] == b.zone[0] == "O":
            ratios["outside"].append(ratio)
    centre, outside, bridge = (statistics.mean(ratios[k]) for k in ratios)
    assert 0.8 < outside < 1.15
    assert centre > outside * 1.08
    assert bridge > outside * 1.08


def test_zone_pair_and_day_factors_are_stable_and_bounded(truth: TownTruth) -> None:
    codes = [zone.code for zone in truth.town.zones]
    pairs = [truth.zone_pair_factor(a, b) for a in codes for b in codes]
    assert truth.zone_pair_factor("C", "O1") == truth.zone_pair_factor("O1", "C")
    assert 0.7 < min(pairs) < max(pairs) < 1.6
    days = [truth.day_factor(dt.date(2026, 1, 1) + dt.timedelta(n)) for n in range(365)]
    assert 0.96 <= min(days) < max(days) <= 1.12
    assert len(set(days)) > 300


def test_true_service_differs_by_building_driver_and_floor(truth: TownTruth) -> None:
    def mean_s(addresses: list[Address], driver: str) -> float:
        return statistics.mean(
            truth.true_service_s(a, 2, driver, TUESDAY.date()) for a in addresses
        )

    by_kind = {
        kind: [a for a in truth.town.addresses if a.building is kind][:200]
        for kind in Building
    }
    means = {kind: mean_s(found, "D01") for kind, found in by_kind.items()}
    assert means[Building.OFFICE] > means[Building.APARTMENT] > means[Building.HOUSE]
    stairs = [a for a in truth.town.addresses if a.floor >= 3 and not a.has_lift]
    ground = [a for a in by_kind[Building.APARTMENT] if a.floor == 0]
    assert mean_s(stairs, "D01") > mean_s(ground, "D01") + 40
    paces = [truth.driver_factor(f"D{n:02d}") for n in range(1, 13)]
    assert max(paces) - min(paces) > 0.15
    assert truth.true_service_s(ground[0], 2, "D01", TUESDAY.date()) == (
        truth.true_service_s(ground[0], 2, "D01", TUESDAY.date())
    )


def test_attempt_succeeds_as_often_as_its_probability_says(truth: TownTruth) -> None:
    attempts = [
        truth.attempt(f"R{n}", address, TUESDAY)
        for n, address in enumerate(truth.town.addresses)
    ]
    delivered = sum(attempt.is_delivered for attempt in attempts) / len(attempts)
    expected = statistics.mean(attempt.probability for attempt in attempts)
    assert abs(delivered - expected) < 0.02
    assert 0.85 < expected < 0.97
    assert {a.failure for a in attempts if a.failure} == set(FailureReason)


def test_success_probability_falls_outside_the_window_and_after_office_hours(
    truth: TownTruth,
) -> None:
    office = next(a for a in truth.town.addresses if a.building is Building.OFFICE)
    inside = truth.success_probability(office, TUESDAY)
    assert truth.success_probability(office, TUESDAY, in_window=False) < inside
    evening = TUESDAY.replace(hour=18)
    assert truth.success_probability(office, evening) < inside - 0.3
