"""What people decide about a proposal, and how it is taken back."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from apps.core.actors import Actor
from apps.core.etags import PreconditionFailed
from apps.core.problems import Conflict, FieldError, Invalid, NotFound
from apps.feedback import services as feedback
from apps.feedback.models import Feedback
from apps.feedback.states import ANSWERED
from apps.journal.services import Writer, writing
from apps.recommendations import services as recommendations
from apps.recommendations.states import RecommendationState
from apps.routes.services.parameters import keep_parameters
from apps.tuning.judging import LOSES, WINS
from apps.tuning.models import Proposal
from apps.tuning.selectors import newest_versions, values_in_force
from apps.tuning.states import PROPOSAL_STEPS, ProposalState
from apps.tuning.topics import in_words

WATCHED_FOR: Final = timedelta(days=14)
SHORTEST_REASON: Final = 15
"""Letters of a written reason: a word is none."""


TAKEN_BACK: Final = (
    "We watched what came of your report for some days: plans did not get better by it,"
    " so the values before hold again."
)
"""What reporters read when the machine takes a change back."""


class NotAPerson(Conflict):
    """The machine gathered the evidence; people decide."""

    type = "/problems/proposal-needs-a-person"
    title = "A proposal is decided by people."


class LostInShadow(Conflict):
    """The change made past days worse: nobody's reason outweighs that."""

    type = "/problems/proposal-lost"
    title = "On past days this change would have been worse: it cannot be approved."


class ValuesMoved(Conflict):
    """The values that the proposal changes are not what they were."""

    type = "/problems/proposal-stale"
    title = (
        "The values have changed since: what was tried is no longer what it changes."
    )


