"""Decision rights that a record of verdicts earns: proposed, signed, declined, taken back."""

import uuid
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError

from apps.core.actors import Actor
from apps.core.problems import Conflict, Invalid, NotFound, Problem
from apps.journal.services import writing
from apps.overrides.models import DecisionRight
from apps.overrides.people import own_roles, user_of
from apps.overrides.rights import ADMINISTRATOR
from apps.overrides.services.ruling import RightDraft, replace_right
from apps.verdicts.models import RightsProposal
from apps.verdicts.records import (
    LEAST_DECIDED,
    NARROW_UP_TO,
    WIDEN_FROM,
    Proposed,
    Record,
    proposed,
)
from apps.verdicts.selectors import (
    limits_above,
    limits_of,
    own_rights,
    record_of,
    verdicts_under,
)
from apps.verdicts.states import STEPS, ProposalState

LOOKS_BACK: Final = timedelta(days=180)
"""Older verdicts say little of who works here today."""


class AlreadyDecided(Conflict):
    """The proposal was decided, or changed, meanwhile."""

    type = "/problems/rights-proposal-decided"
    title = "This proposal was decided meanwhile."


class NotTheAdministrator(Problem):
    """Somebody else than the administrator would change who may what."""

    type = "/problems/not-the-administrator"
    title = "Only the administrator changes decision rights."
    status = 403


def propose_rights(*, by: Actor, now: datetime) -> list[RightsProposal]:
    """Propose other limits for the rules whose record speaks for them; return the new.

    A rule has one open proposal at the most. What was declined is proposed again only
    when half as many verdicts more have been decided.
    """
    made = []
    for right in own_rights(now):
        verdicts = verdicts_under(right, now - LOOKS_BACK)
        record = record_of(Counter(ruling for _, ruling in verdicts))
        found = proposed(record, limits_of(right), limits_above(right, now))
        if found is None or not _is_news(right, record):
            continue
        row = _propose(right, record, found, verdicts, by=by, now=now)
        if row is not None:
            made.append(row)
    return made


def _is_news(right: DecisionRight, record: Record) -> bool:
    """Tell whether nothing is open for a rule, and its last refusal is outgrown."""
    rows = RightsProposal.objects.filter(right=right)
    if rows.filter(state=ProposalState.PROPOSED).exists():
        return False
    refused = rows.filter(state=ProposalState.DECLINED).order_by("-pk").first()
    if refused is None:
        return True
    told = refused.evidence
    return 2 * record.decided >= 3 * (int(told["right"]) + int(told["wrong"]))


def _propose(
    right: DecisionRight,
    record: Record,
    found: Proposed,
    verdicts: list[tuple[uuid.UUID, str]],
    *,
    by: Actor,
    now: datetime,
) -> RightsProposal | None:
    direction = RightsProposal.Direction
    row = RightsProposal(
        depot_id=right.depot_id,
        right=right,
        kind=right.kind,
        role=right.role,
        direction=direction.WIDEN if found.widens else direction.NARROW,
        limits={name: list(pair) for name, pair in found.limits.items()},
        evidence=_evidence(record, verdicts),
        made_at=now,
    )
    try:
        with writing(by=by, now=now) as journal:
            row.save(force_insert=True)
            journal.record(
                "rights_proposal.made",
                row,
                depot_id=row.depot_id,
                right_id=str(right.pk),
                direction=row.direction,
                limits=row.limits,
                counts=[record.right, record.wrong, record.undecidable],
            )
    except IntegrityError:
        return None  # The same was proposed at the same time.
    return row


def _evidence(record: Record, verdicts: list[tuple[uuid.UUID, str]]) -> dict[str, Any]:
    """Return what speaks for a proposal, with the thresholds of its day."""
    low, high = record.interval
    return {
        "right": record.right,
        "wrong": record.wrong,
        "undecidable": record.undecidable,
        "share": round(record.share or 0.0, 3),
        "low": round(low, 3),
        "high": round(high, 3),
        "least_decided": LEAST_DECIDED,
        "widen_from": WIDEN_FROM,
        "narrow_up_to": NARROW_UP_TO,
        "verdicts": [str(pk) for pk, _ in verdicts],
    }


def sign_proposal(
    *,
    proposal_id: uuid.UUID,
    expected_version: int,
    because: str = "",
    by: Actor,
    now: datetime,
) -> RightsProposal:
    """Let a proposal take effect: the next version of the rule, through its own verb.

    Raises:
        NotFound: there is no such proposal.
        NotTheAdministrator: who signs may not write rules.
        AlreadyDecided: it was decided meanwhile.
        RightIsOver: the rule was changed or ended meanwhile.
    """
    _check_administrator(by)
    with writing(by=by, now=now):
        row = _row(proposal_id)
        _check_step(row, ProposalState.SIGNED)
        limits: dict[str, Any] = {name: to for name, (_, to) in row.limits.items()}
        why = because or f"Earned by its record: {_counts(row)}."
        new = replace_right(
            right_id=row.right_id,
            expected_version=row.right.version,
            draft=replace(draft_of(row.right), **limits),
            valid_from=now,
            because=why[:300],
            by=by,
            now=now,
        )
        return _decide(
            row, expected_version, ProposalState.SIGNED, why, new, by=by, now=now
        )


