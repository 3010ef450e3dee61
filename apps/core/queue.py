"""The queue's one door: tasks ride the transaction that gives cause to them."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.db import Error as DatabaseTrouble
from django.db import connection, transaction
from django.utils.module_loading import import_string
from django_q.conf import Conf
from django_q.exceptions import TimeoutException
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from apps.core import clock
from apps.core.bulk import insert
from apps.core.ids import uuid7
from apps.core.models import TaskRun

log = structlog.get_logger(__name__)

BACKOFF_S = (2, 10, 60, 300)
"""Seconds before the second, third… attempt; the last one repeats."""

KEEP_RUNS = timedelta(days=7)

_at_work_for: ContextVar[uuid.UUID | None] = ContextVar("task_depot", default=None)
"""The depot of the task that runs now: what it queues is that depot's as well."""


class TryAgain(Exception):
    """A task's own word that it must run once more, and after how long."""

    def __init__(self, reason: str, *, after_s: float = 0.0) -> None:
        """Say why, and how many seconds to wait."""
        super().__init__(reason)
        self.after_s = after_s


def enqueue(task: str, *, max_attempts: int = 5, **arguments: Any) -> uuid.UUID:
    """Queue `task` (a dotted name) in the present transaction.

    `arguments` must be JSON values. The task may run twice: it has to bear that.
    Returns the id of its `TaskRun`.
    """
    [run_id] = enqueue_all([(task, arguments)], max_attempts=max_attempts)
    return run_id


def enqueue_all(
    tasks: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    depot_ids: Sequence[uuid.UUID | None] = (),
    max_attempts: int = 5,
) -> list[uuid.UUID]:
    """Queue tasks with their arguments, in this order: two statements for them all.

    `depot_ids` says task by task whose work it is. Where it does not, an argument
    `depot_id` does, or else the task that queues them.
    """
    if not tasks:
        return []
    now = clock.now()
    depots = depot_ids or [None] * len(tasks)
    runs = [
        TaskRun(
            id=uuid7(),
            task=task,
            arguments=dict(arguments),
            depot_id=depot_id or _depot_among(arguments) or _at_work_for.get(),
            max_attempts=max_attempts,
            enqueued_at=now,
        )
        for (task, arguments), depot_id in zip(tasks, depots, strict=True)
    ]
    packages = {
        "key": Conf.CLUSTER_NAME,
        "payload": [_package(run) for run in runs],
        "lock": _queue_now(),
    }
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        insert(TaskRun, _columns_of(runs))
        insert(OrmQ, packages)
    return [run.id for run in runs]


def _columns_of(runs: Sequence[TaskRun]) -> dict[str, Any]:
    return {
        "id": [run.id for run in runs],
        "task": [run.task for run in runs],
        "arguments": [run.arguments for run in runs],
        "depot_id": [run.depot_id for run in runs],
        "state": str(TaskRun.State.QUEUED),
        "attempts": 0,
        "max_attempts": runs[0].max_attempts,
        "enqueued_at": runs[0].enqueued_at,
        "started_at": None,
        "finished_at": None,
        "error": "",
    }


def _depot_among(arguments: Mapping[str, Any]) -> uuid.UUID | None:
    named = arguments.get("depot_id")
    return uuid.UUID(str(named)) if named else None


def perform(run_id: str) -> None:
    """Run one task: count the attempt first, so that a killed worker counts too."""
    run = TaskRun.objects.filter(pk=run_id).first()
    if run is None or run.state in {TaskRun.State.SUCCEEDED, TaskRun.State.DEAD}:
        return
    run.attempts += 1
    if run.attempts > run.max_attempts:
        _finish(run, TaskRun.State.DEAD, run.error or "Its worker died every time.")
        log.error("task_dead", task=run.task, task_id=str(run.id))
        return
    run.state, run.started_at = TaskRun.State.RUNNING, clock.now()
    run.save(update_fields=["attempts", "state", "started_at"])
    with structlog.contextvars.bound_contextvars(task_id=str(run.id), task=run.task):
        token = _at_work_for.set(run.depot_id)
        try:
            import_string(run.task)(**run.arguments)
        except TryAgain as again:
            reason, after_s = str(again), again.after_s
            _surely(lambda: _repeat(run, reason, after_s))
        except TimeoutException:
            # The queue ends its worker by this SystemExit: the run must not stay behind.
            log.exception("task_timed_out", attempt=run.attempts)
            _surely(
                lambda: _repeat(run, "It took longer than its timeout.", _wait_s(run))
            )
            raise
        except Exception as error:
            log.exception("task_failed", attempt=run.attempts)
            said = f"{type(error).__name__}: {error}"
            _surely(lambda: _repeat(run, said, _wait_s(run)))
        else:
            _surely(lambda: _finish(run, TaskRun.State.SUCCEEDED, ""))
        finally:
            _at_work_for.reset(token)


