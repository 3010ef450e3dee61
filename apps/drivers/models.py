"""Drivers, vehicles, shifts with breaks, and the devices that drivers carry."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from knox.models import AbstractAuthToken, AuthTokenManager

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.drivers.kinds import abilities_of
from apps.drivers.states import DeviceState, ShiftState


class Driver(models.Model):
    """A person who drives; its id is the audience of its feed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="drivers")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="driver"
    )
    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=20, blank=True, help_text="E.164.")
    language = models.CharField(
        max_length=8, blank=True, help_text="In which the device speaks to the driver."
    )
    skills = models.JSONField(default=list, blank=True)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """By name."""

        ordering = ["name"]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class VehicleType(models.Model):
    """A kind of vehicle: a set of capabilities, and how fast it is; the whole house's."""

    code = models.SlugField(primary_key=True, max_length=30)
    name = models.CharField(max_length=60)
    capabilities = models.JSONField(
        default=list, blank=True, help_text="What every vehicle of this type can."
    )
    is_crewed = models.BooleanField(
        "a person comes to the door",
        default=True,
        help_text="Otherwise the driver's skills do not count where it delivers.",
    )
    speed_percent = models.PositiveSmallIntegerField(
        default=100, help_text="Of a car's speed on the same road."
    )
    is_active = models.BooleanField(
        default=True, help_text="May be chosen for a vehicle."
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """By name; nothing stands still on the road."""

        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(speed_percent__range=(1, 300)), name="type_moves"
            )
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Vehicle(models.Model):
    """What is driven: its type's capabilities and its own, and room in several dimensions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="vehicles")
    name = models.CharField(max_length=60)
    type = models.ForeignKey(
        VehicleType,
        on_delete=models.PROTECT,
        related_name="vehicles",
        default="van",
        db_column="type",
    )
    capacity_g = models.PositiveBigIntegerField()
    capacity_ml = models.PositiveBigIntegerField()
    capacity_pieces = models.PositiveIntegerField()
    capabilities = models.JSONField(
        default=list, blank=True, help_text="Beyond those of its type."
    )
    lacks = models.JSONField(
        default=list, blank=True, help_text="What its type can, and this one cannot."
    )
    cost_per_km_minor = models.PositiveIntegerField(
        default=30, help_text="In the depot's currency, minor units."
    )
    cost_per_hour_minor = models.PositiveIntegerField(default=2400)
    speed_percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of a car's speed. Empty: its type's."
    )
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """A name is the depot's own."""

        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["depot", "name"], name="one_vehicle_a_name")
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def abilities(self) -> tuple[str, ...]:
        """What it can, as codes; a driver's skills come on top."""
        return abilities_of(
            self.type.capabilities, own=self.capabilities, lacks=self.lacks
        )

    @property
    def travel_speed_percent(self) -> int:
        """How fast it is, of a car's speed: its own where it has one, else its type's."""
        return self.speed_percent or self.type.speed_percent


