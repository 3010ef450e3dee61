"""Depots, their zones, and who works for which depot."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models

from apps.core.ids import uuid7
from apps.core.units import Point


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
    time_zone = models.CharField(max_length=64, help_text="IANA name.")
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
        """By name."""

        ordering = ["name"]

    def __str__(self) -> str:
        """Return its name."""
        return self.name

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
