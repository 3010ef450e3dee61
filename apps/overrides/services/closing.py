"""The end of a request: reached once, whoever comes second is told who was first."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from apps.core.actors import Actor
from apps.core.problems import Conflict
from apps.journal.services import writing
from apps.overrides.models import Override
from apps.overrides.services.pricednote import note_not_followed
from apps.overrides.states import OPEN, STEPS, OverrideState
from apps.routes.people import who


class AlreadyAnswered(Conflict):
    """Somebody else was first; names who, when and how."""

    type = "/problems/override-answered"
    title = "This request has its answer already."


class SeenOlder(Conflict):
    """It is still open, but not as it was when it was looked at."""

    type = "/problems/override-changed"
    title = "This request has changed since you looked at it: look again."


def close(
    row: Override,
    state: str,
    *,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
    scopes: Iterable[uuid.UUID] = (),
    **values: Any,
) -> Override:
    """End a request by a guarded update, and tell journal and driver.

    Raises:
        IllegalStep: the state does not follow.
        AlreadyAnswered: another one was first.
        SeenOlder: it is not the version that was looked at any more.
    """
    audience = {*scopes, *((row.driver_id,) if row.driver_id else ())}
    with writing(by=by, now=now, scopes=audience) as journal:
        guarded_update(
            row,
            expected_version,
            state=state,
            answered_at=now,
            answered_by=str(by),
            **values,
        )
        note_not_followed(row, by=by, now=now)
        journal.record(
            f"override.{state}",
            row,
            depot_id=row.depot_id,
            kind=row.kind,
            role=row.asked_role,
            service_date=row.service_date.isoformat(),
            asked_by=row.asked_by,
            right=str(row.right_id or ""),
            reason=row.answer_reason,
            recommendation=str(row.recommendation_id or ""),
        )
        if row.driver_id is not None:
            journal.changed(row.driver_id, "overrides", row.pk)
    return row


def guarded_update(
    row: Override, expected_version: int | None, **values: Any
) -> Override:
    """Change an open request, if it is still as it was read (or looked at).

    Raises:
        IllegalStep: the state does not follow.
        AlreadyAnswered: it has its answer.
        SeenOlder: it is another version by now.
    """
    if "state" in values and values["state"] != row.state and row.state in OPEN:
        STEPS.check(row.state, values["state"])
    version = row.version if expected_version is None else expected_version
    found = Override.objects.filter(
        pk=row.pk, version=version, state__in=[str(state) for state in OPEN]
    )
    if not found.update(version=version + 1, **values):
        raise taken_meanwhile(row.pk)
    for name, value in values.items():
        setattr(row, name, value)
    row.version = version + 1
    return row


def taken_meanwhile(override_id: uuid.UUID) -> AlreadyAnswered | SeenOlder:
    """Return what to say to who came second."""
    row = Override.objects.get(pk=override_id)
    if row.state in OPEN:
        return SeenOlder(version=row.version)
    name = who(row.answered_by)
    said = OverrideState(row.state).label.lower()
    return AlreadyAnswered(
        f"{name} was first: the request is {said}. Nothing more was changed.",
        state=row.state,
        answered_by=name,
        answered_at=row.answered_at.isoformat() if row.answered_at else None,
    )
