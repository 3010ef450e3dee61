"""Estimates with their versions, the sums that they rest on, and what was read."""

from django.db import models
from django.db.models import F, Q

from apps.core.ids import uuid7
from apps.depots.models import Depot


class Estimate(models.Model):
    """One version of one learned figure of a depot; the one without an end holds.

    Nothing is planned by it: what it changes goes through a proposal that is approved.
    """

    class Kind(models.TextChoices):
        """What is learned."""

        SERVICE = "service", "Service times"
        TRAVEL = "travel", "Travel times"
        SUCCESS = "success", "Delivery success"
        ZONE_ORDER = "zone_order", "Order of zones"
        ADHERENCE = "adherence", "Adherence"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="estimates")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=200)
    parent = models.CharField(max_length=200, blank=True)
    n = models.PositiveIntegerField(help_text="Events behind it.")
    mean = models.FloatField(help_text="Shrunk towards its parent.")
    spread = models.FloatField(help_text="Standard error of the mean.")
    as_of = models.DateTimeField()
    until_at = models.DateTimeField(
        null=True, blank=True, help_text="When a newer version took its place."
    )

    class Meta:
        """One version holds at a time."""

        ordering = ["kind", "key", "-as_of"]
        indexes = [models.Index(fields=["depot", "kind", "until_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "kind", "key"],
                condition=Q(until_at=None),
                name="one_estimate_holds_a_key",
            ),
            models.CheckConstraint(
                condition=Q(until_at=None) | Q(until_at__gte=F("as_of")),
                name="estimate_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(spread__gte=0), name="spread_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        """Return kind and key."""
        return f"{self.kind} {self.key}"


class Tally(models.Model):
    """The sums of one key from which its estimate is made; events add to it.

    Weights stand as they would at a fixed day: one factor brings them to any other
    (see `learners/sketch.py`), so that adding needs no look at the old.
    """

    id = models.BigAutoField(primary_key=True)
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Estimate.Kind.choices)
    key = models.CharField(max_length=200)
    sums = models.JSONField(default=dict)

    class Meta:
        """One row a key."""

        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "kind", "key"], name="one_tally_a_key"
            )
        ]

    def __str__(self) -> str:
        """Return kind and key."""
        return f"{self.kind} {self.key}"


class Counted(models.Model):
    """What was added to the tallies on behalf of one thing, to take it out again.

    The thing is a route, or a day of settled recommendations: when it changes, what
    was counted is subtracted and what it is now is added.
    """

    id = models.BigAutoField(primary_key=True)
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=80, help_text="route:<id>, day:<date>.")
    digest = models.CharField(max_length=32)
    packed = models.BinaryField(help_text="What was added, as packed JSON.")
    counted_at = models.DateTimeField()

    class Meta:
        """A thing is counted once."""

        constraints = [
            models.UniqueConstraint(
                fields=["depot", "subject"], name="counted_once_a_subject"
            )
        ]

    def __str__(self) -> str:
        """Return what was counted."""
        return self.subject


class Reading(models.Model):
    """How far a depot's facts were read, and what was made of them the last time."""

    depot = models.OneToOneField(
        Depot, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    read_to = models.UUIDField(
        null=True, help_text="The journal's newest entry that was read."
    )
    read_at = models.DateTimeField(null=True)
    figures = models.JSONField(
        default=dict, help_text="What was read, left out and why, and how long it took."
    )

    def __str__(self) -> str:
        """Return whose it is."""
        return f"reading of {self.depot_id}"
