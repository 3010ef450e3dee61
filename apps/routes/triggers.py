"""What gives cause to a new plan of a running day: in words, and as it waits in the queue."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from apps.core import queue
from apps.core.models import TaskRun
from apps.routes import selectors
from apps.routes.replanning import Touched

WHY = {
    "stop.failed": "A stop failed: what follows moves up.",
    "stop.partial": "A stop took another time than planned.",
    "stop.succeeded": "A stop took another time than planned.",
    "stop.arrived": "The route runs late.",
    "stop.reopened": "A stop was opened again.",
    "stop.corrected": "A report of a stop was corrected.",
    "stop.released": "A stop was taken off.",
    "order.created": "An order was added.",
    "order.changed": "An order was changed.",
    "orders.imported": "Orders were added.",
    "shift.planned": "A shift was added.",
    "shift.changed": "A shift was changed.",
    "shift.started": "A shift began late.",
    "running_late": "The route runs late.",
    "decision_point.let": "The office has let the plan be mended.",
    "condition.touched": "The road has changed: see the stops that are marked.",
    "change.applied": "What is ahead was fitted to a change that was decided.",
}
"""Why a route changes, in the driver's words, by what gave cause to it."""

WHY_SEARCHED = "A better way was found for what is ahead."

REOPTIMIZE = "apps.routes.tasks.reoptimize"
IMPROVE = "apps.routes.tasks.improve"


def waiting(task: str, depot_id: uuid.UUID, service_date: date) -> list[TaskRun]:
    """Return the unfinished runs of a task for a depot's day."""
    return queue.unfinished(
        task, depot_id=str(depot_id), service_date=service_date.isoformat()
    )


def comes_after(runs: Iterable[TaskRun]) -> bool:
    """Tell whether an event waits for its first answer; one that failed waits longer."""
    return any(run.state == TaskRun.State.QUEUED and not run.attempts for run in runs)


def told(triggers: Iterable[Mapping[str, Any]]) -> Touched:
    """Return what triggers name: routes, shifts, and orders."""
    found: dict[str, set[str]] = {"route": set(), "shift": set(), "order": set()}
    for arguments in triggers:
        for name, ids in found.items():
            ids.update(arguments.get(f"{name}_ids") or [])
            if arguments.get(f"{name}_id"):
                ids.add(arguments[f"{name}_id"])
    shift_ids = {uuid.UUID(one) for one in found["shift"]}
    return Touched(
        frozenset(shift_ids | selectors.shifts_of_routes(found["route"])),
        frozenset(uuid.UUID(one) for one in found["order"]),
    )
