"""Has a daily figure left its usual course? Control charts with a calibrated rate. Pure.

Each day's figure is made even (logarithm of a ratio, arcsine of a share's root), and
standardised by the centre and the spread of the days before it, from which odd days are
cut back. Two charts look at what comes out:

- Shewhart (1931): today alone lies too far off;
- CUSUM (Page 1954): the last days together lean to one side, each too little to notice:
  `S = max(0, S + z - K)`, and the same downwards.

Their limits are not three deviations. With few reference days standardised values have
heavy tails, and many figures are looked at together: limits are drawn from simulated
quiet courses of the same length, at the rate that the whole family of figures may have
(Šidák 1967): on at most `FAMILY_RATE` of quiet days any chart of any figure speaks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

FAMILY_RATE: Final = 0.05
"""On so many quiet days at most a false alarm is taken. Figures that move together, as
errors and travel do, make it less."""

ALONE_SHARE: Final = 0.8
"""This part of the rate is Shewhart's, the rest the sum's."""

REFERENCE_DAYS: Final = 28
LEAST_DAYS: Final = 10
"""Fewer days before are no reference."""

SUMMED_DAYS: Final = 7
"""The sum looks back so far: what began earlier has become usual."""

K: Final = 0.75
"""What a day may lean, in deviations, without adding to the sum."""

MAD: Final = 1.4826
"""Median deviations of a normal distribution in one standard deviation."""

CLIPPED: Final = 2.5
"""A day of the reference farther off than so many deviations counts as one so far off."""

SIMULATED: Final = 20_000

Floats = NDArray[np.float64]


class Shape(StrEnum):
    """How a figure is made even before it is compared."""

    RATIO = "ratio"
    SHARE = "share"
    LEVEL = "level"


LEAST_SPREAD: Final = {Shape.RATIO: 0.02, Shape.SHARE: 0.0, Shape.LEVEL: 5.0}
"""No course is thought to be more even: a ratio than 2 %, a level than 5 seconds."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day's value of one figure, from `n` observations."""

    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond these a chart speaks."""

    alone: float
    summed: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What the charts say of one day: `low` and `high` are today's control limits.

    `deviations` is how far today lies off, `summed` how far the last days lean together.
    """

    centre: float
    low: float
    high: float
    deviations: float
    summed: float
    is_drift: bool


def read(days: Sequence[Day], shape: Shape, *, family: int) -> Reading | None:
    """Return what the charts say of the last of these days; None: too few before it.

    `family` is how many figures are looked at together.
    """
    known = days[-(REFERENCE_DAYS + SUMMED_DAYS) :]
    if len(known) <= LEAST_DAYS:
        return None
    even = np.array([_even(each, shape) for each in known])
    noise = np.array([_noise(each, shape) for each in known])
    count = min(SUMMED_DAYS, len(known) - LEAST_DAYS)
    offs = [
        _off(even, noise, len(known) - back, LEAST_SPREAD[shape])
        for back in reversed(range(count))
    ]
    summed = _summed([each.deviations for each in offs])
    limits = limits_of(len(known), family)
    today = offs[-1]
    reach = limits.alone * today.scale
    return Reading(
        centre=_plain(today.centre, shape),
        low=_plain(today.centre - reach, shape),
        high=_plain(today.centre + reach, shape),
        deviations=round(today.deviations, 3),
        summed=round(summed, 3),
        is_drift=abs(today.deviations) > limits.alone or abs(summed) > limits.summed,
    )


@dataclass(frozen=True, slots=True)
class _Off:
    centre: float
    scale: float
    deviations: float


def _off(even: Floats, noise: Floats, at: int, least: float) -> _Off:
    """Return how far the day before `at` lies off the days before it.

    A day of few observations is noisier than the days of its reference: what is missing
    is added to their spread.
    """
    before = slice(max(0, at - 1 - REFERENCE_DAYS), at - 1)
    past, today = even[before], float(even[at - 1])
    centres, scales = _centre_and_scale(past[None, :])
    centre, scale = float(centres[0]), float(scales[0])
    scale = max(scale, least)
    usual = float(np.median(noise[before]))
    more = max(0.0, float(noise[at - 1]) - usual)
    scale = max(math.sqrt(scale**2 + more), math.sqrt(float(noise[at - 1])))
    return _Off(centre, scale, (today - centre) / scale)


def _centre_and_scale(past: Floats) -> tuple[Floats, Floats]:
    """Return the robust centre and spread of each row.

    The mean and deviation of what lies within `CLIPPED` deviations of the median, by the
    median deviation; what lies farther counts as if it lay there (Huber 1981).
    """
    middle = np.median(past, axis=1, keepdims=True)
    usual = MAD * np.median(np.abs(past - middle), axis=1, keepdims=True)
    near = np.clip(past, middle - CLIPPED * usual, middle + CLIPPED * usual)
    return near.mean(axis=1), near.std(axis=1, ddof=1)


def _summed(offs: Sequence[float]) -> float:
    """Return the larger of both sums, downwards negative."""
    up = down = 0.0
    for each in offs:
        up = max(0.0, up + each - K)
        down = max(0.0, down - each - K)
    return up if up >= down else -down


def _even(day: Day, shape: Shape) -> float:
    if shape is Shape.RATIO:
        return math.log(max(day.value, 1e-6))
    if shape is Shape.SHARE:
        hits = day.value * day.n
        return math.asin(math.sqrt((hits + 0.375) / (day.n + 0.75)))
    return day.value


def _noise(day: Day, shape: Shape) -> float:
    """Return the variance that a share has by its count alone (Anscombe 1948)."""
    return 1 / (4 * day.n + 2) if shape is Shape.SHARE else 0.0


def _plain(even: float, shape: Shape) -> float:
    if shape is Shape.RATIO:
        return math.exp(even)
    if shape is Shape.SHARE:
        return math.sin(min(max(even, 0.0), math.pi / 2)) ** 2
    return even


@lru_cache(maxsize=64)
def limits_of(days: int, family: int) -> Limits:
    """Return the limits for so many days and figures, from simulated quiet courses.

    Most of the rate is for today alone: a drift is to be found on its day. The draws are the same each time.
    """
    each = 1 - (1 - FAMILY_RATE) ** (1 / family)
    alone, summed = _quiet(days)
    return Limits(
        alone=float(np.quantile(alone, 1 - each * ALONE_SHARE)),
        summed=float(np.quantile(summed, 1 - each * (1 - ALONE_SHARE))),
    )


@lru_cache(maxsize=32)
def _quiet(days: int) -> tuple[Floats, Floats]:
    """Return the sizes of today's deviation and of the sum, of many quiet courses."""
    drawn = np.random.default_rng(days).standard_normal((SIMULATED, days))
    count = min(SUMMED_DAYS, days - LEAST_DAYS)
    up = down = offs = np.zeros(SIMULATED)
    for at in range(days - count, days):
        past = drawn[:, max(0, at - REFERENCE_DAYS) : at]
        centre, scale = _centre_and_scale(past)
        offs = (drawn[:, at] - centre) / scale
        up = np.maximum(0.0, up + offs - K)
        down = np.maximum(0.0, down - offs - K)
    return np.abs(offs), np.maximum(up, down)


def drifted(
    courses: Mapping[str, tuple[Shape, Sequence[Day]]],
) -> dict[str, Reading]:
    """Return what the charts say of each figure that has a reference, by its name."""
    found = {
        name: read(days, shape, family=max(1, len(courses)))
        for name, (shape, days) in courses.items()
    }
    return {name: reading for name, reading in found.items() if reading is not None}
