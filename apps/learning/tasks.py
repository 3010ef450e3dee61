"""Background work of the room."""

import time
import uuid

from django.conf import settings

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.queue import enqueue
from apps.depots.models import Depot
from apps.learning import services

LEARN = "apps.learning.tasks.learn_depot"
ROUTES_A_TASK = 400
"""So many are read by one task: some 15 s; the next task goes on where it was."""

SHARE = 0.4
"""Of the longest that a task may take: behind it no further slice is begun, so that a
slow night takes more tasks and none of them is killed."""


def learn_all() -> None:
    """Queue each depot's learning: one that fails does not hold up the others."""
    for depot_id in Depot.objects.order_by("pk").values_list("pk", flat=True):
        enqueue(LEARN, depot_id=str(depot_id))


def learn_depot(*, depot_id: str) -> None:
    """Learn from what is new of a depot; much of it is read by several tasks."""
    depot = Depot.objects.get(pk=uuid.UUID(depot_id))
    began = time.monotonic()
    night = services.learn(
        depot=depot,
        by=SYSTEM,
        now=clock.now(),
        most=ROUTES_A_TASK,
        has_time=lambda: time.monotonic() - began < SHARE * settings.TASK_TIMEOUT_S,
    )
    if not night.is_over:
        enqueue(LEARN, depot_id=depot_id)
