"""Which files events name: they are expected from then on, or are here already."""

from collections.abc import Sequence

from apps.journal.services import Writer
from apps.sync.kinds import AtStop, Proof
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
    rows = _expected(proofs)
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
    # The rows exist: written by their key, in one statement.
    Attachment.objects.bulk_create(
        touched.values(),
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["event_id", "stop_id", "named_at"],
    )
    return foreign


def _proofs(payload: object) -> Sequence[Proof]:
    return payload.attachments if isinstance(payload, AtStop) else ()


def _expected(proofs: Sequence[tuple[DeviceEvent, Proof]]) -> dict[str, Attachment]:
    """Return the rows of files, made where there were none; whose they are shows then."""
    Attachment.objects.bulk_create(
        [
            Attachment(
                pk=proof.attachment_id,
                driver_id=event.driver_id,
                device_id=event.device_id,
                sha256=proof.sha256,
                size_bytes=proof.bytes,
                media_type=proof.media_type,
            )
            for event, proof in proofs
        ],
        ignore_conflicts=True,
    )
    return Attachment.objects.in_bulk([proof.attachment_id for _, proof in proofs])
