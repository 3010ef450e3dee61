"""Files of proof: sent in parts, resumed at any byte, put together, and looked at.

Parts lie in the storage of proofs, whatever it is, and count only once their row is
committed: a request that is killed leaves nothing that a later one could stumble over.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from apps.core.actors import SYSTEM, Actor
from apps.core.ids import uuid7
from apps.core.problems import Conflict, Invalid, NotFound, Problem
from apps.depots.models import Depot
from apps.journal.models import Change
from apps.journal.services import Writer, writing
from apps.sync.models import Attachment, Upload, UploadPart
from apps.sync.photos import MEDIA_TYPES, NotAPhoto, clean_photo
from apps.sync.services.pushed import Sender
from apps.sync.states import AttachmentState
from apps.sync.tus import Checksum, Creation, Gone, WrongChecksum, WrongOffset
from apps.sync.wire import TooLarge

log = structlog.get_logger(__name__)

MAX_BYTES: Final = 20 * 1024 * 1024
LASTS: Final = timedelta(days=7)
"""How long an upload waits for its next part."""

OPEN = (AttachmentState.AWAITED, AttachmentState.UPLOADING)
SETTLED = (AttachmentState.STORED, AttachmentState.REFUSED)


class OtherFile(Conflict):
    """The id belongs to another file."""

    type = "/problems/attachment-reused"
    title = "This attachment_id belongs to another file: give each file its own."


class WrongType(Problem):
    """The file is of a kind that is no proof."""

    type = "/problems/attachment-type"
    title = f"Proof is a picture: {', '.join(MEDIA_TYPES.values())}."
    status = 415


class FinishedUpload(Conflict):
    """The file has come; it cannot be taken back."""

    type = "/problems/upload-finished"
    title = "The file is here already: it is evidence, and stays."


def proofs() -> Storage:
    """Return where files of proof lie."""
    return storages["proofs"]


def create_upload(
    *, sender: Sender, creation: Creation, by: Actor, now: datetime
) -> Upload:
    """Begin a file, or find the upload that was begun with the same id.

    Raises:
        Invalid: it is empty.
        TooLarge: it is larger than a proof may be.
        WrongType: it says itself that it is no picture.
        OtherFile: the id is another file's.
    """
    if not creation.length:
        raise Invalid("Upload-Length is 0: an empty file proves nothing.")
    if creation.length > MAX_BYTES:
        raise TooLarge(f"A file has {MAX_BYTES} bytes at the most.")
    if creation.media_type and creation.media_type not in MEDIA_TYPES.values():
        raise WrongType
    with writing(by=by, now=now, scopes=[sender.driver_id]) as journal:
        row, _ = Attachment.objects.get_or_create(
            pk=creation.attachment_id,
            defaults={
                "driver_id": sender.driver_id,
                "device_id": sender.device_id,
                "event_id": creation.event_id,
                "sha256": creation.sha256,
                "size_bytes": creation.length,
                "media_type": creation.media_type,
            },
        )
        if not _is_of(row, sender) or row.sha256 != creation.sha256:
            raise OtherFile
        upload = Upload.objects.filter(attachment=row).first()
        if upload is not None and upload.length == creation.length:
            _renew(upload, now)
            return upload
        if upload is not None:
            raise OtherFile("It was begun with another Upload-Length.")
        upload = Upload.objects.create(
            attachment=row,
            length=creation.length,
            created_at=now,
            expires_at=now + LASTS,
        )
        _turn(row, AttachmentState.UPLOADING, journal)
    return upload


def _renew(upload: Upload, now: datetime) -> None:
    """Let an upload wait again that has expired, and was not given up yet."""
    if upload.expires_at <= now:
        upload.expires_at = now + LASTS
        upload.save(update_fields=["expires_at"])


def open_upload(upload_id: uuid.UUID, *, sender: Sender, now: datetime) -> Upload:
    """Return an upload of this driver's.

    Raises:
        Gone: there is none (any more), or it has expired.
        NotFound: it is another driver's.
    """
    rows = Upload.objects.select_related("attachment")
    upload = rows.filter(pk=upload_id).first()
    if upload is None:
        raise Gone
    if not _is_of(upload.attachment, sender):
        raise NotFound
    if upload.expires_at <= now and upload.attachment.status in OPEN:
        raise Gone
    return upload


def tell_again(*, upload: Upload, by: Actor, now: datetime) -> None:
    """Put what became of a file back into its driver's feed, where a compaction took it.

    A device keeps its copy until it has pulled `stored`: one that was away for longer
    than feeds are kept would keep it for ever.
    """
    row = upload.attachment
    if row.status not in SETTLED:
        return
    told = Change.objects.filter(
        scope=row.driver_id, table="attachments", row_id=row.pk, deleted=False
    )
    if told.exists():
        return
    with writing(by=by, now=now, scopes=[row.driver_id]) as journal:
        journal.changed(row.driver_id, "attachments", row.pk)


def _is_of(row: Attachment, sender: Sender) -> bool:
    """Tell whether a file is this driver's, or of this device in another one's hands."""
    return sender.driver_id == row.driver_id or sender.device_id == row.device_id


def append_part(
    *,
    upload: Upload,
    offset: int,
    content: bytes,
    checksum: Checksum | None,
    by: Actor,
    now: datetime,
) -> int:
    """Add bytes to a file; return the new offset. The last ones complete it.

    Raises:
        WrongOffset: the file goes on elsewhere.
        Invalid: more bytes than the file has.
        WrongChecksum: the bytes are not those that were sent; when it is the whole
            file that is wrong, it begins anew at 0.
    """
    if upload.offset != offset:
        raise WrongOffset
    if offset + len(content) > upload.length:
        raise Invalid("More bytes than Upload-Length says.")
    if checksum is not None:
        checksum.check(content)
    if not content:
        return offset
    is_last = offset + len(content) == upload.length
    if is_last and _hash(upload, content) != upload.attachment.sha256:
        _begin_anew(upload, by=by, now=now)
        raise WrongChecksum("The file as a whole has another sha256: begin at 0.")
    name = proofs().save(f"parts/{upload.pk}/{offset}-{uuid7()}", ContentFile(content))
    try:
        with writing(by=by, now=now, scopes=[upload.attachment.driver_id]) as journal:
            _count_part(upload, offset, len(content), name, journal)
    except BaseException:
        proofs().delete(name)
        raise
    return offset + len(content)


def _count_part(
    upload: Upload, offset: int, length: int, name: str, journal: Writer
) -> None:
    rows = Upload.objects.filter(pk=upload.pk, offset=offset)
    end = offset + length
    if not rows.update(offset=end, expires_at=journal.now + LASTS):
        raise WrongOffset  # another request was faster
    UploadPart.objects.create(
        upload=upload, offset=offset, length=length, stored_name=name
    )
    row = upload.attachment
    row.received_bytes = end
    row.save(update_fields=["received_bytes"])
    if end < upload.length:
        journal.changed(row.driver_id, "attachments", row.pk)  # it shows how far it is
        return
    row.received_at = journal.now
    row.save(update_fields=["received_at"])
    _turn(row, AttachmentState.RECEIVED, journal)
    journal.record(
        "attachment.received",
        row,
        depot_id=row.driver.depot_id,
        driver_id=str(row.driver_id),
        bytes=end,
    )


def _turn(
    row: Attachment, status: AttachmentState, journal: Writer, detail: str = ""
) -> None:
    row.status, row.detail = status, detail[:300]
    row.save(update_fields=["status", "detail"])
    journal.changed(row.driver_id, "attachments", row.pk)


def _hash(upload: Upload, last: bytes) -> str:
    digest = hashlib.sha256()
    for content in _contents(upload):
        digest.update(content)
    digest.update(last)
    return digest.hexdigest()


def _contents(upload: Upload) -> Iterator[bytes]:
    for part in upload.parts.all():
        with proofs().open(part.stored_name) as file:
            yield file.read()


def _begin_anew(upload: Upload, *, by: Actor, now: datetime) -> None:
    """Forget what came of a file; the upload stays, at 0."""
    names = list(upload.parts.values_list("stored_name", flat=True))
    row = upload.attachment
    with writing(by=by, now=now, scopes=[row.driver_id]) as journal:
        upload.parts.all().delete()
        Upload.objects.filter(pk=upload.pk).update(offset=0)
        row.received_bytes = 0
        row.save(update_fields=["received_bytes"])
        detail = "The file came damaged: it is sent again."
        _turn(row, AttachmentState.UPLOADING, journal, detail)
    _delete(names)


def end_upload(*, upload: Upload, by: Actor, now: datetime) -> None:
    """Give an unfinished upload up; its file is awaited again.

    Raises:
        FinishedUpload: the file has come.
    """
    row = upload.attachment
    if row.status not in OPEN:
        raise FinishedUpload
    names = list(upload.parts.values_list("stored_name", flat=True))
    with writing(by=by, now=now, scopes=[row.driver_id]) as journal:
        upload.delete()
        row.received_bytes = 0
        row.save(update_fields=["received_bytes"])
        _turn(row, AttachmentState.AWAITED, journal)
    _delete(names)


def expire_uploads(*, now: datetime) -> int:
    """Give up the unfinished uploads that nobody went on with; return how many."""
    rows = Upload.objects.filter(
        expires_at__lte=now, attachment__status__in=OPEN
    ).select_related("attachment")
    for upload in rows:
        end_upload(upload=upload, by=SYSTEM, now=now)
    return len(rows)


def store_attachment(*, attachment_id: str, by: Actor, now: datetime) -> None:
    """Put a file together, look what it really is, and keep it.

    A picture is written anew, upright, and without the place where it was taken unless
    the depot wants it. What is no picture is kept aside for a supervisor.
    """
    row = Attachment.objects.select_related("driver").get(pk=attachment_id)
    if row.status != AttachmentState.RECEIVED:
        return
    upload = Upload.objects.get(attachment=row)
    original = b"".join(_contents(upload))
    depot = Depot.objects.get(pk=row.driver.depot_id)
    status, detail, folder = AttachmentState.STORED, "", f"{now:%Y/%m/%d}"
    content, row.stored_type, extension = original, "application/octet-stream", "bin"
    try:
        photo = clean_photo(original, keep_position=depot.keeps_photo_position)
        content, row.stored_type, extension = (
            photo.content,
            photo.media_type,
            photo.extension,
        )
    except NotAPhoto as fault:
        status, detail, folder = AttachmentState.REFUSED, str(fault), "refused"
        log.info("attachment_refused", attachment_id=row.pk)
    row.stored_name = proofs().save(
        f"{folder}/{uuid7()}.{extension}", ContentFile(content)
    )
    row.stored_at = now
    names = list(upload.parts.values_list("stored_name", flat=True))
    with writing(by=by, now=now, scopes=[row.driver_id]) as journal:
        row.save(update_fields=["stored_name", "stored_type", "stored_at"])
        _turn(row, status, journal, detail)
        upload.parts.all().delete()
        kind = "stored" if status == AttachmentState.STORED else "refused"
        journal.record(
            f"attachment.{kind}",
            row,
            depot_id=row.driver.depot_id,
            event_id=row.event_id,
            stop_id=row.stop_id,
        )
    _delete(names)


def _delete(names: Iterable[str]) -> None:
    for name in names:
        proofs().delete(name)
