"""Improving a plan by taking neighbouring stops out and putting them back.

After Christiaens and Vanden Berghe, "Slack Induction by String Removals" (2020):
strings of adjacent stops near a random one are removed from several routes, and put
back greedily with a little randomness.
"""

from __future__ import annotations

from math import exp
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.insertion import by_regret, insert_jobs
from apps.routes.solver.removal import with_partners, without

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from apps.routes.solver.insertion import Arrays, Plan, Scores

    Integers = NDArray[np.int64]

STRING_LENGTH = 10
AVERAGE_REMOVED = 10
RETRIED_UNSERVED = 12
COOLING_ROUNDS = 400.0
FIRST_TEMPERATURE = 0.03


class Ruin:
    """A search that yields a plan a round; the best of them is kept.

    Its temperature falls with the rounds seen, whatever their limit, so that a longer
    search begins like a shorter one.
    """

    def __init__(self, arrays: Arrays, plan: Plan, seed: int) -> None:
        """Start from a plan."""
        self.arrays = arrays
        self.view = arrays.view
        self.random = Random(seed)  # noqa: S311 (a repeatable search, no secret)
        self.current = plan
        self.best = plan
        self.current_milli = self.best_milli = plan.cost_milli(self.view)
        self.scale = self._served_cost() * FIRST_TEMPERATURE / max(1, len(plan.routes))
        self.neighbours = _neighbours(arrays)

    def rounds(self) -> Iterator[int]:
        """Search without end; each number is a round done."""
        done = 0
        while self.neighbours is not None:
            self._round(done)
            done += 1
            yield done

    def _round(self, done: int) -> None:
        plan = self.current.copy()
        removed = self._remove(plan)
        if not removed:
            return
        retried = [job for job in plan.unserved if self._is_open(job)]
        if len(retried) > RETRIED_UNSERVED:
            retried = self.random.sample(retried, RETRIED_UNSERVED)
        retried = with_partners(self.view, retried)
        plan.unserved = [job for job in plan.unserved if job not in {*retried}]
        insert_jobs(self.arrays, plan, [*removed, *retried], self._scores())
        cost_milli = plan.cost_milli(self.view)
        temperature = self.scale * exp(-done / COOLING_ROUNDS)
        allowance = -temperature * np.log(max(self.random.random(), 1e-12))
        if cost_milli < self.current_milli + allowance:
            self.current, self.current_milli = plan, cost_milli
        if cost_milli < self.best_milli:
            self.best, self.best_milli = plan, cost_milli

    def _remove(self, plan: Plan) -> list[int]:
        """Take strings of stops around a random one out of the plan."""
        homes = {
            job: number
            for number, route in enumerate(plan.routes)
            for job in route.sequence[len(self.view.cars[number].locked) :]
            if job < self.view.job_count
        }
        if not homes or self.neighbours is None:
            return []
        centre = self.random.choice(sorted(homes))
        wanted = self.random.randint(1, 2 * AVERAGE_REMOVED)
        removed: list[int] = []
        touched: set[int] = set()
        for job in self.neighbours[centre].tolist():
            if len(removed) >= wanted:
                break
            number = homes.get(job)
            if number is None or number in touched:
                continue
            touched.add(number)
            removed += self._cut(plan, number, job, wanted - len(removed))
        return removed

    def _cut(self, plan: Plan, number: int, job: int, most: int) -> list[int]:
        """Take a string with `job` in it out of one route."""
        sequence = plan.routes[number].sequence
        first = len(self.view.cars[number].locked)
        longest = min(STRING_LENGTH, len(sequence) - first, most)
        length = self.random.randint(1, longest)
        at = sequence.index(job)
        begin = self.random.randint(
            max(first, at - length + 1), min(at, len(sequence) - length)
        )
        cut = list(sequence[begin : begin + length])
        if self.view.has_trips:
            cut = with_partners(
                self.view, [stop for stop in cut if stop < self.view.job_count]
            )
        route = without(self.view, plan.routes[number], cut)
        if route is None:
            return []
        plan.routes[number] = route
        return cut

    def _scores(self) -> Scores:
        """Choose how the removed jobs are ranked this time."""
        draw = self.random.random()
        if draw < 0.4:
            return by_regret
        noise = self.random.getrandbits(32)
        if draw < 0.7:
            return lambda best, _: np.random.default_rng(noise).permutation(len(best))
        if draw < 0.85:
            return lambda best, _: best
        return lambda best, _: -best

    def _is_open(self, job: int) -> bool:
        return bool(self.arrays.may_serve[:, job].any())

    def _served_cost(self) -> int:
        return sum(route.cost_milli for route in self.current.routes)


def _neighbours(arrays: Arrays) -> Integers | None:
    """List for each job all jobs by travel time from it, itself first."""
    if not arrays.durations_s or not len(arrays.locations):
        return None
    places = arrays.locations
    travel = arrays.durations_s[0][places[:, None], places[None, :]]
    travel = np.minimum(travel, travel.T)
    np.fill_diagonal(travel, -1)
    return np.argsort(travel, axis=1, kind="stable").astype(np.int64)
