"""What `bench replan` counts: prices of disruption, the touched part, arcs that changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from apps.routes.replanning import nearest
from apps.routes.solver.port import Stop
from apps.routes.solver.repair import RepairSolver
from apps.routes.solver.routestate import build_route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from apps.routes.solver.live import Event, LivePlan
    from apps.routes.solver.problem import Problem
    from apps.routes.solver.solution import Solution

Sequences = dict[str, list[str]]


def sequences_of(solution: Solution) -> Sequences:
    """Return the visits of each vehicle in their order."""
    return {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in solution.routes
    }


def mean_arc_milli(problem: Problem, sequences: Sequences) -> float:
    """Return what an arc of these sequences costs in the mean."""
    places = {job.id: job.location for job in problem.jobs}
    costs = []
    for vehicle in problem.vehicles:
        matrix = problem.matrices[vehicle.profile]
        visits = [places[job] for job in sequences.get(vehicle.id, ())]
        stops = [vehicle.start_location, *visits]
        costs += [
            int(matrix.distances_m[here, there]) * vehicle.cost_per_m_milli
            + int(matrix.durations_s[here, there]) * vehicle.cost_per_s_milli
            for here, there in pairwise(stops)
        ]
    return sum(costs) / max(1, len(costs))


def priced(problem: Problem, plan: Solution, share: float) -> Problem:
    """Give a day after its event the prices of leaving the plan that drivers know.

    A changed arc, and a changed driver, cost `share` of the mean arc each.
    """
    known = {job.id for job in problem.jobs}
    told = {
        vehicle_id: [job_id for job_id in job_ids if job_id in known]
        for vehicle_id, job_ids in sequences_of(plan).items()
    }
    before = {
        job: first for jobs in told.values() for first, job in pairwise(["", *jobs])
    }
    holder = {job: vehicle for vehicle, jobs in told.items() for job in jobs}
    price = round(share * mean_arc_milli(problem, told))
    return replace(
        problem,
        jobs=tuple(
            replace(
                job,
                previous_job=before.get(job.id),
                previous_vehicle=holder.get(job.id),
            )
            for job in problem.jobs
        ),
        objective=replace(
            problem.objective, resequence_milli=price, disruption_milli=price
        ),
    )


def mended(problem: Problem, plan: Solution) -> Solution:
    """Mend a plan as the product does before it searches."""
    return RepairSolver().solve(problem, stop=Stop(), seed=0, warm_start=plan)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a day as a problem of its own, with its part of a plan."""

    problem: Problem
    present: Solution
    known: Solution
    """The drivers' plan before the event."""
    rest_milli: int
    """What all that lies outside of the part costs."""


def touched_part(  # noqa: PLR0917  (what the event is cut out of)
    problem: Problem,
    plan: Solution,
    present: Solution,
    event: Event,
    places: Mapping[int, tuple[float, float]],
    most_stops: int,
) -> Part:
    """Cut out the event's drivers and the nearest ones, as a running day is cut.

    `plan` is what drivers knew, `present` the same mended.
    """
    before, after = sequences_of(plan), sequences_of(present)
    changed = {
        vehicle.id
        for vehicle in problem.vehicles
        if before.get(vehicle.id, []) != after.get(vehicle.id, [])
    } | {vehicle.id for vehicle in event.vehicles}
    location = {job.id: job.location for job in problem.jobs}
    points = {
        vehicle.id: [
            places[vehicle.start_location],
            *(places[location[job]] for job in after.get(vehicle.id, [])),
        ]
        for vehicle in problem.vehicles
    }
    size = sum(len(after.get(one, [])) for one in changed)
    chosen = set(changed)
    seeds = [places[location[left.job_id]] for left in present.unserved]
    seeds = seeds or [at for one in changed for at in points[one]]
    for vehicle_id in nearest(points, seeds):
        if vehicle_id not in chosen:
            size += len(after.get(vehicle_id, []))
            if size > most_stops:
                break
            chosen.add(vehicle_id)
    return _cut(problem, plan, present, chosen)


def _cut(problem: Problem, plan: Solution, present: Solution, chosen: set[str]) -> Part:
    loose = {item.job_id for item in present.unserved}
    held = {
        job
        for vehicle_id, jobs in sequences_of(present).items()
        if vehicle_id in chosen
        for job in jobs
    }
    part = replace(
        problem,
        vehicles=tuple(one for one in problem.vehicles if one.id in chosen),
        jobs=tuple(job for job in problem.jobs if job.id in held | loose),
    )
    kept = mended(part, _only(present, chosen))
    rest_milli = present.cost.total_milli - kept.cost.total_milli
    return Part(part, kept, _only(plan, chosen), rest_milli)


def _only(plan: Solution, chosen: set[str]) -> Solution:
    routes = tuple(one for one in plan.routes if one.vehicle_id in chosen)
    return replace(plan, routes=routes)


def avoidable_drops(live: LivePlan) -> int:
    """Count the jobs left out that one other job could make room for, by trying all.

    The other goes elsewhere: on another route, or at another place of its own.
    """
    return sum(_finds_room(live, job) for job in live.loose)


def _finds_room(live: LivePlan, job: int) -> bool:
    for route in live.routes:
        if not live.view.may_serve[route.number][job]:
            continue
        first = len(live.view.cars[route.number].locked)
        for leg in range(first, len(route.sequence)):
            rest = (*route.sequence[:leg], *route.sequence[leg + 1 :])
            ejected = route.sequence[leg]
            for changed in _with(live, route.number, rest, job):
                if any(
                    any(True for _ in _with(live, number, sequence, ejected))
                    for number, sequence in _elsewhere(live, route.number, changed)
                ):
                    return True
    return False


def _elsewhere(
    live: LivePlan, number: int, changed: tuple[int, ...]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    yield number, changed
    for other in live.routes:
        if other.number != number:
            yield other.number, other.sequence


def _with(
    live: LivePlan, number: int, sequence: tuple[int, ...], job: int
) -> Iterator[tuple[int, ...]]:
    """Give the drivable sequences with one job more."""
    if not live.view.may_serve[number][job]:
        return
    for leg in range(len(live.view.cars[number].locked), len(sequence) + 1):
        longer = (*sequence[:leg], job, *sequence[leg:])
        if build_route(live.view, number, longer) is not None:
            yield longer


def changed_arcs_pct(before: Solution, after: Solution) -> float:
    """Return how many of 100 arcs of an earlier plan, cancelled stops aside, are gone."""
    there = {job for jobs in sequences_of(after).values() for job in jobs}
    kept = {
        arc
        for vehicle, jobs in sequences_of(after).items()
        for arc in pairwise([vehicle, *jobs])
    }
    known = [
        arc
        for vehicle, jobs in sequences_of(before).items()
        for arc in pairwise([vehicle, *(job for job in jobs if job in there)])
    ]
    return 100 * sum(arc not in kept for arc in known) / max(1, len(known))


def own_cost_milli(solution: Solution) -> int:
    """Return what a plan costs without the prices of disruption."""
    cost = solution.cost
    return cost.total_milli - cost.disruption_milli - cost.resequence_milli
