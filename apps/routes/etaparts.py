"""What a drive in thought is made of: its law, its stops, its breaks, what is expected."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.core.units import Point, great_circle_m
from apps.routes.conditions import RoadCondition
from apps.routes.conformal import Calibration
from apps.routes.dayinputs import Interval
from apps.routes.hours import hour_factor
from apps.routes.parameters import Parameters

NO_STOP_YET = "the start"
"""Where a driver is who has been nowhere yet."""


@dataclass(frozen=True, slots=True)
class TravelLaw:
    """How travel is reckoned; `c_s` and `p` for a leg that no plan has looked up.

    Without a `calibration` intervals are the normal distribution's.
    """

    c_s: float
    p: float
    speed_percent: int
    zone: str
    travel_cv: float
    service_cv: float
    drift: float
    by_hour: tuple[float, ...] = ()
    calibration: Calibration | None = None

    def clear_s(self, visit: "Visit", origin: Point) -> float:
        """Return a leg's time on a clear road, as the day has it in the mean."""
        if visit.leg_s is not None:
            return float(visit.leg_s)
        crow_km = great_circle_m(origin, visit.point) / 1000
        return self.c_s * math.pow(crow_km, self.p)

    def hourly(self, at: datetime) -> float:
        """Return what the hour and the vehicle make of a clear second."""
        hour = at.astimezone(ZoneInfo(self.zone)).hour
        return hour_factor(hour, by_hour=self.by_hour) * 100 / self.speed_percent


def law_of(parameters: Parameters, *, speed_percent: int, zone: str) -> TravelLaw:
    """Return how a depot reckons the travel of one vehicle, by the clock of a zone."""
    return TravelLaw(
        c_s=parameters.travel_c_s,
        p=parameters.travel_p,
        speed_percent=speed_percent,
        zone=zone,
        travel_cv=parameters.eta_travel_cv,
        service_cv=parameters.eta_service_cv,
        drift=parameters.eta_drift,
        by_hour=parameters.travel_by_hour,
    )


@dataclass(frozen=True, slots=True)
class Visit:
    """A stop ahead. `leg_s` is the plan's travel from the stop before, where it has it.

    `preferred` is the window that its customer likes and that the plan keeps: a driver
    who is early waits for it; one who is late loses nothing more by it. `closed` are
    the times in which nobody gets there, as far as the plan waits for their end. `line`
    is the way from the stop before as it is drawn along the roads, if it is. `zone` is
    the part of town, by whose past errors its interval goes.
    """

    stop_id: UUID
    point: Point
    service_s: int
    windows: tuple[Interval, ...] = ()
    leg_s: int | None = None
    plan_eta_at: datetime | None = None
    preferred: Interval | None = None
    closed: tuple[Interval, ...] = ()
    line: tuple[Point, ...] = ()
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """A break that is still to be taken; it begins between two instants."""

    opens_at: datetime
    closes_at: datetime
    duration_s: int
    planned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outset:
    """From where, and when, the driver goes on; how far that is behind the plan.

    `idle_from` is since when there is nothing to do but to wait for the departure.
    """

    point: Point
    at: datetime
    late_s: int = 0
    where: str = NO_STOP_YET
    spread_s: float = 0.0
    idle_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one stop; `eta_at` is the begin of service.

    `spread_s` is the model's spread of the arrival, `ahead_s` how far it is from the
    outset; `is_one_sided` whether its interval can be missed on the late side alone.
    """

    stop_id: UUID
    leaves_at: datetime
    arrives_at: datetime
    eta_at: datetime
    low_at: datetime
    high_at: datetime
    reason: str
    spread_s: float = 0.0
    ahead_s: float = 0.0
    is_one_sided: bool = False


@dataclass(frozen=True, slots=True)
class Drive:
    """What holds for a whole drive: `planned` are the breaks that the plan has placed."""

    outset: Outset
    planned: Sequence[Rest]
    conditions: Sequence[RoadCondition]
    law: TravelLaw


@dataclass(slots=True)
class Way:
    """The drive in thought: where it has come to, and what has moved it."""

    at: datetime
    point: Point
    variance_s2: float
    began_at: datetime
    rests: list[Rest]
    rested_s: int = 0
    not_planned_s: int = 0
    hours_s: float = 0.0
    slowed_s: dict[UUID, float] = field(default_factory=dict)
