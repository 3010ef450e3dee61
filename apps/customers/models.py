"""The anonymous door's tables: links."""

from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.customers.states import Purpose
from apps.orders.models import Order


class Link(models.Model):
    """An address that opens one page of one order; only its code's hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="links")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    code_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=100)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(
        null=True, blank=True, help_text="When it did what it is for; it does so once."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=100, blank=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["order", "purpose"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="link_revoked_at_and_by",
            )
        ]

    def __str__(self) -> str:
        """Return purpose and order, never the code."""
        return f"{self.get_purpose_display()}: {self.order_id}"
