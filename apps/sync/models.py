"""The inbox of device events, what could not be taken, and files of proof."""

from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.core.verdicts import Verdict
from apps.drivers.models import Device, Driver
from apps.sync.states import AttachmentState, QuarantineState


class DeviceEvent(models.Model):
    """One event as a device sent it, with what became of it; its id is the device's."""

    id = models.CharField(primary_key=True, max_length=64)
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=30)
    stop_id = models.CharField(max_length=64, blank=True)
    payload = models.JSONField(default=dict)
    depends_on = models.CharField(max_length=64, blank=True)
    device_time = models.DateTimeField(null=True)
    mono_ms = models.BigIntegerField(null=True)
    boot_id = models.CharField(max_length=64, blank=True)
    body_hash = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    uncertainty_ms = models.PositiveIntegerField(default=0)
    time_quality = models.CharField(max_length=8, default="mono")
    received_at = models.DateTimeField()
    result = models.CharField(max_length=12)
    code = models.CharField(max_length=32)
    detail = models.CharField(max_length=300, blank=True)
    rule = models.CharField(max_length=32, blank=True)
    yours = models.CharField(max_length=40, blank=True)
    ours = models.CharField(max_length=40, blank=True)
    ours_at = models.DateTimeField(null=True, blank=True)
    corrects = models.CharField(max_length=64, blank=True)

    class Meta:
        """As it came."""

        ordering = ["device", "seq"]
        indexes = [
            models.Index(fields=["device", "seq"]),
            models.Index(
                fields=["device", "received_at"],
                condition=Q(result="held"),
                name="sync_event_held",
            ),
        ]

    def __str__(self) -> str:
        """Return kind and result."""
        return f"{self.kind}: {self.result}/{self.code}"

    @property
    def verdict(self) -> Verdict:
        """What became of it."""
        return Verdict(
            self.result,
            self.code,
            self.detail,
            self.ours,
            self.ours_at,
            self.yours,
            self.rule,
        )


class InboxHead(models.Model):
    """How far a device's events have come without a gap (see `lines`)."""

    device = models.OneToOneField(
        Device, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    reached = models.BigIntegerField(default=0)
    ahead = models.JSONField(default=list)
    holds = models.BooleanField(default=False, help_text="Events wait for others.")
    asked_again = models.JSONField(
        default=dict,
        help_text="Events that the device was asked to send again: since when, in epoch ms.",
    )

    def __str__(self) -> str:
        """Return device and number."""
        return f"{self.device_id}@{self.reached}"


class DeviceAnchor(models.Model):
    """What a device's clocks said when ours said `server_at` (see Time in the protocol)."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="anchors")
    boot_id = models.CharField(max_length=64)
    mono_ms = models.BigIntegerField()
    server_at = models.DateTimeField()
    rtt_ms = models.PositiveIntegerField()

    class Meta:
        """One a boot and instant."""

        ordering = ["-server_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "boot_id", "mono_ms"], name="one_anchor_an_instant"
            )
        ]

    def __str__(self) -> str:
        """Return device and boot."""
        return f"{self.device_id} {self.boot_id}"


class QuarantinedEvent(models.Model):
    """A body that was rejected: kept as it came, for a supervisor to look at."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    event_id = models.CharField(max_length=64, blank=True)
    body = models.JSONField()
    body_hash = models.CharField(max_length=64)
    code = models.CharField(max_length=32)
    detail = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=QuarantineState.choices, default=QuarantineState.OPEN
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    mended_event = models.ForeignKey(
        DeviceEvent, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        """Newest first; the same body is kept once."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "event_id", "body_hash"],
                name="one_quarantined_body_a_device",
            ),
            models.CheckConstraint(
                condition=Q(state=QuarantineState.OPEN, settled_at=None)
                | (~Q(state=QuarantineState.OPEN) & Q(settled_at__isnull=False)),
                name="settled_quarantine_says_when",
            ),
        ]

    def __str__(self) -> str:
        """Return code and event."""
        return f"{self.code} {self.event_id}"


class Attachment(models.Model):
    """One file of proof: named by an event, sent apart from it, bound by id and hash.

    Its id is the device's. Whichever comes first makes the row, the event or the file.
    """

    id = models.CharField(primary_key=True, max_length=64)
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    event_id = models.CharField(max_length=64, blank=True, db_index=True)
    stop_id = models.CharField(max_length=64, blank=True, db_index=True)
    sha256 = models.CharField(max_length=64, help_text="Of the file as it was made.")
    size_bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    status = models.CharField(
        max_length=10,
        choices=AttachmentState.choices,
        default=AttachmentState.AWAITED,
    )
    detail = models.CharField(max_length=300, blank=True)
    received_bytes = models.BigIntegerField(default=0)
    stored_name = models.CharField(max_length=200, blank=True)
    stored_type = models.CharField(max_length=100, blank=True)
    named_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    stored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Newest first."""

        ordering = ["-received_at", "-named_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=AttachmentState.STORED)
                | (~Q(stored_name="") & Q(stored_at__isnull=False)),
                name="stored_attachment_has_its_file",
            )
        ]

    def __str__(self) -> str:
        """Return what it is and how far."""
        return f"{self.media_type}, {self.status}"


class Upload(models.Model):
    """One file on its way; `offset` is how much of it is safe with us."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    attachment = models.OneToOneField(
        Attachment, on_delete=models.CASCADE, related_name="upload"
    )
    length = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        """Return how far it is."""
        return f"{self.offset} of {self.length} bytes"


class UploadPart(models.Model):
    """What one request brought of a file: kept whole until the file is put together."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    stored_name = models.CharField(max_length=200)

    class Meta:
        """In the file's order; no byte comes twice."""

        ordering = ["offset"]
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "offset"], name="one_part_an_offset"
            )
        ]

    def __str__(self) -> str:
        """Return where it lies."""
        return f"{self.offset} + {self.length}"
