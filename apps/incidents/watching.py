"""What needs somebody, read off the tables by the clock; never writes.

Each watch returns all that is so now: what was so and is no more has ended by itself.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Max

from apps.core.models import TaskRun
from apps.core.units import instant_of
from apps.drivers.models import Device, Position, Shift
from apps.drivers.states import DeviceState, ShiftState
from apps.incidents.daywatches import failed_plans, missed_customers, surges
from apps.incidents.services.incidents import IncidentDraft
from apps.routes.models import PlanChange, Route
from apps.routes.states import RouteState

UNSEEN_FOR = timedelta(minutes=10)
"""A change of the plan that the driver has not seen for so long."""
LATE_BY = timedelta(minutes=15)
"""A shift that should have begun so long ago."""
SILENT_FOR = timedelta(minutes=45)
"""Devices work without a signal; after so long somebody should call."""
DEAD_SINCE = timedelta(days=1)

ON_THE_ROAD = (ShiftState.STARTED, ShiftState.PAUSED)
RUNNING = (RouteState.PUBLISHED, RouteState.STARTED)

Watch = Callable[[datetime], Iterator[IncidentDraft]]


def unseen_changes(now: datetime) -> Iterator[IncidentDraft]:
    """Yield the routes with changes that their drivers should have seen."""
    rows = PlanChange.objects.filter(
        acknowledged_at=None,
        made_at__lte=now - UNSEEN_FOR,
        route__status__in=RUNNING,
        route__shift__status__in=ON_THE_ROAD,
        route__ends_at__gt=now,
    )
    seen: set[uuid.UUID] = set()
    for change in rows.select_related("route", "driver").order_by("id"):
        if change.route_id in seen:
            continue
        seen.add(change.route_id)
        yield IncidentDraft(
            depot_id=change.route.depot_id,
            kind="unacknowledged",
            cause=f"unseen/{change.pk}",
            title=f"{change.driver} has not seen a change of the route",
            subject_type="planchange",
            subject_id=str(change.pk),
            details={"driver_id": str(change.driver_id)},
        )


def late_shifts(now: datetime) -> Iterator[IncidentDraft]:
    """Yield the shifts that should have begun."""
    rows = Shift.objects.filter(
        status=ShiftState.PLANNED, starts_at__lte=now - LATE_BY, ends_at__gt=now
    )
    for shift in rows.select_related("driver"):
        yield IncidentDraft(
            depot_id=shift.depot_id,
            kind="late_shift",
            cause=f"late_shift/{shift.pk}/{shift.starts_at.isoformat()}",
            title=f"The shift of {shift.driver} has not begun",
            subject_type="shift",
            subject_id=str(shift.pk),
            details={"driver_id": str(shift.driver_id)},
        )


def silent_devices(now: datetime) -> Iterator[IncidentDraft]:
    """Yield the drivers on the road of whom nothing is heard."""
    shifts = Shift.objects.filter(status__in=ON_THE_ROAD, ends_at__gt=now)
    driving = {shift.driver_id: shift for shift in shifts.select_related("driver")}
    heard = _last_heard(list(driving))
    for driver_id, shift in driving.items():
        last = max(heard.get(driver_id) or shift.starts_at, shift.starts_at)
        if last > now - SILENT_FOR:
            continue
        yield IncidentDraft(
            depot_id=shift.depot_id,
            kind="silent_device",
            cause=f"silent/{shift.pk}/{last.isoformat()}",
            title=f"Nothing is heard from {shift.driver}",
            subject_type="driver",
            subject_id=str(driver_id),
            details={"driver_id": str(driver_id), "last_heard_at": last.isoformat()},
        )


def _last_heard(driver_ids: list[uuid.UUID]) -> Mapping[uuid.UUID, datetime]:
    """Return when each driver's device last called, or where it last was."""
    devices = Device.objects.filter(
        driver__in=driver_ids, status=DeviceState.ACTIVE, last_seen_at__isnull=False
    )
    called = devices.order_by().values_list("driver").annotate(at=Max("last_seen_at"))
    heard: dict[uuid.UUID, datetime] = dict(called)
    fixes = Position.objects.filter(driver__in=driver_ids).order_by()
    for driver_id, at_ms in fixes.values_list("driver").annotate(at=Max("occurred_ms")):
        at = instant_of(at_ms)
        heard[driver_id] = max(heard.get(driver_id, at), at)
    return heard


def stale_roads(now: datetime) -> Iterator[IncidentDraft]:
    """Yield the days that are driven by the estimate, though roads are asked for."""
    if settings.ROADS_SOURCE == "estimated":
        return
    rows = Route.objects.filter(
        status__in=RUNNING, travel_quality="estimated", ends_at__gt=now
    )
    for depot_id, day in (
        rows.order_by().values_list("depot", "service_date").distinct()
    ):
        yield IncidentDraft(
            depot_id=depot_id,
            kind="stale_roads",
            cause=f"stale_roads/{day.isoformat()}",
            subject_type="depot",
            subject_id=str(depot_id),
            details={"service_date": day.isoformat()},
        )


def dead_tasks(now: datetime) -> Iterator[IncidentDraft]:
    """Yield the background work of a depot that gave up since yesterday."""
    rows = TaskRun.objects.filter(
        state=TaskRun.State.DEAD, finished_at__gt=now - DEAD_SINCE
    )
    for run in rows:
        if run.depot_id is None:
            continue  # the administrators' own: they have a page for it
        task = run.task.rpartition(".")[2].replace("_", " ")
        yield IncidentDraft(
            depot_id=run.depot_id,
            kind="task_dead",
            cause=f"task/{run.pk}/{run.finished_at and run.finished_at.isoformat()}",
            title=f"Background work gave up: {task}",
            subject_type="taskrun",
            subject_id=str(run.pk),
        )


WATCHES: Final[Mapping[str, Watch]] = {
    "unacknowledged": unseen_changes,
    "late_shift": late_shifts,
    "silent_device": silent_devices,
    "stale_roads": stale_roads,
    "task_dead": dead_tasks,
    "missed": missed_customers,
    "failed_solve": failed_plans,
    "surge": surges,
}
"""By the kind of incident that each raises."""
