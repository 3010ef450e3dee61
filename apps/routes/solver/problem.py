"""A day's routing problem as plain integers, free of any engine and any framework.

Times are whole seconds after the problem's origin, distances whole metres, costs
whole thousandths of a minor money unit ("milli": 1000 is one cent), loads whole units
of the named dimension. Percentages are whole per cent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Entries = NDArray[np.int32]

UNREACHABLE = 1_000_000_000
"""Matrix entry for a pair without a way; any entry at or above it is forbidden."""

DEFAULT_PRIZE_MILLI = 100_000_000
"""What leaving out an ordinary job costs: 1000 money units, more than any detour."""


class InvalidProblem(ValueError):
    """The problem contradicts itself; the message lists every fault found."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matrix:
    """Travel between all locations for one vehicle profile, `n` rows of `n` entries.

    Entry `[a, b]` leads from `a` to `b`; it need not be symmetric. Rows of whole
    numbers are taken as well as arrays, copied where need be, and never written to.
    """

    durations_s: Entries
    distances_m: Entries

    def __post_init__(self) -> None:
        """Lay the entries out as read-only arrays of 32 bits."""
        for name in ("durations_s", "distances_m"):
            object.__setattr__(self, name, _entries(getattr(self, name)))

    def __eq__(self, other: object) -> bool:
        """Compare entry by entry."""
        if not isinstance(other, Matrix):
            return NotImplemented
        return np.array_equal(self.durations_s, other.durations_s) and np.array_equal(
            self.distances_m, other.distances_m
        )

    def __hash__(self) -> int:
        """Agree with `__eq__`."""
        return hash((self.durations_s.tobytes(), self.distances_m.tobytes()))


