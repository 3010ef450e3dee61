"""Are decisions still decisions? Finds people who wave through what is proposed. Pure (C26).

The thresholds are our first values; a finding is a question to that person, not a verdict.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

LEAST: Final = 10
"""Fewer decisions say nothing of a habit."""
WAVED_SHARE: Final = 0.95
QUICK_S: Final = 20.0
"""Nobody reads a plan, or weighs a request, in less."""
BURST: Final = 5
BURST_WITHIN: Final = timedelta(seconds=30)

WAVED, AT_ONCE = "waved_through", "all_at_once"


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody decided on something that was proposed."""

    who: str
    proposed_at: datetime
    decided_at: datetime
    accepted: bool

    @property
    def took_s(self) -> float:
        """Return how long it lay before him."""
        return max(0.0, (self.decided_at - self.proposed_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody decides: how much is accepted, how quickly, how much at once."""

    who: str
    decisions: int
    accepted: int
    median_s: float
    largest_burst: int
    last_at: datetime

    @property
    def share(self) -> float:
        """Return the share that was accepted."""
        return self.accepted / self.decisions

    @property
    def findings(self) -> tuple[str, ...]:
        """Name what is to be asked about."""
        enough = self.decisions >= LEAST
        waves = self.share >= WAVED_SHARE and self.median_s < QUICK_S
        return (
            *((WAVED,) if enough and waves else ()),
            *((AT_ONCE,) if self.largest_burst >= BURST else ()),
        )

    @property
    def text(self) -> str:
        """Say it in a sentence."""
        return (
            f"{self.accepted} of {self.decisions} accepted, half of them within"
            f" {self.median_s:.0f} s; at most {self.largest_burst} within"
            f" {BURST_WITHIN.seconds} s."
        )


def habits(decisions: Iterable[Decision]) -> Iterator[Habit]:
    """Yield how each person decides, by name."""
    by_person: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_person[decision.who].append(decision)
    for who, mine in sorted(by_person.items()):
        accepted = [decision for decision in mine if decision.accepted]
        yield Habit(
            who=who,
            decisions=len(mine),
            accepted=len(accepted),
            median_s=median(decision.took_s for decision in mine),
            largest_burst=_largest_burst([each.decided_at for each in accepted]),
            last_at=max(decision.decided_at for decision in mine),
        )


def _largest_burst(instants: list[datetime]) -> int:
    """Return how many instants lie within one burst at the most."""
    ordered, first, most = sorted(instants), 0, 0
    for last, at in enumerate(ordered):
        while at - ordered[first] > BURST_WITHIN:
            first += 1
        most = max(most, last - first + 1)
    return most
