"""A problem compiled for search: indices for ids, scaled times, who may serve what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.checking import check_problem
from apps.routes.solver.piecewise import soft_pieces
from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.steps import AT_DEPOT, compile_steps

if TYPE_CHECKING:
    from apps.routes.solver.problem import Break, Entries, Job, Problem, Vehicle

FIRST = -1
"""In place of a job's predecessor: it was the first of its route."""

GONE = -2
"""In place of a job's predecessor: a job that the problem does not know."""

Rows = Sequence[Sequence[int]]
"""Entries by row and column as plain integers: faster to read one by one than an
array's, and no copy of them: lists are read faster still, but take longer to make than
an event's answer gains by them (0.5 ms for 100 places, 26 ms for 400; measured)."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A break that still has to be taken, with its place among the vehicle's breaks."""

    index: int
    earliest_s: int
    latest_s: int
    duration_s: int


@dataclass(frozen=True, slots=True)
class Car:
    """A vehicle compiled for search; `spare` is capacity left beside its first load.

    `travel_s` and `travel_m` hold the entries of `durations_s` and `distances_m`;
    `into_s` and `into_m` are the same by column: the ways into a place.
    `services_s` runs along the view's stops; `reloads` are the stops where it may load
    again.
    """

    vehicle: Vehicle
    durations_s: Rows
    distances_m: Rows
    travel_s: Entries
    travel_m: Entries
    into_s: Rows
    into_m: Rows
    services_s: tuple[int, ...]
    rests: tuple[Rest, ...]
    locked: tuple[int, ...]
    spare: tuple[int, ...]
    closes_s: int
    reloads: tuple[int, ...]

    @property
    def goes_at_once(self) -> bool:
        """Say that it may not put its departure off to wait less on the way."""
        return bool(self.locked) or self.vehicle.leaves_at_once


