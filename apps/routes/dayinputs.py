"""A day as planning reads it: shifts, orders, and what steers them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.core.units import Point
from apps.routes.conditions import RoadCondition
from apps.routes.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open interval of time."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class BreakRule:
    """A break that begins between two instants, both included."""

    opens_at: datetime
    closes_at: datetime
    duration_s: int


@dataclass(frozen=True, slots=True)
class ShiftInput:
    """One shift as planning sees it: from where and when it can still drive.

    `departed` means that the parcels are on board: deliveries cannot change the van.
    `frozen` are the stops that stay as they are; `ahead` those that may be moved, in
    their present sequence.
    """

    shift_id: UUID
    shift_version: int
    driver_id: UUID
    start: Point
    end: Point
    free_at: datetime
    ends_at: datetime
    max_overtime_s: int
    capacities: tuple[int, int, int]
    on_board: tuple[int, int, int]
    capabilities: tuple[str, ...]
    breaks: tuple[BreakRule, ...]
    cost_per_km_minor: int
    cost_per_hour_minor: int
    speed_percent: int
    departed: bool
    late_steps: int = 0
    """How many times the threshold of lateness its next stop is overdue."""
    frozen: tuple[UUID, ...] = ()
    ahead: tuple[UUID, ...] = ()
    held: int = 0
    """So many of the stops ahead keep their sequence, from the first on: one is pinned."""


@dataclass(frozen=True, slots=True)
class OrderInput:
    """One order as planning sees it."""

    order_id: UUID
    order_version: int
    point: Point
    service_s: int
    windows: tuple[Interval, ...]
    demands: tuple[int, int, int]
    requires: tuple[str, ...]
    priority: int
    is_pickup: bool
    stop_id: UUID | None = None
    shift_id: UUID | None = None
    preferred: tuple[Interval, ...] = ()
    """When its customer likes it best; the cheapest of them counts."""
    told_at: datetime | None = None
    """The ETA that was told with the plan that holds; on a running day alone."""
    pinned_shift: UUID | None = None
    """Whose stop it stays: people have pinned it there."""
    has_pinned_time: bool = False
    """Its windows are those that people have pinned it to."""
    service_because: tuple[str, ...] = ()
    """The keys of the service factors by which its service is not as the standard."""
    zone: str = ""
    """The zone that it is in, as far as zones have prices."""
    wave: str = ""
    """The wave that its first window opens in, as far as zones have prices."""
    followed_percent: int = 100
    """How probably its driver goes on to it where the plan has it next."""

    @property
    def is_pinned(self) -> bool:
        """Tell whether it is to be served as it is pinned, late rather than not at all."""
        return self.pinned_shift is not None or self.has_pinned_time

    @property
    def bound_shift(self) -> UUID | None:
        """Whose stop it is to stay, or else whose it is."""
        return self.pinned_shift or self.shift_id


@dataclass(frozen=True, slots=True)
class DayInput:
    """All that one planning is made of, as it was when it was read."""

    depot_id: UUID
    service_date: date
    origin_at: datetime
    shifts: tuple[ShiftInput, ...]
    orders: tuple[OrderInput, ...]
    parameters: Parameters
    conditions: tuple[RoadCondition, ...] = ()
    """What makes travel slow or impossible at some place and time of this day."""
    zone: str = "UTC"
    """The depot's clock: traffic goes by it."""

    @property
    def local_hour(self) -> int:
        """Return the hour at which the day, or what is left of it, begins."""
        return self.origin_at.astimezone(ZoneInfo(self.zone)).hour

    def points(self) -> list[Point]:
        """Return the distinct places, in the order of the matrix."""
        places: dict[Point, None] = {}
        for shift in self.shifts:
            places.setdefault(shift.start)
            places.setdefault(shift.end)
        for order in self.orders:
            places.setdefault(order.point)
        return list(places)
