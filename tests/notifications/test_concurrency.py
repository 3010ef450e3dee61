"""Two workers, one message: the person gets it once."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection

from apps.core import clock
from apps.notifications import tasks
from apps.notifications.models import Attempt, Message
from apps.notifications.services import queue_message, queue_messages
from apps.notifications.states import MessageState
from apps.notifications.transports import memory
from tests.factories import DepotFactory
from tests.notifications.people import ANNA, NOON, OFFICE, draft

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4
MESSAGES = 8


def at_once(work: Callable[[], None]) -> None:
    """Do the same thing in several threads, begun together; what fails, fails here."""
    start = threading.Barrier(WORKERS)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            start.wait(20)
            work()
        except BaseException as error:  # noqa: BLE001  handed to the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_workers_never_send_one_message_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    depot = DepotFactory()
    phones = [f"+49151123{number:02d}678" for number in range(MESSAGES)]
    rows = queue_messages(
        [
            draft(depot.pk, reason=f"planned/{phone}", to=type(ANNA)(phone=phone))
            for phone in phones
        ],
        by=OFFICE,
        now=NOON,
    )
    ids = [str(row.pk) for row in rows if row]

    def work() -> None:
        for message_id in ids:
            tasks.deliver(message_id=message_id)

    at_once(work)

    assert Counter(one.address for one in memory.OUTBOX) == dict.fromkeys(phones, 1)
    assert Message.objects.filter(state=MessageState.SENT).count() == MESSAGES
    assert Attempt.objects.count() == MESSAGES


def test_one_reason_is_written_once_by_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    depot_id = DepotFactory().pk
    written: list[Message | None] = []

    def work() -> None:
        written.append(queue_message(draft(depot_id), by=OFFICE, now=NOON))

    at_once(work)

    assert len([row for row in written if row]) == 1
    assert Message.objects.count() == 1