class Shift(models.Model):
    """A driver's working time with a vehicle: half-open, [starts_at, ends_at)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="shifts")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="shifts")
    vehicle = models.ForeignKey(
        Vehicle, on_delete=models.PROTECT, related_name="shifts"
    )
    service_date = models.DateField(db_index=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    max_overtime_s = models.PositiveIntegerField(default=0)
    status = models.CharField(
        max_length=10, choices=ShiftState.choices, default=ShiftState.PLANNED
    )
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """In order of time."""

        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["depot", "service_date"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="shift_has_length"
            ),
            models.UniqueConstraint(
                fields=["driver", "starts_at"], name="one_shift_a_driver_and_start"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["planned", "cancelled"])
                | Q(started_at__isnull=False),
                name="started_shift_has_its_instant",
            ),
        ]

    def __str__(self) -> str:
        """Return driver and date."""
        return f"{self.driver}, {self.service_date}"


class ShiftBreak(models.Model):
    """A break that must begin in [opens_at, closes_at)."""

    shift = models.ForeignKey(Shift, on_delete=models.CASCADE, related_name="breaks")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField(help_text="Latest begin.")
    duration_s = models.PositiveIntegerField()
    taken_at = models.DateTimeField(
        null=True, blank=True, help_text="When the driver began it, by the device."
    )

    class Meta:
        """In order of time."""

        ordering = ["opens_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__gte=F("opens_at")), name="break_can_begin"
            )
        ]

    def __str__(self) -> str:
        """Return length and window."""
        return f"{self.duration_s // 60} min from {self.opens_at:%H:%M}"


class Device(models.Model):
    """A handheld; its credential is revocable, and outlives a driver's session."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="devices")
    driver = models.ForeignKey(
        Driver,
        on_delete=models.PROTECT,
        related_name="devices",
        help_text="Who is signed in now, or was last.",
    )
    shown_driver = models.ForeignKey(
        Driver,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="Whose the newest session is that it has shown: who it believes has it.",
    )
    shown_session = models.PositiveIntegerField(
        default=0, help_text="The number of that session."
    )
    sessions = models.PositiveIntegerField(
        default=0, help_text="How many sessions were opened on it."
    )
    name = models.CharField(max_length=80)
    platform = models.CharField(max_length=80, blank=True)
    status = models.CharField(
        max_length=10, choices=DeviceState.choices, default=DeviceState.ACTIVE
    )
    enrolled_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=100, blank=True)
    clock_offset_ms = models.BigIntegerField(
        null=True, blank=True, help_text="Wall clock less ours, when last known."
    )
    clock_measured_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Newest first; who revoked goes with when."""

        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="revoked_at_and_by_together",
            )
        ]

    def __str__(self) -> str:
        """Return its name."""
        return self.name


class EnrolmentCode(models.Model):
    """A one-time code that makes a device a driver's; stored hashed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    driver = models.ForeignKey(
        Driver, on_delete=models.CASCADE, related_name="enrolment_codes"
    )
    code_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=100)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by_device = models.ForeignKey(
        Device, on_delete=models.SET_NULL, null=True, blank=True
    )

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return whom it is for, never the code."""
        return f"enrolment of {self.driver_id}"


class Token(AbstractAuthToken):  # type: ignore[misc]
    """A credential: a device's (evidence only), a driver's session, or an API client's."""

    class Purpose(models.TextChoices):
        """What it opens."""

        API = "api", "API client"
        DEVICE = "device", "Device credential: uploads evidence"
        SESSION = "session", "Driver's session: pulls as well"

    purpose = models.CharField(
        max_length=8, choices=Purpose.choices, default=Purpose.API
    )
    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    number = models.PositiveIntegerField(
        default=0, help_text="Which of its device's sessions it is: 1, 2, 3 …"
    )

    objects: ClassVar[Any] = AuthTokenManager()

    class Meta:
        """A device's credential names its device."""

        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="api", device=None)
                | (~Q(purpose="api") & Q(device__isnull=False)),
                name="device_token_has_a_device",
            )
        ]

    def __str__(self) -> str:
        """Return its purpose and owner, never the digest."""
        return f"{self.purpose} of {self.user_id}"


class Position(models.Model):
    """One fix of a handheld during a shift; a repeated one is one row.

    Places are millionths of a degree (11 cm), as they come from the device.
    """

    driver = models.ForeignKey(
        Driver, on_delete=models.CASCADE, related_name="positions", db_index=False
    )
    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    boot_key = models.BigIntegerField(help_text="The device's boot, in 64 bits.")
    mono_ms = models.BigIntegerField(help_text="The device's monotonic clock.")
    occurred_ms = models.BigIntegerField(help_text="Milliseconds since 1970.")
    lat_e6 = models.IntegerField()
    lon_e6 = models.IntegerField()
    accuracy_m = models.SmallIntegerField(null=True, blank=True)
    speed_cm_s = models.SmallIntegerField(null=True, blank=True)
    heading_deg = models.SmallIntegerField(null=True, blank=True)

    class Meta:
        """Newest first."""

        ordering = ["-occurred_ms"]
        indexes = [models.Index(fields=["driver", "-occurred_ms"])]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "boot_key", "mono_ms"], name="one_position_a_fix"
            )
        ]

    def __str__(self) -> str:
        """Return the instant, never the place."""
        return f"fix of {self.driver_id} at {self.occurred_ms}"
