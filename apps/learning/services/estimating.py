"""New versions of the estimates whose tallies say something else than before."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from apps.learning.learners import adherence, service, success, travel, zone_order
from apps.learning.learners.shrinking import Figure
from apps.learning.learners.sketch import Sketch, grown, unpacked
from apps.learning.models import Estimate, Tally
from apps.learning.shapes import (
    ADHERENCE,
    KINDS,
    SERVICE,
    SUCCESS,
    TRAVEL,
    ZONE_ORDER,
)

MOVED = 0.002
"""A figure whose events are the same has a new version when it moved by this share."""

BATCH = 2000


def estimate(depot_id: uuid.UUID, *, shown: Collection[str], now: datetime) -> int:
    """Write what the tallies come to; return how many figures have a new version."""
    return sum(
        _write(depot_id, kind, _figures(depot_id, kind, shown, now), now)
        for kind in KINDS
    )


def _figures(
    depot_id: uuid.UUID, kind: str, shown: Collection[str], now: datetime
) -> list[Figure]:
    tallies, today = _tallies(depot_id, kind), grown(now)
    if kind == SERVICE:
        return service.figures(tallies, today, shown=shown)
    of = {
        TRAVEL: travel.figures,
        SUCCESS: success.figures,
        ZONE_ORDER: zone_order.figures,
        ADHERENCE: adherence.figures,
    }
    return of[kind](tallies, today)


def _tallies(depot_id: uuid.UUID, kind: str) -> Mapping[str, Sketch]:
    """Return all sums of a kind: a row a place that is known, not a row an event."""
    rows = Tally.objects.filter(depot_id=depot_id, kind=kind).order_by("key")
    pairs = rows.values_list("key", "sums").iterator(chunk_size=BATCH)
    return {key: unpacked(sums) for key, sums in pairs}


def _write(
    depot_id: uuid.UUID, kind: str, figures: Iterable[Figure], now: datetime
) -> int:
    held = {
        row.key: row
        for row in Estimate.objects.filter(
            depot_id=depot_id, kind=kind, until_at=None
        ).iterator(chunk_size=BATCH)
    }
    known = {figure.key: figure for figure in figures}
    ended = [row.pk for key, row in held.items() if _moved(row, known.get(key))]
    moved = [
        figure
        for key, figure in known.items()
        if key not in held or _moved(held[key], figure)
    ]
    for first in range(0, len(ended), BATCH):
        rows = Estimate.objects.filter(pk__in=ended[first : first + BATCH])
        rows.update(until_at=now)
    made = [
        Estimate(
            depot_id=depot_id,
            kind=kind,
            key=figure.key,
            parent=figure.parent,
            n=figure.n,
            mean=figure.mean,
            spread=figure.spread,
            as_of=now,
        )
        for figure in moved
    ]
    Estimate.objects.bulk_create(made, batch_size=BATCH)
    return len(moved)


def _moved(row: Estimate, figure: Figure | None) -> bool:
    """Tell whether a figure says something else than the version that holds."""
    if figure is None or row.n != figure.n or row.parent != figure.parent:
        return True
    most = MOVED * max(abs(row.mean), 1e-9)
    return abs(row.mean - figure.mean) > most
