"""The line of a device's events: which numbers have come, and where a gap is. Pure.

A device counts its events 1, 2, 3 … from its enrolment on. Up to `reached` every number
has come or was given up; those in `ahead` have come before others that are missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Line:
    """How far a device's events have come without a gap."""

    reached: int = 0
    ahead: set[int] = field(default_factory=set)

    def arrive(self, numbers: Iterable[int], *, unnumbered: int = 0) -> None:
        """Take numbers in; the line moves on as far as there is no gap.

        `unnumbered` events came along whose number nobody could read. They will not come
        again: each stands for one that is missing before those that came with it.
        """
        fresh = {number for number in numbers if number > self.reached}
        self.ahead |= fresh
        self._close_up()
        last = max(fresh, default=0)
        while unnumbered and self.reached < last:
            unnumbered -= 1
            self.reached += 1
            self._close_up()

    def give_up(self, last: int) -> list[tuple[int, int]]:
        """Wait no more for what is missing before `last`; return the gaps, both ends in."""
        gaps: list[tuple[int, int]] = []
        before = self.reached
        for number in sorted({each for each in self.ahead if each < last} | {last}):
            if number > before + 1:
                gaps.append((before + 1, number - 1))
            before = max(before, number)
        self.reached = max(self.reached, last)
        self._close_up()
        return gaps

    def is_due(self, number: int) -> bool:
        """Tell whether nothing is missing before a number."""
        return number <= self.reached

    def _close_up(self) -> None:
        while self.reached + 1 in self.ahead:
            self.reached += 1
        self.ahead = {number for number in self.ahead if number > self.reached}
