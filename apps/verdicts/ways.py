"""What is replayed: ways, their legs and visits, and what each cost. Pure.

Times are seconds after one origin that both ways share, distances whole metres, prices
thousandths of a minor money unit ("milli"), as the solver has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final

START: Final = "start"
END: Final = "end"
"""Names of a way's first and last place, which are no stops."""

LegKey = tuple[str, str, str]
"""Shift, place before, place after: a stop's id, `START` or `END`."""


class Ruling(StrEnum):
    """Whether the human's choice was better than what was recommended."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """How long one leg took, or would have taken; `sd_s` is the leg's own spread.

    Its distance comes from a map in any case: `distance_sd_m` is how far that may be off.
    What all estimated legs of a shift have in common is not in `sd_s` (see `World`);
    `common` is how much of it this one has: 1 where only its law is known, 0 where it was
    observed, between where it is known in sum with others.
    """

    seconds: float
    sd_s: float
    distance_m: int
    is_observed: bool
    distance_sd_m: float = 0.0
    common: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """How long a stop's service took, when it may begin, and what was promised.

    `windows` are half-open; who comes between two serves late or waits, whichever is
    less. `promised_s` is the end of the interval that was told.
    """

    service_s: float
    sd_s: float = 0.0
    is_observed: bool = True
    windows: tuple[tuple[float, float], ...] = ()
    promised_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A break that begins at the first place that is reached or left from `due_s` on."""

    due_s: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The weights of the plan's cost. A minute after a window, or a promise, is priced.

    A plan never misses a window, so that it has no price for it: `window_late` is a
    minute of the driver for each minute.
    """

    per_s_milli: float
    per_m_milli: float
    overtime_per_s_milli: float = 0.0
    window_late_per_s_milli: float = 0.0
    promise_late_per_s_milli: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What was ahead of one shift, in one sequence; it ends at the depot.

    `start` is where it stood: the depot, or the stop that was done or under way.
    `windows` are those of stops that have others in this way than in the world; nothing
    is promised to their customers. `pace` is how long its legs take, measured by those of
    the vehicle that was driven, known to `pace_sd`.
    """

    shift_id: str
    begins_s: float
    stops: tuple[str, ...]
    shift_ends_s: float
    prices: Prices
    rests: tuple[Rest, ...] = ()
    start: str = START
    windows: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    pace: float = 1.0
    pace_sd: float = 0.0

    @property
    def keys(self) -> tuple[LegKey, ...]:
        """The legs, first to last; a shift without stops drives nowhere."""
        if not self.stops:
            return ()
        places = pairwise((self.start, *self.stops, END))
        return tuple((self.shift_id, here, there) for here, there in places)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The day as it was, and what is estimated of it.

    `common_sd` is by shift the relative spread that all its estimated legs share: the
    factor of the day is known only so well.
    """

    legs: Mapping[LegKey, Leg]
    visits: Mapping[str, Visit]
    common_sd: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One leg of a replayed way with the stop that it leads to."""

    shift_id: str
    here: str
    there: str
    is_observed: bool
    leg_s: float
    leg_sd_s: float
    distance_m: int
    arrives_s: float
    waits_s: float
    rests_s: float
    service_s: float
    is_service_observed: bool
    leaves_s: float
    leaves_sd_s: float
    window_late_s: float
    promise_late_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One way as it went, or would have gone; costs in minor units of money."""

    duration_s: float
    distance_m: int
    overtime_s: float
    window_late_s: float
    promise_late_s: float
    time_minor: float
    distance_minor: float
    overtime_minor: float
    late_minor: float
    steps: tuple[Step, ...]

    @property
    def total_minor(self) -> float:
        """The sum of the parts."""
        return (
            self.time_minor
            + self.distance_minor
            + self.overtime_minor
            + self.late_minor
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one uncertain thing adds to the spread of the difference."""

    name: str
    sd_minor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the choice gained over the recommendation (less than 0: lost), and the ruling.

    `least_minor` is what has to be exceeded; `parts` are the largest contributions to
    `sd_minor`, which is the square root of the sum of all squares.
    """

    ruling: Ruling
    gained_minor: float
    gained_s: float
    sd_minor: float
    sd_s: float
    least_minor: float
    recommended: Replayed
    chosen: Replayed
    parts: tuple[Part, ...] = ()
    because: str = ""
    """What is not measured and keeps it undecidable (`beyond.Beyond`); empty: nothing."""
