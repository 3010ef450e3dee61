"""Conditions of the road: reported, changed, confirmed, ended by a person, expired."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from apps.core.actors import Actor
from apps.core.etags import PreconditionFailed
from apps.core.problems import FieldError, Invalid, NotFound
from apps.depots.models import Depot
from apps.journal.services import Writer, writing
from apps.routes.conditionrows import Condition
from apps.routes.inforce import open_conditions, place_of
from apps.routes.places import Circle, Place, distances_m
from apps.routes.roaddrafts import ConditionDraft, draft_faults
from apps.routes.states import CONDITION_STEPS, OPEN_CONDITIONS, ConditionState

UNCONFIRMED_FOR = timedelta(minutes=60)
"""How long a driver's word counts until somebody confirms it."""

CONFIRMED_FOR = timedelta(hours=4)
"""How long it counts once confirmed, where nobody says until when."""

SAME_PLACE_M = 100
"""A report so near to one of its kind that is open is another word of the same."""

_DRAFTED = (
    *("kind", "title", "note", "latitude", "longitude", "radius_m", "boundary"),
    *("from_at", "until_at", "daily_from", "daily_until", "percent"),
)


def report_condition(
    *,
    depot_id: uuid.UUID,
    draft: ConditionDraft,
    source: str,
    by: Actor,
    now: datetime,
) -> Condition:
    """Take in what somebody says of the road; the office's word counts at once.

    Raises:
        Invalid: there is no such depot, or the draft has faults.

    A driver's report that comes when its time is over is kept, and changes nothing.
    """
    depot = Depot.objects.filter(pk=depot_id).first()
    if depot is None:
        raise Invalid("There is no such depot.")
    _check(draft, depot)
    is_drivers = source == Condition.Source.DRIVER
    is_over = draft.until_at <= now
    if is_over and not is_drivers:
        fault = FieldError("/until_at", "is_over", "This instant has passed already.")
        raise Invalid(fault.detail, errors=[fault])
    with writing(by=by, now=now) as journal:
        condition = Condition(
            depot=depot,
            source=source,
            status=_first_state(is_drivers=is_drivers, is_over=is_over),
            reported_by=str(by),
            reported_at=now,
            **_columns(draft),
        )
        if not is_drivers:
            condition.confirmed_at, condition.confirmed_by = now, str(by)
        condition.save(force_insert=True)
        news = "condition.came_late" if is_over else "condition.reported"
        _record(news, condition, journal)
    return condition


def report_from_road(
    *,
    depot_id: uuid.UUID,
    kind: str,
    place: Circle,
    occurred_at: datetime,
    note: str,
    by: Actor,
    now: datetime,
) -> tuple[Condition, bool]:
    """Take in a driver's report; tell whether it still changes anything.

    It counts for an hour until a supervisor confirms it. Another word of one that is
    open there is counted with it, and lets an unconfirmed one last.

    Raises:
        Invalid: the place makes no sense.
    """
    until_at = occurred_at + UNCONFIRMED_FOR
    with writing(by=by, now=now) as journal:
        known = _same(depot_id, kind, place, occurred_at)
        if known is None:
            draft = ConditionDraft(kind, place, occurred_at, until_at, note=note)
            source = Condition.Source.DRIVER
            condition = report_condition(
                depot_id=depot_id, draft=draft, source=source, by=by, now=now
            )
            return condition, until_at > now
        known.reports += 1
        if note:
            known.note = f"{known.note}\n{note}".strip()[:2000]
        lasts = known.status == ConditionState.UNCONFIRMED and until_at > known.until_at
        if lasts:
            known.until_at = until_at
        known.version += 1
        known.save()
        kind_of_news = "condition.changed" if lasts else "condition.reported_again"
        _record(kind_of_news, known, journal)
    return known, known.until_at > now


def change_condition(
    *,
    condition_id: uuid.UUID,
    expected_version: int | None,
    draft: ConditionDraft,
    by: Actor,
    now: datetime,
) -> Condition:
    """Change an open condition to what the draft says; the depot stays.

    Raises:
        NotFound: there is no such condition.
        PreconditionFailed: it was changed since the caller read it.
        IllegalStep: it is over.
        Invalid: the draft has faults.
    """
    with writing(by=by, now=now) as journal:
        condition = _locked(condition_id, expected_version)
        CONDITION_STEPS.check(condition.status, ConditionState.ENDED)
        _check(draft, condition.depot)
        before = {name: getattr(condition, name) for name in _DRAFTED}
        for name, value in _columns(draft).items():
            setattr(condition, name, value)
        changed = [n for n in _DRAFTED if getattr(condition, n) != before[n]]
        if changed:
            condition.version += 1
            condition.save()
            _record("condition.changed", condition, journal, fields=changed)
    return condition


