"""The queue, drained by hand: as workers would, without their processes."""

from apps.core import queue
from apps.core.models import TaskRun


def drain(limit: int = 200) -> list[str]:
    """Run every due task until none is left; return the names, in order.

    A task that died fails the test that drained it: nothing is swallowed.
    """
    done: list[str] = []
    while due := queue.due_run_ids():
        for run_id in due:
            queue.take(run_id)
            run = TaskRun.objects.get(pk=run_id)
            assert run.state != TaskRun.State.DEAD, run.error
            done.append(run.task.rpartition(".")[2])
            assert len(done) <= limit, f"The queue does not come to rest: {done}"
    return done


def drain_only(task: str) -> int:
    """Run the due tasks of one name alone; return how many there were."""
    runs = TaskRun.objects.filter(pk__in=queue.due_run_ids(), task=task)
    found = [str(run.pk) for run in runs]
    for run_id in found:
        queue.take(run_id)
        run = TaskRun.objects.get(pk=run_id)
        assert run.state == TaskRun.State.SUCCEEDED, run.error
    return len(found)
