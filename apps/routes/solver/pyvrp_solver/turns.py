"""The searches of a day's parts, taking turns in proportion to their jobs.

Whose turn it is depends on the rounds done alone, so that a search cut by the clock is
repeated by its count of rounds.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from apps.routes.solver.greedy import construct
from apps.routes.solver.openings import find_openings
from apps.routes.solver.port import Progress
from apps.routes.solver.pyvrp_solver.parts import find_parts
from apps.routes.solver.pyvrp_solver.partsearch import HOPE_ROUNDS, PartSearch
from apps.routes.solver.pyvrp_solver.pauses import find_pauses
from apps.routes.solver.solution import Improvement, StoppedBy

if TYPE_CHECKING:
    from apps.routes.solver.insertion import Arrays, Plan
    from apps.routes.solver.port import OnProgress
    from apps.routes.solver.pyvrp_solver.model import Found

REPORT_EVERY_S = 0.25
SMALL_PART_JOBS = 40
STALE_ROUNDS = 20_000
"""Rounds without a gain after which the search of a small part is over."""


class Turns:
    """A search of a whole day; `trace` is what it believes, `found` what it found."""

    def __init__(
        self, arrays: Arrays, start: Plan, seed: int, *, is_cold: bool = False
    ) -> None:
        """Begin at a plan, or cold: at plans of the search's own that serve all jobs."""
        view = arrays.view
        self.arrays, self.seed, self.is_cold = arrays, seed, is_cold
        self.openings = find_openings(view)
        able = [one for one in self.openings if not one.closed]
        self.parts = find_parts(arrays, able)
        self.pauses = find_pauses(view, able)
        self.stopped_by = StoppedBy.EXHAUSTED
        self.done = 0
        self.trace = [Improvement(solutions=0, cost_milli=start.cost_milli(view))]
        self._begin(start)

    def _begin(self, start: Plan) -> None:
        """Translate the parts and begin their searches."""
        view = self.arrays.view
        self.searches = [
            PartSearch(
                self.arrays,
                part,
                self.pauses,
                None if self.is_cold else start,
                self.seed + turn,
            )
            for turn, part in enumerate(self.parts)
        ]
        apart = {job for part in self.parts for job in part.jobs} | {*view.locked_by}
        self._constant_milli = sum(
            one.committed_milli for one in self.openings if one.closed
        ) + sum(
            view.prize_milli(job) for job in range(len(view.jobs)) if job not in apart
        )

    def _lose_hope(self) -> None:
        """Begin again at a plan by insertion where not all jobs could be served."""
        self.is_cold = False
        if not all(search.is_feasible for search in self.searches):
            self._begin(construct(self.arrays))

    def run(
        self, limit: int | None, deadline: float, on_progress: OnProgress | None
    ) -> None:
        """Search until the limit, the deadline, or as long as there is hope."""
        began = told = monotonic()
        while (turn := self._next()) is not None:
            now = monotonic()
            if self.done == limit or now > deadline:
                done = self.done == limit
                self.stopped_by = StoppedBy.SOLUTIONS if done else StoppedBy.TIME
                return
            if self.is_cold and self.done == HOPE_ROUNDS:
                self._lose_hope()
            self._step(turn)
            if on_progress is not None and (self.done == 1 or now >= told):
                told = now + REPORT_EVERY_S
                share = (now - began) / max(0.001, deadline - began)
                if limit is not None:
                    share = max(share, self.done / limit)
                on_progress(self._progress(share))

    def found(self) -> dict[int, Found]:
        """Give the best found route of each car, by car number."""
        return {
            number: found
            for search in self.searches
            for number, found in search.found().items()
        }

    def _next(self) -> int | None:
        """Choose the part that is furthest behind its share of the rounds."""
        if len(self.parts) == 1 and len(self.parts[0].jobs) > SMALL_PART_JOBS:
            return 0
        hopeful = [
            turn
            for turn, search in enumerate(self.searches)
            if len(self.parts[turn].jobs) > SMALL_PART_JOBS
            or search.stale < STALE_ROUNDS
        ]
        return min(
            hopeful,
            key=lambda turn: self.searches[turn].done / len(self.parts[turn].jobs),
            default=None,
        )

    def _step(self, turn: int) -> None:
        before_milli = self.searches[turn].best_milli
        self.searches[turn].step()
        self.done += 1
        if self.done == 1 or self.searches[turn].best_milli < before_milli:
            cost_milli = self._constant_milli + sum(
                search.best_milli for search in self.searches
            )
            if cost_milli < self.trace[-1].cost_milli:
                self.trace.append(
                    Improvement(solutions=self.done, cost_milli=cost_milli)
                )

    def _progress(self, share: float) -> Progress:
        return Progress(
            percent=min(99, int(100 * share)),
            solutions=self.done,
            best_cost_milli=self.trace[-1].cost_milli,
        )