class View:
    """Indices and derived quantities of one problem; jobs and vehicles by position.

    A route's sequence holds stops: jobs by index, and from `job_count` on the places to
    load again. `locations`, `windows`, `releases_s`, and `softs` run along all stops.
    """

    def __init__(self, problem: Problem) -> None:
        """Compile a problem.

        Raises:
            InvalidProblem: it contradicts itself.
        """
        check_problem(problem)
        self.problem = problem
        self.jobs = problem.jobs
        self.job_index = {job.id: number for number, job in enumerate(problem.jobs)}
        self.vehicle_index = {
            vehicle.id: number for number, vehicle in enumerate(problem.vehicles)
        }
        self.job_count = len(problem.jobs)
        self.reload_places = _reload_places(problem.vehicles)
        nothing: tuple[()] = ()
        extra = len(self.reload_places)
        self.locations = (*(job.location for job in problem.jobs), *self.reload_places)
        self.windows = (
            *(merged_windows(job) for job in problem.jobs),
            *([nothing] * extra),
        )
        self.releases_s = (
            *(
                -UNREACHABLE if job.release_s is None else job.release_s
                for job in problem.jobs
            ),
            *([-UNREACHABLE] * extra),
        )
        self.has_several_windows = any(len(windows) > 1 for windows in self.windows)
        self.softs = (*(soft_rows(job) for job in problem.jobs), *([nothing] * extra))
        self.soft_pieces = tuple(soft_pieces(softs) for softs in self.softs)
        self.has_softs = any(self.softs)
        self.previous = tuple(self.previous_of(job) for job in problem.jobs)
        self.has_previous = bool(problem.objective.resequence_milli) and any(
            one is not None for one in self.previous
        )
        self.steps = compile_steps(problem)
        self.zone_of = (
            *(self.zone_number(job) for job in problem.jobs),
            *([AT_DEPOT] * extra),
        )
        self.delivery_of = {
            self.job_index[one.pickup_job]: self.job_index[one.delivery_job]
            for one in problem.shipments
        }
        self.pickup_of = {end: begin for begin, end in self.delivery_of.items()}
        self.has_trips = bool(self.delivery_of or self.reload_places)
        self._scaled: dict[tuple[int, int], tuple[Entries, Rows, Rows]] = {}
        self._services: dict[tuple[int, int], tuple[int, ...]] = {}
        self._metres = [
            _rows_and_columns(matrix.distances_m) for matrix in problem.matrices
        ]
        self.cars = tuple(self._compile(vehicle) for vehicle in problem.vehicles)
        self.locked_by = {
            job: number for number, car in enumerate(self.cars) for job in car.locked
        }
        self.may_serve = tuple(
            self._may_serve_all(number) for number in range(len(self.cars))
        )

    def next_start_s(self, job: int, ready_s: int) -> int | None:
        """Say when service of a job may begin for one who is ready at `ready_s`."""
        windows = self.windows[job]
        if not windows:
            return ready_s
        for first_s, last_s in windows:
            if ready_s <= last_s:
                return max(ready_s, first_s)
        return None

    def disruption_milli(self, job: int, car: int) -> int:
        """Price the change of vehicle that serving `job` by `car` would be."""
        previous = self.jobs[job].previous_vehicle
        if previous is None or previous == self.cars[car].vehicle.id:
            return 0
        return self.problem.objective.disruption_milli

    def partner(self, job: int) -> int | None:
        """Give the job that must be served with this one; None if that is no question."""
        other = self.delivery_of.get(job, self.pickup_of.get(job))
        if other is None or job in self.locked_by or other in self.locked_by:
            return None
        return other

    def trip_release_s(self, sequence: Sequence[int], first: int) -> int:
        """Say when the trip whose first stop has that position may depart."""
        release_s = -UNREACHABLE
        for position in range(first, len(sequence)):
            stop = sequence[position]
            if stop >= self.job_count:
                break
            release_s = max(release_s, self.releases_s[stop])
        return release_s

    def reload_start_s(self, number: int, sequence: Sequence[int], leg: int) -> int:
        """Say when loading at a leg's end may begin for what is released by its end."""
        loading_s = self.cars[number].services_s[sequence[leg]]
        return self.trip_release_s(sequence, leg + 1) - loading_s

    def soft_milli(self, stop: int, start_s: int) -> int:
        """Price a service's start by the soft window that it misses least."""
        softs = self.softs[stop]
        if not softs:
            return 0
        return min(
            early * max(0, first_s - start_s) + late * max(0, start_s - last_s)
            for first_s, last_s, early, late in softs
        )

    def resequence_milli(self, sequence: Sequence[int]) -> int:
        """Price the jobs of a route that followed another visit before."""
        if not self.has_previous:
            return 0
        moved, before = 0, FIRST
        for stop in sequence:
            if stop < self.job_count:
                moved += self.previous[stop] not in (None, before)
                before = stop
        return moved * self.problem.objective.resequence_milli

    @property
    def nowhere(self) -> int:
        """The number of what is in no zone."""
        return self.steps.nowhere if self.steps else AT_DEPOT

    def zone_number(self, job: Job) -> int:
        """Give the group of a job, by number: its zone with its wave."""
        return self.steps.group_of(job) if self.steps else AT_DEPOT

    def zone_before(self, number: int) -> int:
        """Give the zone where a car is once its commitments are done."""
        locked = self.cars[number].locked
        return self.zone_of[locked[-1]] if locked else AT_DEPOT

    def steps_milli(
        self, number: int, sequence: Sequence[int], *, ends: bool = True
    ) -> int:
        """Price the steps between zones along a route; `ends` with the way to its end."""
        if self.steps is None or not sequence:
            return 0
        zones = [AT_DEPOT, *(self.zone_of[stop] for stop in sequence)]
        if ends and self.cars[number].vehicle.end_location is not None:
            zones.append(AT_DEPOT)
        return self.steps.along(zones)

    def balance_milli(self, durations_s: Sequence[int]) -> int:
        """Price how far the longest of the used routes exceeds their mean."""
        rate = self.problem.objective.balance_milli_per_s
        if not rate or not durations_s:
            return 0
        return rate * (max(durations_s) - sum(durations_s) // len(durations_s))

    def prize_milli(self, job: int) -> int:
        """Price leaving a job out, weighted."""
        return self.jobs[job].prize_milli * self.problem.objective.unserved_weight

    def previous_of(self, job: Job) -> int | None:
        """Give the job that this one followed, `FIRST`, `GONE`, or None."""
        if job.previous_job is None:
            return None
        if not job.previous_job:
            return FIRST
        return self.job_index.get(job.previous_job, GONE)

    def _compile(self, vehicle: Vehicle) -> Car:
        problem = self.problem
        matrix = problem.matrices[vehicle.profile]
        key = (vehicle.profile, vehicle.travel_percent)
        if key not in self._scaled:
            scaled = scaled_s(matrix.durations_s, vehicle.travel_percent)
            self._scaled[key] = (scaled, *_rows_and_columns(scaled))
        metres, into_m = self._metres[vehicle.profile]
        return Car(
            vehicle=vehicle,
            durations_s=self._scaled[key][1],
            distances_m=metres,
            travel_s=self._scaled[key][0],
            travel_m=matrix.distances_m,
            into_s=self._scaled[key][2],
            into_m=into_m,
            services_s=self._services_of(vehicle),
            rests=compile_rests(vehicle.breaks, vehicle.start_s),
            locked=tuple(self.job_index[job_id] for job_id in vehicle.locked),
            spare=spare_of(vehicle),
            closes_s=vehicle.end_s + vehicle.max_overtime_s,
            reloads=tuple(
                self.job_count + self.reload_places.index(place)
                for place in dict.fromkeys(vehicle.reload_locations)
                if vehicle.max_reloads
            ),
        )

    def _services_of(self, vehicle: Vehicle) -> tuple[int, ...]:
        """Give the service times of all stops; vehicles of one kind share them."""
        key = (vehicle.service_percent, vehicle.reload_s)
        if key not in self._services:
            self._services[key] = (
                *(
                    (job.service_s * vehicle.service_percent + 50) // 100
                    for job in self.jobs
                ),
                *([vehicle.reload_s] * len(self.reload_places)),
            )
        return self._services[key]

    def _may_serve_all(self, number: int) -> tuple[bool, ...]:
        """Say of every job whether a car may serve it, and what is shipped with it."""
        able = [self._may_serve(job, number) for job in range(len(self.jobs))]
        for pickup, delivery in self.delivery_of.items():
            if pickup not in self.locked_by:
                able[pickup] = able[pickup] and able[delivery]
            able[delivery] = able[pickup] and able[delivery]
        return tuple(able)

    def _may_serve(self, index: int, number: int) -> bool:
        job, car = self.jobs[index], self.cars[number]
        holder = self.locked_by.get(index)
        if holder is not None:
            return holder == number
        waits = job.release_s is not None and job.release_s > car.vehicle.start_s
        return vehicle_fits(job, car.vehicle) and not (
            waits and car.locked and not car.reloads
        )


def _reload_places(vehicles: Sequence[Vehicle]) -> tuple[int, ...]:
    """List the places where any vehicle may load again."""
    places = (
        place
        for vehicle in vehicles
        if vehicle.max_reloads
        for place in vehicle.reload_locations
    )
    return tuple(sorted(set(places)))


def soft_rows(job: Job) -> tuple[tuple[int, int, int, int], ...]:
    """Give a job's soft windows as (first, last, early, late); none if one is free."""
    softs = tuple(
        (soft.start_s, soft.end_s, soft.early_milli_per_s, soft.late_milli_per_s)
        for soft in job.soft_windows
    )
    free = any(early == late == 0 for _, _, early, late in softs)
    return () if free else softs


def spare_of(vehicle: Vehicle) -> tuple[int, ...]:
    """Give the capacity that a vehicle has left beside its first load."""
    initial = vehicle.initial_load or (0,) * len(vehicle.capacities)
    return tuple(
        capacity - load
        for capacity, load in zip(vehicle.capacities, initial, strict=True)
    )


def vehicle_fits(job: Job, vehicle: Vehicle) -> bool:
    """Say whether a vehicle is allowed and able to serve a job, load and time aside."""
    if job.pinned_vehicle is not None and job.pinned_vehicle != vehicle.id:
        return False
    if job.allowed_vehicles is not None and vehicle.id not in job.allowed_vehicles:
        return False
    required = job.required_capabilities
    return not required or set(required) <= set(vehicle.capabilities)


def merged_windows(job: Job) -> tuple[tuple[int, int], ...]:
    """Sort a job's windows, join those that meet, and give (first, last) starts."""
    merged: list[tuple[int, int]] = []
    for window in sorted(job.windows, key=lambda one: (one.start_s, one.end_s)):
        if merged and window.start_s <= merged[-1][1] + 1:
            first, last = merged[-1]
            merged[-1] = (first, max(last, window.end_s - 1))
        else:
            merged.append((window.start_s, window.end_s - 1))
    return tuple(merged)


def scaled_s(durations_s: Entries, percent: int) -> Entries:
    """Return travel times for a vehicle that takes `percent` of them, rounded."""
    if percent == 100:
        return durations_s
    scaled = (durations_s.astype(np.int64) * percent + 50) // 100
    scaled[durations_s >= UNREACHABLE] = UNREACHABLE
    return np.minimum(scaled, UNREACHABLE).astype(np.int32)


def _rows_and_columns(entries: Entries) -> tuple[Rows, Rows]:
    return [memoryview(row) for row in entries], [memoryview(row) for row in entries.T]


def compile_rests(breaks: tuple[Break, ...], start_s: int) -> tuple[Rest, ...]:
    """Keep the breaks whose time has not passed when the shift starts, in order."""
    rests = [
        Rest(number, rest.earliest_s, rest.latest_s, rest.duration_s)
        for number, rest in enumerate(breaks)
        if rest.latest_s >= start_s
    ]
    return tuple(sorted(rests, key=lambda rest: (rest.earliest_s, rest.index)))
