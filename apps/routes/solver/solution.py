"""What an engine answers: timed routes, what was left out and why, and the cost.

All numbers are integers in the units of `problem`. Nothing here depends on the wall
clock, so that two runs of the same search compare equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StoppedBy(StrEnum):
    """What ended the search; only `TIME` may differ on another machine."""

    SOLUTIONS = "solutions"
    TIME = "time"
    EXHAUSTED = "exhausted"


class Reason(StrEnum):
    """Why a job is left out, from the most to the least final."""

    NO_CAPABLE_VEHICLE = "no_capable_vehicle"
    EXCEEDS_CAPACITY = "exceeds_capacity"
    UNREACHABLE = "unreachable"
    NO_WINDOW_IN_ANY_SHIFT = "no_window_in_any_shift"
    NO_ROOM = "no_room"
    NOT_WORTH_IT = "not_worth_it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A served job: `arrival_s` + `wait_s` (and any break) = `start_s`."""

    job_id: str
    arrival_s: int
    wait_s: int
    start_s: int
    departure_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedBreak:
    """A rest within a route.

    `break_index` counts the vehicle's breaks; `after_visits` visits are done when it
    begins; `on_arrival` says it is taken at the next place rather than before leaving.
    Where a reload comes next, `at_reload` says it is taken there: on arrival before the
    loading, or else after it.
    """

    break_index: int
    after_visits: int
    on_arrival: bool
    start_s: int
    end_s: int
    at_reload: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedReload:
    """A return to load again, once `after_visits` visits are done, before the next.

    It waits, and rests, from `arrival_s` to `start_s` and loads until `departure_s`.
    """

    after_visits: int
    location: int
    arrival_s: int
    start_s: int
    departure_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCost:
    """The weighted cost of one route, by part.

    `soft_milli` is what services cost that start outside their soft windows,
    `zone_order_milli` what its steps between zones cost: a preference, no money.
    """

    fixed_milli: int
    distance_milli: int
    duration_milli: int
    overtime_milli: int
    soft_milli: int = 0
    zone_order_milli: int = 0

    @property
    def total_milli(self) -> int:
        """The sum of the parts."""
        return (
            self.fixed_milli
            + self.distance_milli
            + self.duration_milli
            + self.overtime_milli
            + self.soft_milli
            + self.zone_order_milli
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """One vehicle's timed route with at least one visit.

    `duration_s` runs from departure to end and holds travel, service, waiting, and
    breaks, and reloads; `travel_s` is the driving in it.
    """

    vehicle_id: str
    departure_s: int
    end_s: int
    duration_s: int
    travel_s: int
    distance_m: int
    overtime_s: int
    visits: tuple[Visit, ...]
    breaks: tuple[PlacedBreak, ...]
    cost: RouteCost
    reloads: tuple[PlacedReload, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A job left out. `cheapest_insertion_milli` is what serving it would have added."""

    job_id: str
    reason: Reason
    cheapest_insertion_milli: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBreakdown:
    """The weighted cost of a whole plan, by part; `Objective` says what each counts."""

    fixed_milli: int
    distance_milli: int
    duration_milli: int
    overtime_milli: int
    unserved_milli: int
    disruption_milli: int
    soft_milli: int = 0
    resequence_milli: int = 0
    balance_milli: int = 0
    zone_order_milli: int = 0

    @property
    def total_milli(self) -> int:
        """The sum of the parts: what engines minimize."""
        return (
            self.fixed_milli
            + self.distance_milli
            + self.duration_milli
            + self.overtime_milli
            + self.unserved_milli
            + self.disruption_milli
            + self.soft_milli
            + self.resequence_milli
            + self.balance_milli
            + self.zone_order_milli
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """The best cost known to the search when `solutions` had been seen."""

    solutions: int
    cost_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a plan comes to in the mean where drivers follow it as far as they do.

    `plain_milli` is the same of the plan that is best if followed to the letter. Both
    hold lateness at its price, which the stated cost does not.
    """

    milli: int
    plain_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A plan with its provenance.

    `solutions` is how many the search saw: a re-run of the same engine version with
    that count as its stop, and time enough, gives this same plan. `expected` is None
    where it was not chosen by how it will be followed.
    """

    routes: tuple[RoutePlan, ...]
    unserved: tuple[Unserved, ...]
    cost: CostBreakdown
    engine: str
    engine_version: str
    seed: int
    solutions: int
    stopped_by: StoppedBy
    trace: tuple[Improvement, ...] = ()
    expected: Expected | None = None
