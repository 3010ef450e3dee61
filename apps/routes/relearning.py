"""What finished legs teach of travel times: the estimate's law, hours, roads. Pure.

The law `t = c · d^p · hour` is fitted to what drives took; so is the factor that a road
network's free flow is multiplied by. Three things keep it honest:

- Few legs change little: the first values count as so many legs that went as they say.
  What was learned before does not: the same legs would count again and again.
- A leg that took absurdly long (a chat, a lost signal) counts no more than one that is
  merely slow (Huber's weights, with 1.5 deviations).
- The newest quarter is held back: only what would have foretold it better is proposed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from apps.routes.hours import hour_factor

LEAST_LEGS = 120
"""Below, nothing is learned."""

PRIOR_LEGS = 40
"""As so many legs count the first values: for the whole, and again for each hour."""

LEAST_GAIN = 0.02
"""The mean error on what is held back must fall by this share at least."""

LEFT_ASIDE = 0.1
"""This share of what is held back, the worst of each law, does not count."""

HUBER = 1.5
MOST_DEVIATIONS = 3.0
ROUNDS = 6

C_S, P, HOUR, ROADS = (60.0, 900.0), (0.4, 1.1), (0.4, 2.5), (0.5, 3.0)
"""Between these every value stays: beyond, something else is wrong than the law."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrivenLeg:
    """A leg as it was driven, reckoned to a vehicle of ordinary speed.

    `hour` is the depot's; `free_s` is the network's free flow, where one was asked.
    """

    hour: int
    crow_km: float
    took_s: float
    free_s: float | None = None


@dataclass(frozen=True, slots=True)
class Law:
    """How travel is reckoned; `by_hour` are 24 factors."""

    c_s: float
    p: float
    by_hour: tuple[float, ...]
    roads_factor: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """A law that foretells better; errors are the mean ones of a leg held back."""

    law: Law
    legs: int
    held_back: int
    error_before_s: float
    error_after_s: float


Fit = Callable[[Sequence[DrivenLeg], Law], Law]
Told = Callable[[Sequence[DrivenLeg], Law], Floats]


def usual_hours(by_hour: Sequence[float]) -> tuple[float, ...]:
    """Return the 24 factors in force; those that are built in where none were learned."""
    return tuple(hour_factor(hour, by_hour=by_hour) for hour in range(24))


def lesson_of_estimate(
    legs: Sequence[DrivenLeg], law: Law, first: Law
) -> Lesson | None:
    """Return a law with better `c_s`, `p` and `by_hour`; None: what is in force stays.

    The legs are in the order of time; `law` is in force, `first` has the first values.
    """
    return _lesson(legs, law, first, _fitted, _estimated)


def lesson_of_roads(legs: Sequence[DrivenLeg], law: Law, first: Law) -> Lesson | None:
    """Return a law with a better `roads_factor`; None: what is in force stays."""
    known = [leg for leg in legs if leg.free_s is not None]
    first = replace(law, roads_factor=first.roads_factor)
    return _lesson(known, law, first, _scaled, _by_roads)


def _lesson(
    legs: Sequence[DrivenLeg], law: Law, first: Law, fit: Fit, told: Told
) -> Lesson | None:
    if len(legs) < LEAST_LEGS:
        return None
    cut = len(legs) * 3 // 4
    newest = legs[cut:]
    before_s = _error_s(newest, told(newest, law))
    after_s = _error_s(newest, told(newest, fit(legs[:cut], first)))
    if after_s > before_s * (1 - LEAST_GAIN):
        return None
    return Lesson(fit(legs, first), len(legs), len(newest), before_s, after_s)


def _error_s(legs: Sequence[DrivenLeg], told_s: Floats) -> float:
    """Return the mean error of a leg, without the worst tenth."""
    errors = np.sort(np.abs(_took(legs) - told_s))
    return float(errors[: math.ceil(len(errors) * (1 - LEFT_ASIDE))].mean())


def _estimated(legs: Sequence[DrivenLeg], law: Law) -> Floats:
    told_s: Floats = law.c_s * np.power(_km(legs), law.p) * _hourly(legs, law)
    return told_s


def _by_roads(legs: Sequence[DrivenLeg], law: Law) -> Floats:
    told_s: Floats = law.roads_factor * _free(legs) * _hourly(legs, law)
    return told_s


def _fitted(legs: Sequence[DrivenLeg], law: Law) -> Law:
    """Fit `c` and `p` to the whole, then the hours to what is left, twice."""
    prior = law
    for _ in range(2):
        law = _fitted_hours(legs, _fitted_line(legs, law, prior), prior)
    return law


