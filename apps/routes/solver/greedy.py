"""The engine that always answers: regret insertion, then ruin and recreate.

It needs nothing but Python and numpy, does everything that a problem can ask, and
serves as the fallback when a stronger engine is slow, failing, or switched off.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from apps.routes.solver.assemble import Provenance, assemble
from apps.routes.solver.insertion import Arrays, Plan, insert_jobs
from apps.routes.solver.port import Progress, refuse_by_name, refused_features
from apps.routes.solver.reasons import explain_unserved
from apps.routes.solver.removal import settle_reloads
from apps.routes.solver.routestate import settle_rests
from apps.routes.solver.ruin import Ruin
from apps.routes.solver.solution import Improvement, Solution, StoppedBy
from apps.routes.solver.versions import GREEDY
from apps.routes.solver.view import View
from apps.routes.solver.warmth import start_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.routes.solver.port import OnProgress, Stop
    from apps.routes.solver.problem import Problem
    from apps.routes.solver.routestate import RouteState

DEFAULT_ROUNDS = 200
REPORT_EVERY = 20


class GreedySolver:
    """Insertion with regret; each round of ruin and recreate counts as a solution."""

    name = "greedy"
    version = GREEDY

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
        """Answer as `Solver.solve` says; `stop.solutions` None means 200 rounds."""
        refuse_by_name(self, problem)
        deadline = monotonic() + stop.time_limit_s
        arrays = Arrays(View(problem))
        limit = DEFAULT_ROUNDS if stop.solutions is None else stop.solutions
        plan = construct(arrays, warm_start)
        search = improve(Ruin(arrays, plan, seed), limit, deadline, on_progress)
        provenance = Provenance(
            engine=self.name,
            engine_version=self.version,
            seed=seed,
            solutions=search.done,
            stopped_by=search.stopped_by,
            trace=search.trace,
        )
        return state_plan(arrays, search.plan, provenance)


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found, after how many rounds, and what ended it."""

    plan: Plan
    done: int
    stopped_by: StoppedBy
    trace: tuple[Improvement, ...]


def improve(
    ruin: Ruin, limit: int, deadline: float, on_progress: OnProgress | None = None
) -> Search:
    """Ruin and recreate for `limit` rounds, or until the monotonic clock's deadline."""
    trace = [Improvement(solutions=0, cost_milli=ruin.best_milli)]
    stopped_by, done = StoppedBy.SOLUTIONS, 0
    rounds = ruin.rounds()
    while done < limit:
        if monotonic() > deadline:
            stopped_by = StoppedBy.TIME
            break
        if next(rounds, None) is None:
            stopped_by = StoppedBy.EXHAUSTED
            break
        done += 1
        if ruin.best_milli < trace[-1].cost_milli:
            trace.append(Improvement(solutions=done, cost_milli=ruin.best_milli))
        if on_progress and done % REPORT_EVERY == 0:
            on_progress(_progress(done, limit, ruin.best_milli))
    return Search(ruin.best, done, stopped_by, tuple(trace))


def _progress(done: int, limit: int, best_milli: int) -> Progress:
    percent = 100 * done // limit
    return Progress(percent=percent, solutions=done, best_cost_milli=best_milli)


def construct(arrays: Arrays, warm_start: Solution | None = None) -> Plan:
    """Make a first plan: commitments, the warm start repaired, the rest inserted.

    Where the plan would be dearer than the warm start, what that leaves out stays out.
    """
    view = arrays.view
    start = start_plan(view, warm_start)
    plan = _filled(arrays, start, start.unserved)
    left = {item.job_id for item in warm_start.unserved} if warm_start else set()
    if not left or plan.cost_milli(view) <= start.cost_milli(view):
        return plan
    new = [job for job in start.unserved if view.jobs[job].id not in left]
    return _filled(arrays, start, new)


def _filled(arrays: Arrays, plan: Plan, jobs: list[int]) -> Plan:
    """Return a plan with those of its unserved jobs inserted that find a place."""
    filled = Plan(list(plan.routes), sorted({*plan.unserved} - {*jobs}))
    insert_jobs(arrays, filled, jobs)
    return filled


def state_plan(arrays: Arrays, plan: Plan, provenance: Provenance) -> Solution:
    """Insert what is still worth it, explain what is left out, and state the plan."""
    view = arrays.view
    fuller = _filled(arrays, plan, plan.unserved)
    # An insertion is priced by what it moves: where it lets a route wait longer, the
    # route may come dearer than what the job is worth.
    is_worth_it = fuller.cost_milli(view) <= plan.cost_milli(view)
    plan = fuller if is_worth_it else plan.copy()
    if view.reload_places:
        settle_routes(view, plan, settle_reloads)
    settle_routes(view, plan, settle_rests)
    timed = [route.timed(view) for route in plan.routes]
    return assemble(view, timed, explain_unserved(arrays, plan), provenance)


def settle_routes(
    view: View, plan: Plan, settle: Callable[[View, RouteState], RouteState]
) -> None:
    """Arrange each route anew where that makes the whole plan no dearer.

    A route that is cheaper by itself may take longer, which the balance has to pay.
    """
    cost_milli = plan.cost_milli(view)
    for number, route in enumerate(plan.routes):
        plan.routes[number] = settle(view, route)
        settled_milli = plan.cost_milli(view)
        if settled_milli > cost_milli:
            plan.routes[number] = route
        else:
            cost_milli = settled_milli
