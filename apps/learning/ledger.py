"""What became of recommendations, by day and kind, as adherence counts it; reads only."""

import uuid
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from apps.journal.models import Entry
from apps.learning.learners.adherence import KIND, SEP
from apps.learning.learners.sketch import Added, grown
from apps.learning.reading import OVERLAP, SETTLED, before
from apps.recommendations.models import Recommendation
from apps.recommendations.states import RecommendationState

FOLLOWED = (RecommendationState.FOLLOWED,)
NOT_FOLLOWED = (RecommendationState.DEVIATED, RecommendationState.OVERRIDDEN)


def settled_days(depot_id: uuid.UUID, read_to: uuid.UUID | None) -> list[date]:
    """Return the days (UTC) on which something was settled since an entry; None: ever."""
    if read_to is None:
        rows = Recommendation.objects.filter(
            depot_id=depot_id, state__in=[*FOLLOWED, *NOT_FOLLOWED]
        ).annotate(day=TruncDate("settled_at", tzinfo=UTC))
        return sorted(set(rows.order_by().values_list("day", flat=True)))
    entries = Entry.objects.filter(
        depot_id=depot_id,
        pk__gt=before(read_to, OVERLAP),
        kind=SETTLED,
    )
    instants = entries.order_by().values_list("at", flat=True)
    return sorted({at.astimezone(UTC).date() for at in instants})


def settled(depot_id: uuid.UUID, days: Collection[date]) -> dict[str, list[Added]]:
    """Return by day what its settled recommendations add."""
    return {f"day:{day}": _of_day(depot_id, day) for day in days}


def _of_day(depot_id: uuid.UUID, day: date) -> list[Added]:
    start = datetime.combine(day, time(), UTC)
    rows = Recommendation.objects.filter(
        depot_id=depot_id,
        settled_at__gte=start,
        settled_at__lt=start + timedelta(days=1),
        state__in=[*FOLLOWED, *NOT_FOLLOWED],
    )
    counts = rows.order_by().values("kind", "state").annotate(n=Count("pk"))
    return [
        Added(
            kind=KIND,
            key=f"{row['kind']}{SEP}",
            value=1.0 if row["state"] in FOLLOWED else 0.0,
            weight=row["n"] * grown(start),
            # Two states of the same value stay apart: each is taken out as it was added.
            mix=row["state"],
            n=row["n"],
        )
        for row in sorted(counts, key=lambda row: (row["kind"], row["state"]))
    ]
