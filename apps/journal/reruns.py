"""The office's word that a dead task shall try again."""

import uuid
from datetime import datetime

from apps.core import queue
from apps.core.actors import Actor
from apps.core.models import TaskRun
from apps.core.problems import Conflict, NotFound
from apps.journal.services import writing


class NotDead(Conflict):
    """The task is not one that has given up."""

    type = "/problems/task-not-dead"
    title = "Only a task that has given up can be run again."


def run_task_again(*, run_id: uuid.UUID, by: Actor, now: datetime) -> TaskRun:
    """Queue a dead task once more, with a fresh count of attempts.

    Raises:
        NotFound: there is no such task.
        NotDead: it has not given up.
    """
    with writing(by=by, now=now) as journal:
        run = TaskRun.objects.filter(pk=run_id).first()
        if run is None:
            raise NotFound
        if not queue.revive(run_id):
            raise NotDead(f"It is {run.get_state_display().lower()}.")
        run.refresh_from_db()
        journal.record("task.run_again", run, task=run.task)
    return run