def confirm_condition(
    *,
    condition_id: uuid.UUID,
    expected_version: int | None,
    until_at: datetime | None = None,
    by: Actor,
    now: datetime,
) -> Condition:
    """Confirm a driver's report; it then counts until `until_at`, or for some hours.

    Raises:
        NotFound: there is no such condition.
        PreconditionFailed: it was changed since the caller read it.
        IllegalStep: it is confirmed already, or over.
        Invalid: `until_at` is not after the present.
    """
    with writing(by=by, now=now) as journal:
        condition = _locked(condition_id, expected_version)
        CONDITION_STEPS.check(condition.status, ConditionState.CONFIRMED)
        until_at = until_at or max(condition.until_at, now + CONFIRMED_FOR)
        if until_at <= max(now, condition.from_at):
            raise Invalid("Say until when it lasts: an instant that is still to come.")
        condition.status, condition.until_at = ConditionState.CONFIRMED, until_at
        condition.confirmed_at, condition.confirmed_by = now, str(by)
        condition.version += 1
        condition.save()
        _record("condition.confirmed", condition, journal)
    return condition


def end_condition(
    *,
    condition_id: uuid.UUID,
    expected_version: int | None,
    by: Actor,
    now: datetime,
) -> Condition:
    """End a condition before its time: the road is free, or the report was wrong.

    Raises:
        NotFound: there is no such condition.
        PreconditionFailed: it was changed since the caller read it.
        IllegalStep: it is over already.
    """
    with writing(by=by, now=now) as journal:
        condition = _locked(condition_id, expected_version)
        CONDITION_STEPS.check(condition.status, ConditionState.ENDED)
        condition.status = ConditionState.ENDED
        condition.ended_at, condition.ended_by = now, str(by)
        condition.version += 1
        condition.save()
        _record("condition.ended", condition, journal)
    return condition


def expire_conditions(*, by: Actor, now: datetime) -> list[Condition]:
    """Close the conditions whose time is over; return them.

    They have no effect from their expiry on; this tells those whom they touched.
    """
    with writing(by=by, now=now) as journal:
        due = Condition.objects.filter(status__in=OPEN_CONDITIONS, until_at__lte=now)
        rows = list(due.select_for_update().order_by("id"))
        for condition in rows:
            condition.status = ConditionState.EXPIRED
            condition.version += 1
            condition.save()
            _record("condition.expired", condition, journal)
    return rows


def _first_state(*, is_drivers: bool, is_over: bool) -> ConditionState:
    if is_over:
        return ConditionState.EXPIRED
    return ConditionState.UNCONFIRMED if is_drivers else ConditionState.CONFIRMED


def _check(draft: ConditionDraft, depot: Depot) -> None:
    if faults := list(draft_faults(draft, depot.point)):
        raise Invalid(" ".join(fault.detail for fault in faults), errors=faults)


def _columns(draft: ConditionDraft) -> dict[str, Any]:
    return {
        "kind": draft.kind,
        "title": draft.title.strip(),
        "note": draft.note,
        "from_at": draft.from_at,
        "until_at": draft.until_at,
        "daily_from": draft.daily_from,
        "daily_until": draft.daily_until,
        "percent": draft.percent_in_force,
        **_place_columns(draft.place),
    }


def _place_columns(place: Place | None) -> dict[str, Any]:
    columns: dict[str, Any] = dict.fromkeys(
        ("latitude", "longitude", "radius_m", "boundary")
    )
    if isinstance(place, Circle):
        columns["latitude"], columns["longitude"] = place.centre.lat, place.centre.lon
        columns["radius_m"] = place.radius_m
    elif place is not None:
        ring = [[corner.lon, corner.lat] for corner in place.corners]
        columns["boundary"] = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return columns


def _same(
    depot_id: uuid.UUID, kind: str, place: Circle, at: datetime
) -> Condition | None:
    """Return the open condition of this kind that lies there, locked."""
    rows = open_conditions(depot_id).filter(kind=kind, until_at__gt=at, from_at__lte=at)
    for row in rows.select_for_update().order_by("id"):
        there = place_of(row)
        if there and distances_m(there, [place.centre])[0] <= SAME_PLACE_M:
            return row
    return None


def _locked(condition_id: uuid.UUID, expected: int | None) -> Condition:
    rows = Condition.objects.select_for_update(of=("self",)).select_related("depot")
    condition = rows.filter(pk=condition_id).first()
    if condition is None:
        raise NotFound("There is no such condition.")
    if expected is not None and condition.version != expected:
        raise PreconditionFailed
    return condition


def _record(kind: str, condition: Condition, journal: Writer, **more: Any) -> None:
    journal.record(
        kind,
        condition,
        depot_id=condition.depot_id,
        condition_kind=condition.kind,
        source=condition.source,
        status=condition.status,
        from_at=condition.from_at.isoformat(),
        until_at=condition.until_at.isoformat(),
        version=condition.version,
        **more,
    )
