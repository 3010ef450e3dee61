"""How much each of several crossed causes matters: main effects, shrunk. Pure.

`y = μ + zone + class + parcels + …` on cell means, by backfitting: each cause in turn
takes what the others leave (Buja, Hastie, Tibshirani 1989), shrunk as `shrinking` says.
So a zone is not blamed for its large orders, nor an hour for the zones driven in it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from apps.learning.learners.shrinking import Floats, Summary, Whole, between, shrunk

ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Effect:
    """What one level adds, how many events it has, and the error of what it adds."""

    value: float
    n: int
    error: float


NOTHING = Effect(0.0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class Effects:
    """The mean of all, and what each level of each cause adds to it."""

    mean: float
    error: float
    n: int
    by_cause: tuple[Mapping[str, Effect], ...]
    within: float

    def of(self, *levels: str) -> float:
        """Return what is expected where these levels meet; an unknown one adds nothing."""
        found = (
            known.get(level, NOTHING).value
            for known, level in zip(self.by_cause, levels, strict=True)
        )
        return self.mean + sum(found)


def main_effects(cells: Sequence[tuple[str, ...]], seen: Summary) -> Effects:
    """Return the main effects; a cell names a level of each cause."""
    causes = [_numbered(names) for names in zip(*cells, strict=True)]
    weight, mean = seen.weight, _mean(seen.mean, seen.weight)
    error = math.sqrt(seen.within / max(float(weight.sum()), 1e-12))
    values = [np.zeros(len(names)) for names, _ in causes]
    errors = [np.zeros(len(names)) for names, _ in causes]
    for _ in range(ROUNDS):
        for place, (names, level) in enumerate(causes):
            others = sum(
                (
                    values[other][causes[other][1]]
                    for other in range(len(causes))
                    if other != place
                ),
                np.zeros(len(weight)),
            )
            whole: Floats = np.bincount(level, weight, len(names)).astype(float)
            left = np.bincount(level, weight * (seen.mean - mean - others), len(names))
            raw = left / np.maximum(whole, 1e-12)
            zero = np.zeros(len(names))
            among = between(raw, zero, whole, seen.within)
            value, errors[place] = shrunk(
                raw, zero, whole, within=seen.within, among=among, above=error
            )
            middle = _mean(value, whole)
            values[place], mean = value - middle, mean + middle
    return Effects(
        mean=mean,
        error=error,
        n=int(seen.n.sum()),
        by_cause=tuple(
            _effects(names, level, value, off, seen.n)
            for (names, level), value, off in zip(causes, values, errors, strict=True)
        ),
        within=seen.within,
    )


def _numbered(names: Sequence[str]) -> tuple[list[str], Whole]:
    known = sorted(set(names))
    number = {name: place for place, name in enumerate(known)}
    return known, np.array([number[name] for name in names], dtype=np.int64)


def _mean(values: Floats, weight: Floats) -> float:
    whole = float(weight.sum())
    return float((values * weight).sum()) / whole if whole > 0 else 0.0


def _effects(
    names: Sequence[str], level: Whole, value: Floats, error: Floats, n: Whole
) -> dict[str, Effect]:
    counts = np.bincount(level, n, len(names))
    return {
        name: Effect(float(value[at]), round(counts[at]), float(error[at]))
        for at, name in enumerate(names)
    }
