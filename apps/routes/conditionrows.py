"""Conditions of the road: what slows travel or stops it, where, and until when."""

from django.db import models
from django.db.models import F, Q

from apps.core.ids import uuid7
from apps.routes.states import OPEN_CONDITIONS, ConditionState


class Condition(models.Model):
    """What makes travel slow or impossible somewhere for a while (C11).

    Its place is a circle (`latitude`, `longitude`, `radius_m`), an area (`boundary`), or
    the whole depot's surroundings where there is neither.
    """

    class Kind(models.TextChoices):
        """What it is; the first three slow, a closure lets nobody through."""

        TRAFFIC = "traffic"
        WEATHER = "weather"
        ROADWORKS = "roadworks"
        CLOSURE = "closure", "Closed road"

    class Source(models.TextChoices):
        """By which door it came in."""

        API = "api", "Programme"
        ADMIN = "admin", "Office"
        DRIVER = "driver"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        "depots.Depot", on_delete=models.PROTECT, related_name="conditions"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    title = models.CharField(
        max_length=120, blank=True, help_text="Where, in words: Bahnhofstraße."
    )
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    radius_m = models.PositiveIntegerField(null=True, blank=True)
    boundary = models.JSONField(
        null=True, blank=True, help_text="GeoJSON Polygon of one ring."
    )
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(help_text="Expiry: from then on it has no effect.")
    daily_from = models.TimeField(null=True, blank=True)
    daily_until = models.TimeField(null=True, blank=True)
    percent = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="What travel inside takes, in per cent of its usual time.",
    )
    status = models.CharField(
        max_length=12,
        choices=ConditionState.choices,
        default=ConditionState.CONFIRMED,
    )
    source = models.CharField(max_length=8, choices=Source.choices)
    note = models.TextField(blank=True, max_length=2000)
    reports = models.PositiveIntegerField(
        default=1, help_text="How often it was reported."
    )
    reported_by = models.CharField(max_length=100)
    reported_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=100, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=100, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """Newest first; what is open is found by depot and time."""

        ordering = ["-id"]
        verbose_name = "road condition"
        indexes = [models.Index(fields=["depot", "status", "until_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(until_at__gt=F("from_at")), name="condition_has_length"
            ),
            models.CheckConstraint(
                condition=Q(kind="closure", percent=None)
                | (~Q(kind="closure") & Q(percent__gt=100, percent__lte=1000)),
                name="closure_or_percent",
            ),
            models.CheckConstraint(
                condition=Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    radius_m__gt=0,
                    boundary=None,
                )
                | (
                    Q(latitude=None, longitude=None, radius_m=None)
                    & (Q(boundary__isnull=False) | ~Q(kind="closure"))
                ),
                name="circle_or_area_or_all",
            ),
            models.CheckConstraint(
                condition=Q(daily_from=None, daily_until=None)
                | Q(daily_from__isnull=False, daily_until__isnull=False),
                name="daily_hours_come_in_pairs",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None, confirmed_by="")
                | (Q(confirmed_at__isnull=False) & ~Q(confirmed_by="")),
                name="condition_confirmed_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by="")
                | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
                name="condition_ended_at_and_by",
            ),
        ]

    def __str__(self) -> str:
        """Return kind and where."""
        kind = str(self.get_kind_display())
        return f"{kind}: {self.title}" if self.title else kind

    @property
    def is_open(self) -> bool:
        """Tell whether it can still count."""
        return self.status in OPEN_CONDITIONS
