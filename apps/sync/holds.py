"""What people hold fast of a driver's stops and routes, as the device shows it."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext

from apps.drivers.actors import names_of
from apps.overrides.holdwords import THE_OFFICE, told_lock, told_pin
from apps.routes.pinned import Pin, RouteLock

SHOWN: Final = (Pin.Kind.PLACE, Pin.Kind.DRIVER, Pin.Kind.TIME)
"""A stop that is off today is on no device."""


@dataclass(frozen=True, slots=True)
class Pins:
    """What is held of one stop: each pin as JSON values, and all of them in words."""

    rows: tuple[Mapping[str, Any], ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """Who has locked a route, until when (None: for the day), and the same in words."""

    by: str
    until_at: datetime | None
    text: str


def pins_of(
    stop_ids: Collection[uuid.UUID], driver_id: uuid.UUID
) -> Mapping[uuid.UUID, Pins]:
    """Return what is held of stops, in the language that is active.

    What only a clock has ended is still told, with that time: a device's row changes by
    facts alone.
    """
    rows = Pin.objects.filter(stop__in=stop_ids, ended_at=None, kind__in=SHOWN)
    pins = list(rows.select_related("stop__order__depot").order_by("id"))
    if not pins:
        return {}
    names = _names([pin.made_by for pin in pins], driver_id)
    found: dict[uuid.UUID, list[tuple[Mapping[str, Any], str]]] = defaultdict(list)
    for pin in pins:
        by, zone = names[pin.made_by], pin.stop.order.depot.time_zone
        row = {
            "kind": pin.kind,
            "by": by,
            "is_yours": not by,
            "from_at": _ms(pin.opens_at),
            "before_at": _ms(pin.closes_at),
            "until_at": _ms(pin.until_at),
            "why": pin.why,
        }
        found[pin.stop_id].append((row, told_pin(pin, by=by, zone=zone)))
    return {
        stop_id: Pins(tuple(row for row, _ in each), " ".join(text for _, text in each))
        for stop_id, each in found.items()
    }


def locks_of(
    route_ids: Collection[uuid.UUID], driver_id: uuid.UUID
) -> Mapping[uuid.UUID, Lock]:
    """Return the locks of routes, in the language that is active; see `pins_of`."""
    rows = RouteLock.objects.filter(route__in=route_ids, ended_at=None)
    locks = list(rows.select_related("route__depot"))
    names = _names([lock.made_by for lock in locks], driver_id) if locks else {}
    found = {}
    for lock in locks:
        by, zone = names[lock.made_by], lock.route.depot.time_zone
        text = told_lock(lock, by=by, zone=zone)
        found[lock.route_id] = Lock(by, lock.until_at, text)
    return found


def _names(actors: Collection[str], driver_id: uuid.UUID) -> Mapping[str, str]:
    """Return people by name; nothing for the driver who reads it."""
    unknown = dict.fromkeys(actors, gettext(THE_OFFICE))
    return {**unknown, **names_of(actors), f"driver:{driver_id}": ""}


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else round(instant.timestamp() * 1000)
