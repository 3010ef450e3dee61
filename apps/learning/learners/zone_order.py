"""Which of two zones, or of two waves, is better driven first, from routes as they were driven (M3). Pure.

An order that the driver changed says more than one that was as planned; how much, its
verdict decides. Zones have a place on one line (Bradley and Terry 1952, in its linear
form with a ridge); a pair with events of its own departs from it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, pairwise
from statistics import median

import numpy as np

from apps.learning.learners.facts import RouteFact, StopFact
from apps.learning.learners.proportions import outcome, possible, shares
from apps.learning.learners.shrinking import Figure, Floats, Summary, between, shrunk
from apps.learning.learners.sketch import Added, Sketch, grown

KIND = "zone_order"
SEP = "\t"
WAVE = "window "
"""What the names of waves begin with."""

DRIVEN, PLANNED = "stays:driven", "stays:planned"
"""Keys of how often a zone is not left while it has stops to come."""
LEAST_ZONE = 3
"""A pair has a figure when each of its zones was in so many pairs that were driven."""

RIDGE = 2.0
"""As many events hold each zone in the middle: first value, ours."""

WITHIN = 0.25
"""The greatest variance that a draw has: which of two is first is rarely sure."""

AS_PLANNED = 1.0
BY_VERDICT = {"right": 2.0, "undecidable": 1.0, "wrong": 0.0}
"""What a pair of zones counts that the driver turned round; unjudged is undecidable."""


def observed(route: RouteFact) -> list[Added]:
    """Return what the order of a route's zones adds."""
    planned = sorted(
        (stop for stop in route.stops if stop.planned_at is not None),
        key=lambda stop: (stop.planned_at, stop.stop_id),
    )
    return [
        *_stays(route),
        *_turns(route, planned, lambda stop: stop.zone),
        *_turns(route, planned, lambda stop: stop.wave),
    ]


def _turns(
    route: RouteFact, in_plan: Sequence[StopFact], name_of: Callable[[StopFact], str]
) -> list[Added]:
    """Return what the order of a route's zones, or of its waves, adds."""
    driven, planned = _places(route.stops, name_of), _places(in_plan, name_of)
    added = []
    for one, other in combinations(sorted(driven), 2):
        if driven[one] == driven[other]:
            continue
        is_first = driven[one] < driven[other]
        is_planned = planned.get(one, 0.0) < planned.get(other, 0.0)
        trust = AS_PLANNED
        if is_first != is_planned:
            trust = BY_VERDICT.get(route.verdict, BY_VERDICT["undecidable"])
        if trust > 0:
            weight = trust * grown(route.stops[-1].completed.occurred_at)
            added.append(outcome(KIND, f"{one}{SEP}{other}", is_first, weight))
    return added


def _stays(route: RouteFact) -> list[Added]:
    """Return how often the next stop is of the same zone, where it could be.

    Both as driven and as planned; what was driven wrongly counts as little as its pairs.
    """
    planned = sorted(
        (stop for stop in route.stops if stop.planned_at is not None),
        key=lambda stop: (stop.planned_at, stop.stop_id),
    )
    if len(planned) < len(route.stops):
        return []
    as_planned = planned == list(route.stops)
    trust = BY_VERDICT.get(route.verdict, BY_VERDICT["undecidable"])
    weight = grown(route.stops[-1].completed.occurred_at)
    ways = (
        (DRIVEN, route.stops, 1.0 if as_planned else trust),
        (PLANNED, planned, 1.0),
    )
    return [
        outcome(KIND, key, stays, share * weight)
        for key, stops, share in ways
        if share > 0
        for stays in _staying([stop.zone for stop in stops])
    ]


def _staying(zones: Sequence[str]) -> list[bool]:
    """Return for each stop with others of its zone still to come whether one is next."""
    left = Counter(zones)
    found = []
    for here, there in pairwise(zones):
        left[here] -= 1
        if here and left[here]:
            found.append(here == there)
    return found


