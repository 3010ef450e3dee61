"""Past scores by group as decaying histograms, and the margins that follow. Pure.

A histogram stands for its group: an arrival costs one addition, a night one multiplication
by `KEPT`, whatever the history. Its bins are equal in asinh(score): fine where most scores
are, coarse in the tails.

A group of few arrivals is drawn to its parent: zones and hours to their horizon, this to
everything, by `DRAWN` further scores that are spread as the parent's are, so that a
quantile is that of a mixture and no extreme of a few. Zone × hour goes by what its zone
and its hour say together, and by `n / (n + DRAWN)` of its own quantile. Of a group alone
the level is raised by what a finite sample may miss, so that with n scores it is
`(1 - share) · (1 + 1/n)` (split conformal: Papadopoulos et al. 2002).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Final

from apps.routes.conformal import EVERYTHING, MISS, Margins, key

BINS: Final = 160
REACH: Final = 4.8
"""asinh of the largest score that is told from larger ones: 60 spreads."""

KEPT: Final = 0.97
"""What a night leaves of a histogram's weight: half of it after 23 nights."""

DRAWN: Final = 100.0
"""A group of so many arrivals counts as much as its parent."""

GUESSED: Final = 60.0
"""Everything is drawn to the normal distribution by so many arrivals."""

FORGOTTEN: Final = 0.01
"""A bin with less weight is left out."""

Bins = dict[int, float]


@dataclass(frozen=True, slots=True)
class Scored:
    """One arrival's score, freed of its day, and the group that it belongs to."""

    band: int
    zone: str
    hour: int
    score: float


Sketches = dict[str, Bins]
"""Weight by bin, by group of the finest kind; what is coarser is their sum."""


def fold(sketches: Mapping[str, Bins], scores: Iterable[Scored]) -> Sketches:
    """Return the histograms after one more night, with a day's scores."""
    fresh: Sketches = {
        name: {
            bin_: weight * KEPT
            for bin_, weight in bins.items()
            if weight * KEPT > FORGOTTEN
        }
        for name, bins in sketches.items()
    }
    for each in scores:
        bins = fresh.setdefault(key(each.band, each.zone, each.hour), {})
        at = bin_of(each.score)
        bins[at] = bins.get(at, 0.0) + 1.0
    return {name: bins for name, bins in fresh.items() if bins}


def bin_of(score: float) -> int:
    """Return the bin of a score; beyond the reach it is the last."""
    place = (math.asinh(score) / REACH + 1) / 2
    return min(max(int(place * BINS), 0), BINS - 1)


def _edge(place: float) -> float:
    return math.sinh((2 * place / BINS - 1) * REACH)


def quantile(bins: Mapping[int, float], share: float) -> float:
    """Return the score below which a share of the weight lies, within a bin by part."""
    wanted = share * sum(bins.values())
    for at in sorted(bins):
        if wanted <= bins[at]:
            return _edge(at + wanted / bins[at])
        wanted -= bins[at]
    return _edge(max(bins) + 1)


def margins_of(bins: Mapping[int, float]) -> Margins:
    """Return a group's own margins; levels are raised for the size of the sample."""
    return _margins(bins, 1 + 1 / sum(bins.values()))


def _margins(bins: Mapping[int, float], raised: float) -> Margins:
    side = min(1.0, (1 - MISS) * raised)
    alone = min(1.0, (1 - 2 * MISS) * raised)
    return Margins(
        low=quantile(bins, 1 - side),
        high=quantile(bins, side),
        high_alone=quantile(bins, alone),
    )


def table(sketches: Mapping[str, Bins]) -> dict[str, Margins]:
    """Return the margins of all groups, the small ones drawn to their parents."""
    sums = _sums(sketches)
    if EVERYTHING not in sums:
        return {}
    pooled = {EVERYTHING: _pooled(sums[EVERYTHING], _normal(), GUESSED)}
    for name in sorted(sums, key=lambda name: (_depth(name), name)):
        if name != EVERYTHING and _depth(name) < FINEST:
            pooled[name] = _pooled(sums[name], pooled[_above(name)], DRAWN)
    found = {name: _margins(bins, 1.0) for name, bins in pooled.items()}
    finest = {
        name: _drawn(sums[name], _parent(name, found))
        for name in sums
        if name not in found
    }
    return found | finest


@cache
def _normal() -> Bins:
    """Return the histogram of one normal score."""
    shares = [NormalDist().cdf(_edge(place)) for place in range(BINS + 1)]
    return {at: shares[at + 1] - shares[at] for at in range(BINS)}


def _pooled(own: Bins, parent: Bins, weight: float) -> Bins:
    """Return a group's histogram with so much weight more, spread as the parent's."""
    drawn = weight / sum(parent.values())
    return {
        at: own.get(at, 0.0) + drawn * parent.get(at, 0.0)
        for at in own.keys() | parent.keys()
    }


def _sums(sketches: Mapping[str, Bins]) -> Sketches:
    """Return the histograms of all groups, of the coarse ones too."""
    sums: dict[str, Bins] = defaultdict(lambda: defaultdict(float))
    for name, bins in sketches.items():
        band, zone, hour = name.split("|")
        names = {name, f"{band}|{zone}|", f"{band}||{hour}", f"{band}||", EVERYTHING}
        for wanted in names:
            for at, weight in bins.items():
                sums[wanted][at] += weight
    return sums


def _depth(name: str) -> int:
    return 0 if name == EVERYTHING else 1 + sum(bool(part) for part in _beside(name))


FINEST: Final = 3
"""The depth of horizon × zone × hour."""


def _beside(name: str) -> list[str]:
    """Return a group's zone and hour, each empty where it is any."""
    return name.split("|")[1:]


def _above(name: str) -> str:
    """Return the group to which a horizon, a zone or an hour is drawn."""
    return EVERYTHING if _depth(name) == 1 else f"{name.split('|', maxsplit=1)[0]}||"


def _parent(name: str, found: Mapping[str, Margins]) -> Margins:
    """Return what the zone and the hour of a group of the finest kind say together."""
    band, zone, hour = name.split("|")
    return _together(
        found[f"{band}|{zone}|"], found[f"{band}||{hour}"], found[f"{band}||"]
    )


def _together(zone: Margins, hour: Margins, horizon: Margins) -> Margins:
    """Return margins as wide as the zone's, as many times wider as the hour's are."""
    wider = hour.half / horizon.half
    middle = zone.centre + hour.centre - horizon.centre
    alone = (zone.high_alone - zone.centre) * wider
    return Margins(
        low=middle - zone.half * wider,
        high=middle + zone.half * wider,
        high_alone=middle + alone,
    )


def _drawn(bins: Mapping[int, float], parent: Margins) -> Margins:
    own, count = margins_of(bins), sum(bins.values())
    share = count / (count + DRAWN)

    def mixed(mine: float, its: float) -> float:
        return share * mine + (1 - share) * its

    return Margins(
        low=mixed(own.low, parent.low),
        high=mixed(own.high, parent.high),
        high_alone=mixed(own.high_alone, parent.high_alone),
    )
