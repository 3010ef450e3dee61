"""Figures of a depot's days, as they were rolled up at night."""

from django.db import models

from apps.core.ids import uuid7
from apps.depots.models import Depot


class DailyFigure(models.Model):
    """One figure of one day, with where it was expected to lie.

    `key` says of what part it is: empty for the whole, `zone:Altstadt`, `hour:9`,
    `cell:Altstadt@9`, `kind:plan`, `role:Driver`. Rolled up again it is replaced.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        Depot, on_delete=models.CASCADE, related_name="daily_figures"
    )
    day = models.DateField()
    name = models.CharField(max_length=40)
    key = models.CharField(max_length=120, blank=True)
    value = models.FloatField()
    n = models.PositiveIntegerField(help_text="Of so many observations.")
    low = models.FloatField(
        null=True, blank=True, help_text="Control limit; empty: too few days before."
    )
    high = models.FloatField(null=True, blank=True)
    centre = models.FloatField(null=True, blank=True)
    deviations = models.FloatField(null=True, blank=True)
    is_drift = models.BooleanField("drift", default=False)
    rolled_up_at = models.DateTimeField()

    class Meta:
        """The newest first; one a day, name and key."""

        verbose_name = "daily figure"
        ordering = ["-day", "name", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "day", "name", "key"], name="one_figure_a_day"
            )
        ]
        indexes = [models.Index(fields=["depot", "name", "key", "day"])]

    def __str__(self) -> str:
        """Return what it is, and of which day."""
        part = f" ({self.key})" if self.key else ""
        return f"{self.name}{part} on {self.day}"
