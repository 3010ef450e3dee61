"""What a customer may know of an order on its way: in which state, when, how near. Pure.

The van's place is told only when few stops or minutes are left; before that a distance in
coarse steps, and nothing at all once the driver has been there.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from apps.core.units import Point, great_circle_m

STEP_M = 50
"""A van near by is placed to so many metres: enough to meet it, too little to stalk it."""

ETA_STEP = timedelta(minutes=5)
"""An interval is told in whole steps: it does not flicker with every leg."""

RECEIVED, PLANNED, OUT, NEAR, COMING, THERE = (
    *("received", "planned", "out", "near", "coming", "there"),
)
DELIVERED, PARTIAL, FAILED, CANCELLED = "delivered", "partial", "failed", "cancelled"

ENDS = {
    "delivered": DELIVERED,
    "partial": PARTIAL,
    "failed": FAILED,
    "cancelled": CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Nearness:
    """When the van's place is told, and how coarse the distance is before."""

    stops: int = 3
    minutes: int = 20
    coarse_m: int = 1000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an order and its stop; `eta` is expected, earliest, latest."""

    order_status: str
    service_date: date
    today: date
    windows: tuple[tuple[datetime, datetime], ...] = ()
    stop_status: str = ""
    is_out: bool = False
    stops_before: int = 0
    eta: tuple[datetime | None, datetime | None, datetime | None] = (None, None, None)
    done_at: datetime | None = None
    home: Point | None = None
    van: Point | None = None


@dataclass(frozen=True, slots=True)
class Tracked:
    """What the customer is told."""

    status: str
    service_date: date
    is_today: bool
    window: tuple[datetime, datetime] | None = None
    """When it is promised, or expected."""
    is_live: bool = False
    """Whether the window is the live ETA's interval."""
    stops_before: int | None = None
    away_m: int | None = None
    """About how far the van is away, in coarse steps until it is near."""
    bearing_deg: int | None = None
    """From where it comes, clockwise from north; told near by alone."""
    done_at: datetime | None = None

    is_late: bool = False
    """Whether what was promised is over, and the driver is not on the road with it."""

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come."""
        return self.status in (DELIVERED, PARTIAL, CANCELLED)


def track(facts: Facts, near: Nearness, now: datetime) -> Tracked:
    """Return what an order's customer may know at an instant."""
    is_today = facts.service_date == facts.today
    end = ENDS.get(facts.order_status)
    if end is not None:
        return Tracked(end, facts.service_date, is_today, done_at=facts.done_at)
    window = facts.windows[0] if facts.windows else None
    if not facts.stop_status:
        return Tracked(RECEIVED, facts.service_date, is_today, window)
    eta = _interval(facts, now)
    if not facts.is_out or not (is_today or _goes_on(facts, now)):
        promised = window or eta
        is_late = promised is not None and promised[1] < now
        return Tracked(PLANNED, facts.service_date, is_today, promised, is_late=is_late)
    status = _on_the_road(facts, near, now)
    away_m, bearing = _away(facts, near, is_near=status != OUT)
    is_near = status != OUT
    return Tracked(
        status=status,
        service_date=facts.service_date,
        is_today=is_today,
        window=eta or window,
        is_live=eta is not None,
        stops_before=facts.stops_before if is_near else None,
        away_m=away_m,
        bearing_deg=bearing,
    )


def _goes_on(facts: Facts, now: datetime) -> bool:
    """Tell whether yesterday's round is still driven: after midnight it is ahead yet."""
    expected, _, latest = facts.eta
    ahead = latest or expected
    return facts.service_date < facts.today and ahead is not None and ahead >= now


def _on_the_road(facts: Facts, near: Nearness, now: datetime) -> str:
    if facts.stop_status == "arrived":
        return THERE
    if facts.stop_status == "enroute":
        return COMING
    expected = facts.eta[0]
    soon = now + timedelta(minutes=near.minutes)
    is_soon = expected is not None and expected <= soon
    return NEAR if facts.stops_before < near.stops or is_soon else OUT


def _interval(facts: Facts, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the ETA's interval in whole steps, not in the past."""
    expected, low, high = facts.eta
    if expected is None:
        return None
    early = max(low or expected, now) if facts.is_out else low or expected
    late = max(high or expected, early)
    return in_steps(early, late)


def in_steps(early: datetime, late: datetime) -> tuple[datetime, datetime]:
    """Return an interval as customers are told it: in whole steps, two at the least."""
    first, last = _floor(early), _floor(late)
    return first, max(last + ETA_STEP, first + 2 * ETA_STEP)


def _floor(at: datetime) -> datetime:
    step_s = int(ETA_STEP.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // step_s * step_s, at.tzinfo)


def _away(
    facts: Facts, near: Nearness, *, is_near: bool
) -> tuple[int | None, int | None]:
    """Return how far the van is, and where: to the step that is fit."""
    if facts.van is None or facts.home is None:
        return None, None
    metres = great_circle_m(facts.van, facts.home)
    step_m = STEP_M if is_near else near.coarse_m
    away_m = max(step_m, math.ceil(metres / step_m) * step_m)
    return away_m, _bearing_deg(facts.home, facts.van) if is_near else None


def _bearing_deg(here: Point, there: Point) -> int:
    """Return in which direction a near place lies, in steps of 15 degrees."""
    east = (there.lon - here.lon) * math.cos(math.radians(here.lat))
    north = there.lat - here.lat
    degrees = math.degrees(math.atan2(east, north))
    return round(degrees / 15) * 15 % 360
