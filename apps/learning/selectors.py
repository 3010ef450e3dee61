"""Questions to what was learned; they never write."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.learning.models import Estimate, Reading
from apps.learning.shapes import Estimated


def estimates(depot_id: uuid.UUID, kind: str, *, at: datetime) -> dict[str, Estimated]:
    """Return a depot's estimates of a kind by key, as they stood at an instant."""
    rows = Estimate.objects.filter(depot_id=depot_id, kind=kind, as_of__lte=at)
    held = rows.filter(Q(until_at=None) | Q(until_at__gt=at)).order_by("as_of")
    fields = held.values_list("key", "n", "mean", "spread", "parent", "as_of")
    return {
        key: Estimated(kind, key, n, mean, spread, parent, as_of)
        for key, n, mean, spread, parent, as_of in fields
    }


@dataclass(frozen=True, slots=True)
class LastNight:
    """When a depot was read last, what that came to, and what was left out, by why."""

    read_at: datetime
    figures: dict[str, Any]
    left_out: tuple[tuple[str, int], ...]


def last_night(depot_id: uuid.UUID) -> LastNight | None:
    """Return what the last night did; None: there was none yet."""
    row = Reading.objects.filter(depot_id=depot_id, read_at__isnull=False).first()
    if row is None or row.read_at is None:
        return None
    left_out = tuple(sorted(row.figures.get("left_out", {}).items()))
    return LastNight(row.read_at, row.figures, left_out)
