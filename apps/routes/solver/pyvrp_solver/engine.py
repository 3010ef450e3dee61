"""The engine for plans and re-plans: PyVRP's search, breaks and leftovers by our own.

Locked jobs are cut off before, as `openings` does it. The search knows no breaks, only
room for them (`pauses`); afterwards every route is timed with its breaks, what no longer
fits is inserted elsewhere, and the plan is stated by `assemble` like any other.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from apps.routes.solver.assemble import Provenance
from apps.routes.solver.greedy import construct, state_plan
from apps.routes.solver.insertion import Arrays, Plan, insert_jobs
from apps.routes.solver.port import refuse_by_name, refused_features
from apps.routes.solver.pyvrp_solver.turns import Turns
from apps.routes.solver.routestate import build_route, settle_rests
from apps.routes.solver.ruin import Ruin
from apps.routes.solver.schedule import forward
from apps.routes.solver.versions import pyvrp_version
from apps.routes.solver.view import View
from apps.routes.solver.warmth import follow, start_plan

if TYPE_CHECKING:
    from apps.routes.solver.port import OnProgress, Stop
    from apps.routes.solver.problem import Problem
    from apps.routes.solver.pyvrp_solver.model import Found
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.solution import Solution

COLD_FROM_JOBS = 300
"""Beyond so many jobs the search begins with a plan of its own where none is known:
the first plan by insertion takes 4 s at 1,000, and is 15 % dearer than that."""

REPAIR_ROUNDS = 30
"""Rounds of ruin and recreate where breaks left jobs without a place."""


class PyVrpSolver:
    """Iterated local search; each round counts as a solution."""

    name = "pyvrp"

    @property
    def version(self) -> str:
        """The library's version and this adapter's."""
        return pyvrp_version()

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
        """Answer as `Solver.solve` says."""
        refuse_by_name(self, problem)
        deadline = monotonic() + stop.time_limit_s
        arrays = Arrays(View(problem))
        is_cold = warm_start is None and len(arrays.view.jobs) > COLD_FROM_JOBS
        start = start_plan(arrays.view) if is_cold else construct(arrays, warm_start)
        turns = Turns(arrays, start, seed, is_cold=is_cold)
        turns.run(stop.solutions, deadline, on_progress)
        plan = _placed(arrays, turns.found(), start, seed)
        provenance = Provenance(
            engine=self.name,
            engine_version=self.version,
            seed=seed,
            solutions=turns.done,
            stopped_by=turns.stopped_by,
            trace=tuple(turns.trace),
        )
        return state_plan(arrays, plan, provenance)


def _placed(arrays: Arrays, found: dict[int, Found], start: Plan, seed: int) -> Plan:
    """Time what was found with its breaks and repair it; the start where that is better."""
    view = arrays.view
    routes = list(start.routes)
    for number, one in found.items():
        routes[number] = _timed(view, number, one)
    served = {job for route in routes for job in route.sequence}
    plan = Plan(routes, [])
    insert_jobs(
        arrays, plan, [job for job in range(len(view.jobs)) if job not in served]
    )
    if plan.unserved:
        ruin = Ruin(arrays, plan, seed)
        for done in ruin.rounds():
            if done >= REPAIR_ROUNDS:
                break
        plan = ruin.best
    return min([plan, start], key=lambda one: one.cost_milli(view))


def _timed(view: View, number: int, found: Found) -> RouteState:
    """Time a route, commitments first, its breaks where they cost least.

    Leaving when the search did may be cheaper than ending as early as possible.
    """
    sequence = (*view.cars[number].locked, *found.stops)
    route = build_route(view, number, sequence)
    if route is None:
        return settle_rests(view, follow(view, number, list(found.stops)))
    times = forward(view, number, sequence, route.times.slots, found.depart_s)
    later = build_route(view, number, sequence, times) if times else None
    if later is not None and later.cost_milli < route.cost_milli:
        return later
    return settle_rests(view, route)
