"""A compiled view with more jobs, or with cars as they are now; the rest is shared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from apps.routes.solver.checking import check_newcomers
from apps.routes.solver.piecewise import soft_pieces
from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.steps import AT_DEPOT, compile_steps
from apps.routes.solver.view import (
    Car,
    View,
    compile_rests,
    merged_windows,
    soft_rows,
    spare_of,
    vehicle_fits,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.routes.solver.problem import Job, Vehicle


def grow(view: View, added: Sequence[Job], vehicles: Sequence[Vehicle]) -> View:
    """Return a view with `added` at the end, and `vehicles` as they are now.

    Only what is new is compiled. A vehicle may be elsewhere, later, or fuller, no
    faster and no abler. The day has neither shipments nor places to load again.

    Raises:
        InvalidProblem: what is new contradicts itself.
    """
    check_newcomers(view.problem, added, vehicles)
    now = {vehicle.id: vehicle for vehicle in vehicles}
    first = len(view.jobs)
    grown = View.__new__(View)
    grown.__dict__.update(vars(view))
    grown.jobs = (*view.jobs, *added)
    grown.problem = replace(
        view.problem,
        jobs=grown.jobs,
        vehicles=tuple(now.get(one.id, one) for one in view.problem.vehicles),
    )
    grown.job_count = len(grown.jobs)
    grown.job_index = view.job_index | {
        job.id: number for number, job in enumerate(added, first)
    }
    _add_stops(grown, added)
    services_s = _services_of(view, added)
    grown.cars = tuple(
        _grow_car(car, now.get(car.vehicle.id), services_s, grown.job_index)
        for car in view.cars
    )
    grown.locked_by = {
        job: number for number, car in enumerate(grown.cars) for job in car.locked
    }
    choosy = any(map(_is_choosy, added))
    anybody = (True,) * len(added)
    grown.may_serve = tuple(
        able + (tuple(_is_able(car, job) for job in added) if choosy else anybody)
        for able, car in zip(view.may_serve, grown.cars, strict=True)
    )
    return grown


def _add_stops(grown: View, added: Sequence[Job]) -> None:
    """Lengthen what runs along the stops."""
    windows = [merged_windows(job) for job in added]
    softs = [soft_rows(job) for job in added]
    grown.locations = (*grown.locations, *[job.location for job in added])
    grown.windows = (*grown.windows, *windows)
    grown.has_several_windows |= any(len(one) > 1 for one in windows)
    grown.releases_s = (
        *grown.releases_s,
        *[-UNREACHABLE if job.release_s is None else job.release_s for job in added],
    )
    grown.softs = (*grown.softs, *softs)
    grown.soft_pieces = (*grown.soft_pieces, *map(soft_pieces, softs))
    grown.has_softs = grown.has_softs or any(softs)
    if grown.steps is not None:
        grown.steps = compile_steps(grown.problem)
        grown.zone_of = tuple(grown.zone_number(job) for job in grown.jobs)
    else:
        grown.zone_of = (*grown.zone_of, *([AT_DEPOT] * len(added)))
    previous = [grown.previous_of(job) for job in added]
    grown.previous = (*grown.previous, *previous)
    grown.has_previous = grown.has_previous or (
        bool(grown.problem.objective.resequence_milli)
        and any(one is not None for one in previous)
    )


def _services_of(view: View, added: Sequence[Job]) -> dict[int, tuple[int, ...]]:
    """Give the service times of all jobs, by the percentage of who serves them."""
    known = {car.vehicle.service_percent: car.services_s for car in view.cars}
    if not added:
        return known
    return {
        percent: services_s
        + tuple((job.service_s * percent + 50) // 100 for job in added)
        for percent, services_s in known.items()
    }


def _grow_car(
    old: Car,
    now: Vehicle | None,
    services_s: dict[int, tuple[int, ...]],
    index: dict[str, int],
) -> Car:
    known_s = services_s[old.vehicle.service_percent]
    if now is None and known_s is old.services_s:
        return old
    is_same = now is None
    vehicle = old.vehicle if now is None else now
    return Car(
        vehicle=vehicle,
        durations_s=old.durations_s,
        distances_m=old.distances_m,
        travel_s=old.travel_s,
        travel_m=old.travel_m,
        into_s=old.into_s,
        into_m=old.into_m,
        services_s=known_s,
        rests=old.rests if is_same else compile_rests(vehicle.breaks, vehicle.start_s),
        locked=old.locked if is_same else tuple(index[one] for one in vehicle.locked),
        spare=old.spare if is_same else spare_of(vehicle),
        closes_s=vehicle.end_s + vehicle.max_overtime_s,
        reloads=old.reloads,
    )


def _is_choosy(job: Job) -> bool:
    """Say that not every car may serve a job, load and time aside."""
    return bool(job.required_capabilities) or not (
        job.pinned_vehicle is None
        and job.allowed_vehicles is None
        and job.release_s is None
    )


def _is_able(car: Car, job: Job) -> bool:
    """A car with commitments is on its way: it cannot wait for a release."""
    waits = (
        bool(car.locked)
        and job.release_s is not None
        and job.release_s > car.vehicle.start_s
    )
    return not waits and vehicle_fits(job, car.vehicle)
