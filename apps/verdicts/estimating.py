"""How long a leg would have taken that nobody drove: its law, and the day's factor. Pure.

The legs that were driven say by how much this day was slower than thought; those of the
shift itself more than those of its neighbours. An outlier, as a clock that jumped makes
it, moves nothing (Huber's estimate), and is not taken as observed either.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from apps.verdicts.ways import Leg, LegKey

SHORTEST_S: Final = 5.0
LONGEST_S: Final = 2.0 * 3600
"""What took less is no drive, and what took longer no leg of a round."""

DEFAULT_SPREAD: Final = 0.30
"""Spread of one leg about its law, in logs, before anything was seen (`eta_travel_cv`)."""

SPREAD_COUNTS: Final = 6
"""As so many legs that default counts beside those that were seen."""

LEAST_SPREAD: Final = 0.08
FIRST_DRIFT: Final = 0.35
"""How much a whole day may differ from the law, in logs, where no leg was seen at all."""

BETWEEN_SHIFTS: Final = 0.08
"""How much one shift differs from its neighbours of the same day (`eta_drift`)."""

HUBER: Final = 1.345
"""Where a deviation begins to count less, in spreads (95 % efficient; Huber 1981)."""

OUTLIER: Final = 4.0
"""A leg so many spreads off was not driven so: a clock or a forgotten tap."""

CLOCK_SD_S: Final = 8.0
"""How exactly a driver taps: the spread of one tap about the fact, in seconds."""

GUESSED_DISTANCE, ROADS_DISTANCE = 0.15, 0.03
"""Spread of a distance as a share of it: reckoned from the crow's, or from a network."""

LAW_FLOOR_S: Final = 15.0
"""Spread that a leg has however short it is: to park, to turn, to find the door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """One leg as it was driven, beside its law: both in seconds."""

    key: LegKey
    law_s: float
    took_s: float

    @property
    def log_ratio(self) -> float:
        """How much longer than its law it took, as a logarithm."""
        return math.log(self.took_s / self.law_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFactor:
    """By how much legs of a shift took longer than their law.

    `log_mean` with its standard error `se` is what they share; `spread` is how much
    one leg differs from that; `n` legs of the shift, and `neighbours`, told it.
    """

    log_mean: float
    se: float
    spread: float
    n: int
    neighbours: int = 0

    @property
    def factor(self) -> float:
        """The mean factor of a leg, skewed as times are (lognormal)."""
        return math.exp(self.log_mean + self.spread**2 / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class LawOfLeg:
    """What is known of a leg before the day: seconds, metres, and how far those are off."""

    seconds: float
    distance_m: int
    distance_sd_m: float = 0.0


def is_plausible(law_s: float, took_s: float) -> bool:
    """Tell whether a time between two taps can be a drive at all."""
    return law_s > 0 and SHORTEST_S <= took_s <= LONGEST_S


def day_factor(own: Iterable[Driven], others: Iterable[Driven] = ()) -> DayFactor:
    """Return the factor of a shift's day, learned from its legs and its neighbours'.

    The neighbours say what to expect, the shift's own legs correct it: precisions add.
    """
    mine = sorted(leg.log_ratio for leg in own)
    theirs = sorted(leg.log_ratio for leg in others)
    spread = _spread(mine, theirs)
    mean, variance = 0.0, FIRST_DRIFT**2
    for seen, drift in ((theirs, BETWEEN_SHIFTS), (mine, 0.0)):
        if not seen:
            continue
        told = _huber(seen, spread)
        told_variance = 1.1 * spread**2 / len(seen)
        weight = variance / (variance + told_variance)
        mean += weight * (told - mean)
        variance = variance * (1 - weight) + drift**2
    return DayFactor(
        log_mean=mean,
        se=math.sqrt(variance),
        spread=spread,
        n=len(mine),
        neighbours=len(theirs),
    )


def estimated_leg(law: LawOfLeg, factor: DayFactor) -> Leg:
    """Return a leg that nobody drove, marked with how uncertain it is."""
    seconds = law.seconds * factor.factor
    own = seconds * math.sqrt(math.expm1(factor.spread**2))
    return Leg(
        seconds=seconds,
        sd_s=math.hypot(own, LAW_FLOOR_S),
        distance_m=law.distance_m,
        is_observed=False,
        distance_sd_m=law.distance_sd_m,
    )


def _spread(mine: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the robust spread of legs about their shift, shrunk to the default."""
    offs = [
        abs(value - statistics.median(group))
        for group in (mine, theirs)
        if len(group) > 1
        for value in group
    ]
    found = 1.4826 * statistics.median(offs) if offs else 0.0
    count = len(offs)
    pooled = (SPREAD_COUNTS * DEFAULT_SPREAD**2 + count * found**2) / (
        SPREAD_COUNTS + count
    )
    return max(LEAST_SPREAD, math.sqrt(pooled))


def _huber(values: Sequence[float], spread: float) -> float:
    """Return Huber's estimate of the middle, from the median on, with a known spread."""
    middle = statistics.median(values)
    for _ in range(20):
        weights = [
            min(1.0, HUBER * spread / max(abs(value - middle), 1e-12))
            for value in values
        ]
        total = math.fsum(
            weight * value for weight, value in zip(weights, values, strict=True)
        )
        middle = total / math.fsum(weights)
    return middle
