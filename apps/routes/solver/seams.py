"""Where parts of a day meet: cars of different parts that drive side by side.

What the cut parted is planned together once more, a few cars at a time: after Taillard
and Voss, "POPMUSIC" (2002).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.splitting import Part, able_cars, curve_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.merging import Whole
    from apps.routes.solver.problem import Problem

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

REACH = 6
"""How far along the curves jobs count as neighbours."""
SHIFTS = (0.0, 0.37)
"""The curve leaps at its squares' borders: it is laid a second time, moved."""


class Seams:
    """The seams of a day in parts; each round gives parts that have not met yet."""

    def __init__(
        self, problem: Problem, places: Floats, parts: Sequence[Part], most: int
    ) -> None:
        """Take a split day, and how many jobs the parts of a round may have."""
        self.problem = problem
        self.most = most
        self.at = places[[job.location for job in problem.jobs]]
        self.able = able_cars(problem)
        self.orders = [curve_order(self.at, shift) for shift in SHIFTS]
        self.met = np.eye(len(problem.vehicles), dtype=bool)
        for part in parts:
            self.met[np.ix_(part.vehicles, part.vehicles)] = True

    def next_round(self, whole: Whole) -> list[Part]:
        """Give parts without a common car that lie across seams; they have met then."""
        drivers = self._drivers(whole)
        links = self._links(self._beside(drivers))
        counts = np.bincount(drivers[drivers >= 0], minlength=len(self.met))
        groups = list(self._groups(links, counts))
        if not groups:
            return []
        left = np.flatnonzero(drivers < 0)
        parts = self._parts(groups, drivers, left)
        for part in parts:
            self.met[np.ix_(part.vehicles, part.vehicles)] = True
        return parts

    def _drivers(self, whole: Whole) -> Numbers:
        """Give the car of each job, -1 where it is left out."""
        driver_of = {
            visit.job_id: number
            for number, car in enumerate(self.problem.vehicles)
            if car.id in whole.routes
            for visit in whole.routes[car.id].visits
        }
        return np.array(
            [driver_of.get(job.id, -1) for job in self.problem.jobs], dtype=np.int64
        )

    def _beside(self, drivers: Numbers) -> Numbers:
        """Give the car of each job, or of the one beside it that could take it."""
        beside = drivers.copy()
        left = np.flatnonzero(drivers < 0)
        order = self.orders[0]
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        for job in left.tolist():
            near = order[max(0, place[job] - 200) : place[job] + 200]
            near = near[drivers[near] >= 0]
            near = near[self.able[drivers[near], job]]
            if len(near):
                away_m = np.hypot(*(self.at[near] - self.at[job]).T)
                beside[job] = drivers[near[int(np.argmin(away_m))]]
        return beside

    def _links(self, drivers: Numbers) -> Numbers:
        """Count by pairs of cars the jobs that lie side by side."""
        links = np.zeros_like(self.met, dtype=np.int64)
        for order in self.orders:
            for step in range(1, REACH + 1):
                one, other = drivers[order[:-step]], drivers[order[step:]]
                known = (one >= 0) & (other >= 0) & (one != other)
                np.add.at(links, (one[known], other[known]), 1)
        return links + links.T

    def _groups(self, links: Numbers, counts: Numbers) -> Iterator[list[int]]:
        """Group cars around those with the most jobs at a seam."""
        across = np.where(self.met, 0, links)
        free = counts > 0
        for seed in np.argsort(-across.sum(axis=1), kind="stable").tolist():
            if not free[seed] or not (across[seed] * free).any():
                continue
            group, room = [seed], self.most - int(counts[seed])
            free[seed] = False
            while True:
                pull = links[group].sum(axis=0) + across[group].sum(axis=0)
                pull = np.where(free & (counts <= room), pull, 0)
                best = int(np.argmax(pull))
                if not pull[best]:
                    break
                group.append(best)
                free[best] = False
                room -= int(counts[best])
            if across[np.ix_(group, group)].any():
                yield sorted(group)
            else:
                free[group[1:]] = True

    def _parts(
        self, groups: Sequence[list[int]], drivers: Numbers, left: Numbers
    ) -> list[Part]:
        """Add to each group its jobs, those left out beside it, and a share of idle cars."""
        group_of = np.full(len(self.problem.vehicles), -1, dtype=np.int64)
        for number, group in enumerate(groups):
            group_of[group] = number
        home = np.where(drivers >= 0, group_of[drivers], -1)
        beside = self._beside(drivers)
        home[left] = np.where(beside[left] >= 0, group_of[beside[left]], -1)
        self._join_shipments(home, drivers)
        used = {*np.unique(drivers[drivers >= 0]).tolist()}
        idle = [car for car in range(len(self.problem.vehicles)) if car not in used]
        wants = np.bincount(home[left][home[left] >= 0], minlength=len(groups))
        cars = [list(group) for group in groups]
        for turn, car in enumerate(idle):
            needy = np.argsort(-wants, kind="stable")
            chosen = needy[turn % max(1, int((wants > 0).sum()))]
            if wants[chosen]:
                cars[int(chosen)].append(car)
        return [
            Part(tuple(sorted(group)), tuple(np.flatnonzero(home == number).tolist()))
            for number, group in enumerate(cars)
        ]

    def _join_shipments(self, home: Numbers, drivers: Numbers) -> None:
        """Put what is shipped together into one group, that of its driver if it has one."""
        index = {job.id: number for number, job in enumerate(self.problem.jobs)}
        for one in self.problem.shipments:
            pair = [index[one.pickup_job], index[one.delivery_job]]
            driven = [job for job in pair if drivers[job] >= 0]
            home[pair] = home[(driven or pair)[0]]
