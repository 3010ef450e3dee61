"""One more shift for one job: which vehicle, from when to when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.routestate import build_route
from apps.routes.solver.view import View

if TYPE_CHECKING:
    from apps.routes.solver.explaining.standing import Standing
    from apps.routes.solver.problem import Job, Problem, Vehicle

EXTRA_ID = "extra"
"""The id of the vehicle that would come on top; lengthened where it is taken."""

MOST_TEMPLATES = 4
DAY_S = 24 * 3600
EARLY_S = 2 * 3600
"""Before the order's first window: time enough to get there."""
MINUTE_S = 60


def extra_shift(standing: Standing, job: int) -> tuple[Vehicle, Job] | None:
    """Return one more vehicle like one of the day's, and the job that it may take.

    Its shift is as short as the job allows, in whole minutes; it has what the job
    requires and room for it, even where no vehicle of the day has. None where no
    way leads there, or where the job is on board of another vehicle.
    """
    one = standing.view.jobs[job]
    bound = one.allowed_vehicles is not None and one.previous_vehicle is not None
    if bound and one.allowed_vehicles == (one.previous_vehicle,):
        return None
    name = EXTRA_ID
    while name in standing.view.vehicle_index:
        name += "-"
    allowed = one.allowed_vehicles and (*one.allowed_vehicles, name)
    wanted = replace(one, allowed_vehicles=allowed, pinned_vehicle=None)
    for opens_s in _openings(standing.problem, one):
        found: list[tuple[int, int, Vehicle]] = []
        for order, template in enumerate(_templates(standing.problem, one)):
            shift = _shift(standing.problem, template, wanted, name, opens_s)
            if shift is not None:
                cost_milli, vehicle = shift
                found.append((cost_milli, order, vehicle))
        if found:
            return min(found)[2], wanted
    return None


def _openings(problem: Problem, job: Job) -> list[int]:
    """Return from when on the shift may be, the first one that serves to be taken.

    That is the day's first shift; before it only what lies earlier, on a day of which
    nothing is under way.
    """
    first_s = min((one.start_s for one in problem.vehicles), default=0)
    is_under_way = any(one.locked or any(one.initial_load) for one in problem.vehicles)
    earlier_s = [one.start_s for one in job.windows if one.start_s < first_s]
    if is_under_way or not earlier_s:
        return [first_s]
    return [first_s, min(earlier_s) - EARLY_S]


def _templates(problem: Problem, job: Job) -> list[Vehicle]:
    """Return vehicles that differ, those that can do most of the job first."""
    kinds: dict[object, Vehicle] = {}
    for vehicle in problem.vehicles:
        kinds.setdefault(
            (
                vehicle.profile,
                vehicle.capacities,
                vehicle.capabilities,
                vehicle.end_location,
                vehicle.travel_percent,
                vehicle.service_percent,
                vehicle.cost_per_m_milli,
                vehicle.cost_per_s_milli,
                vehicle.fixed_cost_milli,
            ),
            vehicle,
        )
    required = {*job.required_capabilities}
    return sorted(
        kinds.values(),
        key=lambda vehicle: (
            len(required - {*vehicle.capabilities}),
            any(
                demand > room
                for demand, room in zip(job.demands, vehicle.capacities, strict=True)
            ),
        ),
    )[:MOST_TEMPLATES]


def _shift(
    problem: Problem, template: Vehicle, job: Job, name: str, opens_s: int
) -> tuple[int, Vehicle] | None:
    """Give the cost and the vehicle of the shortest shift that serves the job alone."""
    base = template.end_location
    base = template.start_location if base is None else base
    matrix = problem.matrices[template.profile].durations_s
    ways_s = (matrix[base, job.location], matrix[job.location, base])
    if max(ways_s) >= UNREACHABLE:
        return None
    vehicle = replace(
        template,
        id=name,
        start_location=base,
        end_location=base,
        start_s=opens_s,
        end_s=max(one.end_s for one in problem.vehicles) + DAY_S,
        max_overtime_s=0,
        initial_load=(),
        locked=(),
        breaks=(),
        capabilities=tuple(
            sorted({*template.capabilities, *job.required_capabilities})
        ),
        capacities=tuple(
            max(pair) for pair in zip(template.capacities, job.demands, strict=True)
        ),
    )
    view = View(replace(problem, vehicles=(vehicle,), jobs=(job,)))
    route = build_route(view, 0, (0,)) if view.may_serve[0][0] else None
    if route is None:
        return None
    times = route.timed(view).times
    return route.cost_milli, replace(
        vehicle,
        start_s=max(vehicle.start_s, times.departure_s // MINUTE_S * MINUTE_S),
        end_s=-(-times.end_s // MINUTE_S) * MINUTE_S,
    )
