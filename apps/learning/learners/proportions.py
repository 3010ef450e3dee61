"""How often something happens, by key, with small counts shrunk. Pure.

Values are 0 and 1; there are no outliers among them. Within a key the variance is that
of a draw, `p(1 − p)`; between keys it is found by moments as for any other figure.
"""

from collections.abc import Sequence

import numpy as np

from apps.learning.learners.shrinking import Floats, Summary
from apps.learning.learners.sketch import Added, Sketch

SURE = 0.005
"""No figure is nearer to never or always: there were only so many events."""


def outcome(kind: str, key: str, happened: bool, weight: float, n: int = 1) -> Added:
    """Return what an event adds that happened, or did not."""
    return Added(kind, key, 1.0 if happened else 0.0, weight, n=n)


def shares(sketches: Sequence[Sketch], today: float) -> Summary:
    """Return of each sketch how often it happened."""
    n = np.array([sketch.n for sketch in sketches], dtype=np.int64)
    weight = np.array([max(sketch.weight, 0.0) for sketch in sketches])
    yes = np.array([sum(row[2] for row in each.bins.values()) for each in sketches])
    mean = np.where(weight > 0, yes / np.maximum(weight, 1e-300), 0.0)
    whole = float(weight.sum())
    middle = float(yes.sum()) / whole if whole > 0 else 0.5
    return Summary(
        n=n,
        weight=weight / today,
        mean=mean,
        left_out=0,
        within=max(middle * (1 - middle), SURE),
    )


def possible(values: Floats) -> Floats:
    """Return figures as probabilities."""
    inside: Floats = np.clip(values, SURE, 1 - SURE)
    return inside