def decline_proposal(
    *,
    proposal_id: uuid.UUID,
    expected_version: int,
    reason: str,
    by: Actor,
    now: datetime,
) -> RightsProposal:
    """Leave a rule as it is, and say why.

    Raises:
        NotFound: there is no such proposal.
        NotTheAdministrator: who declines may not write rules.
        Invalid: no reason is given.
        AlreadyDecided: it was decided meanwhile.
    """
    _check_administrator(by)
    if not reason.strip():
        raise Invalid("Say why: it is read beside the record.")
    row = _row(proposal_id)
    return _decide(
        row, expected_version, ProposalState.DECLINED, reason, None, by=by, now=now
    )


def take_back_proposal(
    *,
    proposal_id: uuid.UUID,
    expected_version: int,
    reason: str,
    by: Actor,
    now: datetime,
) -> RightsProposal:
    """Undo a signature: the rule as it was before becomes the next version.

    Raises:
        NotFound: there is no such proposal.
        NotTheAdministrator: who takes it back may not write rules.
        AlreadyDecided: it was not signed, or was taken back meanwhile.
        RightIsOver: the rule that the signature made was changed meanwhile.
    """
    _check_administrator(by)
    with writing(by=by, now=now):
        row = _row(proposal_id)
        _check_step(row, ProposalState.TAKEN_BACK)
        if row.new_right is None:
            raise AlreadyDecided
        replace_right(
            right_id=row.new_right.pk,
            expected_version=row.new_right.version,
            draft=draft_of(row.right),
            valid_from=now,
            because=f"Taken back: {reason}"[:300],
            by=by,
            now=now,
        )
        return _decide(
            row,
            expected_version,
            ProposalState.TAKEN_BACK,
            reason,
            row.new_right,
            by=by,
            now=now,
        )


def overtake_proposals(*, by: Actor, now: datetime) -> int:
    """Close the open proposals whose rule was changed or ended meanwhile."""
    rows = RightsProposal.objects.filter(
        state=ProposalState.PROPOSED, right__valid_until__isnull=False
    ).select_related("right")
    for row in rows:
        why = "The rule was changed meanwhile."
        _decide(row, row.version, ProposalState.OVERTAKEN, why, None, by=by, now=now)
    return len(rows)


def draft_of(right: DecisionRight) -> RightDraft:
    """Return what a rule says, as a draft of its next version."""
    return RightDraft(
        kind=right.kind,
        role=right.role,
        outcome=right.outcome,
        approver=right.approver,
        depot_id=right.depot_id,
        max_minutes=right.max_minutes,
        max_cost_minor=right.max_cost_minor,
        max_stops=right.max_stops,
        max_windows_broken=right.max_windows_broken,
        min_minutes_to_departure=right.min_minutes_to_departure,
        hours_from=right.hours_from,
        hours_until=right.hours_until,
        weekdays=tuple(right.weekdays),
        answer_within_minutes=right.answer_within_minutes,
    )


def _check_administrator(by: Actor) -> None:
    user = user_of(by)
    if user is None or ADMINISTRATOR not in own_roles(user):
        raise NotTheAdministrator


def _row(proposal_id: uuid.UUID) -> RightsProposal:
    rows = RightsProposal.objects.select_related("right", "new_right")
    row = rows.filter(pk=proposal_id).first()
    if row is None:
        raise NotFound
    return row


def _check_step(row: RightsProposal, state: str) -> None:
    if state not in STEPS.allowed(row.state):
        raise AlreadyDecided(f"It is {row.get_state_display().lower()}.")


def _counts(row: RightsProposal) -> str:
    told = row.evidence
    return f"{told['right']} right, {told['wrong']} wrong, {told['undecidable']} undecidable"


def _decide(
    row: RightsProposal,
    expected_version: int,
    state: str,
    reason: str,
    new_right: DecisionRight | None,
    *,
    by: Actor,
    now: datetime,
) -> RightsProposal:
    """Close a proposal by a guarded update."""
    _check_step(row, state)
    values: dict[str, Any] = {
        "state": state,
        "decided_at": now,
        "decided_by": str(by),
        "reason": reason[:300],
        "new_right": new_right,
    }
    with writing(by=by, now=now) as journal:
        rows = RightsProposal.objects.filter(
            pk=row.pk, version=expected_version, state=row.state
        )
        if not rows.update(**values, version=expected_version + 1):
            raise AlreadyDecided
        row.refresh_from_db()
        journal.record(
            f"rights_proposal.{state}",
            row,
            depot_id=row.depot_id,
            right_id=str(row.right_id),
            new_right_id=str(new_right.pk) if new_right else "",
            reason=row.reason,
        )
    return row
