"""At least once by the queue, never twice to a person."""

from datetime import timedelta

import pytest
from django.conf import settings as configured
from pytest_django import Settings

from apps.core import clock, queue
from apps.core.problems import Problem
from apps.notifications import tasks
from apps.notifications.letters import (
    CannotTell,
    Letter,
    Rejected,
    Taken,
    Unavailable,
    Unclear,
    Unsubscribed,
)
from apps.notifications.models import Attempt, Consent, Message
from apps.notifications.services import delivering, queue_message
from apps.notifications.services.receipts import note_receipt
from apps.notifications.services.resending import resend
from apps.notifications.states import AttemptState, MessageState
from apps.notifications.transports import memory
from tests.factories import DepotFactory
from tests.notifications.people import ANNA, NOON, OFFICE, draft
from tests.queueing import drain

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    return Clock(monkeypatch)


class Clock:
    """The time of the doors, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        monkeypatch.setattr(clock, "now", lambda: self.now)

    def later(self, **by: float) -> None:
        """Let time pass; what has become due goes to the queue."""
        self.now += timedelta(**by)
        tasks.watch()
        drain()


def written(at: Clock) -> Message:
    row = queue_message(draft(DepotFactory().pk), by=OFFICE, now=at.now)
    assert row is not None
    return row


def states(row: Message) -> list[tuple[str, str, str]]:
    rows = row.attempts.order_by("number")
    return [(one.channel, one.provider, one.state) for one in rows]


def test_second_provider_is_asked_as_soon_as_the_first_fails(at: Clock) -> None:
    memory.FAILURES.append(Unavailable("http_503"))
    row = written(at)

    drain()

    row.refresh_from_db()
    assert row.state == MessageState.SENT
    assert states(row) == [
        ("sms", "memory", "unavailable"),
        ("sms", "second", "accepted"),
    ]
    assert len(memory.OUTBOX) == 1


def test_number_that_is_refused_leads_to_the_next_channel(at: Clock) -> None:
    memory.FAILURES += [Rejected("21211"), Rejected("bad_number")]
    row = written(at)

    drain()

    row.refresh_from_db()
    assert (row.channel, row.address) == ("email", ANNA.email)
    assert states(row)[-1] == ("email", "memory", "accepted")


def test_when_nobody_takes_it_the_pauses_grow_and_the_end_is_dead(at: Clock) -> None:
    memory.FAILURES += [Unavailable("http_503")] * 99
    row = written(at)
    drain()
    assert row.attempts.count() == 2
    at.later(seconds=20)
    assert row.attempts.count() == 2
    at.later(seconds=15)
    assert row.attempts.count() == 3

    for _ in range(8):
        at.later(hours=1)

    row.refresh_from_db()
    assert (row.state, row.code) == (MessageState.DEAD, "no_way_left")
    # Three at each of two providers, for SMS and for email.
    assert row.attempts.count() == 12
    assert not memory.OUTBOX


def test_pause_is_the_one_that_the_provider_asks_for(
    at: Clock, settings: Settings
) -> None:
    settings.MESSAGE_PROVIDERS = {"sms": ["memory"]}
    memory.FAILURES.append(Unavailable("http_429", after_s=300))
    row = written(at)
    drain()

    row.refresh_from_db()
    assert row.due_at == NOON + timedelta(seconds=300)


def test_lost_answer_is_asked_for_and_nothing_is_sent_twice(at: Clock) -> None:
    memory.FAILURES.append(Unclear(memory.LOSES_ANSWERS))
    row = written(at)
    drain()
    row.refresh_from_db()
    assert (row.state, row.code) == (MessageState.UNKNOWN, "unclear")
    assert len(memory.OUTBOX) == 1

    at.later(seconds=40)

    row.refresh_from_db()
    assert row.state == MessageState.SENT
    assert len(memory.OUTBOX) == 1
    assert states(row) == [("sms", "memory", "accepted")]


def test_what_the_provider_never_had_is_sent(at: Clock) -> None:
    memory.FAILURES.append(Unclear("no_answer"))
    row = written(at)
    drain()

    at.later(seconds=40)

    row.refresh_from_db()
    assert row.state == MessageState.SENT
    assert len(memory.OUTBOX) == 1
    assert [state for _, _, state in states(row)] == ["absent", "accepted"]


def test_worker_that_dies_after_sending_leaves_no_second_message(at: Clock) -> None:
    row = written(at)
    letter = delivering.claim(
        row.pk, providers=configured.MESSAGE_PROVIDERS, by=OFFICE, now=at.now
    )
    assert letter is not None
    memory.MemoryTransport().send(letter)  # and here the worker dies
    drain()
    assert len(memory.OUTBOX) == 1

    at.later(seconds=configured.TASK_TIMEOUT_S * 2 + 1)

    row.refresh_from_db()
    assert row.state == MessageState.SENT
    assert len(memory.OUTBOX) == 1


def test_worker_that_dies_before_sending_loses_nothing(at: Clock) -> None:
    row = written(at)
    delivering.claim(
        row.pk, providers=configured.MESSAGE_PROVIDERS, by=OFFICE, now=at.now
    )

    at.later(seconds=configured.TASK_TIMEOUT_S * 2 + 1)

    row.refresh_from_db()
    assert row.state == MessageState.SENT
    assert len(memory.OUTBOX) == 1


def test_provider_that_cannot_be_asked_leaves_it_to_a_person(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(self: object, letter: Letter) -> Taken:
        raise CannotTell("smtp", "A mail server cannot say.")

    monkeypatch.setattr(memory.MemoryTransport, "find", cannot)
    memory.FAILURES.append(Unclear("no_answer"))
    row = written(at)
    drain()

    at.later(seconds=40)
    at.later(hours=3)

    row.refresh_from_db()
    assert (row.state, row.code) == (MessageState.UNKNOWN, "cannot_tell")
    assert not memory.OUTBOX

    resend(message_id=row.pk, by=OFFICE, now=at.now)
    drain()
    assert len(memory.OUTBOX) == 1


def test_task_that_runs_twice_sends_once(at: Clock) -> None:
    row = written(at)
    drain()
    tasks.deliver(message_id=str(row.pk))
    queue.enqueue("apps.notifications.tasks.deliver", message_id=str(row.pk))
    drain()

    assert len(memory.OUTBOX) == 1


def test_person_who_told_the_provider_is_not_written_to_again(at: Clock) -> None:
    memory.FAILURES.append(Unsubscribed("21610"))
    row = written(at)

    drain()

    row.refresh_from_db()
    assert (row.state, row.code) == (MessageState.BLOCKED, "no_consent")
    said = Consent.objects.filter(address=ANNA.phone, is_given=False)
    assert said.filter(source="provider").count() == 3
    assert not memory.OUTBOX


def test_message_that_comes_too_late_is_withdrawn(at: Clock) -> None:
    row = queue_message(
        draft(DepotFactory().pk, expires_at=NOON + timedelta(minutes=5)),
        by=OFFICE,
        now=NOON,
    )
    assert row is not None
    at.now += timedelta(minutes=6)
    drain()

    row.refresh_from_db()
    assert (row.state, row.code) == (MessageState.WITHDRAWN, "expired")
    assert not memory.OUTBOX


def test_retry_that_falls_into_quiet_hours_waits_for_the_morning(at: Clock) -> None:
    memory.FAILURES += [Unavailable("http_503")] * 2
    at.now = NOON.replace(hour=18, minute=59)  # a minute to eight in Lauf
    row = written(at)
    drain()
    at.later(minutes=2)

    row.refresh_from_db()
    assert row.state == MessageState.QUEUED
    assert row.due_at == (NOON + timedelta(days=1)).replace(hour=7)

    at.later(hours=12)
    assert len(memory.OUTBOX) == 1


def receipt(attempt: Attempt, status: str, code: str = "") -> bool:
    return note_receipt(
        provider=attempt.provider,
        provider_id=attempt.provider_id,
        attempt_id=None,
        status=status,
        code=code,
        providers=configured.MESSAGE_PROVIDERS,
        by=OFFICE,
        now=NOON,
    )


def test_receipts_count_once_and_in_any_order(at: Clock) -> None:
    row = written(at)
    drain()
    attempt = row.attempts.get()

    for status in ("delivered", "sent", "delivered", "queued"):
        assert receipt(attempt, status)

    row.refresh_from_db()
    attempt.refresh_from_db()
    assert row.state == MessageState.DELIVERED
    assert attempt.receipt == "delivered"


def test_message_that_never_arrived_goes_its_next_way(at: Clock) -> None:
    row = written(at)
    drain()

    receipt(row.attempts.get(), "undelivered", "30003")
    drain()

    row.refresh_from_db()
    assert row.state == MessageState.SENT
    assert [state for _, _, state in states(row)] == ["undelivered", "accepted"]
    receipt(row.attempts.get(number=1), "undelivered", "30003")
    assert drain() == []


def test_receipt_answers_where_the_answer_was_lost(at: Clock) -> None:
    memory.FAILURES.append(Unclear(memory.LOSES_ANSWERS))
    row = written(at)
    drain()
    attempt = row.attempts.get()

    assert note_receipt(
        provider="memory",
        provider_id="SM1",
        attempt_id=attempt.pk,
        status="delivered",
        code="",
        providers=configured.MESSAGE_PROVIDERS,
        by=OFFICE,
        now=at.now,
    )
    at.later(minutes=2)

    row.refresh_from_db()
    assert row.state == MessageState.DELIVERED
    assert len(memory.OUTBOX) == 1


def test_receipt_of_another_is_not_ours(at: Clock) -> None:
    assert not receipt(Attempt(provider="memory", provider_id="SM-else"), "delivered")


def test_resend_of_the_dead_counts_tries_anew(at: Clock) -> None:
    memory.FAILURES += [Rejected("21211")] * 4
    row = written(at)
    drain()
    row.refresh_from_db()
    assert row.state == MessageState.DEAD

    resend(message_id=row.pk, by=OFFICE, now=at.now + timedelta(minutes=1))
    at.later(minutes=1)

    row.refresh_from_db()
    assert row.state == MessageState.SENT
    with pytest.raises(Problem):
        resend(message_id=row.pk, by=OFFICE, now=at.now)


def test_attempt_is_written_before_it_is_made(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = written(at)
    seen: list[str] = []

    def look(self: object, letter: Letter) -> Taken:
        seen.append(row.attempts.get(pk=letter.attempt_id).state)
        return Taken("x")

    monkeypatch.setattr(memory.MemoryTransport, "send", look)
    drain()

    assert seen == [AttemptState.STARTED]
