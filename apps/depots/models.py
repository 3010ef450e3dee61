"""Depots, their zones, who works for which depot, and who is away."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Self

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models

from apps.core.ids import uuid7
from apps.core.units import Point
from apps.depots.zonenames import UTC, check_zone, is_zone

log = structlog.get_logger(__name__)


class DepotQuerySet(models.QuerySet["Depot"]):
    """Questions to the depots."""

    def visible_to(self, user: User | AnonymousUser) -> "DepotQuerySet":
        """Return the depots that `user` works for; a superuser works for all."""
        if user.is_superuser:
            return self
        if isinstance(user, AnonymousUser):
            return self.none()
        return self.filter(memberships__user=user)


class Depot(models.Model):
    """A place from which vans leave; the border of what its people may see."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(
        max_length=64, validators=[check_zone], help_text="IANA name."
    )
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2.")
    currency = models.CharField(max_length=3, help_text="ISO 4217.")
    latitude = models.FloatField()
    longitude = models.FloatField()
    keeps_photo_position = models.BooleanField(
        "keeps the place of photos",
        default=False,
        help_text="Photos of proof keep the position that the camera wrote into them.",
    )
    is_demo = models.BooleanField(default=False)

    objects = DepotQuerySet.as_manager()

    class Meta:
        """By name; a depot has a time zone."""

        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(time_zone=""), name="depot_has_a_time_zone"
            )
        ]

    def __str__(self) -> str:
        """Return its name."""
        return self.name

    @classmethod
    def from_db(
        cls,
        db: str | None,
        field_names: Collection[str],
        values: Collection[Any],
        **more: Any,
    ) -> Self:
        """Return a row as it is stored; one whose zone is none goes by UTC.

        Forms and verbs refuse such a zone, but a row may have come past them, or its name
        have gone from the tables: pages go on, the log says whose it is.
        """
        row = super().from_db(db, field_names, values, **more)
        told = row.__dict__.get("time_zone")
        if told is not None and not is_zone(told):
            log.error("depot_without_time_zone", depot=str(row.pk), time_zone=told)
            row.time_zone = UTC
        return row

    @property
    def point(self) -> Point:
        """Where it is."""
        return Point(self.latitude, self.longitude)


class DepotMembership(models.Model):
    """Which office users work for which depot."""

    depot = models.ForeignKey(
        Depot, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="depots"
    )

    class Meta:
        """Once a user and depot."""

        constraints = [
            models.UniqueConstraint(
                fields=["depot", "user"], name="one_membership_a_user_and_depot"
            )
        ]

    def __str__(self) -> str:
        """Return user and depot."""
        return f"{self.user} at {self.depot}"


class Zone(models.Model):
    """A part of the depot's area, as a GeoJSON Polygon."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="zones")
    code = models.SlugField(max_length=32)
    name = models.CharField(max_length=80)
    boundary = models.JSONField(help_text="GeoJSON Polygon.")

    class Meta:
        """Codes are the depot's own."""

        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["depot", "code"], name="one_zone_a_code")
        ]

    def __str__(self) -> str:
        """Return its name."""
        return self.name


class AbsenceQuerySet(models.QuerySet["Absence"]):
    """Questions to the absences."""

    def visible_to(self, user: User | AnonymousUser) -> "AbsenceQuerySet":
        """Return the absences of those who work for a depot of `user`."""
        if user.is_superuser:
            return self
        depots = Depot.objects.visible_to(user).values("pk")
        colleagues = DepotMembership.objects.filter(depot__in=depots).values("user")
        return self.filter(user__in=colleagues)

    def covering(self, at: datetime) -> "AbsenceQuerySet":
        """Return the absences that hold at an instant."""
        return self.filter(from_at__lte=at, until_at__gt=at)


class Absence(models.Model):
    """A time, half-open, in which somebody is away, and who answers instead.

    Why somebody is away is not ours to keep. One that ends early has its end moved.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="absences"
    )
    from_at = models.DateTimeField("from")
    until_at = models.DateTimeField("until")
    stand_in = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="stands_in",
        help_text="Who answers meanwhile; nobody leaves the work with the role.",
    )
    noted_at = models.DateTimeField()
    noted_by = models.CharField(max_length=100)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        """Newest first; nobody stands in for himself."""

        ordering = ["-from_at"]
        indexes = [models.Index(fields=["user", "until_at"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until_at__gte=models.F("from_at")),
                name="absence_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=~models.Q(user=models.F("stand_in")),
                name="nobody_stands_in_for_himself",
            ),
        ]

    def __str__(self) -> str:
        """Return who is away."""
        return f"{self.user} is away"
