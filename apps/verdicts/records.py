"""What a role's record of verdicts says of its decision right. Pure.

Undecidable verdicts say nothing of who was right, and count neither way. A right grows
only where even the lower end of the interval of the right share is high, and shrinks only
where even the upper end is low: a small record moves nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

Z: Final = 1.645
"""Of Wilson's interval (1927): nine in ten, both sides."""

LEAST_DECIDED: Final = 20
"""From so many decided verdicts on a record speaks; fewer are nobody's record."""

WIDEN_FROM: Final = 0.65
"""The lower end of the right share from which a right may grow."""

NARROW_UP_TO: Final = 0.40
"""The upper end of the right share up to which a right should shrink."""

STEP: Final = Fraction(3, 2)
"""A limit moves by half at a time: another step needs another record."""

MOVED: Final = ("max_minutes", "max_cost_minor", "max_stops")
"""The limits that a record moves. How many windows may break, and how long before the
departure, is a promise to others: no record moves it."""

Limits = Mapping[str, int | None]
"""Limit → value; None is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How often a role's choices of one kind were right."""

    right: int
    wrong: int
    undecidable: int

    @property
    def decided(self) -> int:
        """Return how many verdicts say who was right."""
        return self.right + self.wrong

    @property
    def share(self) -> float | None:
        """Return the share of right ones among the decided."""
        return self.right / self.decided if self.decided else None

    @property
    def interval(self) -> tuple[float, float]:
        """Return Wilson's interval of the right share."""
        return wilson(self.right, self.decided)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """Which way a right should move, and its limits: name → (from, to)."""

    widens: bool
    limits: Mapping[str, tuple[int, int]]


def wilson(right: int, count: int, z: float = Z) -> tuple[float, float]:
    """Return Wilson's interval of a share; all is possible where nothing was counted."""
    if not count:
        return 0.0, 1.0
    share, squared = right / count, z * z
    middle = (share + squared / (2 * count)) / (1 + squared / count)
    half = (
        z
        / (1 + squared / count)
        * math.sqrt(share * (1 - share) / count + squared / (4 * count * count))
    )
    return max(0.0, middle - half), min(1.0, middle + half)


def proposed(record: Record, limits: Limits, above: Limits | None) -> Proposed | None:
    """Return how the limits should move; None where they stay.

    `above` are the limits of what the next role may decide alone: nobody grows past
    them; where that role may nothing alone, nobody below grows. A limit that is none
    stays none.
    """
    if record.decided < LEAST_DECIDED:
        return None
    low, high = record.interval
    if low >= WIDEN_FROM:
        widens = True
    elif high <= NARROW_UP_TO:
        widens = False
    else:
        return None
    moved = {
        name: (value, to)
        for name in MOVED
        if (value := limits.get(name)) is not None
        and (to := _moved(name, value, above, widens=widens)) != value
    }
    return Proposed(widens=widens, limits=moved) if moved else None


def _moved(name: str, value: int, above: Limits | None, *, widens: bool) -> int:
    if not widens:
        return math.floor(value / STEP)
    if above is None:
        return value
    to, bound = math.ceil(value * STEP), above.get(name)
    return max(value, to if bound is None else min(to, bound))
