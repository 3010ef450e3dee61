"""Is a change better than chance: paired days before it, watched days after it. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

T_95: Final = (
    *(6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812),
    *(1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725),
)
"""Student's t, 95 %, one-sided, by degrees of freedom from 1: a 90 % interval."""

LEAST_DAYS: Final = 5
"""Fewer past days prove nothing, whatever they say."""

WINS, LOSES, UNDECIDED = "wins", "loses", "undecided"


@dataclass(frozen=True, slots=True)
class Paired:
    """The mean difference of pairs (after less before) with its 90 % interval."""

    days: int
    before: float
    after: float
    mean: float
    low: float
    high: float

    @property
    def falls(self) -> bool:
        """Tell whether it is surely less than before."""
        return self.days >= LEAST_DAYS and self.high < 0

    @property
    def rises(self) -> bool:
        """Tell whether it is surely more than before."""
        return self.days >= LEAST_DAYS and self.low > 0


def paired(before: Sequence[float], after: Sequence[float]) -> Paired:
    """Compare the same days under two plans."""
    if not before:
        return Paired(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    off = [b - a for a, b in zip(before, after, strict=True)]
    mean, half = fmean(off), 0.0
    if len(off) > 1:
        half = _t(len(off) - 1) * stdev(off) / math.sqrt(len(off))
    return Paired(
        len(off),
        round(fmean(before), 3),
        round(fmean(after), 3),
        round(mean, 3),
        round(mean - half, 3),
        round(mean + half, 3),
    )


def verdict_of(error: Paired, loss: Paired) -> str:
    """Judge a replay by the error of what is foretold and by what the days cost.

    It wins where one of them surely falls and the other does not surely rise; it loses
    where one surely rises and the other does not surely fall. What foretells better and
    costs more, or the other way round, is undecided: a person weighs it.
    """
    if (error.falls and not loss.rises) or (loss.falls and not error.rises):
        return WINS
    if (error.rises and not loss.falls) or (loss.rises and not error.falls):
        return LOSES
    return UNDECIDED


def verdict_of_nearness(error: Paired, loss: Paired) -> str:
    """Judge plans that are to come nearer to what is driven.

    The loss is that of the days as they were driven beside the new plans: a plan on paper
    is nearly always cheaper than a day, so that this alone proves nothing. It wins where
    the error surely falls and the loss does not surely rise; it loses where either surely
    rises.
    """
    if error.rises or loss.rises:
        return LOSES
    return WINS if error.falls else UNDECIDED


def _t(freedom: int) -> float:
    return T_95[freedom - 1] if freedom <= len(T_95) else 1.645


@dataclass(frozen=True, slots=True)
class Against:
    """The error of the values in force beside that of those before, on the same stops.

    `mean` is the difference (new less old), `error` its standard error.
    """

    count: int
    days: int
    old: float
    new: float
    mean: float
    error: float

    @property
    def has_fallen(self) -> bool:
        """Tell whether the values before would have been surely better."""
        return (
            self.days >= LEAST_WATCHED_DAYS
            and self.count >= LEAST_WATCHED
            and self.mean > NOISE_BANDS * self.error
            and self.mean > LEAST_FALL * self.old
        )


def against_old(pairs: Sequence[tuple[float, float]], days: int) -> Against:
    """Compare errors of the same stops: (under the values before, under those now)."""
    if len(pairs) < 2:
        return Against(len(pairs), days, 0.0, 0.0, 0.0, 0.0)
    off = [new - old for old, new in pairs]
    return Against(
        len(pairs),
        days,
        round(fmean(old for old, _ in pairs), 1),
        round(fmean(new for _, new in pairs), 1),
        round(fmean(off), 2),
        round(stdev(off) / math.sqrt(len(off)), 2),
    )


# ── the watch ────────────────────────────────────────────────────────────────
LEAST_BASE_DAYS: Final = 4
LEAST_WATCHED: Final = 20
LEAST_WATCHED_DAYS: Final = 2
"""One odd day takes nothing back."""
NOISE_BANDS: Final = 3.0
"""A figure has fallen when the mean of the watched days lies beyond so many standard
errors of the days before: in 3 of 100 quiet fortnights, looked at every night, it does
(simulated, 10 days before)."""
LEAST_FALL: Final = 0.10
"""And by at least this share of what it was."""

Hours = Mapping[int, tuple[int, float]]
"""By the depot's hour: how many were counted, and their sum."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A figure of the watched days beside the same hours of the days before.

    `band` is how far the mean of the days may lie above without meaning anything; None
    where there were too few days before.
    """

    days: int
    before: float
    after: float
    band: float | None

    @property
    def has_fallen(self) -> bool:
        """Tell whether the figure is worse than chance would have it."""
        if self.band is None or self.days < LEAST_WATCHED_DAYS:
            return False
        return self.after > self.before + max(self.band, LEAST_FALL * self.before)


def watched(base: Sequence[Hours], days: Sequence[Hours]) -> Watched:
    """Compare watched days with those before, each hour with its like."""
    base = [day for day in base if day]
    usual = _by_hour(base)
    pairs = [pair for day in days if (pair := _same_hours(day, usual)) is not None]
    if not pairs:
        return Watched(0, round(_mean(base), 2), 0.0, None)
    before, after = fmean(a for a, _ in pairs), fmean(b for _, b in pairs)
    off = []
    for number, day in enumerate(base):
        others = _by_hour([*base[:number], *base[number + 1 :]])
        pair = _same_hours(day, others)
        if pair is not None:
            off.append(pair[1] - pair[0])
    band = None
    if len(off) >= LEAST_BASE_DAYS:
        error = stdev(off) * math.sqrt(1 / len(pairs) + 1 / len(off))
        band = round(NOISE_BANDS * error, 2)
    return Watched(len(pairs), round(before, 2), round(after, 2), band)


def _by_hour(days: Sequence[Hours]) -> dict[int, float]:
    counts: dict[int, list[float]] = {}
    for day in days:
        for hour, (count, total) in day.items():
            have = counts.setdefault(hour, [0.0, 0.0])
            have[0] += count
            have[1] += total
    return {hour: total / count for hour, (count, total) in counts.items() if count}


def _same_hours(day: Hours, usual: Mapping[int, float]) -> tuple[float, float] | None:
    """Return what a day's hours usually come to, and what they came to."""
    shared = {hour: pair for hour, pair in day.items() if hour in usual and pair[0]}
    count = sum(pair[0] for pair in shared.values())
    if not count:
        return None
    before = sum(pair[0] * usual[hour] for hour, pair in shared.items()) / count
    return before, sum(pair[1] for pair in shared.values()) / count


def _mean(days: Sequence[Hours]) -> float:
    count = sum(pair[0] for day in days for pair in day.values())
    total = sum(pair[1] for day in days for pair in day.values())
    return total / count if count else 0.0
