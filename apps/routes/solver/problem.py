"""A day's routing problem as plain integers, free of any engine and any framework.

Times are whole seconds after the problem's origin, distances whole metres, costs
whole thousandths of a minor money unit ("milli": 1000 is one cent), loads whole units
of the named dimension. Percentages are whole per cent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