def revive(run_id: uuid.UUID) -> bool:
    """Queue a dead task once more, its attempts counted anew; tell whether it was dead."""
    with transaction.atomic():
        dead = TaskRun.objects.filter(pk=run_id, state=TaskRun.State.DEAD)
        if not dead.update(state=TaskRun.State.QUEUED, attempts=0, finished_at=None):
            return False
        _push(TaskRun.objects.get(pk=run_id), delay_s=0)
    return True


def forget_old_runs(now: datetime) -> int:
    """Delete what succeeded more than a week ago; return how many runs."""
    old = TaskRun.objects.filter(
        state=TaskRun.State.SUCCEEDED, finished_at__lt=now - KEEP_RUNS
    )
    return old.delete()[0]


def pending() -> int:
    """Return how many tasks are queued or running."""
    return TaskRun.objects.filter(
        state__in=[TaskRun.State.QUEUED, TaskRun.State.RUNNING]
    ).count()


def unfinished(task: str, **arguments: Any) -> list[TaskRun]:
    """Return the runs of `task` that are queued or running with these arguments.

    A run is seen with the facts that gave cause to it: they share a transaction.
    """
    wanted = {f"arguments__{name}": value for name, value in arguments.items()}
    return list(
        TaskRun.objects.filter(
            task=task,
            state__in=[TaskRun.State.QUEUED, TaskRun.State.RUNNING],
            **wanted,
        )
    )


def close_as_done(runs: Iterable[TaskRun]) -> int:
    """Close those of the runs that are still queued: another did their work."""
    waiting = TaskRun.objects.filter(
        pk__in=[run.pk for run in runs], state=TaskRun.State.QUEUED
    )
    return waiting.update(state=TaskRun.State.SUCCEEDED, finished_at=clock.now())


def due_run_ids() -> list[str]:
    """Return the runs that a worker would take now, oldest first (for tests)."""
    packages = OrmQ.objects.filter(lock__lte=_queue_now()).order_by("pk")
    return [package.task["args"][0] for package in packages]


def take(run_id: str) -> None:
    """Take a run off the queue and perform it, as a worker would (for tests)."""
    for package in OrmQ.objects.order_by("pk"):
        if package.task["args"][0] == run_id:
            package.delete()
            break
    perform(run_id)


def _surely(write_down: Callable[[], None]) -> None:
    """Write down what became of a run, over a new connection where the old one broke.

    Where that fails as well, the queue gives the task out again: failures are not
    acknowledged.
    """
    try:
        write_down()
    except DatabaseTrouble:
        if connection.in_atomic_block:
            raise
        log.warning("connection_lost")
        connection.close()
        write_down()


def _wait_s(run: TaskRun) -> float:
    return BACKOFF_S[min(run.attempts, len(BACKOFF_S)) - 1]


def _push(run: TaskRun, *, delay_s: float) -> None:
    OrmQ.objects.create(
        key=Conf.CLUSTER_NAME,
        payload=_package(run),
        lock=_queue_now() + timedelta(seconds=delay_s),
    )


def _package(run: TaskRun) -> str:
    task_id = run.id.hex
    package = {
        "id": task_id,
        "name": f"{run.task}:{task_id[-6:]}",
        "func": "apps.core.queue.perform",
        "args": (str(run.id),),
        "kwargs": {},
        "started": _queue_now(),
    }
    return str(SignedPackage.dumps(package))


def _queue_now() -> datetime:
    """The real clock: the queue never follows the demo's."""
    return datetime.now(UTC)  # noqa: TID251


def _repeat(run: TaskRun, error: str, delay_s: float) -> None:
    if run.attempts >= run.max_attempts:
        _finish(run, TaskRun.State.DEAD, error)
        log.error("task_dead", task=run.task, task_id=str(run.id))
        return
    with transaction.atomic():
        run.state, run.error = TaskRun.State.QUEUED, error
        run.save(update_fields=["state", "error"])
        _push(run, delay_s=delay_s)


def _finish(run: TaskRun, state: TaskRun.State, error: str) -> None:
    run.state, run.error, run.finished_at = state, error, clock.now()
    run.save(update_fields=["state", "error", "finished_at", "attempts"])
