"""ETA intervals that learn from their own errors: conformal, by zone and hour. Pure.

The score of an arrival is its signed error against what was told, divided by the spread
that the model had when it was told (`eta.propagate`): how many spreads it came too late.
An interval reaches from one quantile of past scores to another, so it holds as often as
it says whatever the errors look like, as long as the days ahead are like those behind.

- Mondrian (Vovk, Lindsay, Nouretdinov, Gammerman 2003): the quantiles are those of the
  stop's own group, horizon × zone × hour; a small group is drawn to its parents
  (`sketches`).
- Asymmetric: one in twenty may be earlier, one in twenty later. Where nothing can be
  early (the early end lies in the past, or a wait for the window swallows it) the
  interval is one-sided, and one in ten may be later.
- Today: an arrival shifts and stretches the intervals told after it, as the mean and
  the mean size of the newest errors say, so that a surge is followed within the hour.
- Adaptive (Gibbs and Candès 2021; as quantile tracking, Angelopoulos, Candès, Tibshirani
  2023): each miss widens its side, each hit narrows it a little, so that on the long run
  one in twenty misses each side whatever happens, and one in ten a single one.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

MISS: Final = 0.05
"""The share that may miss on each side; both together are the tenth that may miss."""

BANDS_S: Final = (1_200.0, 4_800.0)
"""Horizons are told apart: the next stop or two, the next hour, the rest of the day."""

LEAST_SPREAD_S: Final = 20.0
"""No arrival is foretold more exactly: a spread of nothing would divide by nothing."""

QUIET_SIZE: Final = 0.45
"""Mean size of an error in half-widths of its interval on a quiet day: a first value,
between the normal distribution's 0.49 and that of heavier tails."""

PRIOR_WEIGHT: Final = 4.0
"""As so many arrivals counts that a day is like the others."""

MEMORY: Final = 12.0
"""An arrival counts for about so many after it."""

SLOW: Final = 1_000.0
"""What is usual moves by one part in so many an arrival."""

STEP: Final = 0.03
"""How far a miss moves its side, in half-widths; a hit moves it back by 1/19 of it."""

MOST_SIZE: Final = 6.0
"""An error larger than so many usual ones counts as such: a chat is not a surge."""

GAIN: Final = (0.5, 3.0)
STRETCH: Final = (0.6, 8.0)

RULES: Final = 2
"""2: what lies in the past cannot be missed either, and one-sided intervals have a gain
of their own. By 1 what was stored before is reckoned as it was."""


@dataclass(frozen=True, slots=True)
class Margins:
    """How far an interval reaches from the ETA, in spreads; `low` is mostly negative.

    `high_alone` is the end of an interval that cannot be missed on its early side.
    """

    low: float
    high: float
    high_alone: float

    @property
    def centre(self) -> float:
        """The middle between both ends."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        """Half the way between both ends, never nothing."""
        return max(0.05, (self.high - self.low) / 2)


NORMAL: Final = Margins(-1.645, 1.645, 1.282)
"""Where nothing is known yet: the quantiles of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Today:
    """What the newest arrivals of one horizon say, in half-widths of their intervals.

    `shift_sum` and `size_sum` are sums of errors and of their sizes over `weight`
    arrivals, `quiet_shift` and `quiet_size` their means on usual days. `low_gain` and
    `high_gain` are what misses made of either side, `alone_gain` of one-sided ones.
    """

    shift_sum: float = 0.0
    size_sum: float = 0.0
    weight: float = 0.0
    quiet_shift: float = 0.0
    quiet_size: float = QUIET_SIZE
    low_gain: float = 1.0
    high_gain: float = 1.0
    alone_gain: float = 1.0

    @property
    def shift(self) -> float:
        """How far arrivals lie off the usual."""
        whole = PRIOR_WEIGHT * self.quiet_shift + self.shift_sum
        return whole / (self.weight + PRIOR_WEIGHT) - self.quiet_shift

    @property
    def stretch(self) -> float:
        """How many times as large as usual errors are."""
        usual = PRIOR_WEIGHT * self.quiet_size + self.size_sum
        ratio = usual / (self.weight + PRIOR_WEIGHT) / self.quiet_size
        return _within(ratio, STRETCH)


class Group(NamedTuple):
    """By whose past errors an interval goes, beside the horizon."""

    zone: str
    hour: int


