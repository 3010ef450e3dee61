"""A message's way out: claimed before it is sent, written down after.

Between the two there is the network, and a task; here is what is stored. Whoever claims
a message is alone with it: the claim is one guarded update, and the attempt that goes
with it is the record by which a second sending is prevented.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from apps.core import queue
from apps.core.actors import Actor
from apps.journal.services import Writer, writing
from apps.notifications import kinds, selectors
from apps.notifications.letters import (
    CannotTell,
    Letter,
    Rejected,
    SendFailed,
    Taken,
    Unclear,
    Unsubscribed,
)
from apps.notifications.models import Attempt, Consent, Message
from apps.notifications.policies import policy_of
from apps.notifications.routing import Tried, next_step, steps_of, wait_before
from apps.notifications.services.consents import record_consent
from apps.notifications.services.queueing import DELIVER
from apps.notifications.states import AttemptState, MessageState

ASK_AFTER = timedelta(seconds=30)
"""A provider lists what it took only a moment later: so long is waited before asking."""

ASK_AGAIN = timedelta(minutes=5)
ASK_UNTIL = timedelta(hours=24)
"""After this a provider that does not answer is not asked any more."""

CLEAR_UP = "apps.notifications.tasks.clear_up"
UNCLEAR, CANNOT_TELL = "unclear", "cannot_tell"

Providers = Mapping[str, Sequence[str]]


def claim(
    message_id: uuid.UUID, *, providers: Providers, by: Actor, now: datetime
) -> Letter | None:
    """Take a waiting message for sending, and begin its next attempt.

    Returns None where there is nothing to send: another one has it, it is not due, or it
    ended here because it came too late, is not wanted, or has no way left.
    """
    with writing(by=by, now=now) as journal:
        rows = Message.objects.select_for_update(of=("self",)).select_related("depot")
        row = rows.filter(pk=message_id, state=MessageState.QUEUED).first()
        if row is None or not _still_goes(row, journal, now):
            return None
        tried = _tried(row)
        step = next_step(steps_of(row.ways, providers), tried)
        if step is None:
            _end(row, journal, MessageState.DEAD, "no_way_left", _last_word(row))
            return None
        claimed = Message.objects.filter(pk=row.pk, state=MessageState.QUEUED).update(
            state=MessageState.SENDING,
            channel=step.channel,
            address=step.address,
            claimed_at=now,
            code="",
            detail="",
        )
        if not claimed:
            return None
        attempt = Attempt.objects.create(
            message=row,
            number=row.attempts.count() + 1,
            channel=step.channel,
            address=step.address,
            provider=step.provider,
            started_at=now,
        )
    return letter_of(row, attempt)


def letter_of(message: Message, attempt: Attempt) -> Letter:
    """Return a message as the provider of an attempt is given it."""
    again = f"-{message.resent_at:%Y%m%d%H%M%S}" if message.resent_at else ""
    return Letter(
        message_id=message.pk,
        attempt_id=attempt.pk,
        key=f"{message.pk.hex}{again}",
        channel=attempt.channel,
        provider=attempt.provider,
        address=attempt.address,
        title=message.title,
        text=message.text,
        about=f"{message.kind} {message.subject_label}".strip(),
        language=message.language,
        started_at=attempt.started_at,
    )


def note_sent(letter: Letter, taken: Taken, *, by: Actor, now: datetime) -> None:
    """Write down that a provider has the message."""
    with writing(by=by, now=now) as journal:
        row = _locked(letter.message_id)
        Attempt.objects.filter(pk=letter.attempt_id).update(
            state=AttemptState.ACCEPTED,
            provider_id=taken.provider_id,
            receipt=taken.status,
            ended_at=now,
        )
        if row.state not in {MessageState.SENDING, MessageState.UNKNOWN}:
            return  # a receipt was faster than this
        row.state, row.sent_at, row.code, row.detail = MessageState.SENT, now, "", ""
        row.save(update_fields=["state", "sent_at", "code", "detail"])
        journal.record(
            "message.sent",
            row,
            depot_id=row.depot_id,
            kind=row.kind,
            channel=letter.channel,
            provider=letter.provider,
        )


def note_failed(
    letter: Letter,
    failure: SendFailed,
    *,
    providers: Providers,
    by: Actor,
    now: datetime,
) -> None:
    """Write down that an attempt failed, and let the message go its next way.

    After an attempt without an answer it goes nowhere before its provider was asked.
    """
    with writing(by=by, now=now) as journal:
        row = _locked(letter.message_id)
        if row.state not in {MessageState.SENDING, MessageState.UNKNOWN}:
            return
        state = _state_of(failure)
        Attempt.objects.filter(pk=letter.attempt_id).update(
            state=state, code=failure.code, detail=failure.detail, ended_at=now
        )
        if isinstance(failure, Unsubscribed):
            _keep_refusal(row, letter, by=by, now=now)
            _end(row, journal, MessageState.BLOCKED, "no_consent", failure.detail)
        elif isinstance(failure, Unclear):
            _doubt(row, UNCLEAR, failure.detail, due_at=now + ASK_AFTER)
        else:
            go_on(
                row,
                providers=providers,
                journal=journal,
                now=now,
                least=timedelta(seconds=failure.after_s),
            )


def go_on(
    row: Message,
    *,
    providers: Providers,
    journal: Writer,
    now: datetime,
    least: timedelta = timedelta(0),
) -> None:
    """Let a message take its next way: at once where that is fresh, else after a pause.

    `least` is the pause that a provider asked for. Where no way is left, it is dead.
    """
    tried = _tried(row)
    step = next_step(steps_of(row.ways, providers), tried)
    if step is None:
        _end(row, journal, MessageState.DEAD, "no_way_left", _last_word(row))
        return
    pause = wait_before(step, tried)
    _wait_until(row, now + (max(pause, least) if pause else pause), now=now)


def doubt_abandoned(
    message_id: uuid.UUID, *, claimed_before: datetime, by: Actor, now: datetime
) -> bool:
    """Turn what a dead worker left half sent into what its provider must be asked of."""
    with writing(by=by, now=now):
        row = _locked(message_id)
        is_left = row.state == MessageState.SENDING and (
            row.claimed_at is None or row.claimed_at < claimed_before
        )
        if not is_left:
            return False
        row.attempts.filter(state=AttemptState.STARTED).update(
            state=AttemptState.UNCLEAR,
            code="worker_died",
            detail="The worker ended before it wrote down what became of it.",
            ended_at=now,
        )
        _doubt(row, UNCLEAR, "The worker ended while it was being sent.", due_at=now)
    return True


def doubted(message_id: uuid.UUID) -> Letter | None:
    """Return the attempt of which it is not known whether it was sent, to be asked of."""
    row = Message.objects.filter(
        pk=message_id, state=MessageState.UNKNOWN, code=UNCLEAR
    ).first()
    attempt = row and row.attempts.filter(state=AttemptState.UNCLEAR).last()
    return letter_of(row, attempt) if row and attempt else None


def note_absent(letter: Letter, *, by: Actor, now: datetime) -> None:
    """Write down that the provider never had it: it may be sent."""
    with writing(by=by, now=now):
        row = _locked(letter.message_id)
        if row.state != MessageState.UNKNOWN:
            return
        Attempt.objects.filter(pk=letter.attempt_id).update(
            state=AttemptState.ABSENT, ended_at=now
        )
        _wait_until(row, now, now=now)


def note_silence(
    letter: Letter, failure: SendFailed, *, by: Actor, now: datetime
) -> None:
    """Write down that the provider could not say; ask later, or leave it to a person."""
    with writing(by=by, now=now) as journal:
        row = _locked(letter.message_id)
        if row.state != MessageState.UNKNOWN:
            return
        asked_long = now - letter.started_at > ASK_UNTIL
        if isinstance(failure, CannotTell) or asked_long:
            _doubt(row, CANNOT_TELL, failure.detail, due_at=row.due_at)
            journal.record(
                "message.in_doubt", row, depot_id=row.depot_id, kind=row.kind
            )
        else:
            wait = max(ASK_AGAIN, timedelta(seconds=failure.after_s))
            _doubt(row, UNCLEAR, failure.detail, due_at=now + wait)


def hand_over_due(*, again_after: timedelta, now: datetime) -> int:
    """Queue what is due and not with the queue: after quiet hours, after a pause."""
    with writing(by=Actor("system"), now=now):
        due = selectors.due_messages(now=now, handed_before=now - again_after)
        Message.objects.filter(pk__in=due).update(handed_at=now)
        queue.enqueue_all([(DELIVER, {"message_id": str(pk)}) for pk in due])
    return len(due)


def ask_in_doubt(*, now: datetime) -> int:
    """Queue the questions to providers that are due; return how many."""
    with writing(by=Actor("system"), now=now):
        due = selectors.doubtful_messages(now=now)
        # Not asked twice while the first question waits in the queue.
        Message.objects.filter(pk__in=due).update(due_at=now + ASK_AGAIN)
        queue.enqueue_all([(CLEAR_UP, {"message_id": str(pk)}) for pk in due])
    return len(due)


def _locked(message_id: uuid.UUID) -> Message:
    return Message.objects.select_for_update().get(pk=message_id)


def _still_goes(row: Message, journal: Writer, now: datetime) -> bool:
    """Ask once more, at the last moment: in time, wanted, not in quiet hours."""
    if row.expires_at is not None and row.expires_at <= now:
        why = "It would have come too late to be of use."
        _end(row, journal, MessageState.WITHDRAWN, "expired", why)
        return False
    theirs = {address for _, address in row.ways}
    answers = selectors.answers_of(theirs)
    if any(answers.get((one, row.purpose)) is False for one in theirs):
        why = "The person does not want messages for this purpose any more."
        _end(row, journal, MessageState.BLOCKED, "no_consent", why)
        return False
    due_at = policy_of(row.depot_id).due_at(row.kind, row.time_zone, now)
    due_at = max(due_at, row.due_at)
    if due_at > now:
        _wait_until(row, due_at, now=now)
        return False
    return True


def _end(
    row: Message, journal: Writer, state: MessageState, code: str, detail: str
) -> None:
    row.state, row.code, row.detail = state, code, detail[:300]
    row.save(update_fields=["state", "code", "detail"])
    journal.record(
        f"message.{'held_back' if state == MessageState.BLOCKED else state.value}",
        row,
        depot_id=row.depot_id,
        kind=row.kind,
        why=code,
    )


def _doubt(row: Message, code: str, detail: str, *, due_at: datetime) -> None:
    row.state, row.code, row.detail = MessageState.UNKNOWN, code, detail[:300]
    row.due_at = due_at
    row.save(update_fields=["state", "code", "detail", "due_at"])


def _wait_until(row: Message, due_at: datetime, *, now: datetime) -> None:
    """Let a message wait; what is due at once goes to the queue at once."""
    is_due = due_at <= now
    row.state, row.due_at = MessageState.QUEUED, due_at
    row.handed_at = now if is_due else None
    row.save(update_fields=["state", "due_at", "handed_at"])
    if is_due:
        queue.enqueue(DELIVER, message_id=str(row.pk))


def _tried(row: Message) -> list[Tried]:
    """Return the attempts that count: those since a person last had it sent."""
    rows = row.attempts.order_by("number")
    if row.resent_at is not None:
        rows = rows.filter(started_at__gte=row.resent_at)
    return [Tried(one.channel, one.provider, one.state) for one in rows]


def _last_word(row: Message) -> str:
    last = row.attempts.last()
    if last is None:
        return "There is no provider for any of the person's addresses."
    return f"{last.provider}: {last.detail or last.code}"


def _state_of(failure: SendFailed) -> AttemptState:
    if isinstance(failure, Rejected):
        return AttemptState.REJECTED
    if isinstance(failure, Unclear):
        return AttemptState.UNCLEAR
    return AttemptState.UNAVAILABLE


def _keep_refusal(row: Message, letter: Letter, *, by: Actor, now: datetime) -> None:
    record_consent(
        depot_id=row.depot_id,
        address=letter.address,
        purposes=kinds.CONSENT_PURPOSES,
        is_given=False,
        source=Consent.Source.PROVIDER,
        note=f"{letter.provider}: {letter.about}",
        by=by,
        now=now,
    )