def _entries(rows: object) -> Entries:
    """Return entries as an array; what is beyond `UNREACHABLE` becomes that."""
    try:
        wide = np.asarray(rows)
        if wide.dtype != np.int32:
            wide = np.minimum(wide, UNREACHABLE).astype(np.int32)
    except (TypeError, ValueError) as error:
        raise InvalidProblem(
            f"a matrix is not made of whole numbers: {error}"
        ) from error
    entries = np.ascontiguousarray(wide, dtype=np.int32).view()
    entries.flags.writeable = False
    return entries


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """Service must begin at `start_s` or later and before `end_s` (half-open)."""

    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftWindow:
    """When service had better begin: a customer's wish, or an ETA that was told.

    A start from `start_s` to `end_s`, both included, costs nothing; each second before
    costs `early_milli_per_s`, each second after `late_milli_per_s`. A told ETA is a
    window of one second.
    """

    start_s: int
    end_s: int
    early_milli_per_s: int
    late_milli_per_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A rest that must begin from `earliest_s` to `latest_s`, both included.

    It lies between service and travel and interrupts neither. A route that is over by
    `latest_s`, or that departs after the rest could have been taken, needs none.
    """

    earliest_s: int
    latest_s: int
    duration_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A vehicle with its driver for one shift.

    `end_s` may be passed by up to `max_overtime_s` at `overtime_cost_per_s_milli` on
    top of the ordinary time cost. `end_location` None lets the route end at its last
    stop. `initial_load` stays on board for the whole route and uses up capacity.
    `locked` jobs are commitments: they come first, in this order, departing at
    `start_s`; they are served even outside their windows, and where they alone
    overrun the shift, the vehicle is given nothing more.

    One that `leaves_at_once` is out already: its route departs at `start_s`, or when its
    first load is released, and whatever it waits for later is paid as its time.

    Up to `max_reloads` times after its commitments it may go to one of
    `reload_locations` and load again for `reload_s`. That parts the route into trips.
    """

    id: str
    start_location: int
    end_location: int | None
    start_s: int
    end_s: int
    max_overtime_s: int = 0
    capacities: tuple[int, ...] = ()
    initial_load: tuple[int, ...] = ()
    capabilities: tuple[str, ...] = ()
    breaks: tuple[Break, ...] = ()
    locked: tuple[str, ...] = ()
    leaves_at_once: bool = False
    reload_locations: tuple[int, ...] = ()
    max_reloads: int = 0
    reload_s: int = 0
    profile: int = 0
    travel_percent: int = 100
    service_percent: int = 100
    fixed_cost_milli: int = 0
    cost_per_m_milli: int = 25
    cost_per_s_milli: int = 700
    overtime_cost_per_s_milli: int = 350


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One stop to be served at most once by one vehicle.

    `windows` empty means any time; of `soft_windows` the cheapest counts, for committed
    jobs too. `demands` is what it takes of each dimension for its whole trip (loaded at
    the trip's start, or collected); see `Shipment` for what is on board only between
    two jobs. No trip departs with it before `release_s`. `allowed_vehicles` None means
    any; `pinned_vehicle` allows only that one. `prize_milli` is the cost of leaving it
    out.

    In the plan that drivers know, `previous_vehicle` had it, and `previous_job` was the
    visit before it ("" for the first of a route); None where it was in no plan. They
    are for the prices of disruption and resequencing. `zone` and `wave` (stops of
    one opening hour) are for the prices of steps (`ZoneStep`); None: it is in none.

    `followed_percent` is how probably its driver goes on to it where the plan has it
    next; see `Objective.late_milli_per_s`.
    """

    id: str
    location: int
    service_s: int
    windows: tuple[TimeWindow, ...] = ()
    demands: tuple[int, ...] = ()
    required_capabilities: tuple[str, ...] = ()
    allowed_vehicles: tuple[str, ...] | None = None
    pinned_vehicle: str | None = None
    previous_vehicle: str | None = None
    previous_job: str | None = None
    zone: str | None = None
    wave: str | None = None
    followed_percent: int = 100
    prize_milli: int = DEFAULT_PRIZE_MILLI
    release_s: int | None = None
    soft_windows: tuple[SoftWindow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """Two jobs of one parcel: fetched at the pickup, brought to the delivery.

    One vehicle does both, the pickup first, or both are left out. The pickup's
    `demands` are on board from its service until the delivery's, reloads
    notwithstanding; the delivery's own are zero or the same. Where the pickup is
    committed and the delivery is not, the delivery alone may be left out: the parcel
    then stays on board to the end.
    """

    pickup_job: str
    delivery_job: str


DEPOT_ZONE = ""
"""What a step between zones calls the start of a route, its end, and a place to reload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneStep:
    """What it costs to go on from a stop of one zone straight to a stop of another.

    Zones or waves; no name is both. Either may be `DEPOT_ZONE`. It comes on top of `Objective.zone_leave_milli`. Both are
    preferences in the unit of costs: no money is spent.
    """

    from_zone: str
    to_zone: str
    price_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Weights of the parts of the cost, and prices of what is not time or distance.

    `disruption_milli` is for each job that changes its vehicle, `resequence_milli` for
    each served job with a known `previous_job` that now follows another visit (reloads
    do not count), `zone_leave_milli` for each step from a stop of one zone straight to one
    of another. `late_milli_per_s` is for each second by which a service begins after its
    last window where drivers do not follow the plan to the letter: where it has a price,
    and any job a `followed_percent` under 100, the plan is chosen by what it comes to in
    the mean (see `expecting`). `balance_milli_per_s` is for each second by which the longest of the
    used routes exceeds their mean duration, the mean rounded down: `max - sum // n`.
    """

    duration_weight: int = 1
    distance_weight: int = 1
    unserved_weight: int = 1
    disruption_milli: int = 0
    resequence_milli: int = 0
    balance_milli_per_s: int = 0
    zone_leave_milli: int = 0
    late_milli_per_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything an engine may know of a day.

    `origin_at` (RFC 3339) is when second 0 is, kept for readers; `dimensions` names
    the load dimensions in the order used by capacities and demands.
    """

    origin_at: str
    location_count: int
    matrices: tuple[Matrix, ...]
    vehicles: tuple[Vehicle, ...]
    jobs: tuple[Job, ...]
    dimensions: tuple[str, ...] = ()
    objective: Objective = field(default_factory=Objective)
    shipments: tuple[Shipment, ...] = ()
    zone_steps: tuple[ZoneStep, ...] = ()


def check_problem(problem: Problem) -> None:
    """Refuse a problem that contradicts itself, naming every fault.

    Raises:
        InvalidProblem: an index, length, reference, or interval is wrong.
    """
    faults = [
        *_matrix_faults(problem),
        *_vehicle_faults(problem),
        *_job_faults(problem),
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
    part = replace(problem, jobs=tuple(jobs), vehicles=tuple(vehicles))
    faults = [*_vehicle_faults(part), *_job_faults(part)]
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


def _vehicle_faults(problem: Problem) -> list[str]:
    faults: list[str] = []
    for vehicle in problem.vehicles:
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


def _job_faults(problem: Problem) -> list[str]:
    faults: list[str] = []
    for job in problem.jobs:
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
