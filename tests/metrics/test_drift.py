"""Charts of daily figures: they find what was planted, and leave quiet days alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.metrics.drift import (
    LEAST_DAYS,
    Day,
    Shape,
    drifted,
    limits_of,
    read,
)

VALUES = st.floats(0.01, 100)


def course(count: int, *, seed: int = 1) -> list[Day]:
    rng = np.random.default_rng(seed)
    return [Day(float(np.exp(rng.normal(0, 0.05))), 200) for _ in range(count)]


def test_too_few_days_are_no_reference() -> None:
    assert read(course(LEAST_DAYS), Shape.RATIO, family=1) is None
    assert read(course(LEAST_DAYS + 1), Shape.RATIO, family=1) is not None


def test_jump_is_found_on_its_day() -> None:
    found = read([*course(30), Day(1.4, 200)], Shape.RATIO, family=10)
    assert found is not None
    assert found.is_drift
    assert found.high < 1.4
    assert found.low < found.centre < found.high


def test_small_lean_is_found_by_the_sum() -> None:
    days = course(30, seed=4)
    readings = []
    for _ in range(6):
        days.append(Day(1.13, 200))
        readings.append(read(days, Shape.RATIO, family=5))
    assert any(each is not None and each.is_drift for each in readings)


def test_odd_day_of_the_reference_does_not_hide_a_drift() -> None:
    days = course(30)
    days[12] = Day(9.0, 200)
    found = read([*days, Day(1.4, 200)], Shape.RATIO, family=10)
    assert found is not None
    assert found.is_drift


def test_share_of_few_is_given_more_room() -> None:
    rng = np.random.default_rng(3)
    days = [Day(float(rng.binomial(300, 0.1)) / 300, 300) for _ in range(30)]
    many = read([*days, Day(0.25, 300)], Shape.SHARE, family=10)
    few = read([*days, Day(0.25, 8)], Shape.SHARE, family=10)
    assert many is not None
    assert few is not None
    assert many.is_drift
    assert not few.is_drift
    assert few.high > many.high


@pytest.mark.parametrize("family", [1, 10])
def test_quiet_courses_are_left_alone_at_the_familys_rate(family: int) -> None:
    rng = np.random.default_rng(9)
    alarms = 0
    for _ in range(150):
        courses = {
            str(each): (
                Shape.LEVEL,
                [Day(float(value), 50) for value in rng.normal(size=35)],
            )
            for each in range(family)
        }
        alarms += any(each.is_drift for each in drifted(courses).values())
    assert alarms / 150 <= 0.1


def test_more_figures_have_wider_limits() -> None:
    assert limits_of(35, 1).alone < limits_of(35, 10).alone < limits_of(35, 40).alone


@settings(max_examples=25, deadline=None)
@given(st.lists(VALUES, min_size=LEAST_DAYS + 1, max_size=40), st.sampled_from(Shape))
def test_limits_hold_the_centre_whatever_the_course(
    values: list[float], shape: Shape
) -> None:
    share = 100.0 if shape is Shape.SHARE else 1.0
    found = read([Day(each / share, 20) for each in values], shape, family=3)
    assert found is not None
    assert found.low <= found.centre <= found.high


def test_constant_figure_never_drifts() -> None:
    found = read([Day(0.0, 40)] * 30, Shape.SHARE, family=10)
    assert found is not None
    assert not found.is_drift
