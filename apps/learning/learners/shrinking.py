"""What is common to all learners: robust means, variance components, shrinkage. Pure.

Of each key: the mean of its events without outliers. Of the keys together: the variance
within (σ²) and between them (τ²), by moments. A key's figure is its parent's, moved
towards its own mean by `w·τ² / (w·τ² + σ²)`: few events move it little (empirical
Bayes; Efron and Morris 1975; the moments are those of DerSimonian and Laird 1986).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.learning.learners.sketch import BIN, Sketch, joined

OWN_MIDDLE = 5
"""From so many events on a key's outliers are judged by its own median."""

MOST_DEVIATIONS = 3.0
NORMAL_MAD = 0.6745
"""The median distance from the middle of a normal law, in deviations."""

LEAST_SPREAD = 0.05

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Figure:
    """One learned figure of a key, on the scale that it is used on."""

    key: str
    n: int
    mean: float
    spread: float
    parent: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Of each sketch: events, weight as of today, mean without outliers; and σ²."""

    n: Whole
    weight: Floats
    mean: Floats
    left_out: int
    within: float


def summary(sketches: Sequence[Sketch], today: float) -> Summary:
    """Return the robust means of sketches; `today` is `grown(now)`."""
    middle, spread = middle_and_spread(joined(sketches))
    rows = [_robust(sketch, middle, spread) for sketch in sketches]
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    n, weight, mean, squares, left_out = table.T
    degrees = float((weight * np.maximum(n - 1, 0) / np.maximum(n, 1)).sum())
    within = float(squares.sum()) / degrees if degrees > 0 else spread**2
    return Summary(
        n=n.astype(np.int64),
        weight=weight / today,
        mean=mean,
        left_out=int(left_out.sum()),
        within=max(within, 1e-6),
    )


def middle_and_spread(sketch: Sketch) -> tuple[float, float]:
    """Return median and deviation (by the median distance from it), of the weights."""
    middle = _median([(row[2] / row[1], row[1]) for row in _rows(sketch)])
    off = _median([(abs(row[2] / row[1] - middle), row[1]) for row in _rows(sketch)])
    return middle, max(LEAST_SPREAD, max(off, BIN / 4) / NORMAL_MAD)


def between(raw: Floats, expected: Floats, weight: Floats, within: float) -> float:
    """Return τ²: the variance of keys around what is expected of them, by moments.

    What chance alone gives every sixth time (one deviation of χ²) does not count: from
    few keys τ² is known badly, and too large a one believes noise.
    """
    whole = float(weight.sum())
    room = whole - float((weight**2).sum()) / whole if whole > 0 else 0.0
    if room <= 0 or len(raw) < 2:
        return 0.0
    off = float((weight * (raw - expected) ** 2).sum())
    degrees = len(raw) - 1
    return max(0.0, (off - (degrees + math.sqrt(2 * degrees)) * within) / room)


def shrunk(
    raw: Floats,
    expected: Floats,
    weight: Floats,
    *,
    within: float,
    among: float,
    above: float | Floats = 0.0,
) -> tuple[Floats, Floats]:
    """Return figures between what is expected and what was seen, and their errors.

    `above` is the error of what is expected: the less a key has of its own, the more of
    it is its parent's.
    """
    share = weight * among / np.maximum(weight * among + within, 1e-12)
    errors = np.sqrt(among * (1 - share) + ((1 - share) * above) ** 2)
    return expected + share * (raw - expected), errors


def _rows(sketch: Sketch) -> list[list[float]]:
    """Return bins with some weight left, in order of value."""
    return [row for _, row in sorted(sketch.bins.items()) if row[1] > 0]


def _median(values: Sequence[tuple[float, float]]) -> float:
    """Return the weighted median of (value, weight); 0 of nothing."""
    half, seen = sum(weight for _, weight in values) / 2, 0.0
    ordered = sorted(values)
    for (value, weight), after in zip(ordered, [*ordered[1:], None], strict=True):
        seen += weight
        if math.isclose(seen, half) and after is not None:
            return (value + after[0]) / 2
        if seen > half:
            return value
    return ordered[-1][0] if ordered else 0.0


def _robust(
    sketch: Sketch, middle: float, spread: float
) -> tuple[float, float, float, float, float]:
    """Return count, weight, mean, squares about it, and how many were left out.

    What lies beyond three deviations does not count: of many events from their own
    median, of few from that of all.
    """
    rows = _rows(sketch)
    if sum(row[0] for row in rows) >= OWN_MIDDLE:
        middle = _median([(row[2] / row[1], row[1]) for row in rows])
    most = MOST_DEVIATIONS * spread
    kept = [row for row in rows if abs(row[2] / row[1] - middle) <= most]
    left_out = sum(row[0] for row in rows) - sum(row[0] for row in kept)
    weight = sum(row[1] for row in kept)
    if weight <= 0:
        return 0, 0.0, middle, 0.0, left_out
    mean = sum(row[2] for row in kept) / weight
    squares = sum(row[1] * (row[2] / row[1] - mean) ** 2 for row in kept)
    return sum(row[0] for row in kept), weight, mean, squares, left_out
