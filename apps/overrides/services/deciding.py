"""A priced request meets the table of rights: applied, put to somebody, or denied."""

import uuid
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from apps.core.actors import Actor
from apps.core.problems import NotFound, Problem
from apps.journal.services import Writer, writing
from apps.overrides.defaults import PATIENCE
from apps.overrides.models import DecisionRight, Override
from apps.overrides.people import own_roles, who_answers
from apps.overrides.rights import Decision, Outcome, next_role
from apps.overrides.services.closing import close, guarded_update
from apps.overrides.services.pricednote import note_priced, note_superseded
from apps.overrides.states import OverrideState
from apps.overrides.table import decision_on, figures_of, minutes_left
from apps.overrides.wishes import OTHER
from apps.recommendations import services as recommendations
from apps.recommendations.states import RecommendationState
from apps.routes.changes import (
    Change,
    Impact,
    from_wire,
    impact_as_wire,
    impact_from_wire,
)
from apps.routes.planners import mode_of
from apps.routes.selectors import parse_id
from apps.routes.services.changing import Prepared, store_change

MAX_WORDS = 500


def change_of(row: Override) -> Change | None:
    """Return the change that a request stands for; None while it is words alone."""
    return None if row.kind == OTHER else from_wire(row.kind, row.change)


def impact_of_row(row: Override) -> Impact | None:
    """Return the impact that a request was last priced with."""
    return impact_from_wire(row.impact) if row.impact else None


def scopes_of(row: Override, impact: Impact | None) -> set[uuid.UUID]:
    """Return the audiences that a change touches: their locks come first."""
    named = {parse_id(one) for one in impact.drivers} if impact else set()
    return {one for one in (*named, row.driver_id) if one is not None}


def decide_override(
    *,
    override_id: uuid.UUID,
    expected_version: int,
    prepared: Prepared | None,
    by: Actor,
    now: datetime,
) -> Override:
    """Store what a request costs, and let the table say what follows.

    `prepared` is the change as it was worked out; None where it is words alone.

    Raises:
        NotFound: there is no such request.
        AlreadyAnswered: it has its answer.
        SeenOlder: it was changed while it was priced.
        StaleInput: it is allowed, but the plan has moved on since it was priced.
    """
    row = _row(override_id)
    impact = prepared.impact if prepared else None
    decision = decision_on(
        depot=row.depot,
        kind=row.kind,
        roles=_roles_of_asker(row),
        figures=figures_of(impact),
        minutes_to_departure=minutes_left(impact, now),
        at=now,
    )
    values = _decided(row, decision, impact, now)
    with writing(by=by, now=now, scopes=scopes_of(row, impact)) as journal:
        journal.record(
            "override.priced",
            row,
            depot_id=row.depot_id,
            outcome=str(decision.outcome),
            right=decision.rule.id if decision.rule else "",
            figures=asdict(figures_of(impact)),
            impact_version=values["impact_version"],
        )
        before = row.priced_as_id
        values["priced_as_id"] = note_priced(row, prepared, by=by, now=now)
        _follow(
            row,
            decision,
            expected_version=expected_version,
            values=values,
            prepared=prepared,
            journal=journal,
        )
        note_superseded(before, row, by=by, now=now)
    return row


def _follow(
    row: Override,
    decision: Decision,
    *,
    expected_version: int,
    values: dict[str, Any],
    prepared: Prepared | None,
    journal: Writer,
) -> None:
    """Let what the table says happen: put to somebody, denied, or applied at once."""
    by, now = journal.by, journal.now
    if row.state == OverrideState.WAITING and decision.outcome != Outcome.DENIED:
        # Whoever looks at it decides on; only the figures are new.
        _ask(row, expected_version, values, journal)
    elif decision.outcome == Outcome.DENIED:
        close(
            row,
            OverrideState.DENIED,
            by=by,
            now=now,
            expected_version=expected_version,
            **values,
        )
    elif decision.outcome == Outcome.APPROVAL:
        values |= {"state": OverrideState.WAITING}
        values |= asked_of(row, decision, now)
        _ask(row, expected_version, values, journal)
    else:
        _allow(row, expected_version, values, prepared, now)


def _row(override_id: uuid.UUID) -> Override:
    rows = Override.objects.select_related("depot", "stop", "route", "asked_user")
    row = rows.filter(pk=override_id).first()
    if row is None:
        raise NotFound
    return row


