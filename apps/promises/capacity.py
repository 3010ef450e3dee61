"""How many more visits a day without a plan can take in a slot. Pure.

Shifts are time, what is booked uses it up: each visit its service and its share of the
way. A visit with windows uses the time inside them, one without uses the whole day's
evenly. What is promised may fill a share of the time alone (`fill_percent`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.routes.dayinputs import Interval


@dataclass(frozen=True, slots=True)
class Crew:
    """One shift of the day: when it works, and what it can bring."""

    hours: Interval
    capacities: tuple[int, ...]
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Booked:
    """One visit that the day has already, or that somebody holds."""

    windows: tuple[Interval, ...]
    work_s: int
    demands: tuple[int, ...]


def takes(  # noqa: PLR0917  (what a day is made of)
    crews: Sequence[Crew],
    booked: Sequence[Booked],
    slot: Interval,
    visit: Booked,
    requires: frozenset[str],
    fill_percent: int,
) -> bool:
    """Tell whether one more visit fits into a slot of such a day."""
    able = [one for one in crews if requires <= one.capabilities]
    if not any(overlap_s(one.hours, slot) >= visit.work_s for one in able):
        return False
    whole_s = sum(overlap_s(one.hours, one.hours) for one in crews)
    used_s = sum(one.work_s for one in booked)
    if (used_s + visit.work_s) * 100 > whole_s * fill_percent:
        return False
    in_slot_s = sum(overlap_s(one.hours, slot) for one in crews)
    needed_s = sum(_share_s(one, slot, crews) for one in booked) + visit.work_s
    if needed_s * 100 > in_slot_s * fill_percent:
        return False
    return all(
        sum(one.demands[k] for one in booked) + visit.demands[k]
        <= sum(one.capacities[k] for one in crews)
        for k in range(len(visit.demands))
    )


def _share_s(one: Booked, slot: Interval, crews: Sequence[Crew]) -> float:
    """Return how much of a visit's work falls into a slot."""
    spans = one.windows or tuple(crew.hours for crew in crews)
    whole_s = sum(overlap_s(span, span) for span in spans)
    if not whole_s:
        return 0.0
    return one.work_s * sum(overlap_s(span, slot) for span in spans) / whole_s


def overlap_s(a: Interval, b: Interval) -> float:
    """Return how many seconds two intervals share."""
    shared = min(a.closes_at, b.closes_at) - max(a.opens_at, b.opens_at)
    return max(0.0, shared.total_seconds())
