"""Delivery success by zone and hour, small counts falling back (C12)."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from apps.learning.learners import success
from apps.learning.learners.facts import StopFact
from tests.learning.rounds import MORNING, TODAY, route, tallied, visits


def known(stops: Sequence[StopFact]) -> dict[str, float]:
    rows = tallied(success.observed(route(stops)), "success")
    return {row.key: row.mean for row in success.figures(rows, TODAY)}


def tried(count: int, failed: int, **fields: object) -> list[StopFact]:
    return [
        *visits(count - failed, **fields),
        *visits(failed, is_delivered=False, **fields),
    ]


def test_zone_and_hour_with_enough_visits_have_figures() -> None:
    late = {"at": MORNING + timedelta(hours=9), "hour": 17}
    stops = [
        *tried(400, 20, zone="North", hour=9),
        *tried(400, 120, zone="South", hour=9),
        *tried(200, 10, zone="South", **late),
    ]
    found = known(stops)

    assert found["zone:North"] > found["zone:South"]
    assert found["zone:South@9"] == pytest.approx(0.7, abs=0.06)
    assert found["zone:South@17"] > 0.85


@pytest.mark.parametrize(
    "count", [success.LEAST_ZONE_HOUR - 1, success.LEAST_ZONE_HOUR]
)
def test_count_under_the_minimum_falls_back_to_the_parent(count: int) -> None:
    stops = [
        *tried(300, 15, zone="North", hour=9),
        *tried(count, count // 2, zone="North", hour=20),
    ]
    found = known(stops)

    is_there = count >= success.LEAST_ZONE_HOUR
    assert ("zone:North@20" in found) is is_there
    if not is_there:
        assert success.probability_at(found, "North", 20) == found["zone:North"]
    assert success.probability_at(found, "Unknown", 9) == found["depot"]


def test_small_count_lies_between_its_own_share_and_the_parents() -> None:
    stops = [
        *tried(500, 25, zone="North", hour=9),
        *tried(500, 125, zone="South", hour=9),
        *tried(24, 12, zone="North", hour=20),
    ]
    found = known(stops)

    assert 0.5 < found["zone:North@20"] < found["zone:North"]


def test_figures_are_never_of_people() -> None:
    rows = success.observed(route(visits(5), driver_class="van"))

    assert {row.key for row in rows} == {"North\t8"}
