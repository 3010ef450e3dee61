"""The depots' verbs: open a depot, draw its zones, say who works there."""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from apps.core.actors import Actor
from apps.core.problems import Conflict, FieldError, Invalid, NotFound
from apps.core.units import Point
from apps.depots.models import Absence, Depot, DepotMembership, Zone
from apps.depots.zonenames import BAD_ZONE
from apps.journal.services import writing


class DepotExists(Conflict):
    """A depot has this code already."""

    type = "/problems/depot-exists"
    title = "A depot has this code already."


class AbsenceIsOver(Conflict):
    """An absence that has ended is not ended again."""

    type = "/problems/absence-is-over"
    title = "This absence is over already."


def create_depot(
    *,
    code: str,
    name: str,
    time_zone: str,
    country: str,
    currency: str,
    point: Point,
    is_demo: bool = False,
    by: Actor,
    now: datetime,
) -> Depot:
    """Open a depot.

    Raises:
        Invalid: the zone, country, currency, code or place is none.
        DepotExists: the code is taken.
    """
    depot = Depot(
        code=code,
        name=name.strip(),
        time_zone=time_zone,
        country=country.upper(),
        currency=currency.upper(),
        latitude=point.lat,
        longitude=point.lon,
        is_demo=is_demo,
    )
    if faults := list(depot_faults(depot)):
        raise Invalid(" ".join(fault.detail for fault in faults), errors=faults)
    with writing(by=by, now=now) as writer:
        if Depot.objects.filter(code__iexact=code).exists():
            raise DepotExists
        depot.save(force_insert=True)
        writer.record("depot.created", depot, depot_id=depot.pk, code=depot.code)
    return depot


def keep_depot(*, depot: Depot, by: Actor, now: datetime) -> Depot:
    """Store a depot as the office has filled it in.

    Raises:
        Invalid: the zone, country, currency, code or place is none.
    """
    if faults := list(depot_faults(depot)):
        raise Invalid(" ".join(fault.detail for fault in faults), errors=faults)
    kind = "depot.created" if depot._state.adding else "depot.changed"
    with writing(by=by, now=now) as writer:
        depot.save()
        writer.record(kind, depot, depot_id=depot.pk, code=depot.code)
    return depot


def keep_zone(*, zone: Zone, by: Actor, now: datetime) -> Zone:
    """Store a zone as the office has drawn it.

    Raises:
        Invalid: the boundary is no GeoJSON Polygon.
    """
    if fault := boundary_fault(zone.boundary):
        raise Invalid(fault.detail, errors=[fault])
    with writing(by=by, now=now) as writer:
        zone.save()
        writer.record("zone.drawn", zone, depot_id=zone.depot_id, code=zone.code)
    return zone


def depot_faults(depot: Depot) -> Iterator[FieldError]:
    """Yield what is wrong with a depot's fields."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", depot.code):
        yield FieldError(
            "/code", "bad_code", "A code has 1 to 32 letters, digits, - or _."
        )
    if not depot.name:
        yield FieldError("/name", "required", "Give the depot a name.")
    if depot.time_zone not in available_timezones():
        yield FieldError("/time_zone", "bad_zone", BAD_ZONE)
    if not re.fullmatch(r"[A-Z]{2}", depot.country):
        yield FieldError(
            "/country", "bad_country", "Give the country's two letters, such as DE."
        )
    if not re.fullmatch(r"[A-Z]{3}", depot.currency):
        yield FieldError(
            "/currency", "bad_currency", "Give the currency's three letters, as EUR."
        )
    if not depot.point.is_valid():
        yield FieldError(
            "/location", "bad_coordinates", "The place is not on the Earth, or is 0, 0."
        )


def draw_zone(
    *,
    depot_id: uuid.UUID,
    code: str,
    name: str,
    boundary: dict[str, Any],
    by: Actor,
    now: datetime,
) -> Zone:
    """Draw a zone, or redraw the one with this code.

    Raises:
        Invalid: the boundary is no GeoJSON Polygon.
    """
    known = Zone.objects.filter(depot_id=depot_id, code=code).first()
    zone = known or Zone(depot_id=depot_id, code=code)
    zone.name, zone.boundary = name, boundary
    return keep_zone(zone=zone, by=by, now=now)


def boundary_fault(boundary: Any) -> FieldError | None:
    """Return what is wrong with a zone's boundary, if anything is."""
    sentence = (
        "A boundary is a GeoJSON Polygon: closed rings of [longitude, latitude], "
        "four positions or more."
    )
    fault = FieldError("/boundary", "bad_polygon", sentence)
    if not isinstance(boundary, dict) or boundary.get("type") != "Polygon":
        return fault
    rings = boundary.get("coordinates")
    if not isinstance(rings, list) or not rings:
        return fault
    return None if all(map(_is_ring, rings)) else fault


