"""A composed crew for any depot's day, so that imported orders can be planned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.core.actors import Actor
from apps.depots.models import Depot
from apps.drivers import services as drivers
from apps.drivers.models import Driver, Shift, Vehicle

BREAK_S = 1_800
BREAK_AFTER, BREAK_BEFORE = 0.35, 0.65
"""A break begins in the middle of a shift: between these shares of it."""

OVERTIME_S = 1_800


@dataclass(frozen=True, slots=True)
class CrewDraft:
    """How many drivers, from when to when (the depot's time), and what they drive."""

    size: int
    starts: time
    ends: time
    vehicle: Mapping[str, int]
    with_break: bool = True


def compose_crew(
    *, depot: Depot, service_date: date, draft: CrewDraft, by: Actor, now: datetime
) -> list[Shift]:
    """Give a day so many composed drivers, each with a van and a shift.

    Drivers and vans that an earlier call made are taken again; who has a shift on the
    day keeps it, and it is returned as it is.
    """
    return [
        _shift(depot, service_date, number, draft, by, now)
        for number in range(1, draft.size + 1)
    ]


def _shift(  # noqa: PLR0917
    depot: Depot,
    service_date: date,
    number: int,
    draft: CrewDraft,
    by: Actor,
    now: datetime,
) -> Shift:
    driver = _driver(depot, number, by, now)
    there = Shift.objects.filter(driver=driver, service_date=service_date).first()
    if there is not None:
        return there
    return drivers.plan_shift(
        driver=driver,
        vehicle=_vehicle(depot, number, draft.vehicle, by, now),
        service_date=service_date,
        times=_times(depot, service_date, draft),
        by=by,
        now=now,
    )


def _driver(depot: Depot, number: int, by: Actor, now: datetime) -> Driver:
    username = f"{depot.code.lower()}-d{number:02d}"
    there = Driver.objects.filter(depot=depot, user__username=username).first()
    return there or drivers.hire_driver(
        depot=depot,
        username=username,
        password=None,
        fields={"name": f"Driver {number:02d} (composed)"},
        by=by,
        now=now,
    )


def _vehicle(
    depot: Depot, number: int, capacity: Mapping[str, int], by: Actor, now: datetime
) -> Vehicle:
    name = f"Van {number:02d} (composed)"
    there = Vehicle.objects.filter(depot=depot, name=name).first()
    if there is None:
        return drivers.add_vehicle(
            depot=depot, fields={"name": name, **capacity}, by=by, now=now
        )
    if all(getattr(there, field) == value for field, value in capacity.items()):
        return there
    return drivers.change_vehicle(
        vehicle_id=there.pk, expected_version=None, fields=capacity, by=by, now=now
    )


def _times(depot: Depot, service_date: date, draft: CrewDraft) -> drivers.ShiftTimes:
    zone = ZoneInfo(depot.time_zone)
    starts_at = datetime.combine(service_date, draft.starts, zone)
    ends_at = datetime.combine(service_date, draft.ends, zone)
    if ends_at <= starts_at:
        ends_at = datetime.combine(service_date + timedelta(days=1), draft.ends, zone)
    length = ends_at - starts_at
    rest = drivers.BreakTime(
        opens_at=starts_at + length * BREAK_AFTER,
        closes_at=starts_at + length * BREAK_BEFORE,
        duration_s=BREAK_S,
    )
    return drivers.ShiftTimes(
        starts_at, ends_at, OVERTIME_S, (rest,) if draft.with_break else ()
    )
