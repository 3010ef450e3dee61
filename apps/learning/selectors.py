"""Questions to what was learned; they never write."""

import uuid
from datetime import datetime

from django.db.models import Q

from apps.learning.models import Estimate
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
