"""What a request would cost: solved outside any transaction, then handed to the verbs.

These are the steps of doors and tasks around the verbs: price, decide, and price again
where the plan has moved on meanwhile.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.core.actors import SYSTEM, Actor
from apps.core.problems import Conflict, Invalid, NotFound, Problem
from apps.depots.models import Depot
from apps.overrides.models import Override
from apps.overrides.rights import Decision
from apps.overrides.services.answering import approve_override, to_answer
from apps.overrides.services.asking import Asker, check_own, where
from apps.overrides.services.closing import (
    AlreadyAnswered,
    SeenOlder,
    taken_meanwhile,
)
from apps.overrides.services.deciding import (
    change_of,
    decide_override,
    fail_override,
    impact_of_row,
)
from apps.overrides.services.pricednote import note_shown
from apps.overrides.states import OPEN, AnswerReason, OverrideState
from apps.overrides.table import (
    broken_count,
    decision_on,
    figures_of,
    minutes_left,
)
from apps.overrides.wishes import Wish
from apps.routes.changes import Change, Impact, kind_of
from apps.routes.impact import prepare_change
from apps.routes.services.changing import Prepared
from apps.routes.services.fitting import StaleInput

TRIES = 3
"""How often a running plan may move on under one request before it has to wait."""


class ImpactChanged(Conflict):
    """The plan has moved on, and the change costs something else by now."""

    type = "/problems/impact-changed"
    title = "The plan has moved on. Look at the new impact, and decide again."


class CannotBeDone(Conflict):
    """The plan has moved on so far that the change makes no sense any more."""

    type = "/problems/override-cannot-be-done"
    title = "This can no longer be done."


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a change would cost, and what the table says of who would ask it."""

    kind: str
    impact: Impact
    decision: Decision


def look_at(change: Change, *, by: Actor, now: datetime) -> Impact:
    """Work out what a change would cost, for somebody to see; the ledger keeps it.

    Raises:
        NotFound: what it is about does not exist.
        Problem: the change cannot be done; the sentence says why.
    """
    prepared = prepare_change(change, now=now)
    note_shown(prepared, by=by, now=now)
    return prepared.impact


def preview(wish: Wish, *, asker: Asker, by: Actor, now: datetime) -> Preview:
    """Work out what a change would cost and who would have to agree; nothing is asked.

    Raises:
        NotFound: what it is about does not exist.
        NotYours: it is not the driver's.
        Problem: the change cannot be done; the sentence says why.
    """
    target = where(wish)
    if wish.change is None:
        raise NotFound("Words alone cannot be priced.")
    if asker.driver is not None:
        check_own(wish, target, asker.driver)
    impact = look_at(wish.change, by=by, now=now)
    decision = decision_on(
        depot=Depot.objects.get(pk=target.depot_id),
        kind=kind_of(wish.change),
        roles=[asker.role],
        figures=figures_of(impact),
        minutes_to_departure=minutes_left(impact, now),
        at=now,
    )
    return Preview(kind=kind_of(wish.change), impact=impact, decision=decision)


def price_override(override_id: uuid.UUID, *, now: datetime) -> Override:
    """Price a request that has not been priced yet, and let the table decide.

    Asked again it does nothing: a request is priced once on its way in. The door that
    took it and the background price it at once; who comes second returns what the
    first one has decided, for it is the same request's own answer.

    Raises:
        NotFound: there is no such request.
        StaleInput: the plan moved on under it every time; try again soon.
    """
    for left in range(TRIES - 1, -1, -1):
        row = _read(override_id)
        if row.state != OverrideState.REQUESTED:
            break
        try:
            return _price(row, now)
        except (AlreadyAnswered, SeenOlder):
            return _read(override_id)
        except StaleInput:
            if not left:
                raise
    return row


def price_again(override_id: uuid.UUID, *, now: datetime) -> Override:
    """Price a waiting request against the plan as it is now.

    Raises:
        NotFound: there is no such request.
        AlreadyAnswered: it has its answer.
    """
    row = _read(override_id)
    return _price(row, now) if row.state in OPEN else row


def _price(row: Override, now: datetime) -> Override:
    change, prepared = change_of(row), None
    if change is not None:
        try:
            prepared = prepare_change(change, now=now)
        except Problem as problem:
            return _fail(row, problem, now)
    return _decide(row, prepared, now)


