"""What people say of recommendations, and what the office answers."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from apps.core.actors import Actor
from apps.core.problems import FieldError, Invalid, NotFound
from apps.depots.models import Depot
from apps.feedback.models import Feedback, FeedbackAnswer, FeedbackEdit
from apps.feedback.states import ANSWERED, FEEDBACK_STEPS, FeedbackState
from apps.feedback.words import DONE, NOT_DONE, OTHER, REASONS
from apps.journal.services import Writer, writing
from apps.recommendations.models import Recommendation

DRIVER: Final = "driver"
OFFICE: Final = "office"
CUSTOMER: Final = "customer"
LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody says: a rating (1 to 5), a reason's code, words, a photo's id."""

    rating: int | None = None
    reason: str = ""
    text: str = ""
    attachment_id: str = ""
    is_objection: bool = False


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says it; `stop_id` where it is about one stop."""

    person: Actor
    role: str
    depot_id: uuid.UUID
    driver_id: uuid.UUID | None = None
    stop_id: str = ""


def record_feedback(
    *,
    recommendation_id: uuid.UUID | None,
    speaker: Speaker,
    opinion: Opinion,
    given_at: datetime,
    source_key: str,
    by: Actor,
    now: datetime,
) -> Feedback:
    """Keep what a person says of a recommendation; said anew, it takes the old one's place.

    One a person and recommendation: each saying stays in its history, the latest by the
    person's own clock counts. The same `source_key` again changes nothing.

    Raises:
        Invalid: it says nothing, or the rating is none.
        NotFound: there is no such recommendation in the person's depot.
    """
    opinion = _checked(opinion)
    scopes = [speaker.driver_id] if speaker.driver_id else []
    with writing(by=by, now=now, scopes=scopes) as journal:
        if recommendation_id is not None:
            _check_recommendation(recommendation_id, speaker.depot_id)
        elif not Depot.objects.filter(pk=speaker.depot_id).exists():
            raise NotFound
        known = FeedbackEdit.objects.filter(source_key=source_key).first()
        if known is not None:
            return known.feedback
        row, is_new = _row(recommendation_id, speaker, opinion, given_at, now)
        FeedbackEdit.objects.create(
            feedback=row,
            source_key=source_key,
            given_at=given_at,
            received_at=now,
            **_columns(opinion),
        )
        if not is_new:
            _say_anew(row, opinion, given_at, now)
        _record("feedback.recorded" if is_new else "feedback.changed", row, journal)
    return row


def _checked(opinion: Opinion) -> Opinion:
    """Return it with a reason that we know; an unknown one goes into the words."""
    faults = []
    if opinion.rating is not None and not 1 <= opinion.rating <= 5:
        faults.append(FieldError("/rating", "range", "From 1 (bad) to 5 (good)."))
    if len(opinion.text) > LONGEST:
        text = f"{LONGEST} letters at the most."
        faults.append(FieldError("/text", "too_long", text))
    reason, text = opinion.reason.strip(), opinion.text.strip()
    says = opinion.rating is not None or reason or text or opinion.attachment_id
    if not says:
        faults.append(
            FieldError("/rating", "required", "Rate it, give a reason, or write.")
        )
    if faults:
        raise Invalid(faults[0].detail, errors=faults)
    if reason and reason not in REASONS:
        text = f"{reason}: {text}" if text else reason
        reason = OTHER
    return Opinion(
        opinion.rating, reason, text, opinion.attachment_id, opinion.is_objection
    )


def _check_recommendation(recommendation_id: uuid.UUID, depot_id: uuid.UUID) -> None:
    rows = Recommendation.objects.filter(pk=recommendation_id, depot_id=depot_id)
    if not rows.exists():
        raise NotFound("There is no such recommendation here.")


def _columns(opinion: Opinion) -> dict[str, Any]:
    return {
        "rating": opinion.rating,
        "reason": opinion.reason,
        "text": opinion.text,
        "attachment_id": opinion.attachment_id,
        "is_objection": opinion.is_objection,
    }


def _row(
    recommendation_id: uuid.UUID | None,
    speaker: Speaker,
    opinion: Opinion,
    given_at: datetime,
    now: datetime,
) -> tuple[Feedback, bool]:
    """Return the person's feedback on this, locked, or make it; and whether it is new."""
    mine = Feedback.objects.select_for_update().filter(person=str(speaker.person))
    if recommendation_id is not None:
        mine = mine.filter(recommendation_id=recommendation_id)
        if (known := mine.first()) is not None:
            return known, False
    row = Feedback(
        depot_id=speaker.depot_id,
        recommendation_id=recommendation_id,
        person=str(speaker.person),
        role=speaker.role,
        driver_id=speaker.driver_id,
        stop_id=speaker.stop_id,
        given_at=given_at,
        received_at=now,
        raised_at=now,
        **_columns(opinion),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return mine.get(), False
    return row, True


def _say_anew(
    row: Feedback, opinion: Opinion, given_at: datetime, now: datetime
) -> None:
    """Let a later saying count; one that comes late is history and no more."""
    if given_at < row.given_at:
        return
    fresh = _columns(opinion)
    # A photo that came before stays, unless another one takes its place.
    fresh["attachment_id"] = opinion.attachment_id or row.attachment_id
    if all(getattr(row, name) == value for name, value in fresh.items()):
        return
    for name, value in fresh.items():
        setattr(row, name, value)
    row.given_at, row.raised_at = given_at, now
    row.version += 1
    if row.status in ANSWERED:
        row.status = FeedbackState.NEW
        row.answered_at, row.answered_by = None, ""
        row.answer_code = row.answer = ""
    row.save()


def mark_seen(*, feedback_id: uuid.UUID, by: Actor, now: datetime) -> Feedback:
    """Note that somebody of the office has read it; once is enough.

    Raises:
        NotFound: there is no such feedback.
    """
    with writing(by=by, now=now) as journal:
        row = _locked(feedback_id, journal)
        if row.status != FeedbackState.NEW:
            return row
        row.status = FeedbackState.SEEN
        row.seen_at, row.seen_by = now, str(by)
        row.save()
        _record("feedback.seen", row, journal)
    return row


def act_on(
    *, feedback_id: uuid.UUID, code: str, words: str = "", by: Actor, now: datetime
) -> Feedback:
    """Say what was done about it: a code of `DONE`, and words of one's own.

    Raises:
        NotFound: there is no such feedback.
        Invalid: the code is none.
        IllegalStep: it was answered already.
    """
    return _answer(feedback_id, FeedbackState.ACTIONED, DONE, code, words, by, now)


def decline(
    *, feedback_id: uuid.UUID, code: str, words: str = "", by: Actor, now: datetime
) -> Feedback:
    """Say why nothing is done about it: a code of `NOT_DONE`, and words of one's own.

    Raises:
        NotFound: there is no such feedback.
        Invalid: the code is none.
        IllegalStep: it was answered already.
    """
    return _answer(feedback_id, FeedbackState.DECLINED, NOT_DONE, code, words, by, now)


def say_more(
    *, feedback_id: uuid.UUID, code: str, words: str = "", by: Actor, now: datetime
) -> Feedback:
    """Say more about what was answered already, since it came out otherwise.

    The state stays; the answer on the device is the new one, the old one is history.

    Raises:
        NotFound: there is no such feedback.
        Invalid: the code is none, or nothing was answered yet.
    """
    codes = {**DONE, **NOT_DONE}
    if code not in codes:
        text = f"One of {', '.join(codes)}."
        raise Invalid(text, errors=[FieldError("/code", "unknown", text)])
    with writing(by=by, now=now) as journal:
        row = _locked(feedback_id, journal)
        if row.status not in ANSWERED:
            raise Invalid("Nothing was answered yet: answer it.")
        row.answer_code, row.answer = code, words.strip()[:LONGEST]
        row.version += 1
        row.save(update_fields=["answer_code", "answer", "version"])
        FeedbackAnswer.objects.create(
            feedback=row,
            status=row.status,
            code=code,
            words=row.answer,
            at=now,
            by=str(by),
        )
        _record("feedback.answered_anew", row, journal, code=code)
    return row


def _answer(  # noqa: PLR0917
    feedback_id: uuid.UUID,
    state: FeedbackState,
    codes: Mapping[str, str],
    code: str,
    words: str,
    by: Actor,
    now: datetime,
) -> Feedback:
    words = words.strip()
    if code not in codes:
        text = f"One of {', '.join(codes)}."
        raise Invalid(text, errors=[FieldError("/code", "unknown", text)])
    if len(words) > LONGEST:
        text = f"{LONGEST} letters at the most."
        raise Invalid(text, errors=[FieldError("/words", "too_long", text)])
    with writing(by=by, now=now) as journal:
        row = _locked(feedback_id, journal)
        FEEDBACK_STEPS.check(row.status, state)
        row.status = state
        row.seen_at, row.seen_by = row.seen_at or now, row.seen_by or str(by)
        row.answered_at, row.answered_by = now, str(by)
        row.answer_code, row.answer = code, words
        row.version += 1
        row.save()
        FeedbackAnswer.objects.create(
            feedback=row, status=state, code=code, words=words, at=now, by=str(by)
        )
        took_s = round((now - row.raised_at).total_seconds())
        _record(f"feedback.{state}", row, journal, code=code, took_s=took_s)
    return row


def _locked(feedback_id: uuid.UUID, journal: Writer) -> Feedback:
    row = Feedback.objects.filter(pk=feedback_id).first()
    if row is None:
        raise NotFound
    if row.driver_id is not None:
        journal.lock([row.driver_id])
    return Feedback.objects.select_for_update().get(pk=feedback_id)


def _record(kind: str, row: Feedback, journal: Writer, **more: Any) -> None:
    """Tell the journal without the person's words, and the driver's device."""
    journal.record(
        kind,
        row,
        depot_id=row.depot_id,
        recommendation_id=str(row.recommendation_id or ""),
        role=row.role,
        rating=row.rating,
        reason=row.reason,
        objects=row.is_objection,
        driver_id=str(row.driver_id or ""),
        **more,
    )
    if row.driver_id is not None:
        journal.changed(row.driver_id, "feedback_answers", row.pk)
