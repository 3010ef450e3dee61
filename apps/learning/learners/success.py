"""How probable it is that a delivery succeeds, by zone and hour (C12). Pure.

It steers when a stop is planned. It is never made by driver: whose stops fail more often
has the harder zone.
"""

from collections.abc import Mapping

import numpy as np

from apps.learning.learners.effects import main_effects
from apps.learning.learners.facts import RouteFact
from apps.learning.learners.proportions import outcome, possible, shares
from apps.learning.learners.shrinking import Figure, between, shrunk
from apps.learning.learners.sketch import Added, Sketch, grown

KIND = "success"
SEP = "\t"
LEAST_ZONE, LEAST_ZONE_HOUR = 30, 20
"""Visits below which there is no figure, and the parent's holds."""


def observed(route: RouteFact) -> list[Added]:
    """Return what a route's visits add."""
    return [
        outcome(
            KIND,
            f"{stop.zone}{SEP}{stop.hour}",
            stop.is_delivered,
            grown(stop.completed.occurred_at),
        )
        for stop in route.stops
    ]


def figures(tallies: Mapping[str, Sketch], today: float) -> list[Figure]:
    """Return depot, zones, and zones by hour; too few visits have the parent's."""
    if not tallies:
        return []
    cells = [tuple(key.split(SEP)) for key in tallies]
    seen = shares(list(tallies.values()), today)
    effects = main_effects(cells, seen)
    [mean] = possible(np.array([effects.mean]))
    found = [Figure("depot", effects.n, float(mean), effects.error, "")]
    for zone, effect in effects.by_cause[0].items():
        if zone and effect.n >= LEAST_ZONE:
            [mean] = possible(np.array([effects.mean + effect.value]))
            key = f"zone:{zone}"
            found.append(Figure(key, effect.n, float(mean), effect.error, "depot"))
    expected = possible(np.array([effects.of(*cell) for cell in cells]))
    among = between(seen.mean, expected, seen.weight, seen.within)
    value, error = shrunk(
        seen.mean,
        expected,
        seen.weight,
        within=seen.within,
        among=among,
        above=effects.error,
    )
    value = possible(value)
    for at, (zone, hour) in enumerate(cells):
        if not zone or seen.n[at] < LEAST_ZONE_HOUR:
            continue
        key, n = f"zone:{zone}@{hour}", int(seen.n[at])
        parent = f"zone:{zone}"
        found.append(Figure(key, n, float(value[at]), float(error[at]), parent))
    return found


def probability_at(found: Mapping[str, float], zone: str, hour: int) -> float:
    """Return the most local figure that there is."""
    keys = (f"zone:{zone}@{hour}", f"zone:{zone}", "depot")
    return next((found[key] for key in keys if key in found), 1.0)
