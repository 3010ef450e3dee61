"""The fold: what a stop's events, in whatever order they came, say of its state.

Pure, and a function of the set of events alone. Between two reopenings lies one
attempt. In an attempt the earliest success wins over everything; without a success the
latest outcome wins. So a late fact may complete the picture, and never turns it over by
the accident of its arrival.

A correction is a fact that names another: it says what that one should have said, and
the newest of several counts. What was corrected keeps its place and its driver.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from apps.core.verdicts import (
    APPLIED,
    NEEDS_REVIEW,
    REJECTED,
    SUPERSEDED,
    Verdict,
)

ENROUTE, ARRIVED, REOPENED, NOTE = "enroute", "arrived", "reopened", "note"
SUCCEEDED, FAILED, PARTIAL = "succeeded", "failed", "partial"
PENDING, CANCELLED = "pending", "cancelled"
OUTCOMES = (SUCCEEDED, FAILED, PARTIAL)
CANCELLED_MEANWHILE = Verdict(
    NEEDS_REVIEW,
    "cancelled_meanwhile",
    "The order was cancelled meanwhile. Your report is kept; the office decides.",
    ours=CANCELLED,
)
WINDOW_MOVED = Verdict(
    NEEDS_REVIEW,
    "window_moved",
    "The customer chose another time meanwhile. The stop stays closed.",
)
STEPS = (ENROUTE, ARRIVED, *OUTCOMES, REOPENED)
CORRECTIONS = {
    ENROUTE: (ENROUTE, ARRIVED, NOTE),
    ARRIVED: (ARRIVED, ENROUTE, NOTE),
    SUCCEEDED: (*OUTCOMES, NOTE),
    FAILED: (*OUTCOMES, NOTE),
    PARTIAL: (*OUTCOMES, NOTE),
    REOPENED: (REOPENED, NOTE),
    NOTE: (NOTE,),
}
"""What a step may be corrected to; as a note it says that the step was not taken."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One event about one stop; `step` is its kind without the leading `stop.`."""

    id: str
    step: str
    driver_id: UUID
    occurred_at: datetime
    device_seq: int = 0
    reason: str = ""
    corrects: str = ""
    """The id of the fact in whose stead this one says `step` and `reason`."""

    @property
    def place(self) -> tuple[datetime, int, str]:
        """Its place in the canonical order: as it happened, then as it was made."""
        return (self.occurred_at, self.device_seq, self.id)


@dataclass(frozen=True, slots=True)
class Progress:
    """A stop's state, folded; the instants are those of the present attempt."""

    status: str = PENDING
    reason: str = ""
    enroute_at: datetime | None = None
    arrived_at: datetime | None = None
    completed_at: datetime | None = None
    completed_by: UUID | None = None
    decided_by: str = ""
    """The id of the event that decides the status; empty when pending."""


def fold(facts: Iterable[Fact]) -> Progress:
    """Return the state that a set of facts amounts to, in any order of arrival."""
    attempt: list[Fact] = []
    for fact in sorted(corrected(list(facts)), key=lambda fact: fact.place):
        if fact.step == REOPENED:
            attempt = []
        elif fact.step != NOTE:
            attempt.append(fact)
    return _attempt_state(attempt)


