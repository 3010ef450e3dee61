"""Pins and locks as they are set and ended, inside the verb that decides on them."""

import uuid
from collections.abc import Collection
from datetime import date, datetime

from django.db.models import QuerySet

from apps.journal.services import Writer
from apps.routes.models import Route, Stop
from apps.routes.pinned import Pin, RouteLock
from apps.routes.states import RouteState


def pin_stop(
    stop: Stop,
    kind: str,
    journal: Writer,
    *,
    shift_id: uuid.UUID | None = None,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
    why: str = "",
) -> Pin:
    """Hold one thing of a stop for its day; what held it before is ended."""
    end_pins([stop.pk], journal, kinds=(kind,))
    pin = Pin.objects.create(
        stop=stop,
        kind=kind,
        service_date=stop.order.service_date,
        shift_id=shift_id,
        opens_at=opens_at,
        closes_at=closes_at,
        why=why,
        made_at=journal.now,
        made_by=str(journal.by),
    )
    journal.record(
        "stop.pinned",
        stop,
        depot_id=stop.order.depot_id,
        kind=str(kind),
        shift_id=str(shift_id) if shift_id else None,
        opens_at=opens_at.isoformat() if opens_at else None,
        closes_at=closes_at.isoformat() if closes_at else None,
        why=why,
    )
    _tell_holders([stop.pk], journal)
    return pin


def end_pins(
    stop_ids: Collection[uuid.UUID], journal: Writer, *, kinds: Collection[str]
) -> int:
    """End what holds stops, by kind; return how many pins were ended."""
    return _end(Pin.objects.filter(stop__in=stop_ids, kind__in=kinds), journal)


def end_pins_of_other_days(stop: Stop, service_date: date, journal: Writer) -> int:
    """End what held a stop on the day that its order has left; return how many pins."""
    rows = Pin.objects.filter(stop=stop).exclude(service_date=service_date)
    return _end(rows, journal)


def _end(pins: QuerySet[Pin], journal: Writer) -> int:
    rows = pins.filter(ended_at=None)
    ended = list(rows.select_related("stop__order"))
    rows.update(ended_at=journal.now, ended_by=str(journal.by))
    for pin in ended:
        journal.record(
            "stop.unpinned", pin.stop, depot_id=pin.stop.order.depot_id, kind=pin.kind
        )
    if ended:
        _tell_holders({pin.stop_id for pin in ended}, journal)
    return len(ended)


def _tell_holders(stop_ids: Collection[uuid.UUID], journal: Writer) -> None:
    """Tell the drivers who have these stops by now what is held of them."""
    rows = Stop.objects.filter(pk__in=stop_ids, route__isnull=False)
    published = rows.exclude(route__status=RouteState.DRAFT)
    for stop_id, driver_id in published.values_list("pk", "route__driver_id"):
        journal.changed(driver_id, "stops", stop_id)


def lock_route(
    route: Route, journal: Writer, *, until_at: datetime | None, why: str
) -> RouteLock:
    """Hold a whole route; a lock that it has is replaced."""
    unlock_route(route, journal)
    lock = RouteLock.objects.create(
        route=route,
        why=why,
        made_at=journal.now,
        made_by=str(journal.by),
        until_at=until_at,
    )
    journal.record(
        "route.locked",
        route,
        depot_id=route.depot_id,
        until_at=until_at.isoformat() if until_at else None,
        why=why,
    )
    journal.changed(route.driver_id, "routes", route.pk)
    return lock


def unlock_route(route: Route, journal: Writer) -> bool:
    """Release a route; tell whether it was locked."""
    rows = RouteLock.objects.filter(route=route, ended_at=None)
    if not rows.update(ended_at=journal.now, ended_by=str(journal.by)):
        return False
    journal.record("route.unlocked", route, depot_id=route.depot_id)
    journal.changed(route.driver_id, "routes", route.pk)
    return True
