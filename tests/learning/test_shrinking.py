"""Figures lie between their parent and what was seen, the nearer the more was seen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.learning.learners.shrinking import between, middle_and_spread, shrunk, summary
from apps.learning.learners.sketch import Added, Sketch

SOME = st.floats(-3, 3)


def sketch_of(values: list[float], weight: float = 1.0) -> Sketch:
    sketch = Sketch()
    for value in values:
        sketch.add(Added("service", "depot", value, weight))
    return sketch


@given(SOME, SOME, st.floats(0, 500), st.floats(0.01, 2), st.floats(0, 2))
def test_figure_lies_between_the_parent_and_what_was_seen(
    seen: float, parent: float, weight: float, within: float, among: float
) -> None:
    value, error = shrunk(
        np.array([seen]),
        np.array([parent]),
        np.array([weight]),
        within=within,
        among=among,
    )

    low, high = sorted((seen, parent))
    assert low - 1e-9 <= value[0] <= high + 1e-9
    assert 0 <= error[0] <= np.sqrt(among) + 1e-9


@given(SOME, SOME, st.floats(0.01, 2), st.floats(0.01, 2))
def test_more_events_bring_a_figure_nearer_to_them_and_surer(
    seen: float, parent: float, within: float, among: float
) -> None:
    weights = np.array([0.0, 1, 5, 30, 1000])
    value, error = shrunk(
        np.full(5, seen), np.full(5, parent), weights, within=within, among=among
    )

    off = np.abs(value - seen)
    assert (np.diff(off) <= 1e-9).all()
    assert (np.diff(error) <= 1e-9).all()
    assert value[0] == parent


def test_variance_between_keys_is_found_and_noise_is_not() -> None:
    draw = np.random.default_rng(5)
    weight, zero = np.full(400, 20.0), np.zeros(400)
    noise = draw.normal(0, np.sqrt(0.2 / 20), 400)
    planted = draw.normal(0, 0.3, 400)

    assert between(noise, zero, weight, 0.2) < 0.002
    assert abs(between(noise + planted, zero, weight, 0.2) - 0.09) < 0.02
    assert between(np.array([1.0]), np.array([0.0]), np.array([5.0]), 0.2) == 0


def test_outliers_do_not_move_a_mean_and_are_counted() -> None:
    clean = list(np.random.default_rng(6).normal(0.2, 0.3, 300))
    bad = [3.0] * 30

    seen = summary([sketch_of([*clean, *bad])], 1.0)

    assert abs(seen.mean[0] - 0.2) < 0.04
    assert seen.left_out >= 30
    assert abs(np.mean([*clean, *bad]) - 0.2) > 0.2


def test_key_far_from_all_others_is_no_outlier() -> None:
    """A hospital takes four times as long, every day."""
    usual = sketch_of([0.0, 0.1, -0.1] * 60)
    hospital = sketch_of([1.4, 1.5, 1.3, 1.4, 1.4, 1.5])

    seen = summary([usual, hospital], 1.0)

    assert abs(seen.mean[1] - 1.4) < 0.05
    assert seen.n[1] == 6


def test_middle_and_spread_of_a_normal_law() -> None:
    values = list(np.random.default_rng(7).normal(0.5, 0.4, 4000))

    middle, spread = middle_and_spread(sketch_of(values))

    assert abs(middle - 0.5) < 0.05
    assert abs(spread - 0.4) < 0.05
