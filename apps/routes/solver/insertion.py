"""Making insertions: which job goes where next, in all routes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.compounds import (
    COMPOUND,
    compound_sequences,
    price_compounds,
)
from apps.routes.solver.pricing import (
    Arrays,
    Standing,
    price_insertions,
    price_places,
)
from apps.routes.solver.routestate import NEVER, build_route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.view import View

    Integers = NDArray[np.int64]
    Scores = Callable[[Integers, Integers], Integers]

__all__ = [
    "Arrays",
    "Plan",
    "by_regret",
    "insert_jobs",
    "price_insertions",
    "price_places",
    "standing_beside",
]


@dataclass(slots=True)
class Plan:
    """Routes by car and the jobs in none of them; a copy shares its routes."""

    routes: list[RouteState]
    unserved: list[int]

    def copy(self) -> Plan:
        """Make a plan that may be changed apart from this one."""
        return Plan(list(self.routes), list(self.unserved))

    def cost_milli(self, view: View) -> int:
        """Add up what engines minimize."""
        cost_milli = sum(route.cost_milli for route in self.routes) + sum(
            view.prize_milli(job) for job in self.unserved
        )
        if view.problem.objective.balance_milli_per_s:
            used = [route.duration_s for route in self.routes if route.sequence]
            cost_milli += view.balance_milli(used)
        return cost_milli


def standing_beside(view: View, plan: Plan, number: int) -> Standing | None:
    """Sum up the durations beside a route's; None where balance has no price."""
    if not view.problem.objective.balance_milli_per_s:
        return None
    used = [route for route in plan.routes if route.sequence]
    return Standing(
        max((one.duration_s for one in used if one.number != number), default=0),
        sum(one.duration_s for one in used),
        len(used),
    )


def by_regret(best: Integers, second: Integers) -> Integers:
    """Prefer the job that loses most if it has to take its second-best route."""
    return (second - best) * 4 + best


def insert_jobs(
    arrays: Arrays, plan: Plan, jobs: Sequence[int], scores: Scores = by_regret
) -> None:
    """Insert jobs one by one where cheapest, as long as each costs less than its prize.

    `scores` ranks them by the cheapest cost and that in the second-best route. Those
    left are added to the plan's unserved. A delivery goes where its pickup goes.
    """
    _Insertion(arrays, plan, jobs, scores).run()


class _Insertion:
    """A table of best costs, jobs by cars, kept up to date while routes change."""

    def __init__(
        self, arrays: Arrays, plan: Plan, jobs: Sequence[int], scores: Scores
    ) -> None:
        self.arrays = arrays
        self.plan = plan
        self.scores = scores
        view = arrays.view
        chosen = sorted(jobs)
        if view.delivery_of:
            chosen = [
                job
                for job in chosen
                if job not in view.pickup_of or view.partner(job) is None
            ]
        self.jobs = np.array(chosen, dtype=np.int64)
        self.prizes = arrays.prizes[self.jobs]
        for row, job in enumerate(chosen if view.delivery_of else ()):
            partner = view.partner(job)
            if partner is not None:
                self.prizes[row] += arrays.prizes[partner]
        self.open = np.ones(len(self.jobs), dtype=bool)
        shape = (len(self.jobs), len(plan.routes) + 1)
        self.costs = np.full(shape, NEVER, dtype=np.int64)
        self.legs = np.zeros(shape, dtype=np.int64)

    def run(self) -> None:
        """Insert until nothing fits or pays any more."""
        for number in range(len(self.plan.routes)):
            self._refresh(number)
        while self.open.any() and self.plan.routes:
            rows = np.arange(len(self.jobs))
            cars = np.argmin(self.costs, axis=1)
            best = self.costs[rows, cars]
            useful = self.open & (best < np.minimum(self.prizes, NEVER))
            if not useful.any():
                break
            second = np.partition(self.costs, 1, axis=1)[:, 1]
            second = np.minimum(second, np.maximum(self.prizes, best))
            scores = np.where(useful, self.scores(best, second), -NEVER * 16)
            row = int(np.argmax(scores))
            self._commit(row, int(cars[row]))
        left = self.jobs[self.open].tolist()
        partners = (self.arrays.view.partner(job) for job in left)
        left += [partner for partner in partners if partner is not None]
        self.plan.unserved = sorted({*self.plan.unserved, *left})

    def _refresh(self, number: int) -> None:
        rows = np.flatnonzero(self.open)
        route, jobs = self.plan.routes[number], self.jobs[rows]
        standing = standing_beside(self.arrays.view, self.plan, number)
        costs, legs = price_insertions(self.arrays, route, jobs, standing)
        if self.arrays.view.has_trips:
            price_compounds(self.arrays, route, jobs, costs, legs)
        self.costs[rows, number] = costs
        self.legs[rows, number] = legs

    def _commit(self, row: int, number: int) -> None:
        job, leg = int(self.jobs[row]), int(self.legs[row, number])
        before = self.plan.routes[number]
        if leg == COMPOUND:
            route = self._best_compound(before, row)
        else:
            sequence = (*before.sequence[:leg], job, *before.sequence[leg:])
            route = build_route(self.arrays.view, number, sequence)
        if route is None:
            self.costs[row, number] = NEVER
            return
        self.plan.routes[number] = route
        self.open[row] = False
        if self.open.any():
            self._refresh(number)

    def _best_compound(self, before: RouteState, row: int) -> RouteState | None:
        """Try where to put several stops; the cheapest is taken if it is worth it."""
        view = self.arrays.view
        tried = (
            build_route(view, before.number, sequence)
            for sequence in compound_sequences(self.arrays, before, int(self.jobs[row]))
        )
        best = min(
            (one for one in tried if one is not None),
            key=lambda one: one.cost_milli,
            default=None,
        )
        if best is None or best.cost_milli - before.cost_milli >= self.prizes[row]:
            return None
        return best