def _fail(row: Override, problem: Problem, now: datetime) -> Override:
    return fail_override(
        override_id=row.pk,
        expected_version=row.version,
        problem=problem,
        by=SYSTEM,
        now=now,
    )


def _decide(row: Override, prepared: Prepared | None, now: datetime) -> Override:
    return decide_override(
        override_id=row.pk,
        expected_version=row.version,
        prepared=prepared,
        by=SYSTEM,
        now=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What somebody agrees to, and why.

    `version` is that of the request that was looked at. `instead` is another change to be
    approved in its place, and `seen` the impact of it that was looked at.
    """

    version: int | None
    reason: str = AnswerReason.SENSIBLE
    note: str = ""
    instead: Change | None = None
    seen: Impact | None = None


def approve(
    override_id: uuid.UUID, consent: Consent, *, by: Actor, now: datetime
) -> Override:
    """Approve a request: it is worked out on the plan as it is now, then carried out.

    Where the plan has moved on since it was looked at, it goes through only if it costs
    no more in any respect; otherwise the new impact is kept, and it asks again.

    Raises:
        ImpactChanged: it costs more by now: look at it, and decide again.
        CannotBeDone: the plan has moved on too far.
        Invalid: it is words alone, and no change was chosen.
        Problem: what `approve_override` raises.
    """
    row, _ = to_answer(override_id, consent.reason, by, now)
    if consent.version is not None and consent.version != row.version:
        raise taken_meanwhile(row.pk)
    for _ in range(TRIES):
        prepared = _agreed(row, consent, now)
        try:
            return approve_override(
                override_id=override_id,
                expected_version=row.version,
                prepared=prepared,
                reason=consent.reason,
                note=consent.note,
                by=by,
                now=now,
            )
        except StaleInput:
            continue
    raise ImpactChanged(
        "The plan moves on faster than it can be worked out: try again."
    )


def _agreed(row: Override, consent: Consent, now: datetime) -> Prepared:
    """Work the change out anew; return it where what was agreed to still holds."""
    change = consent.instead or change_of(row)
    if change is None:
        raise Invalid("It was asked in words: choose the change that you approve.")
    seen = consent.seen if consent.instead else impact_of_row(row)
    try:
        prepared = prepare_change(change, now=now)
    except Problem as problem:
        if consent.instead is None:
            _fail(row, problem, now)
        raise CannotBeDone(problem.detail) from problem
    if seen is None or is_no_worse(prepared.impact, seen):
        return prepared
    if consent.instead is None:
        row = _decide(row, prepared, now)
    raise ImpactChanged(
        f"The plan has moved on. {prepared.impact.summary} Look at it, and decide again.",
        version=row.version,
        summary=prepared.impact.summary,
    )


def is_no_worse(fresh: Impact, seen: Impact) -> bool:
    """Tell whether who agreed to an impact has agreed to this one as well."""
    return fresh.version == seen.version or (
        fresh.minutes <= seen.minutes
        and fresh.cost_minor <= seen.cost_minor
        and broken_count(fresh) <= broken_count(seen)
        and {one.order_id for one in fresh.broken} <= {o.order_id for o in seen.broken}
        and {*fresh.left_out} <= {*seen.left_out}
        and {*fresh.drivers} <= {*seen.drivers}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What became of one request of many that were approved together."""

    override_id: uuid.UUID
    is_applied: bool
    said: str


def approve_all(
    versions: Sequence[tuple[uuid.UUID, int]],
    *,
    reason: str,
    note: str,
    by: Actor,
    now: datetime,
) -> list[Approved]:
    """Approve several requests, each for itself, in the order given."""
    answers = []
    for override_id, version in versions:
        consent = Consent(version=version, reason=reason, note=note)
        try:
            approve(override_id, consent, by=by, now=now)
            done, said = True, "Approved and applied."
        except Problem as problem:
            done, said = False, problem.detail
        answers.append(Approved(override_id=override_id, is_applied=done, said=said))
    return answers


def _read(override_id: uuid.UUID) -> Override:
    row = Override.objects.select_related("depot").filter(pk=override_id).first()
    if row is None:
        raise NotFound
    return row
