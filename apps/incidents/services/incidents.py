"""Incidents: raised once a cause, given to somebody, escalated, resolved (C23)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from apps.core.actors import SYSTEM, Actor
from apps.core.etags import PreconditionFailed
from apps.core.problems import Conflict, FieldError, Invalid, NotFound
from apps.depots.selectors import is_absent, stand_in_for
from apps.incidents.kinds import KINDS, deadline_of, is_at_the_top, role_at
from apps.incidents.models import Incident
from apps.incidents.selectors import Load, colleagues_of, loads_of
from apps.incidents.states import (
    INCIDENT_STEPS,
    UNRESOLVED,
    IncidentState,
    Outcome,
    Severity,
)
from apps.journal.services import Writer, writing

LONGEST_WORDS = 500


class NobodyThere(Conflict):
    """Whoever is to have the work is away, and nobody stands in."""

    type = "/problems/nobody-there"
    title = "This person is away, and nobody stands in: choose somebody else."


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDraft:
    """What somebody noticed; the same `cause` raises one incident."""

    depot_id: uuid.UUID
    kind: str
    cause: str
    title: str = ""
    severity: str = ""
    subject_type: str = ""
    subject_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """An incident or item with its owner; `warning` says what speaks against it."""

    owner_id: int
    warning: str = ""


def raise_incident(draft: IncidentDraft, *, by: Actor, now: datetime) -> Incident:
    """Raise an incident, or return the one that the same cause has raised.

    Raises:
        Invalid: there is no such kind or severity.
    """
    if draft.kind not in KINDS:
        known = ", ".join(KINDS)
        raise _invalid("/kind", "unknown", f"A kind is one of: {known}.")
    if draft.severity and draft.severity not in Severity.values:
        known = ", ".join(Severity.values)
        raise _invalid("/severity", "unknown", f"A severity is one of: {known}.")
    same = Incident.objects.filter(depot=draft.depot_id, cause=draft.cause)
    known_one = same.first()
    if known_one is not None:
        return known_one
    try:
        return _create(draft, by, now)
    except IntegrityError:
        # Another worker saw the same cause at the same time.
        return same.get()


def _create(draft: IncidentDraft, by: Actor, now: datetime) -> Incident:
    kind = KINDS[draft.kind]
    with writing(by=by, now=now) as journal:
        incident = Incident.objects.create(
            depot_id=draft.depot_id,
            kind=draft.kind,
            cause=draft.cause,
            title=(draft.title or kind.title)[:200],
            severity=draft.severity or kind.severity,
            subject_type=draft.subject_type,
            subject_id=draft.subject_id,
            details=dict(draft.details),
            role=role_at(draft.kind, 0),
            deadline_at=deadline_of(draft.kind, now),
            raised_at=now,
            raised_by=str(by),
        )
        _record(incident, "incident.raised", journal, severity=incident.severity)
    return incident


def assign(
    *,
    incident_id: uuid.UUID,
    owner_id: int,
    expected_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Given:
    """Give an incident to somebody; the stand-in gets it where that person is away.

    Raises:
        NotFound: there is no such incident.
        PreconditionFailed: it was changed since the caller read it.
        IllegalStep: it is resolved.
        Invalid: the person does not work in the depot.
        NobodyThere: the person is away, and nobody stands in.
    """
    with writing(by=by, now=now) as journal:
        incident = _locked(incident_id, expected_version)
        INCIDENT_STEPS.check(incident.status, IncidentState.ASSIGNED)
        given = whoever_is_there(incident.depot_id, owner_id, now)
        incident.owner_id, incident.status = given.owner_id, IncidentState.ASSIGNED
        _save(incident)
        _record(
            incident,
            "incident.assigned",
            journal,
            owner_id=given.owner_id,
            asked_id=owner_id,
            warning=given.warning,
        )
    return given


def whoever_is_there(depot_id: uuid.UUID, owner_id: int, now: datetime) -> Given:
    """Return who gets the work of a person, and what speaks against it.

    Raises:
        Invalid: the person does not work in the depot.
        NobodyThere: the person is away, and nobody stands in.
    """
    colleagues = colleagues_of(depot_id)
    if not colleagues.filter(pk=owner_id).exists():
        raise _invalid("/owner", "no_colleague", "This person does not work here.")
    words = []
    if is_absent(owner_id, now):
        stand_in = stand_in_for(owner_id, now)
        if stand_in is None or not colleagues.filter(pk=stand_in.pk).exists():
            raise NobodyThere
        owner_id = stand_in.pk
        words.append(f"{stand_in.get_username()} stands in.")
    load = loads_of([owner_id])[owner_id]
    if Load(load.open + 1, load.cap).is_over:
        words.append(f"That makes {load.open + 1} open; the cap is {load.cap}.")
    return Given(owner_id, " ".join(words))


def escalate(*, incident_id: uuid.UUID, why: str, by: Actor, now: datetime) -> Incident:
    """Let the next role have it, with a new deadline; the last of the ladder keeps it.

    Raises:
        NotFound: there is no such incident.
        IllegalStep: it is resolved.
    """
    with writing(by=by, now=now) as journal:
        incident = _locked(incident_id, None)
        INCIDENT_STEPS.check(incident.status, IncidentState.OPEN)
        was, owner_id = incident.role, incident.owner_id
        at_the_top = is_at_the_top(incident.kind, incident.level)
        incident.level += 1
        incident.role = role_at(incident.kind, incident.level)
        incident.deadline_at = deadline_of(incident.kind, now)
        if not at_the_top:
            incident.owner, incident.status = None, IncidentState.OPEN
        _save(incident)
        _record(
            incident,
            "incident.escalated",
            journal,
            from_role=was,
            to_role=incident.role,
            owner_id=owner_id,
            level=incident.level,
            why=why[:LONGEST_WORDS],
        )
    return incident


def resolve(
    *,
    incident_id: uuid.UUID,
    outcome: str = Outcome.SOLVED,
    resolution: str,
    expected_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Incident:
    """Close an incident, and say how.

    Raises:
        NotFound: there is no such incident.
        PreconditionFailed: it was changed since the caller read it.
        IllegalStep: it is resolved already.
        Invalid: there is no such outcome, or nobody says what was done.
    """
    if outcome not in Outcome.values:
        raise _invalid("/outcome", "unknown", "There is no such outcome.")
    if not resolution.strip():
        raise _invalid("/resolution", "required", "Say in a sentence how it ended.")
    with writing(by=by, now=now) as journal:
        incident = _locked(incident_id, expected_version)
        INCIDENT_STEPS.check(incident.status, IncidentState.RESOLVED)
        incident.status, incident.outcome = IncidentState.RESOLVED, outcome
        incident.resolution = resolution.strip()[:LONGEST_WORDS]
        incident.resolved_at, incident.resolved_by = now, str(by)
        _save(incident)
        took_s = round((now - incident.raised_at).total_seconds())
        _record(
            incident,
            "incident.resolved",
            journal,
            outcome=outcome,
            resolution=incident.resolution,
            took_s=took_s,
        )
    return incident


def cause_is_gone(
    depot_id: uuid.UUID, cause: str, *, why: str, now: datetime
) -> Incident | None:
    """Close the incident that a cause has raised, where it is open."""
    row = Incident.objects.filter(
        depot=depot_id, cause=cause, status__in=UNRESOLVED
    ).first()
    if row is None:
        return None
    return resolve(
        incident_id=row.pk,
        outcome=Outcome.BY_ITSELF,
        resolution=why,
        by=SYSTEM,
        now=now,
    )


def add_note(
    *, incident_id: uuid.UUID, words: str, by: Actor, now: datetime
) -> Incident:
    """Add words to an incident's history.

    Raises:
        NotFound: there is no such incident.
        Invalid: there are no words.
    """
    if not words.strip():
        raise _invalid("/words", "required", "Write what the others should know.")
    with writing(by=by, now=now) as journal:
        incident = _locked(incident_id, None)
        _record(
            incident, "incident.noted", journal, words=words.strip()[:LONGEST_WORDS]
        )
    return incident


def _locked(incident_id: uuid.UUID, expected_version: int | None) -> Incident:
    incident = Incident.objects.select_for_update().filter(pk=incident_id).first()
    if incident is None:
        raise NotFound
    if expected_version is not None and incident.version != expected_version:
        raise PreconditionFailed
    return incident


def _save(incident: Incident) -> None:
    incident.version += 1
    incident.save()


def _record(incident: Incident, news: str, journal: Writer, **more: Any) -> None:
    journal.record(
        news, incident, depot_id=incident.depot_id, incident_kind=incident.kind, **more
    )


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(pointer, code, detail)])
