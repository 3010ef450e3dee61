"""The order of zones: as driven, weighted by who was right (M3)."""

from datetime import timedelta

from apps.learning.learners import zone_order
from apps.learning.learners.facts import RouteFact
from apps.learning.learners.shrinking import Figure
from tests.learning.rounds import MORNING, TODAY, route, tallied, visit


def driven(zones: str, planned: str, verdict: str = "") -> RouteFact:
    stops = [
        visit(
            at=MORNING + timedelta(minutes=10 * place),
            zone=zone,
            stop_id=zone,
            planned_at=MORNING + timedelta(minutes=10 * planned.index(zone)),
        )
        for place, zone in enumerate(zones)
    ]
    return route(stops, verdict=verdict)


def figures(*routes: RouteFact) -> dict[str, Figure]:
    added = [row for each in routes for row in zone_order.observed(each)]
    return {
        row.key: row for row in zone_order.figures(tallied(added, "zone_order"), TODAY)
    }


def test_what_drivers_turn_round_and_are_right_is_learned() -> None:
    found = figures(*[driven("BA", "AB", "right")] * 12)

    assert found["B>A"].mean > 0.7
    assert found["A>B"].mean == 1 - found["B>A"].mean
    assert found["A>B"].n == 12


def test_wrong_deviation_teaches_nothing() -> None:
    right = [driven("AB", "AB")] * 6
    wrong = [driven("BA", "AB", "wrong")] * 20

    assert figures(*right, *wrong)["A>B"] == figures(*right)["A>B"]
    assert not figures(*wrong)


def test_verdict_weighs_more_than_none() -> None:
    mixed = [driven("AB", "AB")] * 8
    judged = figures(*mixed, *[driven("BA", "AB", "right")] * 8)
    unjudged = figures(*mixed, *[driven("BA", "AB")] * 8)

    assert judged["B>A"].mean > unjudged["B>A"].mean


def test_pair_that_few_drove_follows_from_the_others() -> None:
    """A before B and B before C, so A before C."""
    found = figures(
        *[driven("AB", "AB")] * 20, *[driven("BC", "BC")] * 20, driven("AC", "AC")
    )

    assert found["A>C"].mean > 0.7
    assert found["A>C"].n == 1


def test_zone_that_is_finished_before_the_next_is_stayed_in() -> None:
    """Planned A B A B, driven A A B B: two of two stays, planned none of two."""
    planned = ("a1", "b1", "a2", "b2")
    stops = [
        visit(
            at=MORNING + timedelta(minutes=10 * place),
            zone=name[0].upper(),
            stop_id=name,
            planned_at=MORNING + timedelta(minutes=10 * planned.index(name)),
        )
        for place, name in enumerate(("a1", "a2", "b1", "b2"))
    ]

    found = figures(*[route(stops)] * 10)

    assert (found["stays:driven"].n, found["stays:planned"].n) == (20, 20)
    assert found["stays:driven"].mean > 0.98
    assert found["stays:planned"].mean < 0.02


def test_waves_are_ordered_like_zones_and_apart_from_them() -> None:
    stops = [
        visit(
            at=MORNING + timedelta(minutes=10 * place),
            zone="A",
            wave=f"window {hour}:00",
            stop_id=hour,
            planned_at=MORNING - timedelta(minutes=10 * place),
        )
        for place, hour in enumerate(("09", "11"))
    ]

    found = figures(*[route(stops, verdict="right")] * 12)

    assert found["window 09:00>window 11:00"].mean > 0.7
    assert not [key for key in found if "A" in key]
