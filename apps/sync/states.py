"""How far a file of proof is."""

from django.db import models


class AttachmentState(models.TextChoices):
    """From its name in an event to a file that is safe."""

    AWAITED = "awaited", "Awaited"
    UPLOADING = "uploading", "On its way"
    RECEIVED = "received", "Received, being looked at"
    STORED = "stored", "Stored"
    REFUSED = "refused", "Refused"