def corrected(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Return facts as their newest corrections have them, without the corrections."""
    corrections = [fact for fact in facts if fact.corrects]
    if not corrections:
        return facts
    newest = {
        fact.corrects: fact for fact in sorted(corrections, key=lambda fact: fact.place)
    }
    return [
        replace(fact, step=meant.step, reason=meant.reason)
        if (meant := newest.get(fact.id))
        else fact
        for fact in facts
        if not fact.corrects
    ]


def _attempt_state(attempt: Sequence[Fact]) -> Progress:
    status, decided_by = PENDING, ""
    enroute_at: datetime | None = None
    arrived_at: datetime | None = None
    for fact in attempt:
        if fact.step == ENROUTE:
            status, decided_by, enroute_at = ENROUTE, fact.id, fact.occurred_at
        elif fact.step == ARRIVED:
            status, decided_by = ARRIVED, fact.id
            arrived_at = arrived_at or fact.occurred_at
    winner = _outcome(attempt)
    if winner is None:
        return Progress(
            status, "", enroute_at, arrived_at, None, None, decided_by=decided_by
        )
    return Progress(
        winner.step,
        winner.reason,
        enroute_at,
        arrived_at,
        winner.occurred_at,
        winner.driver_id,
        decided_by=winner.id,
    )


def _outcome(attempt: Sequence[Fact]) -> Fact | None:
    outcomes = [fact for fact in attempt if fact.step in OUTCOMES]
    for fact in outcomes:
        if fact.step == SUCCEEDED:
            return fact
    return outcomes[-1] if outcomes else None


def legal_steps(status: str) -> list[str]:
    """Return the steps that a driver may report now, by name."""
    if status in OUTCOMES:
        return [f"stop.{REOPENED}"]
    if status == CANCELLED:
        return []
    after = {PENDING: STEPS[:5], ENROUTE: STEPS[:5], ARRIVED: STEPS[1:5]}
    return [f"stop.{step}" for step in after[status]]


def judge(known: Sequence[Fact], new: Fact, *, cancelled: bool) -> Verdict:
    """Say what becomes of a new fact beside those that are known.

    A fact that is `applied`, `superseded` or in need of review is to be kept; one that
    is `rejected` is a step that its driver could not take, and changes nothing.
    """
    if new.step == NOTE:
        return Verdict(APPLIED)
    if cancelled:
        return CANCELLED_MEANWHILE
    before = earlier = fold(known)
    if any(fact.place >= new.place for fact in known):
        earlier = fold(fact for fact in known if fact.place < new.place)
    if _is_illegal(new, earlier, before):
        if before.completed_by not in {None, new.driver_id}:
            return _ended_by_another(before)
        legal = ", ".join(legal_steps(earlier.status)) or "none"
        return Verdict(
            REJECTED,
            "invalid",
            f"{new.step} cannot follow {earlier.status}; possible now: {legal}.",
            ours=earlier.status,
            ours_at=earlier.completed_at,
        )
    return _place_among(known, new)


def judge_correction(known: Sequence[Fact], new: Fact, *, cancelled: bool) -> Verdict:
    """Say what becomes of a correction of one of the known facts; it is to be kept."""
    if cancelled:
        return CANCELLED_MEANWHILE
    last = max(
        (fact for fact in known if fact.corrects == new.corrects),
        key=lambda fact: fact.place,
        default=None,
    )
    if last is not None and last.place > new.place:
        return Verdict(
            SUPERSEDED,
            "newer_correction",
            "A newer correction of the same report counts. This one is kept.",
            ours=last.step,
            ours_at=last.occurred_at,
            yours=new.step,
        )
    facts = {fact.id: fact for fact in corrected(known)}
    wrong = facts[new.corrects]
    is_over = any(f.step == REOPENED and f.place > wrong.place for f in facts.values())
    after = fold([*known, new])
    if new.step in OUTCOMES and not is_over and after.decided_by != wrong.id:
        return replace(_ended_by_another(after), yours=new.step)
    return Verdict(
        APPLIED,
        "corrected",
        "Your correction counts instead of the earlier report.",
        ours=wrong.step,
        ours_at=wrong.occurred_at,
        yours=new.step,
    )


def _is_illegal(new: Fact, earlier: Progress, before: Progress) -> bool:
    """Tell whether a step cannot stand where it was taken: after what was `earlier`."""
    if new.step == REOPENED:
        return earlier.status not in OUTCOMES
    if new.step in {ENROUTE, ARRIVED}:
        return earlier.status in OUTCOMES
    own_end = earlier.status in OUTCOMES and earlier.completed_by == new.driver_id
    return own_end and before.status == earlier.status


def _place_among(known: Sequence[Fact], new: Fact) -> Verdict:
    if new.step not in OUTCOMES:
        return Verdict(APPLIED)
    after = fold([*known, new])
    if after.decided_by == new.id:
        return Verdict(APPLIED)
    return _ended_by_another(after)


def _ended_by_another(state: Progress) -> Verdict:
    if state.status == SUCCEEDED:
        return Verdict(
            SUPERSEDED,
            "already_delivered",
            "This stop was already delivered. Your report is kept beside it.",
            ours=state.status,
            ours_at=state.completed_at,
        )
    return Verdict(
        SUPERSEDED,
        "newer_event",
        f"A newer report says {state.status}. Yours is kept beside it.",
        ours=state.status,
        ours_at=state.completed_at,
    )
