"""The first answer to an event: the live plan, mended where it broke.

What was cancelled is taken out, what came late or new is put where it costs least, and
where a job finds no place, another is ejected for it that finds one elsewhere. Nothing
is drawn by lot and nothing depends on the clock.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.assemble import Provenance, state_solution
from apps.routes.solver.ejection import Ejection
from apps.routes.solver.gaps import cheapest, prices
from apps.routes.solver.insertion import Arrays, price_insertions
from apps.routes.solver.judging import RouteJudge
from apps.routes.solver.live import LivePlan
from apps.routes.solver.port import refuse_by_name, refused_features
from apps.routes.solver.reasons import reason_alone
from apps.routes.solver.routestate import NEVER
from apps.routes.solver.shedding import shed
from apps.routes.solver.solution import Reason, StoppedBy, Unserved
from apps.routes.solver.versions import REPAIR
from apps.routes.solver.weighing import overloads

if TYPE_CHECKING:
    from types import TracebackType

    from apps.routes.solver.judging import Violation
    from apps.routes.solver.live import Event
    from apps.routes.solver.port import OnProgress, Stop
    from apps.routes.solver.problem import Problem
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.solution import Solution

TRIED = 3
"""So many places on a route are timed in full before another route is looked at."""

PROVENANCE = Provenance(
    engine="repair",
    engine_version=REPAIR,
    seed=0,
    solutions=0,
    stopped_by=StoppedBy.EXHAUSTED,
)


class RepairSolver:
    """The repair as an engine: it mends its warm start, and searches no further."""

    name = "repair"
    version = REPAIR

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
        with _Uncollected():
            return mend(LivePlan(problem, warm_start))


def answer_event(live: LivePlan, event: Event) -> Solution:
    """Change a live plan as an event wants it, and state it.

    Raises:
        EngineRefused: a car's commitments cannot be timed.
    """
    with _Uncollected():
        live.take_in(event)
        return mend(live)


class _Uncollected:
    """Puts the collection of cyclic garbage off until the answer is handed over.

    In a large process it takes longer than the answer; what a repair leaves behind holds
    no cycles. Nothing is allocated on the way out, for that would collect at once, as
    the end of a generator does.
    """

    __slots__ = ("_was_on",)

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._was_on:
            gc.enable()


def mend(live: LivePlan) -> Solution:
    """Make every route drivable, place what is loose, and state the plan."""
    for number, sequence in sorted(live.broken.items()):
        live.loose += shed(live, number, sequence)
    live.broken.clear()
    jobs, live.loose = sorted(live.loose), []
    left = insert(live, jobs)
    live.loose = _make_room(live, left)
    if len(live.loose) < len(left):
        live.loose = insert(live, live.loose)
    live.loose = _insert_waiting(live, live.loose)
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
    view = live.view
    if not any(_waits_for(live, job, route) for job in jobs for route in live.routes):
        return jobs
    arrays, left = Arrays(view), []
    for job in jobs:
        found = [
            (int(costs[0]), route.number, int(legs[0]))
            for route in live.routes
            if _waits_for(live, job, route)
            for costs, legs in [price_insertions(arrays, route, np.array([job]))]
        ]
        for cost, number, leg in sorted(found)[:TRIED]:
            sequence = live.routes[number].sequence
            changed = (*sequence[:leg], job, *sequence[leg:])
            is_worth_it = cost < min(NEVER, view.prize_milli(job))
            if is_worth_it and live.try_sequence(number, changed):
                break
        else:
            left.append(job)
    return left


def _waits_for(live: LivePlan, job: int, route: RouteState) -> bool:
    """Say whether a job is not there yet when a route departs."""
    return live.view.releases_s[job] > route.times.departure_s


class _Insertion:
    """The cheapest price of jobs on every route, kept up to date route by route."""

    def __init__(self, live: LivePlan, jobs: list[int]) -> None:
        self.live = live
        self.worth = {job: min(live.view.prize_milli(job), NEVER) for job in jobs}
        self.costs = {
            job: [cheapest(live.view, places, job) for places in live.places]
            for job in jobs
        }
        self.ranks = {job: self._rank(job) for job in jobs}

    def run(self) -> list[int]:
        """Insert until nothing fits or pays any more; return what is left."""
        while True:
            useful = [job for job, rank in self.ranks.items() if rank is not None]
            if not useful:
                return list(self.ranks)
            self._commit(max(useful, key=self._urgency))

    def _rank(self, job: int) -> tuple[int, int] | None:
        """Give a job's urgency and its cheapest route; None where none is worth it.

        The urgency grows with what the second-best route costs more.
        """
        costs, worth = self.costs[job], self.worth[job]
        best = min(costs)
        if best >= worth:
            return None
        number = costs.index(best)
        second = worth
        if len(costs) > 1:
            second = min(*costs[:number], *costs[number + 1 :], NEVER)
        second = min(second, worth)
        return (second - best) * 4 + best, number

    def _urgency(self, job: int) -> int:
        rank = self.ranks[job]
        return rank[0] if rank is not None else -NEVER

    def _commit(self, job: int) -> None:
        """Put a job where it is cheapest on its route; price the others there anew."""
        live, rank = self.live, self.ranks[job]
        if rank is None:
            raise ValueError("no route is worth it for this job")
        number, places = rank[1], live.places[rank[1]]
        sequence = live.routes[number].sequence
        for _, position in sorted(prices(live.view, places, job))[:TRIED]:
            leg = places.gaps[position].leg
            if live.try_sequence(number, (*sequence[:leg], job, *sequence[leg:])):
                break
        else:
            self.costs[job][number] = NEVER
            self.ranks[job] = self._rank(job)
            return
        del self.ranks[job]
        for other in self.ranks:
            self.costs[other][number] = cheapest(live.view, live.places[number], other)
            self.ranks[other] = self._rank(other)


def _explain(live: LivePlan) -> dict[int, Unserved]:
    """Say for each job that found no place why."""
    found = {}
    for job in live.loose:
        job_id = live.view.jobs[job].id
        reason = reason_alone(live.view, job)
        if reason is None:
            costs = (cheapest(live.view, places, job) for places in live.places)
            cost_milli = min(costs, default=NEVER)
            if live.view.prize_milli(job) <= cost_milli < NEVER:
                found[job] = Unserved(
                    job_id=job_id,
                    reason=Reason.NOT_WORTH_IT,
                    cheapest_insertion_milli=cost_milli,
                )
                continue
            reason = Reason.NO_ROOM
        found[job] = Unserved(job_id=job_id, reason=reason)
    return found
