"""Background work of the room."""

import uuid

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.queue import enqueue
from apps.depots.models import Depot
from apps.learning import services

LEARN = "apps.learning.tasks.learn_depot"
ROUTES_A_TASK = 400
"""So many are read by one task the first time: some 15 s; the next task goes on."""


def learn_all() -> None:
    """Queue each depot's learning: one that fails does not hold up the others."""
    for depot_id in Depot.objects.order_by("pk").values_list("pk", flat=True):
        enqueue(LEARN, depot_id=str(depot_id))


def learn_depot(*, depot_id: str) -> None:
    """Learn from what is new of a depot; a long past is read in several tasks."""
    depot = Depot.objects.get(pk=uuid.UUID(depot_id))
    now = clock.now()
    night = services.learn(depot=depot, by=SYSTEM, now=now, most=ROUTES_A_TASK)
    if night.left:
        enqueue(LEARN, depot_id=depot_id)
