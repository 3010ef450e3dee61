"""Where a driver was, fix by fix: written in bulk, and during a shift only."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.core.units import epoch_ms
from apps.drivers.models import Position
from apps.drivers.selectors import spans_of_work
from apps.drivers.tracks import Fixes, Flags, within

TABLE = Position._meta.db_table
COLUMNS = (
    *("driver_id", "device_id", "boot_key", "mono_ms", "occurred_ms"),
    *("lat_e6", "lon_e6", "accuracy_m", "speed_cm_s", "heading_deg"),
)
TYPES = (
    *("uuid", "uuid", "bigint", "bigint", "bigint"),
    *("integer", "integer", "smallint", "smallint", "smallint"),
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch of fixes."""

    stored: int
    repeated: int
    outside_shift: int


def record_positions(
    *,
    driver_id: uuid.UUID,
    device_id: uuid.UUID,
    tracks: Sequence[Fixes],
    now: datetime,
) -> Recorded:
    """Keep the fixes that fall into a shift of the driver; a repeated one is one row.

    What is outside of every shift is nobody's business, and is not kept. Nothing of it
    goes into the journal: a fix is no act.
    """
    tracks = [track for track in tracks if len(track)]
    if not tracks:
        return Recorded(0, 0, 0)
    first_ms = min(int(track.occurred_ms.min()) for track in tracks)
    last_ms = max(int(track.occurred_ms.max()) for track in tracks)
    spans = [
        (epoch_ms(opens_at), epoch_ms(closes_at))
        for opens_at, closes_at in spans_of_work(
            driver_id, from_ms=first_ms, until_ms=last_ms, now=now
        )
    ]
    stored = repeated = outside = 0
    with transaction.atomic():
        for track in tracks:
            inside = within(track.occurred_ms, spans)
            wanted = int(inside.sum())
            written = _insert(driver_id, device_id, track, inside) if wanted else 0
            stored += written
            repeated += wanted - written
            outside += len(track) - wanted
    return Recorded(stored, repeated, outside)


def _insert(
    driver_id: uuid.UUID, device_id: uuid.UUID, track: Fixes, inside: Flags
) -> int:
    """Insert the fixes marked; return how many were not there yet."""
    count = int(inside.sum())
    optional = (track.accuracy_m, track.speed_cm_s, track.heading_deg)
    arrays = [
        *(track.mono_ms, track.occurred_ms, track.lat_e6, track.lon_e6),
        *optional,
    ]
    lists = [
        [None] * count if column is None else column[inside].tolist()
        for column in arrays
    ]
    same = [driver_id, device_id, track.boot_key]
    if connection.vendor == "postgresql":
        return _insert_arrays(same, lists)
    return _insert_rows(same, zip(*lists, strict=True))


def _insert_arrays(same: list[Any], lists: list[list[Any]]) -> int:
    """Insert by one statement that unfolds an array a column."""
    fixed = ", ".join(f"%s::{kind}" for kind in TYPES[:3])
    arrays = ", ".join(f"%s::{kind}[]" for kind in TYPES[3:])
    sql = (
        f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) "  # noqa: S608 - our own names
        f"SELECT {fixed}, fix.* FROM unnest({arrays}) AS fix ON CONFLICT DO NOTHING"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*same, *lists])
        return int(cursor.rowcount)


def _insert_rows(same: list[Any], rows: Iterable[tuple[Any, ...]]) -> int:
    """Insert row by row, for a database without arrays."""
    field = Position._meta.get_field("driver").target_field
    ids = [field.get_db_prep_value(one, connection) for one in same[:2]]
    sql = (
        f"INSERT OR IGNORE INTO {TABLE} ({', '.join(COLUMNS)}) "  # noqa: S608
        f"VALUES ({', '.join(['%s'] * len(COLUMNS))})"
    )
    with connection.cursor() as cursor:
        cursor.executemany(sql, [(*ids, same[2], *row) for row in rows])
        return int(cursor.rowcount)
