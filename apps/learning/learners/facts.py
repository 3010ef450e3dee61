"""What is read of a route that was driven, as the learners take it. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Clocks:
    """When a fact happened by the device's clock, and when it reached ours."""

    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class StopFact:
    """One visit. Hours are the depot's; `zone` is empty where an order has none.

    `opens_at` is the begin of the window that the driver may have waited for;
    `planned_after` names the stop that the plan had before this one; `leg_km` is the
    beeline from the visit before, begun in `leg_hour`; `wave` names the hour in which its
    window opens.
    """

    stop_id: str
    zone: str
    building: str
    address: str
    parcels: int
    planned_s: int
    is_delivered: bool
    arrived: Clocks
    completed: Clocks
    left_at: datetime | None
    hour: int
    opens_at: datetime | None
    planned_after: str
    planned_at: datetime | None
    leg_km: float
    leg_hour: int
    wave: str = ""


@dataclass(frozen=True, slots=True)
class RouteFact:
    """A route as it was driven: its stops in the order of arrival.

    `verdict` says of a route that was driven in another sequence than planned who was
    right: `right` (the driver), `wrong`, or `undecidable`; nothing where nobody judged.
    """

    route_id: str
    driver_class: str
    speed: float
    stops: tuple[StopFact, ...]
    rests: tuple[datetime, ...]
    verdict: str = ""
