"""A large plan improved piece by piece: POPMUSIC (Taillard and Voß 2002).

A round of the search costs time that grows with the plan it is part of. So, once there is
a plan that serves all jobs, some neighbouring routes are searched as a day of their own,
then others, until each job has had its turn, and again with other neighbours.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from apps.routes.solver.pyvrp_solver.model import Found, Model
from apps.routes.solver.pyvrp_solver.parts import Part
from apps.routes.solver.pyvrp_solver.search import IteratedSearch, Tuning
from apps.routes.solver.pyvrp_solver.worths import find_worths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apps.routes.solver.insertion import Arrays
    from apps.routes.solver.pyvrp_solver.pauses import Pauses

ROUTES_A_PIECE = 10
LEAST_JOBS, MOST_JOBS = 220, 300
ROUNDS_A_JOB = 10
"""Rounds that a piece gets, for each of its jobs."""

LINKS = 25
"""Neighbours of a job that say which routes lie close to its own."""


class Popmusic:
    """A search that goes on by `step`; `best_milli` is the cost of its best plan."""

    def __init__(
        self, arrays: Arrays, model: Model, whole: IteratedSearch, seed: int
    ) -> None:
        """Begin at the best plan of a search of the whole."""
        self.arrays, self.seed = arrays, seed
        self.pauses: Pauses = model.pauses
        self.openings = {one.number: one for one in model.part.openings}
        self.jobs = model.part.jobs
        self.routes = model.from_solution(whole.best)
        self.links = model.links(whole.neighbours, LINKS)
        self.prices = whole.penalties.prices
        self.random = Random(seed)  # noqa: S311  repeatable
        self.turns = Counter(dict.fromkeys(self.jobs, 0))
        self.known_milli = whole.best_milli
        self.pieces = 0
        self._open()

    def step(self) -> None:
        """Do a round on the present piece, or lay it down and take up the next."""
        self.search.step()
        self.left -= 1
        if not self.left:
            self._close()
            self._open()

    @property
    def best_milli(self) -> int:
        """Give the cost of the plan begun with, less what the pieces have saved."""
        return self.known_milli - self.search.first_milli + self.search.best_milli

    def found(self) -> dict[int, Found]:
        """Give the best found route of each car, by car number."""
        return {**self.routes, **self.model.from_solution(self.search.best)}

    def _open(self) -> None:
        numbers, jobs = self._piece()
        self.turns.update(jobs)
        self.pieces += 1
        part = Part(tuple(self.openings[number] for number in numbers), jobs)
        served = {stop for route in self.routes.values() for stop in route.stops}
        self.model = Model(self.arrays, part, self.pauses, set(jobs) - served)
        given = {number: self.routes[number].timed_stops for number in numbers}
        self.search = IteratedSearch(
            self.model.data,
            self.model.to_solution(given),
            self.seed + self.pieces,
            Tuning(),
            find_worths(self.model),
            prices=self.prices,
        )
        self.left = ROUNDS_A_JOB * len(jobs)

    def _close(self) -> None:
        self.known_milli, self.routes = self.best_milli, self.found()
        self.prices = self.search.penalties.prices

    def _piece(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Choose neighbouring routes round the job that has had the fewest turns.

        Cars without a route are offered with them, as many as there are routes, and so
        are the jobs close by that nobody serves.
        """
        car_of = {
            stop: number
            for number, route in self.routes.items()
            for stop in route.stops
        }
        least = min(self.turns.values())
        seed = self.random.choice([j for j in self.jobs if self.turns[j] == least])
        used = [number for number, route in self.routes.items() if route.stops]
        limit = ROUTES_A_PIECE * len(self.jobs) // max(1, len(used))
        limit = max(LEAST_JOBS, min(MOST_JOBS, limit))
        numbers, jobs = self._grown(seed, car_of, used, limit)
        free = [number for number, route in self.routes.items() if not route.stops]
        offered = self.random.sample(free, min(len(free), max(1, len(numbers))))
        return (*sorted((*numbers, *offered)),), tuple(sorted(jobs))

    def _grown(
        self, seed: int, car_of: Mapping[int, int], used: Sequence[int], limit: int
    ) -> tuple[set[int], set[int]]:
        """Take up the route that has the most links a job to those taken, and again.

        The first is the seed's own, or any where nobody serves it.
        """
        first = car_of.get(seed, self.random.choice(used or [*self.routes]))
        numbers, jobs = {first}, {*self._with_partner(seed)}
        fresh = self._served(first)
        linked: Counter[int] = Counter()
        while True:
            jobs.update(fresh)
            for job in fresh:
                for other in self.links.get(job, ()):
                    number = car_of.get(other)
                    if number is None:
                        jobs.update(self._with_partner(other))
                    elif number not in numbers:
                        linked[number] += 1
            if not linked or len(jobs) >= limit:
                return numbers, jobs
            number = max(
                linked, key=lambda one: (linked[one] / len(self.routes[one].stops), one)
            )
            del linked[number]
            numbers.add(number)
            fresh = self._served(number)

    def _with_partner(self, job: int) -> tuple[int, ...]:
        partner = self.arrays.view.partner(job)
        return (job,) if partner is None else (job, partner)

    def _served(self, number: int) -> list[int]:
        """List the jobs of a route, without its reloads."""
        count = self.arrays.view.job_count
        return [stop for stop in self.routes[number].stops if stop < count]
