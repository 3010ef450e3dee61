"""Conditions of the road: when each is in force, and what it does to travel. Pure.

A condition slows the part of a straight way that lies inside its place; conditions add
up. A closure lets nobody through: the part inside counts several times, for the way
round, and no stop inside is visited while it lasts (see `effects`).

A matrix is one for a whole solve. A condition therefore counts in it by the share of the
time looked at in which it is in force; ETAs, whose moments are known, take each leg's
own moment (see `eta`).
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from apps.core.units import Point
from apps.routes.places import Place, shares_between

CLOSURE = "closure"
UNREACHABLE = 1_000_000_000
"""As the engines have it: no way leads there."""

CLOSED_PERCENT = 500
"""What the part of a way inside a closure counts, in per cent of its time.

Our choice: half the way round a place is 157 % of the straight way through it, and on a
grid of streets one turns back, and goes round a block on either side, before that.
"""

CLOSED_DISTANCE_PERCENT = 157
"""π / 2: half the way round a circle, in per cent of the way through its middle."""

Times = NDArray[np.int32]
Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class DailyHours:
    """Hours of each day by the depot's clock; they may go over midnight."""

    from_time: time
    until_time: time


@dataclass(frozen=True, slots=True)
class RoadCondition:
    """One condition as planning and ETAs see it.

    `place` None is the whole depot's area. `percent` is what travel inside takes, in per
    cent of its usual time; None where there is no way through.
    """

    condition_id: UUID
    version: int
    kind: str
    place: Place | None
    from_at: datetime
    until_at: datetime
    percent: int | None
    name: str
    zone: str = "UTC"
    daily: DailyHours | None = None
    is_confirmed: bool = True

    @property
    def is_closure(self) -> bool:
        """Tell whether there is no way through."""
        return self.percent is None

    @property
    def extra(self) -> float:
        """What travel inside takes more, as a share of its usual time."""
        percent = CLOSED_PERCENT if self.percent is None else self.percent
        return percent / 100 - 1

    def intervals(self, from_at: datetime, until_at: datetime) -> list[Interval]:
        """Return when it is in force between two instants, in order."""
        begins, ends = max(from_at, self.from_at), min(until_at, self.until_at)
        if begins >= ends:
            return []
        if self.daily is None:
            return [(begins, ends)]
        return [
            (max(opens, begins), min(closes, ends))
            for opens, closes in self._days(begins, ends)
            if opens < ends and closes > begins
        ]

    def _days(self, begins: datetime, ends: datetime) -> Iterator[Interval]:
        """Yield the daily hours of every day from the one before `begins`."""
        if self.daily is None:
            return
        zone = ZoneInfo(self.zone)
        day = begins.astimezone(zone).date() - timedelta(days=1)
        while day <= ends.astimezone(zone).date():
            opens = datetime.combine(day, self.daily.from_time, tzinfo=zone)
            closes = datetime.combine(day, self.daily.until_time, tzinfo=zone)
            if self.daily.until_time <= self.daily.from_time:
                tomorrow = day + timedelta(days=1)
                closes = datetime.combine(tomorrow, self.daily.until_time, tzinfo=zone)
            yield opens.astimezone(UTC), closes.astimezone(UTC)
            day += timedelta(days=1)

    def is_in_force(self, at: datetime) -> bool:
        """Tell whether it counts at an instant."""
        if not self.from_at <= at < self.until_at:
            return False
        return self.daily is None or bool(
            self.intervals(at, at + timedelta(microseconds=1))
        )

    def share_of(self, from_at: datetime, until_at: datetime) -> float:
        """Return in which share of the time between two instants it is in force."""
        whole_s = (until_at - from_at).total_seconds()
        if whole_s <= 0:
            return float(self.is_in_force(from_at))
        parts = self.intervals(from_at, until_at)
        return sum((b - a).total_seconds() for a, b in parts) / whole_s


@dataclass(frozen=True, slots=True)
class Slice:
    """The time that a matrix stands for."""

    from_at: datetime
    until_at: datetime


def slowed(
    durations_s: Times,
    distances_m: Times,
    points: Sequence[Point],
    conditions: Collection[RoadCondition],
    when: Slice,
) -> tuple[Times, Times]:
    """Return travel between all points with the conditions in force.

    Both arrays are n by n, in the order of `points`; the given ones stay as they are.
    What is unreachable stays so, and nothing becomes it.
    """
    weights = [
        (each, each.share_of(when.from_at, when.until_at)) for each in conditions
    ]
    active = [(each, weight) for each, weight in weights if weight > 0]
    if not active or not points:
        return durations_s, distances_m
    longer = np.ones(durations_s.shape, dtype=np.float32)
    farther: NDArray[np.float32] | None = None
    for condition, weight in active:
        _add(longer, condition.place, points, condition.extra * weight)
        if condition.is_closure:
            if farther is None:
                farther = np.ones(durations_s.shape, dtype=np.float32)
            round_it = (CLOSED_DISTANCE_PERCENT / 100 - 1) * weight
            _add(farther, condition.place, points, round_it)
    distances = distances_m if farther is None else _times(distances_m, farther)
    return _times(durations_s, longer), distances


def _add(
    factors: NDArray[np.float32],
    place: Place | None,
    points: Sequence[Point],
    extra: float,
) -> None:
    """Add what a place takes more to the factors of all ways through it."""
    if place is None:
        factors += np.float32(extra)
        return
    rows, columns, shares = shares_between(place, points)
    more = (shares * extra).astype(np.float32)
    factors[rows, columns] += more
    factors[columns, rows] += more


def _times(entries: Times, factors: NDArray[np.float32]) -> Times:
    """Multiply, leaving alone what is unreachable and staying below it."""
    most = UNREACHABLE - 1
    longer = np.minimum(np.rint(entries * factors), most).astype(np.int32)
    return np.where(entries >= UNREACHABLE, entries, longer)


def minutes_text(seconds: float) -> str:
    """Return a difference of time as people say it: `+4 min`, `-12 min`."""
    minutes = math.floor(abs(seconds) / 60 + 0.5)
    return f"{'-' if seconds < 0 else '+'}{minutes} min"