def _fitted_line(legs: Sequence[DrivenLeg], law: Law, prior: Law) -> Law:
    """Fit a line to the logarithms, then let the sums of both sides agree."""
    x, y = np.log(_km(legs)), np.log(_took(legs) / _hourly(legs, law))
    prior_y = np.log(prior.c_s) + prior.p * x
    weights, prior_weight = np.ones(len(x)), PRIOR_LEGS / len(x)
    slope, height = law.p, float(np.log(law.c_s))
    for _ in range(ROUNDS):
        slope, height = _line(
            np.concatenate([x, x]),
            np.concatenate([y, prior_y]),
            np.concatenate([weights, np.full(len(x), prior_weight)]),
        )
        off = y - height - slope * x
        weights = np.minimum(1.0, HUBER * _spread(off) / np.maximum(np.abs(off), 1e-9))
    slope = float(np.clip(slope, *P))
    line = replace(law, p=slope, c_s=float(np.exp(height)))
    factor = _factor(_took(legs), _estimated(legs, line), prior=1.0)
    return replace(line, c_s=float(np.clip(line.c_s * factor, *C_S)))


def _fitted_hours(legs: Sequence[DrivenLeg], law: Law, prior: Law) -> Law:
    """Fit each hour's factor; together they leave the mean of these legs as it is."""
    even = replace(law, by_hour=(1.0,) * 24)
    clear_s, took_s = _estimated(legs, even), _took(legs)
    hours = _hours(legs)
    fresh = list(prior.by_hour)
    for hour in np.unique(hours):
        mine = hours == hour
        fresh[hour] = _factor(took_s[mine], clear_s[mine], prior=prior.by_hour[hour])
    factors = np.array(fresh)
    mean = float(factors[hours].mean() / np.array(prior.by_hour)[hours].mean())
    by_hour = np.clip(factors / mean, *HOUR)
    return replace(
        law,
        by_hour=tuple(round(float(each), 4) for each in by_hour),
        c_s=float(np.clip(law.c_s * mean, *C_S)),
    )


def _scaled(legs: Sequence[DrivenLeg], law: Law) -> Law:
    plain = _by_roads(legs, replace(law, roads_factor=1.0))
    factor = _factor(_took(legs), plain, prior=law.roads_factor)
    return replace(law, roads_factor=float(np.clip(factor, *ROADS)))


def _factor(took_s: Floats, told_s: Floats, *, prior: float) -> float:
    """Return how much longer it took than told, with absurd legs cut and a prior."""
    ratio = np.log(took_s / told_s)
    middle, spread = float(np.median(ratio)), _spread(ratio)
    most = MOST_DEVIATIONS * spread
    took_s = told_s * np.exp(np.clip(ratio, middle - most, middle + most))
    known_s = PRIOR_LEGS * float(told_s.mean())
    return float((took_s.sum() + prior * known_s) / (told_s.sum() + known_s))


def _line(x: Floats, y: Floats, weights: Floats) -> tuple[float, float]:
    """Return slope and height of the weighted line of least squares."""
    mean_x, mean_y = np.average(x, weights=weights), np.average(y, weights=weights)
    across = float((weights * (x - mean_x) ** 2).sum())
    if across < 1e-9:
        return 0.0, float(mean_y)
    slope = float((weights * (x - mean_x) * (y - mean_y)).sum()) / across
    return slope, float(mean_y - slope * mean_x)


def _spread(off: Floats) -> float:
    """Return a deviation that outliers do not move (median, as of a normal law)."""
    middle = np.median(off)
    return max(0.05, float(np.median(np.abs(off - middle))) / 0.6745)


def _km(legs: Sequence[DrivenLeg]) -> Floats:
    return np.array([leg.crow_km for leg in legs], dtype=np.float64)


def _took(legs: Sequence[DrivenLeg]) -> Floats:
    return np.array([leg.took_s for leg in legs], dtype=np.float64)


def _free(legs: Sequence[DrivenLeg]) -> Floats:
    return np.array([leg.free_s or 1.0 for leg in legs], dtype=np.float64)


def _hours(legs: Sequence[DrivenLeg]) -> NDArray[np.int64]:
    return np.array([leg.hour for leg in legs], dtype=np.int64)


def _hourly(legs: Sequence[DrivenLeg], law: Law) -> Floats:
    factors: Floats = np.array(law.by_hour)[_hours(legs)]
    return factors
