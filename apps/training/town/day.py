"""A composed day's orders, drivers, vehicles and shifts: plain frozen dataclasses."""

import datetime as dt
from dataclasses import dataclass

from apps.training.town.model import Address
from apps.training.town.truth import Mode


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open local time window, aware."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """One order as a shop would send it, with the composed address it goes to.

    `planned_service_s` is the shop's rule of thumb, not the truth. `requirements`
    are "signature" (a driver's skill), "cool_box" and "tail_lift" (a vehicle's).
    `priority` 1 is urgent, 0 is not. `preferred` is a wish, not a promise.
    """

    reference: str
    customer_name: str
    phone: str
    email: str
    address: Address
    windows: tuple[Window, ...]
    pieces: int
    weight_g: int
    volume_ml: int
    priority: int
    planned_service_s: int
    requirements: tuple[str, ...]
    note: str
    preferred: Window | None = None


@dataclass(frozen=True, slots=True)
class DriverDraft:
    """One driver."""

    reference: str
    name: str
    phone: str
    email: str
    skills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VehicleDraft:
    """One vehicle."""

    registration: str
    mode: Mode
    capacity_g: int
    capacity_ml: int
    capacity_pieces: int
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShiftDraft:
    """One driver's working time; the break lies wholly inside its window."""

    driver: str
    vehicle: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    break_s: int
    break_window: Window


@dataclass(frozen=True, slots=True)
class TownDay:
    """All that is known in the morning of one composed day."""

    town: str
    label: str
    seed: int
    date: dt.date
    orders: tuple[OrderDraft, ...]
    drivers: tuple[DriverDraft, ...]
    vehicles: tuple[VehicleDraft, ...]
    shifts: tuple[ShiftDraft, ...]
