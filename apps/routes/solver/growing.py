"""A compiled view with more jobs, or with cars as they are now; the rest is shared."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.insertion import Arrays
from apps.routes.solver.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.routes.solver.problem import Job, Vehicle
    from apps.routes.solver.view import Car

ROWS_OF_JOBS = ("locations", "demands", "releases_s", "prizes")
COLUMNS_OF_JOBS = ("services_s", "may_serve", "disruptions")


def grow(arrays: Arrays, added: Sequence[Job], vehicles: Sequence[Vehicle]) -> Arrays:
    """Return arrays and view with `added` at the end, and `vehicles` as they are now.

    Only what is new is compiled: a small day of the new jobs is, and laid beside the
    old one. A vehicle may be elsewhere, later, or fuller, no faster and no abler. The
    day has neither shipments nor places to load again.

    Raises:
        InvalidProblem: what is new contradicts itself.
    """
    view = arrays.view
    whole = view.problem
    now = {vehicle.id: vehicle for vehicle in vehicles}
    fleet = [now.get(vehicle.id, vehicle) for vehicle in whole.vehicles]
    small = replace(
        whole,
        jobs=tuple(
            replace(job, previous_job=None) if job.previous_job else job
            for job in added
        ),
        vehicles=tuple(_plain(vehicle) for vehicle in fleet),
    )
    fresh = Arrays(View(small))
    grown = copy(view)
    first = len(view.jobs)
    grown.jobs = (*view.jobs, *added)
    grown.problem = replace(whole, jobs=grown.jobs, vehicles=tuple(fleet))
    grown.job_count = len(grown.jobs)
    grown.job_index = view.job_index | {
        job.id: first + number for number, job in enumerate(added)
    }
    grown.locations = (*view.locations, *fresh.view.locations)
    grown.windows = (*view.windows, *fresh.view.windows)
    grown.releases_s = (*view.releases_s, *fresh.view.releases_s)
    grown.softs = (*view.softs, *fresh.view.softs)
    grown.has_softs = view.has_softs or fresh.view.has_softs
    grown.previous = (*view.previous, *fresh.view.previous)
    grown.cars = tuple(
        _grow_car(old, new, now.get(old.vehicle.id), grown.job_index)
        for old, new in zip(view.cars, fresh.view.cars, strict=True)
    )
    grown.locked_by = {
        job: number for number, car in enumerate(grown.cars) for job in car.locked
    }
    grown.may_serve = tuple(
        (*old, *_able(new, car, added))
        for old, new, car in zip(
            view.may_serve, fresh.view.may_serve, grown.cars, strict=True
        )
    )
    return _join(arrays, fresh, grown)


def _plain(vehicle: Vehicle) -> Vehicle:
    """Leave out of a vehicle what a small day cannot know, or need not compile."""
    if not vehicle.locked and vehicle.travel_percent == 100:
        return vehicle
    return replace(vehicle, locked=(), travel_percent=100)


def _grow_car(old: Car, new: Car, now: Vehicle | None, index: dict[str, int]) -> Car:
    services_s = (*old.services_s, *new.services_s)
    if now is None and not new.services_s:
        return old
    if now is None:
        return replace(old, services_s=services_s)
    return replace(
        old,
        vehicle=now,
        services_s=services_s,
        rests=new.rests,
        locked=tuple(index[job_id] for job_id in now.locked),
        spare=new.spare,
        closes_s=new.closes_s,
    )


def _able(able: Sequence[bool], car: Car, added: Sequence[Job]) -> tuple[bool, ...]:
    """A car with commitments is on its way: it cannot wait for a release."""
    if not car.locked:
        return tuple(able)
    start_s = car.vehicle.start_s
    return tuple(
        can and (job.release_s is None or job.release_s <= start_s)
        for can, job in zip(able, added, strict=True)
    )


def _join(old: Arrays, new: Arrays, view: View) -> Arrays:
    """Lay the arrays of the new jobs beside those of the old ones."""
    joined = copy(old)
    joined.view = view
    width = max(old.firsts_s.shape[1], new.firsts_s.shape[1])
    for name in ("firsts_s", "lasts_s"):
        # A window that comes twice changes nothing.
        both = [
            np.pad(rows, ((0, 0), (0, width - rows.shape[1])), mode="edge")
            if rows.shape[1] < width
            else rows
            for rows in (getattr(old, name), getattr(new, name))
        ]
        setattr(joined, name, np.concatenate(both))
    for axis, names in ((0, ROWS_OF_JOBS), (1, COLUMNS_OF_JOBS)):
        for name in names:
            both = [getattr(old, name), getattr(new, name)]
            setattr(joined, name, np.concatenate(both, axis=axis))
    joined.may_serve[:, len(old.locations) :] = np.array(
        [row[len(old.locations) :] for row in view.may_serve], dtype=bool
    ).reshape(len(view.cars), len(new.locations))
    return joined