def _is_ring(ring: Any) -> bool:
    return (
        isinstance(ring, list)
        and len(ring) >= 4
        and ring[0] == ring[-1]
        and all(map(_is_position, ring))
    )


def _is_position(position: Any) -> bool:
    return (
        isinstance(position, list)
        and len(position) >= 2
        and all(isinstance(degree, int | float) for degree in position[:2])
        and abs(position[0]) <= 180
        and abs(position[1]) <= 90
    )


def add_member(
    *, depot_id: uuid.UUID, user_id: int, by: Actor, now: datetime
) -> DepotMembership:
    """Let a user work for a depot; a repeat changes nothing."""
    with writing(by=by, now=now) as writer:
        membership, is_new = DepotMembership.objects.get_or_create(
            depot_id=depot_id, user_id=user_id
        )
        if is_new:
            writer.record(
                "depot.member_added", membership, depot_id=depot_id, user_id=user_id
            )
    return membership


def note_absence(
    *,
    user_id: int,
    from_at: datetime,
    until_at: datetime,
    stand_in_id: int | None,
    by: Actor,
    now: datetime,
) -> Absence:
    """Note that somebody is away from one instant until another, and who answers.

    Raises:
        Invalid: it ends before it begins, is over already, or somebody is to stand in
            who shares no depot with the absent.
    """
    if faults := list(_absence_faults(user_id, from_at, until_at, stand_in_id, now)):
        raise Invalid(" ".join(fault.detail for fault in faults), errors=faults)
    with writing(by=by, now=now) as writer:
        absence = Absence.objects.create(
            user_id=user_id,
            from_at=from_at,
            until_at=until_at,
            stand_in_id=stand_in_id,
            noted_at=now,
            noted_by=str(by),
        )
        writer.record("absence.noted", absence, **_absence_facts(absence))
    return absence


def end_absence(*, absence_id: uuid.UUID, by: Actor, now: datetime) -> Absence:
    """Let an absence end now; one that has not begun never does.

    Raises:
        NotFound: there is none with this id.
        AbsenceIsOver: it has ended.
    """
    with writing(by=by, now=now) as writer:
        absence = Absence.objects.select_for_update().filter(pk=absence_id).first()
        if absence is None:
            raise NotFound
        if absence.until_at <= now:
            raise AbsenceIsOver
        absence.until_at = max(now, absence.from_at)
        absence.save(update_fields=["until_at"])
        writer.record("absence.ended", absence, **_absence_facts(absence))
    return absence


def _absence_facts(absence: Absence) -> dict[str, Any]:
    return {
        "user_id": absence.user_id,
        "from_at": absence.from_at.isoformat(),
        "until_at": absence.until_at.isoformat(),
        "stand_in_id": absence.stand_in_id,
    }


def _absence_faults(
    user_id: int,
    from_at: datetime,
    until_at: datetime,
    stand_in_id: int | None,
    now: datetime,
) -> Iterator[FieldError]:
    if until_at <= from_at:
        yield FieldError("/until_at", "bad_span", "It must end after it begins.")
    elif until_at <= now:
        yield FieldError("/until_at", "in_the_past", "This time is over already.")
    if stand_in_id is None:
        return
    if stand_in_id == user_id:
        yield FieldError("/stand_in", "same_person", "Nobody stands in for himself.")
        return
    depots = DepotMembership.objects.filter(user_id=user_id).values("depot")
    shared = DepotMembership.objects.filter(user_id=stand_in_id, depot__in=depots)
    if not shared.filter(user__is_active=True).exists():
        yield FieldError(
            "/stand_in",
            "no_colleague",
            "A stand-in works for the same depot, and has an open account.",
        )
