"""Which pins and locks hold at an instant: read from the tables; never writes."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db.models import F, Q

from apps.drivers.actors import names_of
from apps.routes.dayinputs import Interval
from apps.routes.pinned import Pin, RouteLock

ALL_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Held:
    """What people hold fast of a day, by stop; `locked` are shifts whose route is."""

    places: Mapping[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    drivers: Mapping[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    times: Mapping[uuid.UUID, Pin] = field(default_factory=dict)
    off: frozenset[uuid.UUID] = frozenset()
    locked: frozenset[uuid.UUID] = frozenset()


def in_force(now: datetime) -> Q:
    """Return the condition of pins and locks that nobody and no clock has ended."""
    return Q(ended_at=None) & (Q(until_at=None) | Q(until_at__gt=now))


def held_on(depot_id: uuid.UUID, service_date: date, *, now: datetime) -> Held:
    """Return what is held of a depot's day."""
    rows = Pin.objects.filter(
        in_force(now), service_date=service_date, stop__order__depot_id=depot_id
    )
    places: dict[uuid.UUID, uuid.UUID] = {}
    drivers: dict[uuid.UUID, uuid.UUID] = {}
    times: dict[uuid.UUID, Pin] = {}
    off: set[uuid.UUID] = set()
    for pin in rows.order_by("id"):
        if pin.kind == Pin.Kind.PLACE and pin.shift_id is not None:
            places[pin.stop_id] = pin.shift_id
        elif pin.kind == Pin.Kind.DRIVER and pin.shift_id is not None:
            drivers[pin.stop_id] = pin.shift_id
        elif pin.kind == Pin.Kind.TIME:
            times[pin.stop_id] = pin
        else:
            off.add(pin.stop_id)
    return Held(
        places,
        drivers,
        times,
        frozenset(off),
        locked_shifts(depot_id, service_date, now),
    )


def locked_shifts(
    depot_id: uuid.UUID, service_date: date, now: datetime
) -> frozenset[uuid.UUID]:
    """Return the shifts whose routes are locked."""
    rows = RouteLock.objects.filter(
        in_force(now), route__depot_id=depot_id, route__service_date=service_date
    )
    return frozenset(rows.values_list("route__shift_id", flat=True))


def pinned_times(
    stop_ids: Collection[uuid.UUID], *, now: datetime
) -> Mapping[uuid.UUID, Pin]:
    """Return the pins of time of these stops, by stop."""
    rows = Pin.objects.filter(in_force(now), stop__in=stop_ids, kind=Pin.Kind.TIME)
    return {pin.stop_id: pin for pin in rows.order_by("id")}


def pinned_windows(pin: Pin, windows: Collection[Interval]) -> tuple[Interval, ...]:
    """Return the windows that a pin of time leaves; where it leaves none, it counts alone.

    An end that it leaves open is that of the windows, or a day from its other end.
    """
    opens_at, closes_at = pin.opens_at, pin.closes_at
    kept = [
        Interval(
            max(window.opens_at, opens_at or window.opens_at),
            min(window.closes_at, closes_at or window.closes_at),
        )
        for window in windows
    ]
    kept = [window for window in kept if window.opens_at < window.closes_at]
    if kept:
        return tuple(kept)
    if opens_at is None and closes_at is not None:
        opens_at = closes_at - ALL_DAY
    if closes_at is None and opens_at is not None:
        closes_at = opens_at + ALL_DAY
    if opens_at is None or closes_at is None:
        raise ValueError(f"Pin {pin.pk} of time has neither end.")
    return (Interval(opens_at, closes_at),)


@dataclass(frozen=True, slots=True)
class Hold:
    """One thing that people hold fast of a route, as its page tells it."""

    what: str
    reference: str
    stop_id: uuid.UUID | None
    opens_at: datetime | None
    closes_at: datetime | None
    until_at: datetime | None
    why: str
    made_at: datetime
    made_by: str


def holds_on_route(route_id: uuid.UUID, *, now: datetime) -> list[Hold]:
    """Return a route's lock and the pins of its stops that are in force, newest first."""
    locks = RouteLock.objects.filter(in_force(now), route=route_id)
    pins = Pin.objects.filter(
        in_force(now),
        stop__route=route_id,
        service_date=F("stop__route__service_date"),
    ).select_related("stop__order")
    held = [
        Hold(
            *("The whole route", "", None, None, None),
            lock.until_at,
            lock.why,
            lock.made_at,
            lock.made_by,
        )
        for lock in locks
    ]
    held += [
        Hold(
            pin.get_kind_display(),
            pin.stop.order.reference,
            pin.stop_id,
            pin.opens_at,
            pin.closes_at,
            pin.until_at,
            pin.why,
            pin.made_at,
            pin.made_by,
        )
        for pin in pins
    ]
    names = names_of({one.made_by for one in held})
    return [replace(one, made_by=names.get(one.made_by, one.made_by)) for one in held]
