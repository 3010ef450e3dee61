"""The learned order of zones on both days of LaDe-P, cross-validated by courier.

One day of 215 routes cannot tell a gain of a fiftieth from chance. Here every route of
both days is judged once: couriers are shared out over three folds by a hash of their
names, a fold's orders are learned from the two others, and which way is gone (and at
which price) is chosen within these two alone, with orders of one judged on the other.
Nothing of a fold is known when its plans are made: nested cross-validation (Stone 1974).
It is what a depot has that learns from colleagues, not from the same person's past.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from statistics import fmean
from typing import Any

from apps.routes.zoneorder import Before
from tests.bench._learning_real import LADE
from tests.bench._zoneorder_real import (
    PLAIN,
    WAYS,
    Drive,
    Outcome,
    Way,
    by_area,
    by_wave,
    drives,
    figures,
    order_of,
    outcome_of,
    said,
)

FOLDS = 3
SEARCH_ROUNDS = 200
"""Rounds where ways are compared; what is judged has as many as everywhere."""

CANDIDATES = (
    PLAIN,
    *(each for each in WAYS if each.zones is by_wave),
    *(each for each in WAYS if each.zones is by_area),
)
"""Also nothing at all: where waves gain nothing within two folds, the third is plain."""


@dataclass(slots=True)
class Folds:
    """The routes by fold, and what was planned of them by way and what was learned from."""

    of: tuple[tuple[Drive, ...], ...]
    searched: dict[tuple[Way, int, int], list[Outcome]] = field(default_factory=dict)

    def order(self, way: Way, taught: Sequence[int]) -> dict[str, Before]:
        """Learn a way's order from some folds."""
        if not way.order_minor or way.zones is None:
            return {}
        return order_of([each for one in taught for each in self.of[one]], way.zones)

    def outcomes(self, way: Way, fold: int, taught: int) -> list[Outcome]:
        """Plan a fold with what one other fold teaches."""
        source = taught if way.order_minor else -1
        key = (way, fold, source)
        if key not in self.searched:
            order = self.order(way, [taught])
            self.searched[key] = [
                outcome_of(drive, way, order, SEARCH_ROUNDS) for drive in self.of[fold]
            ]
        return self.searched[key]

    def chosen(self, folds: Sequence[int]) -> Way:
        """Return the way that is nearest to what was driven within these folds alone."""

        def score(way: Way) -> float:
            found = (
                self.outcomes(way, fold, taught)
                for fold in folds
                for taught in folds
                if taught != fold
            )
            return fmean(each.score for one in found for each in one)

        return min(CANDIDATES, key=score)


def judge_crossed(tell: Callable[[str], object]) -> dict[str, Any]:
    """Plan every route of both days by what other couriers teach; return the figures."""
    if not LADE.exists():
        return {"skipped": f"{LADE.name} is not here"}
    first, second = drives()
    both = [*first, *second]
    folds = Folds(
        tuple(
            tuple(each for each in both if fold_of(each) == fold)
            for fold in range(FOLDS)
        )
    )
    chosen, plain, ours = {}, {}, {}
    for fold in range(FOLDS):
        others = [each for each in range(FOLDS) if each != fold]
        way = folds.chosen(others)
        order = folds.order(way, others)
        chosen[f"fold_{fold}"] = way.name
        for drive in folds.of[fold]:
            plain[id(drive)] = outcome_of(drive, PLAIN, {})
            ours[id(drive)] = outcome_of(drive, way, order)
        tell(f"fold {fold}: {way.name} chosen on the others\n")

    def judged(of: Sequence[Drive]) -> tuple[list[Outcome], list[Outcome]]:
        return [plain[id(each)] for each in of], [ours[id(each)] for each in of]

    tell(f"both days, crossed: {said(*judged(both))}\n")
    return {
        "chosen_without_the_fold": chosen,
        "both_days": figures(*judged(both)),
        "first_day": figures(*judged(first)),
        "second_day": figures(*judged(second)),
    }


def fold_of(drive: Drive) -> int:
    """Return to which fold a route belongs: all of a courier's to the same."""
    return sha256(drive.pickups[0].courier.encode()).digest()[1] % FOLDS
