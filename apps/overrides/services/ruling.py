"""The table of decision rights: rules are written and ended, never edited."""

import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from apps.core.actors import Actor
from apps.core.problems import Conflict, FieldError, Invalid, NotFound
from apps.core.roles import ROLES
from apps.journal.services import Writer, writing
from apps.overrides.models import DecisionRight
from apps.overrides.rights import ADMINISTRATOR, APPROVERS
from apps.overrides.states import OverrideKind

ASKERS = (*ROLES, ADMINISTRATOR)
"""Everybody who may be given a right."""


class RightIsOver(Conflict):
    """The rule has its end already, or was changed meanwhile."""

    type = "/problems/right-is-over"
    title = "This rule was changed or ended meanwhile: look at the newest one."


@dataclass(frozen=True, slots=True, kw_only=True)
class RightDraft:
    """What a rule says; empty limits are none, weekdays count from Monday as 0."""

    kind: str
    role: str
    outcome: str
    approver: str = ""
    depot_id: uuid.UUID | None = None
    max_minutes: int | None = None
    max_cost_minor: int | None = None
    max_stops: int | None = None
    max_windows_broken: int | None = None
    min_minutes_to_departure: int | None = None
    hours_from: time | None = None
    hours_until: time | None = None
    weekdays: tuple[int, ...] = ()
    answer_within_minutes: int | None = None


def write_right(
    draft: RightDraft,
    *,
    valid_from: datetime,
    because: str = "",
    by: Actor,
    now: datetime,
) -> DecisionRight:
    """Add a rule to the table, in force from an instant on.

    Raises:
        Invalid: the rule says nothing that could be understood, or begins in the past.
    """
    _check([*right_faults(draft), *_begin_faults(valid_from, now)])
    with writing(by=by, now=now) as journal:
        return _add(draft, valid_from, because, None, journal)


def replace_right(
    *,
    right_id: uuid.UUID,
    expected_version: int,
    draft: RightDraft,
    valid_from: datetime,
    because: str = "",
    by: Actor,
    now: datetime,
) -> DecisionRight:
    """Let a new version follow a rule: the old one ends where the new one begins.

    Raises:
        NotFound: there is no such rule.
        RightIsOver: it has ended, or another one follows it already.
        Invalid: the new version cannot be understood, or begins in the past.
    """
    _check([*right_faults(draft), *_begin_faults(valid_from, now)])
    with writing(by=by, now=now) as journal:
        old = _end(right_id, expected_version, valid_from, journal)
        return _add(draft, valid_from, because, old, journal)


def end_right(
    *,
    right_id: uuid.UUID,
    expected_version: int | None,
    because: str = "",
    by: Actor,
    now: datetime,
) -> DecisionRight:
    """Let a rule end now; one that has not begun never does.

    Raises:
        NotFound: there is no such rule.
        RightIsOver: it has ended.
    """
    with writing(by=by, now=now) as journal:
        row = _end(right_id, expected_version, now, journal)
        journal.record(
            "decision_right.ended", row, depot_id=row.depot_id, because=because
        )
    return row


def right_faults(draft: RightDraft) -> Iterator[FieldError]:
    """Yield what is wrong with a rule."""
    if draft.kind not in OverrideKind.values:
        yield FieldError("/kind", "unknown", "There is no such kind of change.")
    if draft.role not in ASKERS:
        yield FieldError("/role", "unknown", "There is no such role.")
    if draft.outcome not in DecisionRight.Outcome.values:
        yield FieldError("/outcome", "unknown", "It is allowed, denied, or approved.")
    needs = draft.outcome == DecisionRight.Outcome.APPROVAL
    if needs and draft.approver not in APPROVERS:
        yield FieldError("/approver", "required", "Say which role approves.")
    if not needs and draft.approver:
        text = "Only what needs approval has somebody who approves."
        yield FieldError("/approver", "not_needed", text)
    if (draft.hours_from is None) != (draft.hours_until is None):
        yield FieldError("/hours_until", "required", "Give both ends of the hours.")
    elif draft.hours_from is not None and draft.hours_from == draft.hours_until:
        text = "The hours end as they begin: leave both empty for the whole day."
        yield FieldError("/hours_until", "empty", text)
    if not {*draft.weekdays} <= {*range(7)}:
        yield FieldError("/weekdays", "unknown", "A week has seven days.")
    if draft.outcome == DecisionRight.Outcome.DENIED:
        yield from _denial_faults(draft)


def _denial_faults(draft: RightDraft) -> Iterator[FieldError]:
    for name in (
        "max_minutes",
        "max_cost_minor",
        "max_stops",
        "max_windows_broken",
        "min_minutes_to_departure",
    ):
        if getattr(draft, name) is not None:
            text = "A denial has no limits but its hours: limit what allows instead."
            yield FieldError(f"/{name}", "not_for_denials", text)


def _begin_faults(valid_from: datetime, now: datetime) -> Iterator[FieldError]:
    if valid_from < now:
        text = "A rule begins now or later: what was decided stays as it was."
        yield FieldError("/valid_from", "past", text)


def _check(faults: list[FieldError]) -> None:
    if faults:
        raise Invalid(" ".join(fault.detail for fault in faults), errors=faults)


def _add(
    draft: RightDraft,
    valid_from: datetime,
    because: str,
    replaces: DecisionRight | None,
    journal: Writer,
) -> DecisionRight:
    values = {**asdict(draft), "weekdays": sorted(draft.weekdays)}
    row = DecisionRight.objects.create(
        **values,
        valid_from=valid_from,
        replaces=replaces,
        why=because,
        created_at=journal.now,
        created_by=str(journal.by),
    )
    journal.record(
        "decision_right.written",
        row,
        depot_id=row.depot_id,
        replaces=str(replaces.pk) if replaces else "",
        valid_from=valid_from.isoformat(),
        because=because,
        **_as_json(values),
    )
    return row


def _as_json(values: dict[str, Any]) -> dict[str, Any]:
    plain = (int, str, list)
    return {
        name: value if value is None or isinstance(value, plain) else str(value)
        for name, value in values.items()
        if name != "depot_id"
    }


def _end(
    right_id: uuid.UUID,
    expected_version: int | None,
    valid_until: datetime,
    journal: Writer,
) -> DecisionRight:
    """End a rule by a guarded update; one that had not begun ends as it begins."""
    row = DecisionRight.objects.filter(pk=right_id).first()
    if row is None:
        raise NotFound("There is no such rule.")
    version = row.version if expected_version is None else expected_version
    until = max(valid_until, row.valid_from)
    open_row = DecisionRight.objects.filter(
        pk=row.pk, version=version, valid_until=None
    )
    if not open_row.update(
        valid_until=until,
        ended_at=journal.now,
        ended_by=str(journal.by),
        version=version + 1,
    ):
        raise RightIsOver
    row.refresh_from_db()
    return row
