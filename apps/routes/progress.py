"""The fold: what a stop's events, in whatever order they came, say of its state.

Pure, and a function of the set of events alone. Between two reopenings lies one
attempt. In an attempt the earliest success wins over everything; without a success the
latest outcome wins. So a late fact may complete the picture, and never turns it over by
the accident of its arrival.

A correction is a fact that names another: it says what that one should have said, and
the newest of several counts. What was corrected keeps its place and its driver.

Facts stand as they happened. Those of one device are never out of the order in which it
made them: where its clocks say otherwise, the one that is less sure gives way.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
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
    device_id: UUID | None = None
    """The device that numbered it; its facts are in the order of their numbers."""
    is_sure: bool = True
    """Its instant hangs on no clock that somebody may have set."""


Place = tuple[datetime, int, str]
"""A fact's place in the canonical order: as it happened, then as it was made."""


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
    known = list(facts)
    return _folded(known, places_of(known))


def _folded(known: Sequence[Fact], places: Mapping[str, Place]) -> Progress:
    attempt: list[Fact] = []
    for fact in sorted(corrected(known, places), key=lambda fact: places[fact.id]):
        if fact.step == REOPENED:
            attempt = []
        elif fact.step != NOTE:
            attempt.append(fact)
    return _attempt_state(attempt)


def places_of(facts: Sequence[Fact]) -> dict[str, Place]:
    """Return by id the place of each fact in the canonical order of all of them."""
    places = {fact.id: (fact.occurred_at, fact.device_seq, fact.id) for fact in facts}
    numbered: dict[UUID, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.device_id is not None and fact.device_seq > 0:
            numbered[fact.device_id].append(fact)
    for mine in numbered.values():
        if len(mine) > 1:
            mine.sort(key=lambda fact: (fact.device_seq, fact.id))
            for fact, at in zip(mine, _as_numbered(mine), strict=True):
                places[fact.id] = (at, fact.device_seq, fact.id)
    return places


def _as_numbered(facts: Sequence[Fact]) -> list[datetime]:
    """Return instants that never fall, for one device's facts by number.

    An unsure one is not before a sure one with a smaller number; then none is after one
    with a greater number.
    """
    instants, sure_until = [], datetime.min.replace(tzinfo=UTC)
    for fact in facts:
        if fact.is_sure:
            sure_until = max(sure_until, fact.occurred_at)
            instants.append(fact.occurred_at)
        else:
            instants.append(max(sure_until, fact.occurred_at))
    for place in range(len(instants) - 2, -1, -1):
        instants[place] = min(instants[place], instants[place + 1])
    return instants


def corrected(
    facts: Sequence[Fact], places: Mapping[str, Place] | None = None
) -> Sequence[Fact]:
    """Return facts as their newest corrections have them, without the corrections.

    `places` are those of these facts among more; without them, among themselves.
    """
    corrections = [fact for fact in facts if fact.corrects]
    if not corrections:
        return facts
    known = places_of(facts) if places is None else places
    newest = {
        fact.corrects: fact
        for fact in sorted(corrections, key=lambda fact: known[fact.id])
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
    places = places_of([*known, new])
    first = [fact for fact in known if places[fact.id] < places[new.id]]
    if len(first) < len(known):
        earlier = _folded(first, places)
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
    places = places_of([*known, new])
    last = max(
        (fact for fact in known if fact.corrects == new.corrects),
        key=lambda fact: places[fact.id],
        default=None,
    )
    if last is not None and places[last.id] > places[new.id]:
        return Verdict(
            SUPERSEDED,
            "newer_correction",
            "A newer correction of the same report counts. This one is kept.",
            ours=last.step,
            ours_at=last.occurred_at,
            yours=new.step,
        )
    facts = {fact.id: fact for fact in corrected(known, places)}
    wrong = facts[new.corrects]
    is_over = any(
        fact.step == REOPENED and places[fact.id] > places[wrong.id]
        for fact in facts.values()
    )
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
