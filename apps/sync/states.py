"""How far a file of proof is, and a body that was set aside."""

from django.db import models


class QuarantineState(models.TextChoices):
    """Whether somebody has looked at a body that was set aside."""

    OPEN = "open", "Waits for a look"
    APPLIED = "applied", "Mended and applied"
    DISMISSED = "dismissed", "Dismissed"


class AttachmentState(models.TextChoices):
    """From its name in an event to a file that is safe."""

    AWAITED = "awaited", "Awaited"
    UPLOADING = "uploading", "On its way"
    RECEIVED = "received", "Received, being looked at"
    STORED = "stored", "Stored"
    REFUSED = "refused", "Refused"
