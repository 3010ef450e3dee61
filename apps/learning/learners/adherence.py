"""How often a recommendation is followed, by kind and zone (M4's ground). Pure.

`sequence` is a stop that was driven after the one that the plan had before it. `next` is
a driver who goes on to the very stop that is next of what is left of his plan: who goes
elsewhere once breaks three sequences, and this but once. The other kinds are those of the
ledger, once they are settled.
"""

from collections.abc import Collection, Mapping
from itertools import pairwise

import numpy as np

from apps.learning.learners.facts import RouteFact
from apps.learning.learners.proportions import outcome, possible, shares
from apps.learning.learners.shrinking import Figure, between, shrunk
from apps.learning.learners.sketch import Added, Sketch, grown, joined

KIND = "adherence"
SEP = "\t"
SEQUENCE = "sequence"
NEXT = "next"
LEAST_KIND, LEAST_ZONE = 10, 20
"""Events below which there is no figure, and the parent's holds."""


def observed(route: RouteFact) -> list[Added]:
    """Return what the order of a route's stops adds."""
    known = {stop.stop_id for stop in route.stops}
    return [
        *_nexts(route),
        *_sequences(route, known),
    ]


def _nexts(route: RouteFact) -> list[Added]:
    """Return at each step whether the first of the stops left was gone to."""
    left = sorted(
        (stop for stop in route.stops if stop.planned_at is not None),
        key=lambda stop: (stop.planned_at, stop.stop_id),
    )
    if len(left) < len(route.stops):
        return []
    added = []
    for stop in route.stops[:-1]:
        key, weight = f"{NEXT}{SEP}{left[0].zone}", grown(stop.completed.occurred_at)
        added.append(outcome(KIND, key, left[0] is stop, weight))
        left.remove(stop)
    return added


def _sequences(route: RouteFact, known: Collection[str]) -> list[Added]:
    """Return of each stop whether it came after the one that the plan had before it."""
    return [
        outcome(
            KIND,
            f"{SEQUENCE}{SEP}{after.zone}",
            after.planned_after == before.stop_id,
            grown(after.completed.occurred_at),
        )
        for before, after in pairwise(route.stops)
        if after.planned_after in known
    ]


def figures(tallies: Mapping[str, Sketch], today: float) -> list[Figure]:
    """Return depot, kinds, and kinds by zone; too few events have the parent's."""
    if not tallies:
        return []
    by_kind: dict[str, list[Sketch]] = {}
    for key, row in tallies.items():
        by_kind.setdefault(key.split(SEP)[0], []).append(row)
    kinds = list(by_kind)
    whole = [joined(by_kind[kind]) for kind in kinds]
    all_of_it = shares([joined(whole)], today)
    [mean] = possible(all_of_it.mean)
    error = float(np.sqrt(all_of_it.within / max(all_of_it.weight[0], 1e-9)))
    found = [Figure("depot", int(all_of_it.n[0]), float(mean), error, "")]
    names = {f"kind:{kind}": row for kind, row in zip(kinds, whole, strict=True)}
    more, told = _level(
        names, dict.fromkeys(names, ("depot", mean)), today, LEAST_KIND, error
    )
    found += more
    for kind in kinds:
        rows = {
            f"kind:{kind}@{key.split(SEP)[1]}": row
            for key, row in tallies.items()
            if key.split(SEP)[0] == kind and key.split(SEP)[1]
        }
        above = f"kind:{kind}", told[f"kind:{kind}"]
        more, _ = _level(rows, dict.fromkeys(rows, above), today, LEAST_ZONE, error)
        found += more
    return found


def _level(
    rows: Mapping[str, Sketch],
    parents: Mapping[str, tuple[str, float]],
    today: float,
    least: int,
    error: float,
) -> tuple[list[Figure], dict[str, float]]:
    if not rows:
        return [], {}
    seen = shares(list(rows.values()), today)
    expected = np.array([parents[key][1] for key in rows])
    among = between(seen.mean, expected, seen.weight, seen.within)
    value, errors = shrunk(
        seen.mean,
        expected,
        seen.weight,
        within=seen.within,
        among=among,
        above=error,
    )
    value = possible(value)
    found = [
        Figure(key, int(n), float(mean), float(spread), parents[key][0])
        for key, n, mean, spread in zip(rows, seen.n, value, errors, strict=True)
        if n >= least
    ]
    return found, dict(zip(rows, value.tolist(), strict=True))
