"""Prices of steps between zones, compiled: zones by number, prices as a table.

Zone 0 is the depot: where routes start, end, and load again. The last number stands for
every place without a zone, and for nowhere: steps to it and from it cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.problem import DEPOT_ZONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.problem import Problem

    Integers = NDArray[np.int64]

AT_DEPOT = 0


@dataclass(frozen=True, slots=True)
class Steps:
    """`prices_milli[a, b]` is what a step from zone a to zone b costs."""

    number_of: Mapping[str, int]
    prices_milli: Integers

    @property
    def nowhere(self) -> int:
        """The number of what is in no zone."""
        return len(self.prices_milli) - 1

    def zone_of(self, name: str | None) -> int:
        """Return a zone's number; one that no step names is nowhere."""
        return self.nowhere if not name else self.number_of.get(name, self.nowhere)

    def between(self, zones: Sequence[int]) -> Integers:
        """Return the prices between places in these zones, row to column."""
        rows = np.array(zones, dtype=np.int64)
        found: Integers = self.prices_milli[rows[:, None], rows[None, :]]
        return found

    def along(self, zones: Sequence[int]) -> int:
        """Add up the prices along places in these zones."""
        return sum(int(self.prices_milli[a, b]) for a, b in pairwise(zones))


def compile_steps(problem: Problem) -> Steps | None:
    """Lay prices out as a table; None where no step has a price."""
    leave_milli = problem.objective.zone_leave_milli
    priced = [step for step in problem.zone_steps if step.price_milli]
    if not priced and not leave_milli:
        return None
    names = {name for one in priced for name in (one.from_zone, one.to_zone)}
    names |= {job.zone for job in problem.jobs if job.zone}
    number_of = {DEPOT_ZONE: AT_DEPOT}
    for name in sorted(names):
        number_of.setdefault(name, len(number_of))
    size = len(number_of) + 1
    prices_milli = np.zeros((size, size), dtype=np.int64)
    prices_milli[1:-1, 1:-1] = leave_milli
    np.fill_diagonal(prices_milli, 0)
    for one in priced:
        row, column = number_of[one.from_zone], number_of[one.to_zone]
        prices_milli[row, column] += one.price_milli
    return Steps(number_of, prices_milli)
