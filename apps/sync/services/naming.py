"""Which files events name: they are expected from then on, or are here already."""

from collections.abc import Sequence
from datetime import datetime

from apps.core.bulk import columns_of, insert_new, update
from apps.journal.services import Writer
from apps.sync.kinds import AtStop, Corrected, Opinion, Proof, meant_by
from apps.sync.models import Attachment, DeviceEvent

Named = Sequence[tuple[DeviceEvent, object]]
"""Events, each with its payload in the shape of its kind."""


def name_attachments(named: Named, journal: Writer) -> list[tuple[DeviceEvent, str]]:
    """Expect the files that events name; return those that are not an event's own.

    A file that came first gets its event and stop here. An id that was named for
    another stop, or with another hash, is left as it was.
    """
    proofs = [(event, proof) for event, load in named for proof in _proofs(load)]
    if not proofs:
        return []
    rows = _expected(proofs, journal.now)
    foreign, touched = [], {}
    for event, proof in proofs:
        row = rows[proof.attachment_id]
        is_same = row.driver_id == event.driver_id and row.sha256 == proof.sha256
        if not is_same or row.stop_id not in ("", event.stop_id):
            foreign.append((event, row.pk))
            continue
        if row.named_at is None:
            row.event_id, row.stop_id = event.pk, event.stop_id
            row.named_at = journal.now
            touched[row.pk] = row
        journal.changed(row.driver_id, "attachments", row.pk)
    if touched:
        names = ("event_id", "stop_id", "named_at")
        update(Attachment, columns_of(list(touched.values()), names))
    return foreign


def _proofs(payload: object) -> Sequence[Proof]:
    if isinstance(payload, Corrected):
        payload = meant_by(payload)
    return payload.attachments if isinstance(payload, AtStop | Opinion) else ()


def _expected(
    proofs: Sequence[tuple[DeviceEvent, Proof]], now: datetime
) -> dict[str, Attachment]:
    """Return the rows of files, made where there were none; whose they are shows then."""
    made: dict[str, Attachment] = {}
    for event, proof in proofs:
        fresh = Attachment(
            pk=proof.attachment_id,
            driver_id=event.driver_id,
            device_id=event.device_id,
            event_id=event.pk,
            stop_id=event.stop_id,
            sha256=proof.sha256,
            size_bytes=proof.bytes,
            media_type=proof.media_type,
            named_at=now,
        )
        made.setdefault(proof.attachment_id, fresh)
    apart = ("event_id", "stop_id", "sha256", "size_bytes")
    columns = columns_of(list(made.values()), apart=apart)
    inserted = insert_new(Attachment, columns, returning="id")
    before = made.keys() - set(inserted)
    return made | (Attachment.objects.in_bulk(before) if before else {})
