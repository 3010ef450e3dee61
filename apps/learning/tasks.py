"""Background work of the room."""

import uuid

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.queue import enqueue
from apps.depots.models import Depot
from apps.learning import services


def learn_all() -> None:
    """Queue each depot's learning: one that fails does not hold up the others."""
    for depot_id in Depot.objects.order_by("pk").values_list("pk", flat=True):
        enqueue("apps.learning.tasks.learn_depot", depot_id=str(depot_id))


def learn_depot(*, depot_id: str) -> None:
    """Learn from what is new of a depot."""
    depot = Depot.objects.get(pk=uuid.UUID(depot_id))
    services.learn(depot=depot, by=SYSTEM, now=clock.now())
