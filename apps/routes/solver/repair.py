"""The first answer to an event: the live plan, mended where it broke.

What was cancelled is taken out, what came late or new is put where it costs least, and
where a job finds no place, another is ejected for it that finds one elsewhere. Nothing
is drawn by lot and nothing depends on the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.assemble import Provenance, state_solution
from apps.routes.solver.ejection import Ejection
from apps.routes.solver.gaps import Row, Table
from apps.routes.solver.insertion import price_insertions
from apps.routes.solver.judging import RouteJudge
from apps.routes.solver.live import LivePlan
from apps.routes.solver.port import refuse_by_name, refused_features
from apps.routes.solver.reasons import reason_alone
from apps.routes.solver.routestate import NEVER
from apps.routes.solver.shedding import shed
from apps.routes.solver.solution import Reason, StoppedBy, Unserved
from apps.routes.solver.weighing import overloads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from apps.routes.solver.judging import Violation
    from apps.routes.solver.live import Event
    from apps.routes.solver.port import OnProgress, Stop
    from apps.routes.solver.problem import Problem
    from apps.routes.solver.solution import Solution

    Integers = NDArray[np.int64]

VERSION = "1"
TRIED = 3
"""So many places on a route are timed in full before another route is looked at."""

PROVENANCE = Provenance(
    engine="repair",
    engine_version=VERSION,
    seed=0,
    solutions=0,
    stopped_by=StoppedBy.EXHAUSTED,
)


class RepairSolver:
    """The repair as an engine: it mends its warm start, and searches no further."""

    name = "repair"
    version = VERSION

    def refuses(self, problem: Problem) -> str | None:
        """Name what the table of capabilities says that this engine refuses."""
        return refused_features(self.name, problem)

    def solve(
        self,
        problem: Problem,
        *,
        stop: Stop,
        seed: int,
        warm_start: Solution | None = None,
        on_progress: OnProgress | None = None,
    ) -> Solution:
        """Answer as `Solver.solve` says; stop and seed have nothing to decide."""
        refuse_by_name(self, problem)
        del stop, seed, on_progress
        live = LivePlan(problem, warm_start)
        return mend(live)


def answer_event(live: LivePlan, event: Event) -> Solution:
    """Change a live plan as an event wants it, and state it.

    Raises:
        EngineRefused: a car's commitments cannot be timed.
    """
    live.take_in(event)
    return mend(live)


def mend(live: LivePlan) -> Solution:
    """Make every route drivable, place what is loose, and state the plan."""
    for number, sequence in sorted(live.broken.items()):
        live.loose += shed(live, number, sequence)
    live.broken.clear()
    jobs, live.loose = sorted(live.loose), []
    live.loose = _make_room(live, insert(live, jobs))
    live.loose = _insert_waiting(live, insert(live, live.loose))
    return state_solution(live.view, live.plans(), _explain(live), PROVENANCE)


def _make_room(live: LivePlan, jobs: list[int]) -> list[int]:
    """Make room for jobs until that helps none of them any more; return the rest."""
    ejection = Ejection(live)
    left = jobs
    while True:
        still = sorted(job for job in left if not ejection.make_room(job))
        if len(still) in {0, len(left)}:
            return still
        left = still


def check_touched(live: LivePlan, solution: Solution) -> list[Violation]:
    """Judge the routes that were touched; the others stand as they were judged."""
    jobs = {job.id: job for job in live.view.jobs}
    touched = {live.view.cars[number].vehicle.id for number in live.touched}
    found: list[Violation] = []
    for route in solution.routes:
        if route.vehicle_id in touched:
            car = live.view.cars[live.view.vehicle_index[route.vehicle_id]]
            judge = RouteJudge(live.view.problem, jobs, car.vehicle, route)
            found += judge.violations()
            found += overloads(live.view.problem, jobs, car.vehicle, route)
    return found


def insert(live: LivePlan, jobs: list[int]) -> list[int]:
    """Insert jobs one by one, the one first that loses most by waiting; return the rest.

    A job goes in only where it costs less than leaving it out.
    """
    return _Insertion(live, jobs).run() if jobs and live.routes else jobs


def _insert_waiting(live: LivePlan, jobs: list[int]) -> list[int]:
    """Insert jobs for which a route has to depart later; return the rest."""
    left = []
    for job in jobs:
        found = [
            (int(costs[0]), route.number, int(legs[0]))
            for route in live.routes
            if live.arrays.releases_s[job] > route.times.departure_s
            for costs, legs in [price_insertions(live.arrays, route, np.array([job]))]
        ]
        for cost, number, leg in sorted(found)[:TRIED]:
            sequence = live.routes[number].sequence
            changed = (*sequence[:leg], job, *sequence[leg:])
            is_worth_it = cost < min(NEVER, int(live.arrays.prizes[job]))
            if is_worth_it and live.try_sequence(number, changed):
                break
        else:
            left.append(job)
    return left


class _Insertion:
    """Prices of jobs in all places, kept up to date route by route."""

    def __init__(self, live: LivePlan, jobs: list[int]) -> None:
        self.live = live
        self.jobs = np.array(jobs, dtype=np.int64)
        self.worth = np.minimum(live.arrays.prizes[self.jobs], NEVER)
        table = live.table
        prices = live.pricer.price(self.jobs, table)
        self.prices = np.split(prices, table.starts[1:], axis=1)
        self.best = np.minimum.reduceat(prices, table.starts, axis=1)
        self.is_open = np.ones(len(jobs), dtype=bool)

    def run(self) -> list[int]:
        """Insert until nothing fits or pays any more; return what is left."""
        rows = np.arange(len(self.jobs))
        while self.is_open.any():
            cars = self.best.argmin(axis=1)
            best = self.best[rows, cars]
            useful = self.is_open & (best < self.worth)
            if not useful.any():
                break
            second = self.worth
            if self.best.shape[1] > 1:
                second = np.partition(self.best, 1, axis=1)[:, 1]
            second = np.minimum(second, np.maximum(self.worth, best))
            scores = np.where(useful, (second - best) * 4 + best, -NEVER * 16)
            row = int(scores.argmax())
            self._commit(row, int(cars[row]))
        left: list[int] = self.jobs[self.is_open].tolist()
        return left

    def _commit(self, row: int, number: int) -> None:
        """Put a job where it is cheapest on a route; price the others there anew."""
        live, job = self.live, int(self.jobs[row])
        legs = live.blocks[number].cells[Row.LEG]
        prices, sequence = self.prices[number][row], live.routes[number].sequence
        for column in prices.argsort(kind="stable")[:TRIED].tolist():
            leg = int(legs[column])
            changed = (*sequence[:leg], job, *sequence[leg:])
            if prices[column] < NEVER and live.try_sequence(number, changed):
                break
        else:
            self.best[row, number] = NEVER
            return
        self.is_open[row] = False
        if self.is_open.any():
            table = Table.of([live.blocks[number]])
            fresh = live.pricer.price(self.jobs, table)
            self.prices[number], self.best[:, number] = fresh, fresh.min(axis=1)


def _explain(live: LivePlan) -> dict[int, Unserved]:
    """Say for each job that found no place why."""
    found = {}
    for job in live.loose:
        job_id = live.view.jobs[job].id
        reason = reason_alone(live.view, job)
        if reason is None:
            prices = live.pricer.price(np.array([job]), live.table)
            cheapest = int(prices.min(initial=NEVER))
            if live.arrays.prizes[job] <= cheapest < NEVER:
                found[job] = Unserved(
                    job_id=job_id,
                    reason=Reason.NOT_WORTH_IT,
                    cheapest_insertion_milli=cheapest,
                )
                continue
            reason = Reason.NO_ROOM
        found[job] = Unserved(job_id=job_id, reason=reason)
    return found
