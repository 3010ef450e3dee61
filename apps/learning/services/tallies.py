"""Adding to the tallies, and taking out what was added before: never twice, never lost."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from apps.learning.learners.counting import digest, packed, unpacked
from apps.learning.learners.sketch import Added, Sketch
from apps.learning.learners.sketch import unpacked as sketch_of
from apps.learning.models import Counted, Reading, Tally

BATCH = 1000

Keys = tuple[str, str]


def count(
    depot_id: uuid.UUID, things: Mapping[str, Sequence[Added]], *, now: datetime
) -> int:
    """Make the tallies hold what these things add now; return how many had changed.

    What each added when it was last counted is taken out first, in one transaction.
    """
    bodies = {subject: packed(rows) for subject, rows in things.items()}
    with transaction.atomic():
        # One at a time, be it the same night begun twice: what neither has counted yet
        # has no row that could be locked.
        Reading.objects.select_for_update().get(pk=depot_id)
        mine = Counted.objects.filter(depot_id=depot_id, subject__in=bodies)
        old = {row.subject: row for row in mine}
        fresh = {
            subject: body
            for subject, body in bodies.items()
            if (
                things[subject]
                if subject not in old
                else _has_moved(old[subject], body)
            )
        }
        changes: dict[Keys, list[tuple[Added, int]]] = {}
        for subject in fresh:
            was = unpacked(bytes(old[subject].packed)) if subject in old else []
            for rows, sign in ((was, -1), (things[subject], 1)):
                for row in rows:
                    changes.setdefault((row.kind, row.key), []).append((row, sign))
        _change(depot_id, changes)
        _keep(depot_id, fresh, now)
    return len(fresh)


def _has_moved(row: Counted, body: bytes) -> bool:
    return row.digest != digest(body)


def _change(
    depot_id: uuid.UUID, changes: Mapping[Keys, Sequence[tuple[Added, int]]]
) -> None:
    keys = sorted(changes)
    for first in range(0, len(keys), BATCH):
        batch = keys[first : first + BATCH]
        rows = Tally.objects.filter(
            depot_id=depot_id, key__in={key for _, key in batch}
        )
        sums = {(row.kind, row.key): sketch_of(row.sums) for row in rows}
        fresh: list[Tally] = []
        empty: list[Tally] = []
        for name in batch:
            sketch = sums.get(name, Sketch())
            for added, sign in changes[name]:
                sketch.add(added, sign)
            kind, key = name
            (fresh if sketch.bins else empty).append(
                Tally(depot_id=depot_id, kind=kind, key=key, sums=sketch.packed())
            )
        Tally.objects.bulk_create(
            fresh,
            update_conflicts=True,
            unique_fields=["depot", "kind", "key"],
            update_fields=["sums"],
        )
        for row in empty:
            Tally.objects.filter(depot_id=depot_id, kind=row.kind, key=row.key).delete()


def _keep(depot_id: uuid.UUID, fresh: Mapping[str, bytes], now: datetime) -> None:
    Counted.objects.bulk_create(
        [
            Counted(
                depot_id=depot_id,
                subject=subject,
                digest=digest(body),
                packed=body,
                counted_at=now,
            )
            for subject, body in fresh.items()
        ],
        update_conflicts=True,
        unique_fields=["depot", "subject"],
        update_fields=["digest", "packed", "counted_at"],
    )
