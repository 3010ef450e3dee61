"""In which order zones and waves had better be driven, as planning takes it. Pure.

A parameter holds by pair of zones `A>B` how surely A is rightly driven before B, each
with how it is known. Of a day's zones it makes prices of the steps between them: a step
straight from B to A costs by how sure it is that A comes first. So does a start from the
depot in a zone that others come before, and an end in one that comes before others.

A wave is the stops whose windows open in the same hour of the depot's clock: of two that
could both be gone to, people mostly finish the earlier one first.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from apps.routes.solver.problem import DEPOT_ZONE, Problem, ZoneStep
from apps.routes.solver.solution import Solution

SEP: Final = ">"
MOST_PAIRS: Final = 2_000
"""So many pairs a depot: each planning reads and hashes them all."""


class BadZoneOrder(ValueError):
    """An order of zones that cannot be planned with; the message names every fault."""


@dataclass(frozen=True, slots=True)
class Before:
    """How surely the first zone of a pair is rightly driven first: 0.5 to 1.

    `n` counts the routes that had both, 0: a person's own figure.
    """

    share: float
    n: int = 0
    as_of: str = ""


ZoneOrder = Mapping[str, Before]


WAVE: Final = "window "


def wave_of(opens_at: datetime, zone: ZoneInfo) -> str:
    """Name the wave of a window that opens then."""
    return f"{WAVE}{opens_at.astimezone(zone):%H}:00"


def order_from(stored: object) -> dict[str, Before]:
    """Read an order of zones as a parameter's version stores it.

    A value is a number, or `{"share": …, "n": …, "as_of": "2026-03-17"}`.

    Raises:
        BadZoneOrder: it is no mapping, a key is no pair, a share is out of bounds, or a
            pair is there both ways.
    """
    if not isinstance(stored, Mapping):
        raise BadZoneOrder("An order of zones is a mapping from “A>B” to a share.")
    if len(stored) > MOST_PAIRS:
        raise BadZoneOrder(f"{len(stored)} pairs: {MOST_PAIRS} at the most.")
    faults: list[str] = []
    found: dict[str, Before] = {}
    for key in sorted(map(str, stored)):
        try:
            found[key] = _before(key, stored[key])
        except BadZoneOrder as fault:
            faults.append(str(fault))
        if _turned(key) in found and _turned(key) != key:
            faults.append(f"{key}: the same pair is there the other way round.")
    if faults:
        raise BadZoneOrder(" ".join(faults[:20]))
    return found


def _turned(key: str) -> str:
    one, _, other = key.partition(SEP)
    return f"{other}{SEP}{one}"


def _before(key: str, given: Any) -> Before:
    one, _, other = key.partition(SEP)
    if not one.strip() or not other.strip() or one == other or SEP in other:
        raise BadZoneOrder(f"{key}: a key is two zones, “A>B”.")
    if isinstance(given, Before):
        given = {"share": given.share, "n": given.n, "as_of": given.as_of}
    if not isinstance(given, Mapping):
        given = {"share": given}
    if unknown := set(given) - {"share", "n", "as_of"}:
        raise BadZoneOrder(f"{key}: no such field: {', '.join(sorted(unknown))}.")
    value, count, as_of = given.get("share"), given.get("n", 0), given.get("as_of", "")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadZoneOrder(f"{key}: the share is no number.")
    if not 0.5 <= value <= 1:
        raise BadZoneOrder(f"{key}: {value:g} is not between 0.5 and 1.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise BadZoneOrder(f"{key}: n is no count.")
    if as_of:
        try:
            date.fromisoformat(str(as_of))
        except ValueError as error:
            raise BadZoneOrder(f"{key}: as_of is no date.") from error
    return Before(float(value), count, str(as_of))


def stored(order: ZoneOrder) -> dict[str, dict[str, Any]]:
    """Return an order of zones as a parameter's version stores it."""
    return {
        key: {"share": each.share, "n": each.n, "as_of": each.as_of}
        for key, each in sorted(order.items())
    }


def sureness(order: ZoneOrder, zones: Collection[str]) -> dict[tuple[str, str], float]:
    """Return by pair of these zones, first before second, how sure that is: 0 to 1."""
    found = {}
    for key, each in order.items():
        one, _, other = key.partition(SEP)
        if one in zones and other in zones and each.share > 0.5:
            found[one, other] = 2 * each.share - 1
    return found


def steps_of(
    order: ZoneOrder, zones: Collection[str], most_milli: int
) -> tuple[ZoneStep, ...]:
    """Return the prices of steps between a day's zones; `most_milli` where it is sure."""
    sure = sureness(order, zones)
    if not sure or most_milli <= 0:
        return ()
    alike = Counter(zone.startswith(WAVE) for zone in zones)
    prices: dict[tuple[str, str], float] = {}
    for (one, other), share in sure.items():
        others = max(1, alike[one.startswith(WAVE)] - 1)
        prices[other, one] = share
        begins, ends = (DEPOT_ZONE, other), (one, DEPOT_ZONE)
        prices[begins] = prices.get(begins, 0.0) + share / others
        prices[ends] = prices.get(ends, 0.0) + share / others
    return tuple(
        ZoneStep(from_zone=a, to_zone=b, price_milli=round(share * most_milli))
        for (a, b), share in sorted(prices.items())
    )


def zone_walk(problem: Problem, solution: Solution) -> list[tuple[str, str]]:
    """List a plan's steps from zone to zone and from wave to wave.

    `DEPOT_ZONE` stands at a route's ends; a step between groups of both counts twice.
    """
    group_of = {job.id: (job.zone, job.wave) for job in problem.jobs}
    found: list[tuple[str, str]] = []
    for route in solution.routes:
        for kind in (0, 1):
            names = [group_of[visit.job_id][kind] for visit in route.visits]
            found += [
                (a, b)
                for a, b in pairwise([DEPOT_ZONE, *names, DEPOT_ZONE])
                if a is not None and b is not None and a != b
            ]
    return found
