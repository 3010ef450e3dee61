"""Which files an event names: they are expected from then on, or are here already."""

from apps.journal.services import Writer
from apps.sync.kinds import AtStop
from apps.sync.models import Attachment, DeviceEvent


def name_attachments(event: DeviceEvent, payload: object, journal: Writer) -> list[str]:
    """Expect the files that an event names; return the ids that are not its own.

    A file that came first gets its event and stop here. An id that was named for
    another stop, or with another hash, is left as it was.
    """
    if not isinstance(payload, AtStop) or not payload.attachments:
        return []
    foreign = []
    for proof in payload.attachments:
        row, _ = Attachment.objects.get_or_create(
            pk=proof.attachment_id,
            defaults={
                "driver_id": event.driver_id,
                "device_id": event.device_id,
                "sha256": proof.sha256,
                "size_bytes": proof.bytes,
                "media_type": proof.media_type,
            },
        )
        is_same = row.driver_id == event.driver_id and row.sha256 == proof.sha256
        if not is_same or row.stop_id not in ("", event.stop_id):
            foreign.append(row.pk)
            continue
        if row.named_at is None:
            row.event_id, row.stop_id = event.pk, event.stop_id
            row.named_at = journal.now
            row.save(update_fields=["event_id", "stop_id", "named_at"])
        journal.changed(row.driver_id, "attachments", row.pk)
    return foreign