def approve(
    proposal_id: uuid.UUID,
    *,
    reason: str = "",
    expected_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Proposal:
    """Put a proposal's values in force, from the next plan on, and watch them.

    What won on past days needs no reason; what could not be told from chance needs a
    written one; what lost cannot be approved at all.

    Raises:
        NotFound: there is no such proposal.
        NotAPerson: a programme asks.
        PreconditionFailed: it was changed since the caller read it.
        IllegalStep: it was not tried on past days yet, or was decided.
        LostInShadow: on past days it was worse.
        Invalid: it did not win, and nobody says why it should be.
        ValuesMoved: somebody has changed the values meanwhile.
    """
    with writing(by=by, now=now, scopes=_drivers(proposal_id)) as journal:
        row = _locked(proposal_id, expected_version, by)
        PROPOSAL_STEPS.check(row.status, ProposalState.APPROVED)
        _check_shadow(row, reason)
        if values_in_force(row.depot_id, row.values, now) != row.before:
            raise ValuesMoved
        row.decided_at, row.decided_by, row.reason = now, str(by), reason.strip()
        _step(row, ProposalState.APPROVED)
        journal.record(
            "proposal.approved", row, depot_id=row.depot_id, verdict=_verdict(row)
        )
        _put_in_force(row, journal, by=by, now=now)
        text = "Approved, and put in force as a version that can be taken back."
        _settle(row, RecommendationState.FOLLOWED, text, by=by, now=now)
        _answer(row, by=by, now=now)
    return row


def _check_shadow(row: Proposal, reason: str) -> None:
    verdict = _verdict(row)
    if verdict == LOSES:
        raise LostInShadow(f"{LostInShadow.title} {row.shadow.get('text', '')}".strip())
    if verdict != WINS and len(reason.strip()) < SHORTEST_REASON:
        text = "It did not win on past days: say in a sentence why it should be tried."
        raise Invalid(text, errors=[FieldError("/reason", "required", text)])


def _verdict(row: Proposal) -> str:
    return str(row.shadow.get("verdict", ""))


def _put_in_force(row: Proposal, journal: Writer, *, by: Actor, now: datetime) -> None:
    because = " ".join(row.why) or f"Proposal {row.pk}."
    versions = keep_parameters(
        row.depot_id, row.values, because=because, by=by, now=now
    )
    row.versions = {each.name: each.version for each in versions}
    row.in_force_at = now
    row.watch_until = (now + WATCHED_FOR).date()
    _step(row, ProposalState.IN_FORCE)
    journal.record(
        "proposal.in_force",
        row,
        depot_id=row.depot_id,
        topic=row.topic,
        versions=row.versions,
    )


def decline(
    proposal_id: uuid.UUID,
    *,
    reason: str,
    expected_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Proposal:
    """Let the values stay as they are, and say why; who reported it hears that.

    Raises:
        NotFound: there is no such proposal.
        NotAPerson: a programme asks.
        PreconditionFailed: it was changed since the caller read it.
        IllegalStep: it was decided already.
        Invalid: nobody says why.
    """
    if not reason.strip():
        text = "Say why: those who reported it will read it."
        raise Invalid(text, errors=[FieldError("/reason", "required", text)])
    with writing(by=by, now=now, scopes=_drivers(proposal_id)) as journal:
        row = _locked(proposal_id, expected_version, by)
        PROPOSAL_STEPS.check(row.status, ProposalState.DECLINED)
        row.decided_at, row.decided_by, row.reason = now, str(by), reason.strip()
        _step(row, ProposalState.DECLINED)
        journal.record("proposal.declined", row, depot_id=row.depot_id)
        text = f"Declined: {row.reason}"
        _settle(row, RecommendationState.OVERRIDDEN, text, by=by, now=now)
        for each in _reports(row):
            if each.status not in ANSWERED:
                feedback.decline(
                    feedback_id=each.pk,
                    code="disagree",
                    words=row.reason,
                    by=by,
                    now=now,
                )
    return row


def revert(
    proposal_id: uuid.UUID,
    *,
    reason: str,
    expected_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Proposal:
    """Put the values before in force again, as the next version; the reporters hear it.

    Raises:
        NotFound: there is no such proposal.
        PreconditionFailed: it was changed since the caller read it.
        IllegalStep: it is not in force.
        Invalid: nobody says why.
        ValuesMoved: another version has taken their place: there is nothing to take back.
        MachineMayNot: the machine takes it back, and no decision point lets it.
    """
    if not reason.strip():
        text = "Say why it is taken back."
        raise Invalid(text, errors=[FieldError("/reason", "required", text)])
    with writing(by=by, now=now, scopes=_drivers(proposal_id)) as journal:
        row = _locked(proposal_id, expected_version)
        PROPOSAL_STEPS.check(row.status, ProposalState.REVERTED)
        if newest_versions(row.depot_id, row.versions) != row.versions:
            raise ValuesMoved("Another version has taken the place of this one.")
        because = f"Taken back: {reason.strip()}"
        keep_parameters(row.depot_id, row.before, because=because, by=by, now=now)
        row.closed_at, row.closed_by = now, str(by)
        row.closing_words = reason.strip()
        _step(row, ProposalState.REVERTED)
        journal.record(
            "proposal.reverted",
            row,
            depot_id=row.depot_id,
            topic=row.topic,
            why=row.closing_words,
            by_machine=by.kind == "system",
        )
        for each in _reports(row):
            if each.status in ANSWERED:
                feedback.say_more(
                    feedback_id=each.pk,
                    code="taken_back",
                    words=TAKEN_BACK if by.kind == "system" else row.closing_words,
                    by=by,
                    now=now,
                )
    return row


def keep_for_good(
    proposal_id: uuid.UUID, *, words: str, by: Actor, now: datetime
) -> Proposal:
    """End a proposal's watch: its values stay."""
    with writing(by=by, now=now) as journal:
        row = _locked(proposal_id, None)
        PROPOSAL_STEPS.check(row.status, ProposalState.KEPT)
        row.closed_at, row.closed_by, row.closing_words = now, str(by), words
        _step(row, ProposalState.KEPT)
        journal.record("proposal.kept", row, depot_id=row.depot_id, why=words)
    return row


def _locked(
    proposal_id: uuid.UUID, expected_version: int | None, decider: Actor | None = None
) -> Proposal:
    if decider is not None and decider.kind != "user":
        raise NotAPerson
    rows = Proposal.objects.select_for_update(of=("self",))
    row = rows.select_related("recommendation", "depot").filter(pk=proposal_id).first()
    if row is None:
        raise NotFound("There is no such proposal.")
    if expected_version is not None and row.version != expected_version:
        raise PreconditionFailed
    return row


def _step(row: Proposal, state: ProposalState) -> None:
    row.status, row.version = state, row.version + 1
    row.save()


def _drivers(proposal_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the drivers who reported it: their feeds are locked before anything."""
    rows = Feedback.objects.filter(proposals=proposal_id, driver__isnull=False)
    return sorted({one for one in rows.values_list("driver_id", flat=True) if one})


def _reports(row: Proposal) -> Iterable[Feedback]:
    return row.reports.order_by("pk")


def _answer(row: Proposal, *, by: Actor, now: datetime) -> None:
    """Tell who reported it that it is planned otherwise from now on."""
    words = f"{in_words(row.topic)}: changed after your report, from the next plan on."
    for each in _reports(row):
        if each.status not in ANSWERED:
            feedback.act_on(
                feedback_id=each.pk, code="will_plan_so", words=words, by=by, now=now
            )


def _settle(row: Proposal, state: str, text: str, *, by: Actor, now: datetime) -> None:
    if row.recommendation.state == RecommendationState.ISSUED:
        recommendations.settle(
            row.recommendation_id, state=state, outcome={"text": text}, by=by, now=now
        )
