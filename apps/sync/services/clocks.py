"""What a device says of its clocks, kept for the events that are still to come."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from apps.core.bulk import insert
from apps.core.statements import Statement, as_is, read_instant
from apps.sync.models import DeviceAnchor, DeviceEvent
from apps.sync.moments import Anchor, Reading, moment_of

ANCHORS_READ: Final = 400
KNOWN: Final = Statement(
    """
    SELECT boot_id, mono_ms, server_at, rtt_ms FROM sync_deviceanchor
     WHERE device_id = %s AND boot_id IN %s ORDER BY server_at DESC LIMIT %s
    """,
    *(as_is, as_is, read_instant, as_is),
)


def keep_anchors(
    *,
    device_id: uuid.UUID,
    boots: Collection[str],
    anchors: Iterable[Anchor],
    now: datetime,
) -> list[Anchor]:
    """Keep the anchors that are not of the future; return those known of `boots`.

    A device sends the same ones again and again: what is known is not written.
    """
    sent = [one for one in anchors if one.server_at <= now + timedelta(seconds=1)]
    wanted = {*boots, *(anchor.boot_id for anchor in sent)}
    if not wanted:
        return []
    known = [Anchor(*row) for row in KNOWN.rows(device_id, wanted, ANCHORS_READ)]
    seen = {(anchor.boot_id, anchor.mono_ms) for anchor in known}
    fresh = [one for one in sent if (one.boot_id, one.mono_ms) not in seen]
    if fresh:
        columns = {
            "device_id": device_id,
            "boot_id": [anchor.boot_id for anchor in fresh],
            "mono_ms": [anchor.mono_ms for anchor in fresh],
            "server_at": [anchor.server_at for anchor in fresh],
            "rtt_ms": [anchor.rtt_ms for anchor in fresh],
        }
        insert(DeviceAnchor, columns, conflict="DO NOTHING")
    return [anchor for anchor in (*fresh, *known) if anchor.boot_id in boots]


def date_anew(
    rows: Iterable[DeviceEvent], *, anchors: Sequence[Anchor], offset_ms: int | None
) -> None:
    """Date events that wait anew, where their device's clocks are known better by now.

    They were dated as they came. An anchor of their boot may have come since, and with it
    events that are dated by it: the order of one device's events is that of its clock.
    """
    for row in rows:
        moment = moment_of(
            Reading(row.boot_id, row.mono_ms, row.device_time),
            anchors=anchors,
            offset_ms=offset_ms,
            earliest_at=row.device.enrolled_at,
            received_at=row.received_at,
        )
        if moment.uncertainty_ms < row.uncertainty_ms:
            row.occurred_at = moment.occurred_at
            row.uncertainty_ms = moment.uncertainty_ms
            row.time_quality = moment.quality
