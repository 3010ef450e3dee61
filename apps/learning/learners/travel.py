"""How long drives take, as a factor on the law `t = c · d^p`. Pure.

By hour and by zone at either end as crossed main effects of the logarithm; by pair of
zones as what it differs from that; by pair and hour as what it differs from its pair.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from apps.learning.learners.cleaning import LONGEST_S, OK, doubt_of_span
from apps.learning.learners.effects import Effects, main_effects
from apps.learning.learners.facts import Clocks, RouteFact, StopFact
from apps.learning.learners.shrinking import Figure, Floats, between, shrunk, summary
from apps.learning.learners.sketch import Added, Sketch, grown, joined

KIND = "travel"
SEP = "\t"
LEAST_S, LEAST_KM = 10.0, 0.05
"""What is shorter is no drive."""

LEAST_HOUR, LEAST_PAIR, LEAST_PAIR_HOUR = 20, 8, 5
"""Events below which there is no figure, and the parent's holds."""

USUAL_S = 300.0
LIGHTEST, HEAVIEST = 0.1, 3.0
"""A leg weighs as its length by the law, against a usual one: of a short leg parking and
a red light are half, and a plan's error is made of the long ones."""

Cell = tuple[str, str, str]


def observed(
    route: RouteFact, *, c_s: float, p: float
) -> tuple[list[Added], Counter[str]]:
    """Return what a route's legs add, and how many count less or not, by reason."""
    added, left = list[Added](), Counter[str]()
    for start, end in pairwise(route.stops):
        if end.leg_km < LEAST_KM:
            continue
        begin = _left(start, end)
        trust, why = doubt_of_span(begin, end.arrived, longest_s=LONGEST_S)
        took_s = (end.arrived.occurred_at - begin.occurred_at).total_seconds()
        if 0 < took_s < LEAST_S:
            trust, why = 0.0, "reported_at_once"
        if any(begin.occurred_at <= at < end.arrived.occurred_at for at in route.rests):
            trust, why = 0.0, "break"
        if why != OK:
            left[why] += 1
        if trust > 0:
            law_s = c_s * end.leg_km**p
            value = math.log(took_s * route.speed / law_s)
            key = SEP.join((start.zone, end.zone, str(end.leg_hour)))
            weight = trust * weight_of(law_s) * grown(end.arrived.occurred_at)
            added.append(Added(KIND, key, value, weight))
    return added, left


def weight_of(law_s: float) -> float:
    """Return what a leg counts by its length."""
    return min(max(law_s / USUAL_S, LIGHTEST), HEAVIEST)


def _left(start: StopFact, end: StopFact) -> Clocks:
    """Return when the driver set out; its report came no sooner than the visit's."""
    if end.left_at is None or end.left_at <= start.completed.occurred_at:
        return start.completed
    later = end.left_at - start.completed.occurred_at
    return Clocks(end.left_at, start.completed.received_at + later)


def figures(tallies: Mapping[str, Sketch], today: float) -> list[Figure]:
    """Return the figures of all keys with enough events; `today` is `grown(now)`."""
    if not tallies:
        return []
    cells: dict[Cell, Sketch] = {}
    for key, row in tallies.items():
        origin, goal, hour = key.split(SEP)
        cells[origin, goal, hour] = row
    seen = summary(list(cells.values()), today)
    effects = main_effects(list(cells), seen)
    mean = math.exp(effects.mean + _whole(cells, today) / 2)
    found = [Figure("depot", effects.n, mean, mean * effects.error, "")]
    for hour, effect in effects.by_cause[2].items():
        if effect.n >= LEAST_HOUR:
            factor = mean * math.exp(effect.value)
            error = factor * effect.error
            found.append(Figure(f"hour:{hour}", effect.n, factor, error, "depot"))
    pairs, own = _pairs(cells, effects, today)
    return found + pairs + _pair_hours(cells, effects, own, today)


def _whole(cells: Mapping[Cell, Sketch], today: float) -> float:
    return summary([joined(cells.values())], today).within


def _pairs(
    cells: Mapping[Cell, Sketch], effects: Effects, today: float
) -> tuple[list[Figure], dict[tuple[str, str], float]]:
    """Return pairs of zones over all hours, and what each adds beyond its two zones."""
    groups: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell[0], cell[1]].append(cell)
    pairs = list(groups)
    whole = [joined(cells[cell] for cell in groups[pair]) for pair in pairs]
    seen = summary(whole, today)
    expected = np.array([_mixed(cells, groups[pair], effects) for pair in pairs])
    among = between(seen.mean, expected, seen.weight, seen.within)
    value, error = shrunk(
        seen.mean,
        expected,
        seen.weight,
        within=seen.within,
        among=among,
        above=effects.error,
    )
    own: Floats = value - expected
    found = []
    for at, pair in enumerate(pairs):
        if seen.n[at] < LEAST_PAIR or not all(pair):
            continue
        middle = effects.of(*pair, "") + own[at]
        mean = math.exp(middle + (seen.within + error[at] ** 2) / 2)
        spread = float(mean * error[at])
        found.append(Figure(_key(pair), int(seen.n[at]), mean, spread, "depot"))
    return found, dict(zip(pairs, own.tolist(), strict=True))


def _pair_hours(
    cells: Mapping[Cell, Sketch],
    effects: Effects,
    own: Mapping[tuple[str, str], float],
    today: float,
) -> list[Figure]:
    """Return pairs by hour; what their pair and the hour let expect is the parent's."""
    keys, seen = list(cells), summary(list(cells.values()), today)
    expected = np.array([effects.of(*key) + own[key[0], key[1]] for key in keys])
    among = between(seen.mean, expected, seen.weight, seen.within)
    value, error = shrunk(
        seen.mean,
        expected,
        seen.weight,
        within=seen.within,
        among=among,
        above=effects.error,
    )
    found = []
    for at, (origin, goal, hour) in enumerate(keys):
        if seen.n[at] < LEAST_PAIR_HOUR or not (origin and goal):
            continue
        pair = _key((origin, goal))
        mean = math.exp(value[at] + (seen.within + error[at] ** 2) / 2)
        spread = float(mean * error[at])
        found.append(Figure(f"{pair}@{hour}", int(seen.n[at]), mean, spread, pair))
    return found


def _mixed(cells: Mapping[Cell, Sketch], group: list[Cell], effects: Effects) -> float:
    """Return what the zones and hours of a pair's own legs let expect of it."""
    weights = [max(cells[cell].weight, 0.0) for cell in group]
    whole = sum(weights)
    if whole <= 0:
        return effects.mean
    told = (w * effects.of(*cell) for w, cell in zip(weights, group, strict=True))
    return sum(told) / whole


def _key(pair: tuple[str, str]) -> str:
    return f"pair:{pair[0]}>{pair[1]}"


def factor_at(found: Mapping[str, float], origin: str, goal: str, hour: int) -> float:
    """Return the factor of a leg: the pair at the hour, else the pair times the hour."""
    pair = _key((origin, goal))
    if f"{pair}@{hour}" in found:
        return found[f"{pair}@{hour}"]
    depot = found.get("depot", 1.0)
    by_hour = found.get(f"hour:{hour}", depot) / depot
    return found.get(pair, depot) * by_hour
