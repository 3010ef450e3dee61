"""How a learner is judged: its error beside that of the best naive way, held back."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from apps.learning.learners.shrinking import Figure
from apps.learning.learners.sketch import Added, Sketch


@dataclass
class Tallies:
    """The sums of all kinds, as the room keeps them in its table."""

    by_kind: dict[str, dict[str, Sketch]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def add(self, rows: Sequence[Added]) -> None:
        """Add events."""
        for row in rows:
            self.by_kind[row.kind].setdefault(row.key, Sketch()).add(row)

    def of(self, kind: str) -> Mapping[str, Sketch]:
        """Return the sums of a kind."""
        return self.by_kind[kind]


def means(figures: Sequence[Figure]) -> dict[str, float]:
    """Return figures by key."""
    return {figure.key: figure.mean for figure in figures}


class Raw:
    """The naive way: the plain mean of a key, and of all where a key is new."""

    def __init__(self, rows: Sequence[tuple[str, float, float]]) -> None:
        """Take (key, what happened, what it is a share of)."""
        up: dict[str, float] = defaultdict(float)
        down: dict[str, float] = defaultdict(float)
        for key, happened, planned in rows:
            for name in (key, ""):
                up[name] += happened
                down[name] += planned
        self._means = {key: up[key] / down[key] for key in up}

    def __call__(self, key: str = "") -> float:
        """Return the mean of a key."""
        return self._means.get(key, self._means[""])


class Medians:
    """Another naive way: the median of a key, and of all where a key is new."""

    def __init__(self, rows: Sequence[tuple[str, float]]) -> None:
        """Take (key, factor)."""
        found: dict[str, list[float]] = defaultdict(list)
        for key, factor in rows:
            found[key].append(factor)
            found[""].append(factor)
        self._medians = {key: float(np.median(each)) for key, each in found.items()}

    def __call__(self, key: str = "") -> float:
        """Return the median of a key."""
        return self._medians.get(key, self._medians[""])


@dataclass(frozen=True, slots=True)
class Judged:
    """The error of ours and of each naive way, and of how many it is the mean."""

    ours: float
    naive: Mapping[str, float]
    n: int
    unit: str
    digits: int

    def figures(self) -> dict[str, Any]:
        """Return them beside the best naive way, whichever it is."""
        best = min(self.naive, key=lambda name: self.naive[name])
        least = self.naive[best]
        return {
            "ours": round(self.ours, self.digits),
            "naive": round(least, self.digits),
            "naive_is": best,
            "better_pct": round(100 * (1 - self.ours / least), 1) if least else None,
            "n": self.n,
            "unit": self.unit,
            "all_naive": {k: round(v, self.digits) for k, v in self.naive.items()},
        }


def judged(
    true: Sequence[float],
    ours: Sequence[float],
    naive: Mapping[str, Sequence[float]],
    *,
    unit: str,
    digits: int = 1,
    error: Callable[[Any, Any], float] | None = None,
) -> Judged:
    """Return the errors of what was told against what was true."""
    off = error or mean_error
    found = {name: off(true, told) for name, told in naive.items()}
    return Judged(off(true, ours), found, len(true), unit, digits)


def pooled(rows: Sequence[Judged]) -> Judged:
    """Return the mean of the same learner's errors on several towns."""
    n, first = sum(row.n for row in rows), rows[0]
    return replace(
        first,
        ours=sum(row.ours * row.n for row in rows) / n,
        naive={
            name: sum(row.naive[name] * row.n for row in rows) / n
            for name in first.naive
        },
        n=n,
    )


def mean_error(true: Sequence[float], told: Sequence[float]) -> float:
    """Return the mean distance."""
    return float(np.abs(np.array(true) - np.array(told)).mean())


def brier(true: Sequence[float], told: Sequence[float]) -> float:
    """Return the mean squared distance of a probability from what happened."""
    return float(((np.array(true) - np.array(told)) ** 2).mean())


def wrong_share(true: Sequence[float], told: Sequence[float]) -> float:
    """Return the share of outcomes (0 or 1) on whose other side was bet; 0.5 is half."""
    sides = np.where(np.isclose(told, 0.5), 0.5, np.round(told))
    return float(np.abs(np.array(true) - sides).mean())
