"""Somebody answers a request: approved as it is, with another change, or rejected."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.core.actors import Actor
from apps.core.problems import Invalid, NotFound, Problem
from apps.journal.services import writing
from apps.overrides.models import Override
from apps.overrides.people import Standing, standing, user_of
from apps.overrides.rights import Decision, Outcome
from apps.overrides.services.closing import close, taken_meanwhile
from apps.overrides.services.deciding import carry_out, scopes_of
from apps.overrides.services.pricednote import note_priced, note_superseded
from apps.overrides.states import AnswerReason, OverrideState
from apps.overrides.table import decision_on, figures_of, minutes_left
from apps.routes.changes import as_wire, impact_as_wire, kind_of
from apps.routes.services.changing import Prepared


class OwnRequest(Problem):
    """Who asked would answer."""

    type = "/problems/own-request"
    title = "You asked this yourself: somebody else has to answer."
    status = 403


class NotYoursToAnswer(Problem):
    """It asks a role that the person does not have, nor stands in for."""

    type = "/problems/not-yours-to-answer"
    title = "This needs another role’s answer."
    status = 403


class BeyondRights(Problem):
    """The change that was put instead reaches further than anybody here may agree to."""

    type = "/problems/beyond-rights"
    title = "This change reaches further than you may agree to."
    status = 403


def approve_override(
    *,
    override_id: uuid.UUID,
    expected_version: int | None,
    prepared: Prepared,
    reason: str = AnswerReason.SENSIBLE,
    note: str = "",
    by: Actor,
    now: datetime,
) -> Override:
    """Approve a request, and carry it out in the same transaction.

    `prepared` is the change as it was worked out just now: the one that was asked for, or
    another one in its place.

    Raises:
        NotFound: there is no such request.
        OwnRequest: who asked cannot approve.
        NotYoursToAnswer: it needs a higher role.
        BeyondRights: the change put instead reaches too far.
        AlreadyAnswered: another one was first.
        SeenOlder: it is not the version that was looked at.
        StaleInput: the plan is not the one that it was worked out on.
    """
    row, place = to_answer(override_id, reason, by, now)
    wire = as_wire(prepared.change)
    values: dict[str, Any] = {"answer_reason": reason, "answer_note": note}
    if (kind_of(prepared.change), wire) != (row.kind, row.change):
        _check_reach(row, prepared, place, now)
        values |= {"kind": kind_of(prepared.change), "change": wire}
    values |= {
        "impact": impact_as_wire(prepared.impact),
        "impact_version": prepared.impact.version,
        "priced_at": now,
    }
    with writing(by=by, now=now, scopes=scopes_of(row, prepared.impact)):
        before = row.priced_as_id
        values["priced_as_id"] = note_priced(row, prepared, by=by, now=now)
        close(
            row,
            OverrideState.APPLIED,
            by=by,
            now=now,
            expected_version=expected_version,
            **values,
        )
        carry_out(row, prepared, by=by, now=now)
        note_superseded(before, row, by=by, now=now)
    return row


def reject_override(
    *,
    override_id: uuid.UUID,
    expected_version: int | None,
    reason: str,
    note: str = "",
    by: Actor,
    now: datetime,
) -> Override:
    """Reject a request, and say why.

    Raises:
        NotFound: there is no such request.
        OwnRequest: who asked takes it back instead.
        NotYoursToAnswer: it needs a higher role.
        Invalid: there is no such reason.
        AlreadyAnswered: another one was first.
        SeenOlder: it is not the version that was looked at.
    """
    row, _ = to_answer(override_id, reason, by, now)
    return close(
        row,
        OverrideState.REJECTED,
        by=by,
        now=now,
        expected_version=expected_version,
        answer_reason=reason,
        answer_note=note,
    )


def why_not(row: Override, place: Standing, user_id: int) -> Problem | None:
    """Return what keeps somebody from answering a request; None if nothing does."""
    if row.asked_user_id == user_id:
        return OwnRequest()
    if not place.may_answer(row.approver):
        roles = ", ".join(place.all_roles) or "nobody’s role"
        return NotYoursToAnswer(f"This is for: {row.approver}. You are: {roles}.")
    return None


def to_answer(
    override_id: uuid.UUID, reason: str, by: Actor, now: datetime
) -> tuple[Override, Standing]:
    """Return an open request that the actor may answer, and by which roles.

    Raises:
        NotFound: there is no such request.
        AlreadyAnswered, SeenOlder: it does not wait (any more).
        OwnRequest, NotYoursToAnswer: the actor may not.
        Invalid: there is no such reason.
    """
    if reason not in AnswerReason.values:
        raise Invalid(f"There is no reason “{reason[:40]}”.")
    rows = Override.objects.select_related("depot", "stop", "recommendation")
    row = rows.filter(pk=override_id).first()
    user = user_of(by)
    if row is None or user is None:
        raise NotFound
    place = standing(user, row.depot_id, now)
    if row.state != OverrideState.WAITING:
        raise taken_meanwhile(row.pk)
    refusal = why_not(row, place, user.pk)
    if refusal is not None:
        raise refusal
    return row, place


def _check_reach(
    row: Override, prepared: Prepared, place: Standing, now: datetime
) -> None:
    """Judge a change put instead as if it had been asked for, or were one's own."""

    def said(roles: Sequence[str]) -> Decision:
        return decision_on(
            depot=row.depot,
            kind=kind_of(prepared.change),
            roles=roles,
            figures=figures_of(prepared.impact),
            minutes_to_departure=minutes_left(prepared.impact, now),
            at=now,
        )

    as_asked = said([row.asked_role])
    if as_asked.outcome == Outcome.ALLOWED:
        return
    if as_asked.outcome == Outcome.APPROVAL and place.may_answer(as_asked.approver):
        return
    own = said(place.all_roles)
    if own.outcome != Outcome.ALLOWED:
        raise BeyondRights(" ".join(own.why))
