"""Room for breaks in a search that knows none: a clock that stands still meanwhile.

Where most drivers rest alike, everyone is taken to rest at the same moments, and
windows, shifts, and releases are counted in working time, on a clock that stops for the
pauses. What is feasible on that clock stays feasible when each rest is taken after the
service or the travel that the pause would interrupt, as long as its window is that wide.
Cars that rest otherwise have shorter shifts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.routes.solver.openings import Opening
    from apps.routes.solver.view import View


@dataclass(frozen=True, slots=True)
class Pauses:
    """The common pauses in order, each as its clock time and length; none overlap."""

    spans: tuple[tuple[int, int], ...] = ()

    def working_s(self, clock_s: int) -> int:
        """Turn a time of the clock into working time."""
        return clock_s - sum(
            min(max(0, clock_s - begin_s), length_s) for begin_s, length_s in self.spans
        )

    def clock_s(self, working_s: int) -> int:
        """Turn working time into the earliest time of the clock."""
        for begin_s, length_s in self.spans:
            if working_s > begin_s:
                working_s += length_s
        return working_s

    def missing_s(self, opening: Opening, closes_s: int) -> int:
        """Say how much rest a car still has to take beyond the pauses in its shift."""
        resting_s = sum(rest.duration_s for _, rest in opening.rests)
        span_s = closes_s - opening.free_s
        working_s = self.working_s(closes_s) - self.working_s(opening.free_s)
        return max(0, resting_s - (span_s - working_s))


def find_pauses(view: View, openings: Sequence[Opening]) -> Pauses:
    """Take the rests of most cars as everyone's, each in the middle of its window."""
    if not openings:
        return Pauses()
    kinds = Counter(
        tuple(
            (rest.earliest_s, rest.latest_s, rest.duration_s) for _, rest in one.rests
        )
        for one in openings
    )
    rests, count = max(kinds.items(), key=lambda item: (item[1], item[0]))
    if 2 * count < len(openings):
        return Pauses()
    slack_s = max((job.service_s for job in view.jobs), default=0)
    spans: list[tuple[int, int]] = []
    over_s = 0
    for earliest_s, latest_s, duration_s in rests:
        middle_s = (earliest_s + max(earliest_s, latest_s - slack_s)) // 2
        begin_s = max(over_s, middle_s)
        spans.append((begin_s, duration_s))
        over_s = begin_s + duration_s
    return Pauses(tuple(spans))
