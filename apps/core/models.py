"""The two technical tables that every room's doors need; no domain (ADR 0002)."""

from django.conf import settings
from django.db import models

from apps.core.ids import uuid7


class TaskRun(models.Model):
    """One background task, with our own count of its attempts.

    The queue's own count does not see a worker that was killed.
    """

    class State(models.TextChoices):
        """Where the task is."""

        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict)
    depot_id = models.UUIDField(
        null=True, help_text="Whose work it is; empty: the whole installation's."
    )
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.QUEUED, db_index=True
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    enqueued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True, db_index=True)
    error = models.TextField(blank=True)

    class Meta:
        """Newest last; a depot's people see their own."""

        ordering = ["id"]
        indexes = [models.Index(fields=["depot_id", "-id"])]

    def __str__(self) -> str:
        """Return the task and its state."""
        return f"{self.task} ({self.state})"


class IdempotentAnswer(models.Model):
    """The first answer to a create that came with an `Idempotency-Key`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        """One answer a caller and key."""

        constraints = [
            models.UniqueConstraint(
                fields=["user", "key"], name="one_answer_a_caller_and_key"
            )
        ]

    def __str__(self) -> str:
        """Return the key."""
        return self.key
