"""What became of events is kept: in the inbox, and in the quarantine what a person has to see."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from apps.core.bulk import columns_of, insert, update
from apps.core.verdicts import REJECTED, Verdict
from apps.journal.services import HoldersMoved, Writer
from apps.sync.inbox import hash_of
from apps.sync.models import Attachment, DeviceEvent, QuarantinedEvent
from apps.sync.services.judging import (
    DEVICE_REVOKED,
    FAILED_FOR_LONG,
    VERDICT_FIELDS,
)

APART: Final = (
    *("seq", "kind", "stop_id", "payload", "device_time", "mono_ms", "body_hash"),
    *("occurred_at", "uncertainty_ms"),
)
"""In which columns the events of a push differ; most often in no others."""

MOMENT_FIELDS: Final = ("occurred_at", "uncertainty_ms", "time_quality")
"""What may have been found out of an event while it waited."""


def put_in(rows: Sequence[DeviceEvent]) -> None:
    """Put new events into the inbox.

    Raises:
        HoldersMoved: another device has put in the same id at this moment. It shows when
            the transaction begins again.
    """
    if not rows:
        return
    columns = columns_of(rows, apart=APART)
    insert(DeviceEvent, columns, conflict="DO NOTHING", fault=HoldersMoved(()))
    for row in rows:
        row._state.adding = False


def keep_verdicts(rows: Iterable[DeviceEvent], journal: Writer) -> None:
    """Keep what became of events, in rows new or old, and tell each one's driver."""
    kept = list(rows)
    known = [row for row in kept if not row._state.adding]
    put_in([row for row in kept if row._state.adding])
    if known:
        update(DeviceEvent, columns_of(known, (*VERDICT_FIELDS, *MOMENT_FIELDS)))
    for row in kept:
        journal.changed(row.driver_id, "event_results", row.pk)
    rejected = [row.pk for row in kept if row.result == REJECTED]
    if rejected:
        files = Attachment.objects.filter(event_id__in=rejected)
        for pk, driver_id in files.values_list("pk", "driver_id"):
            if driver_id in {row.driver_id for row in kept}:
                journal.changed(driver_id, "attachments", pk)


SET_ASIDE: Final = frozenset({DEVICE_REVOKED.code, FAILED_FOR_LONG.code})
"""What a person has to judge with the body at hand, though it was not rejected."""


def is_set_aside(verdict: Verdict) -> bool:
    """Tell whether a supervisor is to look at an event's body."""
    return verdict.result == REJECTED or verdict.code in SET_ASIDE


def set_aside(released: Iterable[DeviceEvent], now: datetime) -> None:
    """Keep the bodies of events for a supervisor that waited, and were then rejected."""
    aside = []
    for row in released:
        if not is_set_aside(row.verdict):
            continue
        body = body_of(row)
        aside.append(
            QuarantinedEvent(
                device_id=row.device_id,
                driver_id=row.driver_id,
                event_id=row.pk,
                body=body,
                body_hash=hash_of(body),
                code=row.code,
                detail=row.detail,
                received_at=now,
            )
        )
    QuarantinedEvent.objects.bulk_create(aside, ignore_conflicts=True)


def body_of(row: DeviceEvent) -> dict[str, Any]:
    """Return an event as its device sent it."""
    return {
        "id": row.pk,
        "seq": row.seq,
        "kind": row.kind,
        "stop_id": row.stop_id,
        "payload": row.payload,
        "device_time": row.device_time.isoformat() if row.device_time else None,
        "mono_ms": row.mono_ms,
        "boot_id": row.boot_id,
        "depends_on": row.depends_on,
    }
