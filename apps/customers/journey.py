"""What a customer is told at which point of the delivery (C44, C46). Pure.

One of four things may be due for a stop, the most pressing alone: you are next; we are
late; we are on the way; your delivery is planned. Whether it was said already, and
whether a new time is worth saying again, the outbox decides by its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

PLANNED: Final = "planned"
ON_THE_WAY: Final = "on_the_way"
NEXT_STOP: Final = "next_stop"
LATE: Final = "late"

NEXT_WITHIN: Final = timedelta(minutes=30)
"""Nobody is told to be next for longer than this: the driver may have a break before."""

ROUNDED_TO: Final = timedelta(minutes=15)
"""To what the ends of a told window are rounded, outwards."""

EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  only distances from it count


@dataclass(frozen=True, slots=True)
class Interval:
    """From when until when."""

    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a stop stands: its expected arrival, what was promised, where its driver is.

    `windows` are the order's own; `promised_until` is the end of what the customer was
    last told, where there is no window; `is_under_way`: the driver is driving to it;
    `is_first`: nothing of its route is before it.
    """

    eta: datetime
    expected: Interval
    windows: Sequence[Interval]
    promised_until: datetime | None
    has_started: bool
    is_under_way: bool
    is_first: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """A depot's thresholds."""

    on_the_way: timedelta
    late: timedelta


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told: the kind, the interval in words, and what it promises."""

    kind: str
    told: Interval
    told_at: datetime


def telling_for(
    standing: Standing, patience: Patience, *, now: datetime
) -> Telling | None:
    """Return what is to be told of a stop that is still ahead, if anything is."""
    told = rounded(standing.expected, now)
    if not standing.has_started:
        return _planned(standing)
    is_near = standing.eta - now <= NEXT_WITHIN
    if standing.is_under_way or (standing.is_first and is_near):
        return Telling(NEXT_STOP, told, standing.eta)
    if is_late(standing, patience):
        return Telling(LATE, told, standing.eta)
    if standing.eta - now <= patience.on_the_way:
        return Telling(ON_THE_WAY, told, standing.eta)
    return None


def is_late(standing: Standing, patience: Patience) -> bool:
    """Tell whether a stop is expected later than promised, beyond the patience."""
    ends = [window.high for window in standing.windows]
    promised = max(ends) if ends else standing.promised_until
    return promised is not None and standing.eta > promised + patience.late


def rounded(interval: Interval, now: datetime) -> Interval:
    """Return an interval widened to quarters of an hour, that does not begin in the past."""
    low = max(interval.low, min(now, interval.high))
    return Interval(_down(low), _up(interval.high))


def _planned(standing: Standing) -> Telling:
    """Tell the window that the order has, or else the one that the plan expects.

    A window of the order's own is told again only where that window is another one.
    """
    own = [one for one in standing.windows if one.low <= standing.eta <= one.high]
    if own:
        return Telling(PLANNED, own[0], own[0].low)
    told = Interval(_down(standing.expected.low), _up(standing.expected.high))
    return Telling(PLANNED, told, standing.eta)


def _down(at: datetime) -> datetime:
    return at - (at.replace(tzinfo=None) - EPOCH) % ROUNDED_TO


def _up(at: datetime) -> datetime:
    over = (at.replace(tzinfo=None) - EPOCH) % ROUNDED_TO
    return at + (ROUNDED_TO - over) if over else at
