"""The queue's one door: attempts counted, failures repeated, timeouts not lost."""

import pytest
from django.db import connection, transaction
from django_q.exceptions import TimeoutException
from django_q.models import OrmQ

from apps.core import queue
from apps.core.models import TaskRun
from apps.core.queue import TryAgain

pytestmark = pytest.mark.django_db

CALLS: list[str] = []


def succeed(*, word: str) -> None:
    CALLS.append(word)


def fail() -> None:
    raise ValueError("it broke")


def ask_again() -> None:
    raise TryAgain("not yet")


def time_out() -> None:
    raise TimeoutException("too long")


def test_enqueue_rides_the_transaction() -> None:
    with transaction.atomic():
        queue.enqueue("tests.core.test_queue.succeed", word="never")
        transaction.set_rollback(True)
    assert queue.due_run_ids() == []
    assert queue.pending() == 0


def test_perform_success_is_done_once() -> None:
    CALLS.clear()
    run_id = str(queue.enqueue("tests.core.test_queue.succeed", word="hello"))
    queue.take(run_id)
    queue.perform(run_id)
    run = TaskRun.objects.get()
    assert (CALLS, run.state, run.attempts) == (["hello"], "succeeded", 1)
    assert queue.pending() == 0


def test_perform_failure_waits_and_comes_back() -> None:
    run_id = str(queue.enqueue("tests.core.test_queue.fail"))
    queue.take(run_id)
    run = TaskRun.objects.get()
    assert (run.state, run.error) == ("queued", "ValueError: it broke")
    assert queue.due_run_ids() == []


def test_perform_last_failure_is_dead_and_can_be_revived() -> None:
    run_id = str(queue.enqueue("tests.core.test_queue.fail", max_attempts=1))
    queue.take(run_id)
    assert TaskRun.objects.get().state == "dead"
    assert queue.revive(TaskRun.objects.get().pk)
    assert queue.due_run_ids() == [run_id]


def test_perform_try_again_comes_back_at_once() -> None:
    run_id = str(queue.enqueue("tests.core.test_queue.ask_again"))
    queue.take(run_id)
    assert queue.due_run_ids() == [run_id]


def test_perform_timeout_of_the_queue_is_repeated_too() -> None:
    run_id = str(queue.enqueue("tests.core.test_queue.time_out"))
    with pytest.raises(TimeoutException):
        queue.take(run_id)
    assert TaskRun.objects.get().state == "queued"


def test_perform_worker_that_dies_every_time_ends_dead() -> None:
    run_id = str(queue.enqueue("tests.core.test_queue.succeed", word="x"))
    TaskRun.objects.update(attempts=5, state="running")
    queue.take(run_id)
    run = TaskRun.objects.get()
    assert (run.state, run.error) == ("dead", "Its worker died every time.")


def break_the_line() -> None:
    CALLS.append("worked")
    connection.connection.close()


@pytest.mark.django_db(transaction=True)
def test_perform_success_is_written_down_over_a_new_connection() -> None:
    CALLS.clear()
    run_id = str(queue.enqueue("tests.core.test_queue.break_the_line"))
    queue.take(run_id)
    run = TaskRun.objects.get()
    assert (CALLS, run.state, run.attempts) == (["worked"], "succeeded", 1)


def break_the_line_and_fail() -> None:
    connection.connection.close()
    raise ValueError("it broke")


@pytest.mark.django_db(transaction=True)
def test_perform_failure_comes_back_though_its_connection_broke() -> None:
    run_id = str(queue.enqueue("tests.core.test_queue.break_the_line_and_fail"))
    queue.take(run_id)
    run = TaskRun.objects.get()
    assert (run.state, run.error) == ("queued", "ValueError: it broke")
    assert OrmQ.objects.count() == 1
