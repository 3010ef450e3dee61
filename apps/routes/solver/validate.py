"""An independent judge of plans: its arithmetic is its own, whatever engine planned.

It reads the problem and the stated solution, walks every route second by second as
stated, and reports whatever the problem forbids or the figures do not add up to.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from apps.routes.solver.judging import RouteJudge, Violation
from apps.routes.solver.solution import CostBreakdown
from apps.routes.solver.weighing import overloads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from apps.routes.solver.merging import Piece
    from apps.routes.solver.problem import Job, Problem, Vehicle
    from apps.routes.solver.solution import RoutePlan, Solution

__all__ = ["Violation", "validate", "validate_whole"]


@dataclass(frozen=True, slots=True)
class _Names:
    jobs: dict[str, Job]
    vehicles: dict[str, Vehicle]


def validate(problem: Problem, solution: Solution) -> tuple[Violation, ...]:
    """List everything wrong with a solution; an empty answer means it may be driven."""
    names = _Names(
        jobs={job.id: job for job in problem.jobs},
        vehicles={vehicle.id: vehicle for vehicle in problem.vehicles},
    )
    known = list(_unknown(names, solution))
    found = [
        *known,
        *_served_once(problem, solution),
        *_locked_served(solution, names),
        *_shipped_whole(problem, solution),
    ]
    for route in solution.routes:
        vehicle = names.vehicles.get(route.vehicle_id)
        if vehicle is not None and all(
            visit.job_id in names.jobs for visit in route.visits
        ):
            found += RouteJudge(problem, names.jobs, vehicle, route).violations()
            found += overloads(problem, names.jobs, vehicle, route)
    if not known:
        found += _cost(solution, names, problem)
    return tuple(found)


def validate_whole(
    problem: Problem, solution: Solution, pieces: Mapping[str, Piece]
) -> tuple[Violation, ...]:
    """List everything wrong with a day planned in parts; see `validate`.

    The `problem` has no matrices: each route is walked on the travel times of the piece
    that its vehicle was planned in, all else is judged by the whole day.
    """
    names = _Names(
        jobs={job.id: job for job in problem.jobs},
        vehicles={vehicle.id: vehicle for vehicle in problem.vehicles},
    )
    found = [
        *_unknown(names, solution),
        *_served_once(problem, solution),
        *_locked_served(solution, names),
        *_shipped_whole(problem, solution),
    ]
    if found:
        return tuple(found)
    for route in solution.routes:
        piece = pieces.get(route.vehicle_id)
        if piece is None:
            found.append(Violation("route_without_roads", route.vehicle_id))
        else:
            found += _on_roads_of(piece, names, route)
    return (*found, *_cost(solution, names, problem))


def _on_roads_of(piece: Piece, names: _Names, route: RoutePlan) -> Iterator[Violation]:
    """Judge a route of the whole day by the travel times of a piece of it."""
    at = {job.id: job.location for job in piece.problem.jobs}
    there = {one.id: one for one in piece.problem.vehicles}.get(route.vehicle_id)
    served = [visit.job_id for visit in route.visits]
    if there is None or not at.keys() >= {*served}:
        yield Violation("route_without_roads", route.vehicle_id)
        return
    vehicle = replace(
        names.vehicles[route.vehicle_id],
        start_location=there.start_location,
        end_location=there.end_location,
        reload_locations=there.reload_locations,
    )
    jobs = {one: replace(names.jobs[one], location=at[one]) for one in served}
    told = piece.told(route)
    yield from RouteJudge(piece.problem, jobs, vehicle, told).violations()
    yield from overloads(piece.problem, jobs, vehicle, told)


def _unknown(names: _Names, solution: Solution) -> Iterator[Violation]:
    for route in solution.routes:
        if route.vehicle_id not in names.vehicles:
            yield Violation("unknown_vehicle", route.vehicle_id)
        for visit in route.visits:
            if visit.job_id not in names.jobs:
                yield Violation("unknown_job", route.vehicle_id, visit.job_id)
    for left in solution.unserved:
        if left.job_id not in names.jobs:
            yield Violation("unknown_job", None, left.job_id)


def _served_once(problem: Problem, solution: Solution) -> Iterator[Violation]:
    vehicles = Counter(route.vehicle_id for route in solution.routes)
    for vehicle_id, count in vehicles.items():
        if count > 1:
            yield Violation("vehicle_repeated", vehicle_id, None, f"{count} routes")
    served = Counter(
        visit.job_id for route in solution.routes for visit in route.visits
    )
    left = Counter(one.job_id for one in solution.unserved)
    for job in problem.jobs:
        if served[job.id] > 1:
            yield Violation(
                "job_repeated", None, job.id, f"served {served[job.id]} times"
            )
        if left[job.id] > 1:
            yield Violation("job_repeated", None, job.id, "left out twice")
        if served[job.id] and left[job.id]:
            yield Violation("job_served_and_left", None, job.id)
        if not served[job.id] and not left[job.id]:
            yield Violation("job_forgotten", None, job.id)


def _locked_served(solution: Solution, names: _Names) -> Iterator[Violation]:
    routes = {route.vehicle_id: route for route in solution.routes}
    for vehicle in names.vehicles.values():
        route = routes.get(vehicle.id)
        visits = route.visits if route else ()
        first = tuple(visit.job_id for visit in visits[: len(vehicle.locked)])
        if first != vehicle.locked:
            yield Violation("locked_moved", vehicle.id, None, f"begins with {first}")


def _shipped_whole(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Find shipments that are parted, turned round, or half left out."""
    found = {
        visit.job_id: (route.vehicle_id, order)
        for route in solution.routes
        for order, visit in enumerate(route.visits)
    }
    locked = {job_id for vehicle in problem.vehicles for job_id in vehicle.locked}
    for one in problem.shipments:
        pickup, delivery = found.get(one.pickup_job), found.get(one.delivery_job)
        if pickup is None and delivery is None:
            continue
        if delivery is None and one.pickup_job in locked:
            continue
        if pickup is None or delivery is None:
            yield Violation("shipment_halved", None, one.delivery_job)
        elif pickup[0] != delivery[0]:
            yield Violation("shipment_parted", delivery[0], one.delivery_job)
        elif pickup[1] > delivery[1]:
            yield Violation("shipment_reversed", delivery[0], one.delivery_job)


