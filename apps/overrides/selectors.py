"""Questions to the requests; they never write."""

import uuid
from collections.abc import Iterable

from django.db.models import QuerySet

from apps.overrides.models import Override
from apps.overrides.states import OPEN, OverrideState


def open_overrides(depots: Iterable[uuid.UUID]) -> QuerySet[Override]:
    """Return what waits for an answer or is being priced, what is due first."""
    rows = Override.objects.filter(
        depot__in=list(depots), state__in=[str(state) for state in OPEN]
    )
    return rows.select_related("depot", "driver", "stop__order", "route__driver")


def waiting_count(depots: Iterable[uuid.UUID]) -> int:
    """Return how many requests wait for an answer."""
    rows = Override.objects.filter(depot__in=list(depots), state=OverrideState.WAITING)
    return rows.count()
