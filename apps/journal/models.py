"""What happened (Entry), and what every device must hear (FeedHead, Change)."""

from django.db import models

from apps.core.ids import uuid7


class Entry(models.Model):
    """One fact of the audit trail: append-only, sealed into a hash chain later."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    actor = models.CharField(max_length=100)
    kind = models.CharField(max_length=60, db_index=True)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    depot_id = models.UUIDField(null=True)
    payload = models.JSONField(default=dict)
    sequence = models.BigIntegerField(null=True, unique=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        """Oldest first; a fact is found by what it is about."""

        ordering = ["id"]
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["subject_type", "subject_id"]),
            models.Index(fields=["depot_id", "id"], name="newest_of_a_depot"),
        ]

    def __str__(self) -> str:
        """Return kind and subject."""
        return f"{self.kind} {self.subject_type}:{self.subject_id}"


class FeedHead(models.Model):
    """One audience's counter; its row lock makes number order commit order."""

    scope = models.UUIDField(primary_key=True)
    head = models.BigIntegerField(default=0)
    horizon = models.BigIntegerField(default=0)
    epoch = models.PositiveIntegerField(default=1)
    moved_at = models.DateTimeField(db_index=True)

    class Meta:
        """A head only ever moves forward."""

        constraints = [
            models.CheckConstraint(
                condition=models.Q(head__gte=models.F("horizon")),
                name="head_not_before_horizon",
            )
        ]

    def __str__(self) -> str:
        """Return scope and head."""
        return f"{self.scope}@{self.head}"


class Change(models.Model):
    """The newest number at which a row of one table changed, for one audience."""

    id = models.BigAutoField(primary_key=True)
    scope = models.UUIDField()
    table = models.CharField(max_length=32)
    row_id = models.CharField(max_length=64)
    number = models.BigIntegerField()
    deleted = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        """One row a row: a page reads by number, an upsert by identity."""

        constraints = [
            models.UniqueConstraint(
                fields=["scope", "table", "row_id"], name="one_change_a_row"
            )
        ]
        indexes = [models.Index(fields=["scope", "number"])]

    def __str__(self) -> str:
        """Return what changed."""
        return f"{self.table}:{self.row_id}@{self.number}"