def _places(
    stops: Sequence[StopFact], name_of: Callable[[StopFact], str]
) -> dict[str, float]:
    """Return by zone, or by wave, the middle place of its stops."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, stop in enumerate(stops):
        if name := name_of(stop):
            places[name].append(place)
    return {zone: median(found) for zone, found in places.items()}


def figures(tallies: Mapping[str, Sketch], today: float) -> list[Figure]:
    """Return for each pair of zones, both ways, how probable the first is the first."""
    stays = {key: row for key, row in tallies.items() if SEP not in key}
    waves = {key: row for key, row in tallies.items() if _is_of_waves(key)}
    zones = {k: row for k, row in tallies.items() if k not in stays and k not in waves}
    return [*_orders(zones, today), *_orders(waves, today), *_shares(stays, today)]


def _is_of_waves(key: str) -> bool:
    """Tell whether a key is a pair of waves: these are shrunk among themselves."""
    return key.startswith(WAVE) and SEP in key


def _shares(tallies: Mapping[str, Sketch], today: float) -> list[Figure]:
    """Return how often a zone is stayed in: two plain shares, nothing to shrink."""
    if not tallies:
        return []
    seen = shares(list(tallies.values()), today)
    mean = possible(seen.mean)
    errors = np.sqrt(mean * (1 - mean) / np.maximum(seen.n, 1))
    return [
        Figure(key, int(n), float(share), float(error), "")
        for key, n, share, error in zip(tallies, seen.n, mean, errors, strict=True)
    ]


def _orders(tallies: Mapping[str, Sketch], today: float) -> list[Figure]:
    """Return the figures of pairs."""
    if not tallies:
        return []
    pairs = [(key.split(SEP)[0], key.split(SEP)[1]) for key in tallies]
    seen = shares(list(tallies.values()), today)
    expected, above = _expected(pairs, seen)
    among = between(seen.mean, expected, seen.weight, WITHIN)
    value, error = shrunk(
        seen.mean, expected, seen.weight, within=WITHIN, among=among, above=above
    )
    value = possible(value)
    met = Counter[str]()
    for pair, n in zip(pairs, seen.n, strict=True):
        met.update(dict.fromkeys(pair, int(n)))
    found = []
    for at, (one, other) in enumerate(pairs):
        n, spread = int(seen.n[at]), float(error[at])
        if min(met[one], met[other]) < LEAST_ZONE:
            continue
        # Twice, so that the two add up to one to the last bit, on any processor.
        back = 1 - float(value[at])
        found.append(Figure(f"{one}>{other}", n, 1 - back, spread, ""))
        found.append(Figure(f"{other}>{one}", n, back, spread, ""))
    return found


def _expected(pairs: Sequence[tuple[str, str]], seen: Summary) -> tuple[Floats, Floats]:
    """Return what the zones' places on one line let expect of each pair, and its error.

    The error is that of the difference of two places, by the inverse of the equations
    (a ridge is a belief of the variance `WITHIN / RIDGE` about each place).
    """
    zones = sorted({zone for pair in pairs for zone in pair})
    number = {zone: at for at, zone in enumerate(zones)}
    normal = np.eye(len(zones)) * RIDGE
    right = np.zeros(len(zones))
    for (one, other), weight, mean in zip(pairs, seen.weight, seen.mean, strict=True):
        a, b = number[one], number[other]
        normal[a, a] += weight
        normal[b, b] += weight
        normal[a, b] -= weight
        normal[b, a] -= weight
        right[a] += weight * (mean - 0.5)
        right[b] -= weight * (mean - 0.5)
    inverse = np.linalg.inv(normal)
    place = np.linalg.solve(normal, right)
    first = np.array([number[one] for one, _ in pairs])
    second = np.array([number[other] for _, other in pairs])
    own = np.diag(inverse)
    apart = own[first] + own[second] - 2 * inverse[first, second]
    error: Floats = np.sqrt(WITHIN * np.maximum(apart, 0.0))
    return possible(0.5 + place[first] - place[second]), error
