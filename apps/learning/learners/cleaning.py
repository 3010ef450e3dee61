"""Which reports of time can be believed, and how much. Pure.

A device may be offline for hours: that its word comes late says nothing against it. But
its clock can be wrong, and a driver can tick off ten stops at the van at once.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from apps.learning.learners.facts import Clocks, StopFact

AHEAD = timedelta(minutes=2)
"""A fact that reaches us so long before it happened comes from a wrong clock."""

AGREE = timedelta(minutes=2)
"""So far the two clocks may measure a span differently: the time of a transmission."""

DOUBTED = 0.25
"""What a span counts on which the clocks disagree; first value, ours."""

SHORTEST_S, LONGEST_S = 5.0, 2 * 3600.0
LONGEST = 10.0
"""A service beyond so many times what was planned is a report that came late."""

AT_ONCE_S = 20.0
"""Who completes several stops within so many seconds of each other reports a batch."""

TOGETHER = timedelta(seconds=10)
OK = ""


def doubts(stops: Sequence[StopFact]) -> list[tuple[float, str]]:
    """Return by visit what its span counts, and why not wholly ("" where it does)."""
    batches = _batches(stops)
    return [_doubt(stop, number in batches) for number, stop in enumerate(stops)]


def _doubt(stop: StopFact, is_batch: bool) -> tuple[float, str]:
    took_s = span_s(stop.arrived, stop.completed)
    if 0 < took_s < SHORTEST_S or is_batch:
        return 0.0, "reported_at_once"
    longest_s = min(LONGEST_S, LONGEST * max(stop.planned_s, 60))
    return doubt_of_span(stop.arrived, stop.completed, longest_s=longest_s)


def doubt_of_span(start: Clocks, end: Clocks, *, longest_s: float) -> tuple[float, str]:
    """Return what the time between two facts counts, and why not wholly."""
    if any(fact.occurred_at - fact.received_at > AHEAD for fact in (start, end)):
        return 0.0, "clock_ahead"
    took_s = span_s(start, end)
    if took_s <= 0:
        return 0.0, "not_positive"
    if took_s > longest_s:
        return 0.0, "too_long"
    ours = end.received_at - start.received_at
    # Sent together after a dead zone: our clock measured nothing to compare with.
    is_together = abs(ours) < TOGETHER
    if not is_together and abs(ours - timedelta(seconds=took_s)) > AGREE:
        return DOUBTED, "clocks_disagree"
    return 1.0, OK


def span_s(start: Clocks, end: Clocks) -> float:
    """Return the seconds between two facts by the device's clock."""
    return (end.occurred_at - start.occurred_at).total_seconds()


def _batches(stops: Sequence[StopFact]) -> set[int]:
    """Return the visits that ended within seconds of another's end."""
    ends = sorted(
        (stop.completed.occurred_at, number) for number, stop in enumerate(stops)
    )
    found: set[int] = set()
    for (before, one), (after, other) in pairwise(ends):
        if (after - before).total_seconds() < AT_ONCE_S:
            found |= {one, other}
    return found
