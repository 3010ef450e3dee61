"""What people hold fast in a running plan: pins of single stops, and locks of routes.

Each says who wants it, why, and until when; none is ever deleted or edited, only ended.
"""

from django.db import models
from django.db.models import F, Q

from apps.core.ids import uuid7


class Pin(models.Model):
    """One thing of one stop that re-optimization leaves as it is, on one day."""

    class Kind(models.TextChoices):
        """What is held."""

        PLACE = "place", "Its place on the route"
        DRIVER = "driver", "Its driver"
        TIME = "time", "Its time"
        OFF = "off", "Off today"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    stop = models.ForeignKey(
        "routes.Stop", on_delete=models.CASCADE, related_name="pins"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    service_date = models.DateField(help_text="On another day it has no effect.")
    shift = models.ForeignKey(
        "drivers.Shift",
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        blank=True,
        help_text="On whose route its place or driver is held.",
    )
    opens_at = models.DateTimeField(
        null=True, blank=True, help_text="Earliest begin of its service."
    )
    closes_at = models.DateTimeField(
        null=True, blank=True, help_text="Its service begins before this."
    )
    why = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=100)
    until_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="From then on it has no effect; empty: all day.",
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=100, blank=True)

    class Meta:
        """Newest first; one of a kind holds a stop at a time."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["service_date", "ended_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["stop", "kind"],
                condition=Q(ended_at=None),
                name="one_pin_a_kind_and_stop",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by="")
                | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
                name="pin_ended_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["place", "driver"]) | Q(shift__isnull=False),
                name="pin_of_place_or_driver_has_a_shift",
            ),
            models.CheckConstraint(
                condition=~Q(kind="time")
                | Q(opens_at__isnull=False)
                | Q(closes_at__isnull=False),
                name="pin_of_time_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(opens_at=None)
                | Q(closes_at=None)
                | Q(closes_at__gt=F("opens_at")),
                name="pin_of_time_has_length",
            ),
        ]

    def __str__(self) -> str:
        """Return what is held, of which stop."""
        return f"{self.get_kind_display()}: {self.stop_id}"


class RouteLock(models.Model):
    """A route that re-optimization leaves alone: nothing added, removed or reordered."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    route = models.ForeignKey(
        "routes.Route", on_delete=models.CASCADE, related_name="locks"
    )
    why = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=100)
    until_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="From then on it has no effect; empty: all day.",
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=100, blank=True)

    class Meta:
        """Newest first; one holds a route at a time."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["route"], condition=Q(ended_at=None), name="one_lock_a_route"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by="")
                | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
                name="lock_ended_at_and_by_together",
            ),
        ]

    def __str__(self) -> str:
        """Return which route is locked."""
        return f"Lock of {self.route_id}"
