"""How near a plan's order of zones is to what was driven, weighed by who was right. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final

RIGHT, WRONG = "right", "wrong"
WEIGHTS: Final[Mapping[str, float]] = {RIGHT: 2.0, WRONG: 0.0}
"""What a route that was driven otherwise counts by its verdict, where it has one: as the
learner weighs it."""


@dataclass(frozen=True, slots=True)
class DrivenRoute:
    """The jobs of a route in the order in which they were served, and who was right."""

    jobs: tuple[str, ...]
    verdict: str = ""
    vehicle_id: str = ""

    @property
    def weight(self) -> float:
        """What it counts."""
        return WEIGHTS.get(self.verdict, 1.0)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of zones of a route: how many, weighed, and how many the other way round."""

    count: float
    wrong: float


def zone_pairs(planned: Sequence[str], driven: Sequence[str]) -> tuple[int, int]:
    """Count the pairs of zones of two sequences, and those whose middles are turned."""
    one, other = _middles(planned), _middles(driven)
    both = sorted(one.keys() & other.keys())
    count = wrong = 0
    for a, b in combinations(both, 2):
        if other[a] == other[b]:
            continue
        count += 1
        wrong += (one[a] < one[b]) != (other[a] < other[b])
    return count, wrong


def _middles(zones: Sequence[str]) -> dict[str, float]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, zone in enumerate(zones):
        if zone:
            places[zone].append(place)
    return {zone: median(found) for zone, found in places.items()}


def order_error_pct(
    planned: Iterable[Sequence[str]],
    driven: Iterable[DrivenRoute],
    *groupings: Mapping[str, str],
) -> float:
    """Return how many pairs of zones are planned in another order than driven, per cent.

    `groupings` give the zone of each job, and its wave. Routes are compared as far as
    they share jobs: a planned one with each driven one.
    """
    count = wrong = 0.0
    routes = list(driven)
    for jobs in planned:
        for route in routes:
            shared = {*jobs} & {*route.jobs}
            if len(shared) < 2 or not route.weight:
                continue
            for name_of in groupings:
                found = zone_pairs(
                    [name_of.get(job, "") for job in jobs if job in shared],
                    [name_of.get(job, "") for job in route.jobs if job in shared],
                )
                count += found[0] * route.weight
                wrong += found[1] * route.weight
    return round(100 * wrong / count, 2) if count else 0.0
