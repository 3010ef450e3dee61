"""What became of told intervals, and what others would have told in their place."""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, sqrt
from statistics import fmean
from typing import Any

from apps.routes.conformal import spread_of
from apps.routes.tellings import Telling

WANTED = 90.0
LEEWAY = 2.0
COUNTED_FROM = 100
"""A group of fewer arrivals says nothing of its coverage."""

Z90 = 1.645
"""Beyond as many deviations one normal value in ten lies."""

HORIZONS = ("under 20 min", "under 80 min", "farther")
"""Names of the horizons, as `conformal.BANDS_S` parts them."""

Margin = Callable[["Outcome"], float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One telling and what became of it; `opens_s` is when the window let it begin."""

    day: date
    zone: str
    telling: Telling
    arrived_s: float
    opens_s: float | None = None
    is_surge: bool = False

    @property
    def began_s(self) -> float:
        """When service could begin."""
        return max(self.arrived_s, self.opens_s or 0.0)

    @property
    def error_s(self) -> float:
        """How much later the arrival came than was told."""
        return self.arrived_s - self.telling.arrives_s

    @property
    def is_within(self) -> bool:
        """Whether service began in the told interval."""
        low_s, high_s = self.telling.low_s, self.telling.high_s
        return low_s - 0.01 <= self.began_s <= high_s + 0.01

    @property
    def width_s(self) -> float:
        """How wide the told interval was."""
        return self.telling.high_s - self.telling.low_s

    def ends(self, margin_s: float) -> tuple[float, float]:
        """Return the ends of an interval of so much to both sides.

        No more than ours does it reach into the past, or before the window.
        """
        told_s = self.telling.arrives_s - self.telling.ahead_s
        first_s = max(told_s, self.opens_s or 0.0)
        low_s = max(self.telling.arrives_s - margin_s, first_s)
        return low_s, max(self.telling.arrives_s + margin_s, first_s)

    def symmetric(self, margin_s: float) -> tuple[bool, float]:
        """Tell whether an interval of so much to both sides holds, and its width."""
        low_s, high_s = self.ends(margin_s)
        return low_s <= self.began_s <= high_s, high_s - low_s

    def score_s(self, low_s: float, high_s: float) -> float:
        """Return the interval score of two ends: width, and twenty times the miss.

        Gneiting and Raftery (2007), of an interval of 90 %: whoever tells what he
        believes has the least on the average.
        """
        missed_s = max(0.0, low_s - self.began_s, self.began_s - high_s)
        return high_s - low_s + missed_s * 2 / (1 - WANTED / 100)


def figures(judged: Sequence[Outcome], before: Sequence[Outcome]) -> dict[str, Any]:
    """Return coverage and width, ours and the peers'; `before` is what came earlier."""
    by_zone = _grouped(judged, lambda each: each.zone)
    by_hour = _grouped(judged, lambda each: str(each.telling.hour).zfill(2))
    ours = _percent([each.is_within for each in judged])
    global_s = past_quantiles([*before, *judged], len(before))
    margins = dict(zip(map(id, judged), global_s, strict=True))
    by_horizon = _grouped(judged, lambda each: HORIZONS[each.telling.band])
    one_s, error_s, scored = _same_coverage(judged, ours)
    found = {
        "n": len(judged),
        "coverage_pct": ours,
        "by_zone": _coverages(by_zone),
        "by_hour": _coverages(by_hour),
        **_shares(by_zone, by_hour),
        "by_horizon": _coverages(by_horizon),
        "global_by_horizon": {
            key: _percent([o.symmetric(one_s)[0] for o in each])
            for key, each in by_horizon.items()
        },
        "interval_score_s": _mean(
            [o.score_s(o.telling.low_s, o.telling.high_s) for o in judged]
        ),
        "global_interval_score_s": _least_score_s(judged),
        "mean_width_s": _mean([each.width_s for each in judged]),
        "global_width_s": error_s,
        "global_normalised_width_s": scored,
        **_peer("global", judged, lambda each: margins[id(each)]),
        **_peer("normal", judged, normal_s),
    }
    return found | {
        f"global_by_{name}": {
            key: _percent([o.symmetric(margins[id(o)])[0] for o in each])
            for key, each in groups.items()
        }
        for name, groups in (("zone", by_zone), ("hour", by_hour))
    }


def normal_s(outcome: Outcome) -> float:
    """Return how far the interval reached that stood before: a normal spread's."""
    return Z90 * outcome.telling.spread_s


def past_quantiles(outcomes: Sequence[Outcome], first: int) -> list[float]:
    """Return, for each outcome from `first` on, one quantile of all errors before it.

    Split conformal: the `ceil(0.9 (n + 1))`-th smallest size of n errors.
    """
    past: list[float] = []
    found = []
    for number, each in enumerate(outcomes):
        if number >= first:
            at = min(len(past), ceil(WANTED / 100 * (len(past) + 1)))
            found.append(past[at - 1] if past else 0.0)
        insort(past, abs(each.error_s))
    return found


def _least_score_s(judged: Sequence[Outcome]) -> float:
    """Return the least mean interval score that one quantile for all can have.

    It is chosen afterwards, by thirds: the score has one valley.
    """
    low, high = 0.0, 1e6

    def mean_s(margin_s: float) -> float:
        return fmean(o.score_s(*o.ends(margin_s)) for o in judged)

    while high - low > 1:
        third = (high - low) / 3
        if mean_s(low + third) < mean_s(high - third):
            high -= third
        else:
            low += third
    return round(mean_s((low + high) / 2), 1)


def _same_coverage(
    judged: Sequence[Outcome], percent: float
) -> tuple[float, float, float]:
    """Return one quantile that covers as much, its mean width, and that of one of scores.

    It is chosen afterwards, with all errors known: no one-quantile interval does better.
    """
    margins, widths = [], []
    for unit in (_one, lambda each: spread_of(each.telling.spread_s)):
        low, high = 0.0, 1e6
        for _ in range(50):
            middle = (low + high) / 2
            held = _percent([o.symmetric(middle * unit(o))[0] for o in judged])
            low, high = (middle, high) if held < percent else (low, middle)
        margins.append(high)
        widths.append(_mean([o.symmetric(high * unit(o))[1] for o in judged]))
    return margins[0], widths[0], widths[1]


def _one(_: Outcome) -> float:
    return 1.0


def _peer(name: str, judged: Sequence[Outcome], margin: Margin) -> dict[str, float]:
    pairs = [each.symmetric(margin(each)) for each in judged]
    return {
        f"{name}_coverage_pct": _percent([held for held, _ in pairs]),
        f"{name}_mean_width_s": _mean([width for _, width in pairs]),
    }


def _grouped(
    judged: Iterable[Outcome], group: Callable[[Outcome], str]
) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = defaultdict(list)
    for each in judged:
        found[group(each)].append(each)
    return {key: found[key] for key in sorted(found)}


def _coverages(groups: Mapping[str, Sequence[Outcome]]) -> dict[str, float]:
    return {
        key: _percent([o.is_within for o in each])
        for key, each in groups.items()
        if len(each) >= COUNTED_FROM
    }


def _shares(*kinds: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    """Return how many groups are within the leeway, and within what their size allows."""
    groups = [each for kind in kinds for each in kind.values()]
    counted = [each for each in groups if len(each) >= COUNTED_FROM]
    off = [
        (abs(_percent([o.is_within for o in each]) - WANTED), len(each))
        for each in counted
    ]
    allowed = sum(gap <= LEEWAY + 2 * _error(count) for gap, count in off)
    return {
        "groups": len(counted),
        "groups_within_2_pct": sum(gap <= LEEWAY for gap, _ in off),
        "groups_within_sampling": allowed,
    }


def _error(count: int) -> float:
    """Return the standard error of a coverage of 90 % among so many, in per cent."""
    return 100 * sqrt(0.09 / count)


def _percent(held: Sequence[bool]) -> float:
    return round(100 * sum(held) / max(1, len(held)), 1)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(1, len(values)), 1)
