"""The judge of what a route has on board, trip by trip; see `validate`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from apps.routes.solver.judging import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from apps.routes.solver.problem import Job, Problem, Vehicle
    from apps.routes.solver.solution import RoutePlan


def overloads(
    problem: Problem, jobs: Mapping[str, Job], vehicle: Vehicle, route: RoutePlan
) -> Iterator[Violation]:
    """Yield a fault for each dimension and trip of a route that carries too much.

    A trip that holds nothing but commitments may be overloaded.
    """
    served = [jobs[visit.job_id] for visit in route.visits]
    ends = [one.after_visits for one in route.reloads if one.after_visits > 0]
    bounds = [0, *sorted(ends), len(served)]
    pickups = {one.pickup_job: one.delivery_job for one in problem.shipments}
    for index, name in enumerate(problem.dimensions):
        initial = vehicle.initial_load[index] if vehicle.initial_load else 0
        aboard: dict[str, int] = {}
        for first, last in pairwise(bounds):
            peak = _peak(served[first:last], pickups, index, aboard)
            load = peak + initial
            capacity = vehicle.capacities[index]
            if last > len(vehicle.locked) and load > capacity:
                detail = f"{name}: {load} > {capacity}"
                yield Violation("capacity_exceeded", vehicle.id, None, detail)


def _peak(
    trip: Sequence[Job], pickups: Mapping[str, str], index: int, aboard: dict[str, int]
) -> int:
    """Give the most that a trip carries; `aboard` goes in and out, by delivery."""
    shipped = {*pickups, *pickups.values()}
    steady = sum(job.demands[index] for job in trip if job.id not in shipped)
    peak = steady + sum(aboard.values())
    for job in trip:
        if job.id in pickups:
            aboard[pickups[job.id]] = job.demands[index]
            peak = max(peak, steady + sum(aboard.values()))
        aboard.pop(job.id, None)
    return peak
