"""What happens by the clock, kept by the queue as `config/schedules.py` says."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django_q.models import Schedule


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A task (a dotted name, without arguments) and how often it is queued."""

    name: str
    task: str
    every_minutes: int


def keep_schedules() -> list[str]:
    """Make the queue's schedules those of the table; return what changed, in words.

    Doing it twice changes nothing, and a schedule that is due keeps its turn.
    """
    table: tuple[Scheduled, ...] = import_string(settings.SCHEDULES)
    with transaction.atomic():
        kept = {row.name: row for row in Schedule.objects.select_for_update()}
        changes = [
            change
            for scheduled in table
            if (change := _keep(scheduled, kept.pop(scheduled.name, None)))
        ]
        for name, row in kept.items():
            row.delete()
            changes.append(f"removed {name}")
    return changes


def _keep(scheduled: Scheduled, row: Schedule | None) -> str:
    wanted = {
        "func": "apps.core.queue.enqueue",
        "args": repr((scheduled.task,)),
        "schedule_type": Schedule.MINUTES,
        "minutes": scheduled.every_minutes,
        "repeats": -1,
    }
    soonest = datetime.now(UTC) + timedelta(  # noqa: TID251  the queue's own clock
        minutes=scheduled.every_minutes
    )
    if row is None:
        Schedule.objects.create(name=scheduled.name, next_run=soonest, **wanted)
        return f"added {scheduled.name}"
    if all(getattr(row, field) == value for field, value in wanted.items()):
        return ""
    for field, value in wanted.items():
        setattr(row, field, value)
    row.next_run = min(row.next_run or soonest, soonest)
    row.save()
    return f"changed {scheduled.name}"