class Reach(NamedTuple):
    """The ends of an interval, in seconds after the arrival that is expected.

    Of one that is one-sided `low_s` cannot come true: nothing can be so early.
    """

    low_s: float
    high_s: float
    is_one_sided: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """What intervals follow from: margins by group (`key`), and today by horizon.

    `version` names the margins; 0 where nothing is calibrated yet. `rules` are those by
    which an interval is made of them (`RULES`).
    """

    version: int = 0
    margins: Mapping[str, Margins] = field(default_factory=dict)
    today: tuple[Today, ...] = ()
    rules: int = 1

    def of(self, ahead_s: float, zone: str, hour: int) -> Margins:
        """Return the usual margins of a group, or those of the nearest parent."""
        band = band_of(ahead_s)
        for wanted in (
            key(band, zone, hour),
            key(band, zone, None),
            key(band, "", hour),
            key(band, "", None),
            EVERYTHING,
        ):
            if wanted in self.margins:
                return self.margins[wanted]
        return NORMAL

    def now(self, ahead_s: float) -> Today:
        """Return what today says of a horizon."""
        band = band_of(ahead_s)
        return self.today[band] if band < len(self.today) else Today()

    def near(self, zones: Collection[str]) -> "Calibration":
        """Return the same as far as a route through these zones needs it."""
        wanted = {"", *zones}
        margins = {
            name: each
            for name, each in self.margins.items()
            if name.split("|")[1] in wanted
        }
        return replace(self, margins=margins)

    def told(self, ahead_s: float, zone: str, hour: int) -> Margins:
        """Return the margins to tell: the usual ones as today shifts and stretches them."""
        today = self.now(ahead_s)
        if self.rules == 1:
            today = replace(today, alone_gain=today.high_gain)
        return as_today(self.of(ahead_s, zone, hour), today)

    def reach(
        self, ahead_s: float, spread_s: float, group: Group, opens_s: float | None
    ) -> Reach:
        """Return how far the interval of an arrival so far ahead reaches.

        `opens_s` is when its window opens, in seconds after it is expected.
        """
        margins, unit_s = self.told(ahead_s, *group), spread_of(spread_s)
        low_s = min(0.0, margins.low) * unit_s
        first_s = [] if opens_s is None else [opens_s]
        if self.rules > 1:
            first_s.append(-ahead_s)
        is_one_sided = max(first_s, default=-math.inf) >= low_s
        high = margins.high_alone if is_one_sided else margins.high
        return Reach(low_s, max(0.0, high) * unit_s, is_one_sided)


def key(band: int, zone: str, hour: int | None) -> str:
    """Name a group; zone "" is any zone, hour None any hour."""
    return f"{band}|{zone}|{'' if hour is None else hour}"


EVERYTHING: Final = "||"


def band_of(ahead_s: float) -> int:
    """Return which horizon a time ahead belongs to: 0 is the nearest."""
    return sum(ahead_s >= bound for bound in BANDS_S)


def spread_of(spread_s: float) -> float:
    """Return by what errors are divided."""
    return max(LEAST_SPREAD_S, spread_s)


def score(arrived_s: float, told_s: float, spread_s: float) -> float:
    """Return how many spreads an arrival came after what was told."""
    return (arrived_s - told_s) / spread_of(spread_s)


def as_today(usual: Margins, today: Today) -> Margins:
    """Return margins shifted, stretched and widened as today says."""
    middle = usual.centre + usual.half * today.shift
    reach = usual.half * today.stretch
    alone = (usual.high_alone - usual.centre) / usual.half
    return Margins(
        low=middle - reach * today.low_gain,
        high=middle + reach * today.high_gain,
        high_alone=middle + reach * alone * today.alone_gain,
    )


def learn_today(
    today: Today,
    usual: Margins,
    scored: float,
    *,
    shift: float,
    stretch: float,
    is_one_sided: bool = False,
) -> Today:
    """Return what a horizon knows after one more arrival: O(1).

    `shift` and `stretch` are those that the told interval had been given. One that could
    not be early says nothing of how far both sides are to reach.
    """
    error = (scored - usual.centre) / usual.half
    most = MOST_SIZE * today.quiet_size * today.stretch
    middle = today.shift + today.quiet_shift
    off = _within(error - middle, (-most, most))
    keep = 1 - 1 / MEMORY
    left = (error - shift) / stretch
    usual_most = MOST_SIZE * today.quiet_size
    quiet_off = _within(left - today.quiet_shift, (-usual_most, usual_most))
    known = replace(
        today,
        shift_sum=today.shift_sum * keep + middle + off,
        size_sum=today.size_sum * keep + abs(off),
        weight=today.weight * keep + 1,
        quiet_shift=today.quiet_shift + quiet_off / SLOW,
        quiet_size=today.quiet_size + (abs(quiet_off) - today.quiet_size) / SLOW,
    )
    if is_one_sided:
        end = (usual.high_alone - usual.centre) / usual.half * today.alone_gain
        gain = _gain(today.alone_gain, 2 * MISS, missed=left > end)
        return replace(known, alone_gain=gain)
    return replace(
        known,
        low_gain=_gain(today.low_gain, MISS, missed=left < -today.low_gain),
        high_gain=_gain(today.high_gain, MISS, missed=left > today.high_gain),
    )


def freed(scored: float, usual: Margins, *, shift: float, stretch: float) -> float:
    """Return a score without what its day did to it, as far as that was known."""
    error = (scored - usual.centre) / usual.half
    left = (error - shift) / stretch
    return usual.centre + usual.half * left


def next_day(today: Today) -> Today:
    """Return what a new day begins with: what is slow to learn is kept."""
    return replace(today, shift_sum=0.0, size_sum=0.0, weight=0.0)


def _gain(gain: float, may_miss: float, *, missed: bool) -> float:
    return _within(gain + STEP * ((1.0 if missed else 0.0) - may_miss), GAIN)


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
