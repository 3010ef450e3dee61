"""Prices of steps between zones and waves, compiled: groups by number, prices as a table.

A group is a zone with a wave. Group 0 is the depot: where routes start, end, and load
again. The last number stands for places in no group, and for nowhere: steps to it and
from it cost nothing.
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

    from apps.routes.solver.problem import Job, Problem

    Integers = NDArray[np.int64]

Group = tuple[str, str]
"""A zone and a wave, empty where there is none."""

AT_DEPOT = 0


@dataclass(frozen=True, slots=True)
class Steps:
    """`prices_milli[a, b]` is what a step from group a to group b costs."""

    number_of: Mapping[Group, int]
    prices_milli: Integers

    @property
    def nowhere(self) -> int:
        """The number of what is in no group."""
        return len(self.prices_milli) - 1

    def group_of(self, job: Job) -> int:
        """Return the number of a job's group."""
        return self.number_of.get(_group(job), self.nowhere)

    def between(self, groups: Sequence[int]) -> Integers:
        """Return the prices between places in these groups, row to column."""
        rows = np.array(groups, dtype=np.int64)
        found: Integers = self.prices_milli[rows[:, None], rows[None, :]]
        return found

    def along(self, groups: Sequence[int]) -> int:
        """Add up the prices along places in these groups."""
        return sum(int(self.prices_milli[a, b]) for a, b in pairwise(groups))


def _group(job: Job) -> Group:
    return job.zone or "", job.wave or ""


def compile_steps(problem: Problem) -> Steps | None:
    """Lay prices out as a table; None where no step has a price."""
    leave_milli = problem.objective.zone_leave_milli
    price_of = {
        (step.from_zone, step.to_zone): step.price_milli
        for step in problem.zone_steps
        if step.price_milli
    }
    if not price_of and not leave_milli:
        return None
    known = {_group(job) for job in problem.jobs} - {("", "")}
    number_of = {group: place for place, group in enumerate(sorted(known), start=1)}
    prices_milli = np.zeros((len(known) + 2, len(known) + 2), dtype=np.int64)
    for one, row in number_of.items():
        prices_milli[AT_DEPOT, row] = sum(
            price_of.get((DEPOT_ZONE, name), 0) for name in one if name
        )
        prices_milli[row, AT_DEPOT] = sum(
            price_of.get((name, DEPOT_ZONE), 0) for name in one if name
        )
        for other, column in number_of.items():
            milli = sum(
                price_of.get(pair, 0)
                for pair in zip(one, other, strict=True)
                if all(pair)
            )
            if one[0] and other[0] and one[0] != other[0]:
                milli += leave_milli
            prices_milli[row, column] = milli
    return Steps(number_of, prices_milli)
