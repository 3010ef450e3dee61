"""Sums to which events are added in any order, and out of which they are taken."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.learning.learners.sketch import (
    HALF_LIFE,
    LANDMARK,
    Added,
    Sketch,
    grown,
    joined,
    unpacked,
)

EVENTS = st.lists(
    st.builds(
        Added,
        kind=st.just("service"),
        key=st.just("depot"),
        value=st.floats(-2, 2),
        weight=st.floats(0.01, 8),
        mix=st.sampled_from(["", "van\t1", "bike\t2"]),
        n=st.integers(1, 4),
    ),
    max_size=25,
)


def of(events: list[Added]) -> Sketch:
    sketch = Sketch()
    for event in events:
        sketch.add(event)
    return sketch


def same(one: Sketch, other: Sketch) -> None:
    assert one.bins.keys() == other.bins.keys()
    assert one.mix.keys() == other.mix.keys()
    for number, row in one.bins.items():
        assert row == pytest.approx(other.bins[number], rel=1e-9, abs=1e-9)
    for name, row in one.mix.items():
        assert row == pytest.approx(other.mix[name], rel=1e-9, abs=1e-9)


@given(EVENTS, st.randoms(use_true_random=False), st.integers(0, 25))
def test_any_order_and_any_batches_give_the_same(
    events: list[Added], random: object, cut: int
) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    in_two = joined([of(shuffled[:cut]), of(shuffled[cut:])])

    same(in_two, of(events))
    same(unpacked(of(events).packed()), of(events))


@given(EVENTS, EVENTS)
def test_what_is_taken_out_leaves_nothing(kept: list[Added], gone: list[Added]) -> None:
    sketch = of([*kept, *gone])
    for event in gone:
        sketch.add(event, -1)

    same(sketch, of(kept))


def test_event_weighs_half_after_the_half_life() -> None:
    at = datetime(2027, 5, 1, tzinfo=UTC)

    assert grown(LANDMARK) == 1
    assert grown(at) / grown(at + HALF_LIFE) == pytest.approx(0.5)
    assert grown(at) < grown(at + timedelta(days=1))