def _roles_of_asker(row: Override) -> tuple[str, ...]:
    if row.driver_id is not None or row.asked_user is None:
        return (row.asked_role,)
    return own_roles(row.asked_user)


def _decided(
    row: Override, decision: Decision, impact: Impact | None, now: datetime
) -> dict[str, Any]:
    """Return the columns that a decision fills in."""
    return {
        "impact": impact_as_wire(impact) if impact else None,
        "impact_version": impact.version if impact else "",
        "priced_at": now,
        "times_priced": row.times_priced + 1,
        "mode": mode_of(row.depot_id).mode,
        "right_id": uuid.UUID(decision.rule.id) if decision.rule else None,
        "because": " ".join(decision.why)[:MAX_WORDS],
        "misses": [asdict(miss) for miss in decision.misses],
    }


def asked_of(row: Override, decision: Decision, now: datetime) -> dict[str, Any]:
    """Return who is asked, until when, and when the next one is.

    A role that nobody fills, or whose people are all away without a stand-in, is passed
    over.
    """
    patience = PATIENCE[row.kind]
    within = patience.answer_within
    if decision.rule is not None:
        right = DecisionRight.objects.only("answer_within_minutes").get(
            pk=decision.rule.id
        )
        within = right.answer_within_minutes or within
    role = present_role(decision.approver, row.depot_id, now)
    deadline = now + timedelta(minutes=within)
    reached = row.stop.eta_at if row.stop else None
    if reached is not None and now < reached < deadline:
        deadline = reached
    share = patience.escalate_after / patience.answer_within
    return {
        "approver": role,
        "deadline_at": deadline,
        "escalates_at": now + (deadline - now) * share if next_role(role) else None,
    }


def present_role(role: str, depot_id: uuid.UUID, now: datetime) -> str:
    """Return the first role from this one upwards in which somebody answers."""
    asked: str | None = role
    while asked is not None:
        if who_answers(asked, depot_id, now):
            return asked
        asked = next_role(asked)
    return role


def _ask(
    row: Override, expected_version: int, values: dict[str, Any], journal: Writer
) -> None:
    guarded_update(row, expected_version, **values)
    if row.driver_id is not None:
        journal.changed(row.driver_id, "overrides", row.pk)


def _allow(
    row: Override,
    expected_version: int,
    values: dict[str, Any],
    prepared: Prepared | None,
    now: datetime,
) -> None:
    """Apply what the asker may do alone: the rule answers, the asker acts."""
    if prepared is None:
        raise ValueError("What was not worked out cannot be applied.")
    kind, _, number = row.asked_by.partition(":")
    close(
        row,
        OverrideState.APPLIED,
        by=Actor("right", str(values["right_id"])),
        now=now,
        expected_version=expected_version,
        **values,
    )
    carry_out(row, prepared, by=Actor(kind, number), now=now)


def carry_out(row: Override, prepared: Prepared, *, by: Actor, now: datetime) -> None:
    """Apply a change in the transaction that is open; settle what it overrides.

    Raises:
        StaleInput: the plan is not the one that it was worked out on.
    """
    store_change(
        prepared,
        expected_version=prepared.impact.version,
        noted=row.priced_as_id,
        by=by,
        now=now,
    )
    if row.recommendation_id is None:
        return
    try:
        recommendations.settle(
            row.recommendation_id, state=RecommendationState.OVERRIDDEN, by=by, now=now
        )
    except recommendations.AlreadySettled:
        # It had its fate before; that somebody overrode it stands in the journal.
        return


def fail_override(
    *,
    override_id: uuid.UUID,
    expected_version: int,
    problem: Problem,
    by: Actor,
    now: datetime,
) -> Override:
    """Say that what was asked cannot be done, and why.

    `expected_version` is that of the request when it was found out: what was decided, or
    priced again, meanwhile stands.

    Raises:
        NotFound: there is no such request.
        AlreadyAnswered: it has its answer.
        SeenOlder: it was changed while it was worked out.
    """
    return close(
        _row(override_id),
        OverrideState.FAILED,
        by=by,
        now=now,
        expected_version=expected_version,
        problem=problem.detail[:MAX_WORDS],
        refusal=problem.extra.get("refusal", {}),
    )
