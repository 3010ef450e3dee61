"""Which reports of time are believed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.learning.learners.cleaning import DOUBTED, doubts
from apps.learning.learners.facts import Clocks, StopFact
from tests.learning.rounds import MORNING, SENT, visit, visits


def ended(stop: StopFact, seconds: float, received: float) -> StopFact:
    at = stop.arrived.occurred_at
    clocks = Clocks(at + timedelta(seconds=seconds), at + timedelta(seconds=received))
    return replace(stop, completed=clocks)


@pytest.mark.parametrize(
    ("seconds", "received", "trust", "why"),
    [
        (200, 203, 1.0, ""),
        (200, 240, 1.0, ""),
        (0, 2, 0.0, "not_positive"),
        (-60, 2, 0.0, "not_positive"),
        (3, 5, 0.0, "reported_at_once"),
        (9000, 9002, 0.0, "too_long"),
        (1100, 1102, 0.0, "too_long"),
        (900, 60, 0.0, "clock_ahead"),
        (300, 900, DOUBTED, "clocks_disagree"),
    ],
)
def test_span_is_believed_as_far_as_both_clocks_say(
    seconds: float, received: float, trust: float, why: str
) -> None:
    assert doubts([ended(visit(), seconds, received)]) == [(trust, why)]


def test_report_after_a_dead_zone_is_believed() -> None:
    late = MORNING + timedelta(hours=3)
    stop = visit(took_s=180)
    offline = replace(
        stop,
        arrived=replace(stop.arrived, received_at=late),
        completed=replace(stop.completed, received_at=late + SENT),
    )

    assert doubts([offline]) == [(1.0, "")]


def test_batch_ticked_off_at_the_van_is_left_out() -> None:
    stops = [ended(stop, 2000, 2002) for stop in visits(4)]
    at = stops[-1].completed
    at_once = [
        replace(stop, completed=replace(at, occurred_at=at.occurred_at + SENT * n))
        for n, stop in enumerate(stops[1:])
    ]

    assert {why for _, why in doubts(at_once)} == {"reported_at_once"}
