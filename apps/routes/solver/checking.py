"""Whether a problem contradicts itself: every fault is named."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from apps.routes.solver.problem import UNREACHABLE, InvalidProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from apps.routes.solver.problem import Job, Objective, Problem, Vehicle, ZoneStep


def check_problem(problem: Problem) -> None:
    """Refuse a problem that contradicts itself, naming every fault.

    Raises:
        InvalidProblem: an index, length, reference, or interval is wrong.
    """
    faults = [
        *_matrix_faults(problem),
        *_vehicle_faults(problem, problem.vehicles),
        *_job_faults(problem, problem.jobs),
        *_reference_faults(problem),
        *_objective_faults(problem.objective),
        *_step_faults(problem.zone_steps),
    ] or [*_shipment_faults(problem), *_commitment_faults(problem)]
    if faults:
        raise InvalidProblem("; ".join(faults[:50]))


def check_newcomers(
    problem: Problem, jobs: Sequence[Job], vehicles: Sequence[Vehicle]
) -> None:
    """Refuse jobs and vehicles that cannot join a problem that was checked before.

    Raises:
        InvalidProblem: an index, length, reference, or interval is wrong.
    """
    faults = [*_vehicle_faults(problem, vehicles), *_job_faults(problem, jobs)]
    if faults:
        raise InvalidProblem("; ".join(faults[:50]))


def _matrix_faults(problem: Problem) -> list[str]:
    count = problem.location_count
    faults: list[str] = []
    for number, matrix in enumerate(problem.matrices):
        for rows in (matrix.durations_s, matrix.distances_m):
            if rows.shape != (count, count) and (count or rows.size):
                faults.append(f"matrix {number} is not {count} by {count}")
            elif rows.size and rows.min() < 0:
                faults.append(f"matrix {number} has a negative entry")
    return faults


def _vehicle_faults(problem: Problem, vehicles: Iterable[Vehicle]) -> list[str]:
    faults: list[str] = []
    for vehicle in vehicles:
        places = (
            vehicle.start_location,
            vehicle.end_location or 0,
            *vehicle.reload_locations,
        )
        name = f"vehicle {vehicle.id}"
        if not all(0 <= place < problem.location_count for place in places):
            faults.append(f"{name}: location out of range")
        if not 0 <= vehicle.profile < len(problem.matrices):
            faults.append(f"{name}: unknown profile {vehicle.profile}")
        if vehicle.start_s > vehicle.end_s or vehicle.max_overtime_s < 0:
            faults.append(f"{name}: shift ends before it starts")
        if len(vehicle.capacities) != len(problem.dimensions):
            faults.append(f"{name}: capacities do not match the dimensions")
        if len(vehicle.initial_load) not in (0, len(problem.dimensions)):
            faults.append(f"{name}: initial load does not match the dimensions")
        if min(vehicle.max_reloads, vehicle.reload_s) < 0:
            faults.append(f"{name}: negative reload")
        if min(vehicle.travel_percent, vehicle.service_percent) < 1:
            faults.append(f"{name}: percentages must be positive")
        if any(
            rest.earliest_s > rest.latest_s or rest.duration_s < 0
            for rest in vehicle.breaks
        ):
            faults.append(f"{name}: break ends before it starts")
    return faults


def _job_faults(problem: Problem, jobs: Iterable[Job]) -> list[str]:
    faults: list[str] = []
    for job in jobs:
        name = f"job {job.id}"
        if not 0 <= job.location < problem.location_count:
            faults.append(f"{name}: location out of range")
        if any(window.start_s >= window.end_s for window in job.windows):
            faults.append(f"{name}: empty window")
        if len(job.demands) != len(problem.dimensions):
            faults.append(f"{name}: demands do not match the dimensions")
        if job.service_s < 0 or job.prize_milli < 0 or min(job.demands, default=0) < 0:
            faults.append(f"{name}: negative quantity")
        if any(soft.start_s > soft.end_s for soft in job.soft_windows):
            faults.append(f"{name}: soft window ends before it starts")
        if any(
            min(soft.early_milli_per_s, soft.late_milli_per_s) < 0
            for soft in job.soft_windows
        ):
            faults.append(f"{name}: negative price of a soft window")
        if not 0 <= job.followed_percent <= 100:
            faults.append(f"{name}: followed_percent is no percentage")
        if job.previous_job == job.id:
            faults.append(f"{name}: follows itself")
    return faults


def _objective_faults(objective: Objective) -> list[str]:
    prices = (
        objective.disruption_milli,
        objective.resequence_milli,
        objective.balance_milli_per_s,
        objective.zone_leave_milli,
        objective.late_milli_per_s,
    )
    return ["objective: negative price"] if min(prices) < 0 else []


def _step_faults(steps: Sequence[ZoneStep]) -> list[str]:
    """Find steps within a zone, below zero, or priced twice."""
    known = {(step.from_zone, step.to_zone) for step in steps}
    faults = ["a step between zones is priced twice"] * (len(known) < len(steps))
    for step in steps:
        if step.from_zone == step.to_zone:
            faults.append(f"zone {step.from_zone}: a step to itself")
        if step.price_milli < 0:
            faults.append(f"zone {step.from_zone}: negative price of a step")
    return faults


def _reference_faults(problem: Problem) -> list[str]:
    job_ids = [job.id for job in problem.jobs]
    vehicle_ids = [vehicle.id for vehicle in problem.vehicles]
    locked = [job_id for vehicle in problem.vehicles for job_id in vehicle.locked]
    faults: list[str] = []
    for kind, ids in (
        ("job", job_ids),
        ("vehicle", vehicle_ids),
        ("locked job", locked),
    ):
        if len(set(ids)) != len(ids):
            faults.append(f"a {kind} is named twice")
    faults += [f"locked job {job_id} is unknown" for job_id in set(locked) - {*job_ids}]
    return sorted(faults)


def _shipment_faults(problem: Problem) -> list[str]:
    """Find shipments of unknown or shared jobs, and commitments that turn one round."""
    jobs = {job.id: job for job in problem.jobs}
    named = [
        job_id
        for one in problem.shipments
        for job_id in (one.pickup_job, one.delivery_job)
    ]
    faults = [f"shipment of unknown job {one}" for one in named if one not in jobs]
    if len(set(named)) != len(named):
        faults.append("a job is named twice by shipments")
    if faults:
        return faults
    for one in problem.shipments:
        demands = jobs[one.delivery_job].demands
        if any(demands) and demands != jobs[one.pickup_job].demands:
            faults.append(f"job {one.delivery_job}: delivers other than is picked up")
        for vehicle in problem.vehicles:
            locked = vehicle.locked
            if one.delivery_job in locked and (
                one.pickup_job not in locked[: locked.index(one.delivery_job)]
            ):
                faults.append(
                    f"vehicle {vehicle.id}: delivers {one.delivery_job} before its pickup"
                )
    return faults


def _commitment_faults(problem: Problem) -> list[str]:
    """Find committed jobs without a way; only a release of the lock can mend that."""
    places = {job.id: job.location for job in problem.jobs}
    faults: list[str] = []
    for vehicle in problem.vehicles:
        rows = problem.matrices[vehicle.profile].durations_s
        stops = [vehicle.start_location, *(places[one] for one in vehicle.locked)]
        if vehicle.end_location is not None and vehicle.locked:
            stops.append(vehicle.end_location)
        if any(rows[a][b] >= UNREACHABLE for a, b in pairwise(stops)):
            faults.append(f"vehicle {vehicle.id}: no way along its locked jobs")
    return faults