def _cost(solution: Solution, names: _Names, problem: Problem) -> Iterator[Violation]:
    objective, routes = problem.objective, solution.routes
    expected = CostBreakdown(
        fixed_milli=sum(route.cost.fixed_milli for route in routes),
        distance_milli=sum(route.cost.distance_milli for route in routes),
        duration_milli=sum(route.cost.duration_milli for route in routes),
        overtime_milli=sum(route.cost.overtime_milli for route in routes),
        unserved_milli=objective.unserved_weight
        * sum(names.jobs[left.job_id].prize_milli for left in solution.unserved),
        disruption_milli=objective.disruption_milli
        * sum(_changes(route, names) for route in routes),
        soft_milli=sum(route.cost.soft_milli for route in routes),
        resequence_milli=objective.resequence_milli
        * sum(_moves(route, names) for route in routes),
        balance_milli=objective.balance_milli_per_s * _imbalance_s(solution),
        zone_order_milli=sum(route.cost.zone_order_milli for route in routes),
    )
    if expected != solution.cost:
        yield Violation("cost_misstated", None, None, f"should be {expected}")


def _changes(route: RoutePlan, names: _Names) -> int:
    """Count the jobs that had another vehicle before."""
    before = [names.jobs[visit.job_id].previous_vehicle for visit in route.visits]
    return sum(one is not None and one != route.vehicle_id for one in before)


def _moves(route: RoutePlan, names: _Names) -> int:
    """Count the jobs that followed another visit before."""
    ids = [visit.job_id for visit in route.visits]
    before = [names.jobs[job_id].previous_job for job_id in ids]
    return sum(
        was is not None and was != now
        for was, now in zip(before, ["", *ids], strict=False)
    )


def _imbalance_s(solution: Solution) -> int:
    """Say by how much the longest route exceeds the mean, rounded down."""
    durations_s = [route.duration_s for route in solution.routes]
    if not durations_s:
        return 0
    return max(durations_s) - sum(durations_s) // len(durations_s)
