"""How long services take, as a factor on what was planned. Pure.

By zone, class of driver and number of parcels as crossed main effects of the logarithm;
by building and door as what they differ from that. Each is shrunk (`shrinking`).
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping

import numpy as np

from apps.learning.learners.cleaning import OK, doubts, span_s
from apps.learning.learners.effects import Effects, main_effects
from apps.learning.learners.facts import RouteFact, StopFact
from apps.learning.learners.shrinking import (
    Figure,
    Floats,
    Summary,
    between,
    shrunk,
    summary,
)
from apps.learning.learners.sketch import Added, Sketch, grown, joined

KIND = "service"
SEP = "\t"
CELL, BUILDING, ADDRESS = "cell:", "building:", "address:"
DOOR = " / "
"""A door's key is its building's, this, and which door."""

LEAST_ZONE, LEAST_CLASS, LEAST_PARCELS, LEAST_PLACE = 10, 20, 10, 3
"""Events below which there is no figure, and the parent's holds."""

MOST_PARCELS = 4


def parcels_of(pieces: int) -> str:
    """Return the class of a number of parcels: 1, 2, 3, 4+."""
    return str(pieces) if pieces < MOST_PARCELS else f"{MOST_PARCELS}+"


def observed(route: RouteFact) -> tuple[list[Added], Counter[str]]:
    """Return what a route's services add, and how many count less or not, by reason."""
    added, left = list[Added](), Counter[str]()
    for stop, (trust, why) in zip(route.stops, doubts(route.stops), strict=True):
        if not stop.is_delivered or stop.planned_s <= 0:
            continue
        if stop.opens_at is not None and stop.arrived.occurred_at < stop.opens_at:
            left["waited"] += 1
            continue
        if why != OK:
            left[why] += 1
        if trust > 0:
            added += _added(stop, route.driver_class, trust)
    return added, left


def _added(stop: StopFact, driver_class: str, trust: float) -> list[Added]:
    value = math.log(span_s(stop.arrived, stop.completed) / stop.planned_s)
    weight = trust * grown(stop.completed.occurred_at)
    cell = SEP.join((stop.zone, driver_class, parcels_of(stop.parcels)))
    rows = [Added(KIND, CELL + cell, value, weight)]
    if stop.building:
        rows.append(Added(KIND, BUILDING + stop.building, value, weight, cell))
    if stop.address and stop.address != stop.building:
        rows.append(Added(KIND, ADDRESS + stop.address, value, weight, cell))
    return rows


def figures(
    tallies: Mapping[str, Sketch], today: float, *, shown: Collection[str] | None = None
) -> list[Figure]:
    """Return the figures of all keys with enough events; `today` is `grown(now)`.

    `shown` are the classes of drivers that a figure may be made of; None: all. A class
    of one or two people would be a figure about people.
    """
    cells = {key: row for key, row in tallies.items() if key.startswith(CELL)}
    if not cells:
        return []
    levels = [tuple(key.removeprefix(CELL).split(SEP)) for key in cells]
    effects = main_effects(levels, summary(list(cells.values()), today))
    whole = summary([joined(cells.values())], today)
    found = _coarse(effects, whole, shown)
    return found + _places(tallies, effects, today)


def _coarse(
    effects: Effects, whole: Summary, shown: Collection[str] | None
) -> list[Figure]:
    """Return depot, zones, classes and parcels; a mean of times is above the middle."""
    mean = math.exp(effects.mean + whole.within / 2)
    found = [Figure("depot", effects.n, mean, mean * effects.error, "")]
    in_zone = math.exp((effects.within - whole.within) / 2)
    causes = (
        ("zone", LEAST_ZONE, in_zone),
        ("class", LEAST_CLASS, 1.0),
        ("parcels", LEAST_PARCELS, 1.0),
    )
    for (name, least, more), known in zip(causes, effects.by_cause, strict=True):
        for level, effect in known.items():
            is_hidden = name == "class" and shown is not None and level not in shown
            if not level or effect.n < least or is_hidden:
                continue
            factor = mean * math.exp(effect.value) * more
            key = f"{name}:{level}"
            found.append(Figure(key, effect.n, factor, factor * effect.error, "depot"))
    return found


def _places(
    tallies: Mapping[str, Sketch], effects: Effects, today: float
) -> list[Figure]:
    """Return buildings, then doors on top of their buildings."""
    buildings = {k: row for k, row in tallies.items() if k.startswith(BUILDING)}
    doors = {k: row for k, row in tallies.items() if k.startswith(ADDRESS)}
    found, own = _level(buildings, effects, {}, today)
    more, _ = _level(doors, effects, own, today)
    return found + more


def _level(
    rows: Mapping[str, Sketch],
    effects: Effects,
    parents: Mapping[str, float],
    today: float,
) -> tuple[list[Figure], dict[str, float]]:
    """Return a level's figures, and by key what each adds to its zone's."""
    if not rows:
        return [], {}
    keys, seen = list(rows), summary(list(rows.values()), today)
    zones = [_zone(rows[key]) for key in keys]
    above = np.array([parents.get(building_of(key), 0.0) for key in keys])
    expected = np.array([_expected(rows[key], effects) for key in keys]) + above
    among = between(seen.mean, expected, seen.weight, seen.within)
    value, error = shrunk(
        seen.mean,
        expected,
        seen.weight,
        within=seen.within,
        among=among,
        above=effects.error,
    )
    own: Floats = value - expected + above
    found = []
    for at, key in enumerate(keys):
        if seen.n[at] < LEAST_PLACE:
            continue
        middle = effects.of(zones[at], "", "") + own[at]
        mean = math.exp(middle + (seen.within + error[at] ** 2) / 2)
        parent = _parent(key, parents, zones[at])
        found.append(
            Figure(key, int(seen.n[at]), mean, float(mean * error[at]), parent)
        )
    return found, dict(zip(keys, own.tolist(), strict=True))


def building_of(key: str) -> str:
    """Return the key of the building that a door's key belongs to."""
    return BUILDING + key.removeprefix(ADDRESS).rsplit(DOOR, 1)[0]


def _parent(key: str, parents: Mapping[str, float], zone: str) -> str:
    if key.startswith(ADDRESS) and building_of(key) in parents:
        return building_of(key)
    return f"zone:{zone}" if zone else "depot"


def _expected(row: Sketch, effects: Effects) -> float:
    """Return what zone, classes and parcels let expect of a place's own mix."""
    whole = sum(weight for _, weight in row.mix.values())
    if whole <= 0:
        return effects.mean
    return (
        sum(
            weight * effects.of(*mix.split(SEP)) for mix, (_, weight) in row.mix.items()
        )
        / whole
    )


def _zone(row: Sketch) -> str:
    """Return the zone that most of a place's events lie in."""
    mix = max(row.mix, key=lambda name: (row.mix[name][1], name), default="")
    return mix.split(SEP)[0]


def factor_at(
    found: Mapping[str, float], keys: Collection[str], crossed: Collection[str]
) -> float:
    """Return the factor of the first known place, times what class and parcels add.

    `found` are figures by key; `keys` go from the most local place to the zone.
    """
    depot = found.get("depot", 1.0)
    factor = next((found[key] for key in keys if key in found), depot)
    for key in crossed:
        factor *= found.get(key, depot) / depot
    return factor
