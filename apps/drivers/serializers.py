"""The shapes of drivers, vehicles, shifts and devices on the wire."""

from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.db.models import Model, QuerySet
from rest_framework import serializers

from apps.depots.models import Depot
from apps.depots.scoping import scoped
from apps.drivers.models import (
    Device,
    Driver,
    Shift,
    ShiftBreak,
    Vehicle,
    VehicleType,
)
from apps.drivers.services import BreakTime, ShiftTimes


class ScopedField(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a row of the caller's depots; another depot's row does not exist."""

    def __init__(self, model: type[Model], path: str = "depot", **kwargs: Any) -> None:
        """Name the model, and the path from its rows to their depot."""
        self.model, self.path = model, path
        super().__init__(queryset=model._default_manager.all(), **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows that the caller may name."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        request = self.context.get("request")
        return rows.none() if request is None else scoped(rows, request.user, self.path)


class WordsField(serializers.ListField):
    """Skills or capabilities: short words."""

    child = serializers.CharField(max_length=40)


class DriverRow(serializers.ModelSerializer[Driver]):
    """A driver, as shown."""

    username = serializers.CharField(source="user.username", read_only=True)

    class Meta:
        """All but the log-in."""

        model = Driver
        fields = [
            "id",
            "depot",
            "username",
            "name",
            "phone",
            "language",
            "skills",
            "is_active",
            "version",
        ]
        read_only_fields = fields


class DriverChange(serializers.Serializer[Any]):
    """What of a driver can be changed."""

    name = serializers.CharField(max_length=120)
    phone = serializers.RegexField(
        r"^\+[1-9]\d{6,14}$", required=False, allow_blank=True, help_text="E.164."
    )
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES, required=False, allow_blank=True
    )
    skills = WordsField(required=False)
    is_active = serializers.BooleanField(required=False)


class NewDriver(DriverChange):
    """A driver to be hired."""

    depot = ScopedField(Depot, "pk")
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(
        required=False, write_only=True, validators=[validate_password]
    )


class VehicleTypeRow(serializers.ModelSerializer[VehicleType]):
    """A kind of vehicle, as shown."""

    class Meta:
        """All of it."""

        model = VehicleType
        fields = [
            "code",
            "name",
            "capabilities",
            "is_crewed",
            "speed_percent",
            "is_active",
            "version",
        ]
        read_only_fields = fields


class VehicleTypeChange(serializers.Serializer[Any]):
    """What of a kind of vehicle can be changed."""

    name = serializers.CharField(max_length=60)
    capabilities = WordsField(
        required=False, help_text="What every vehicle of this type can."
    )
    is_crewed = serializers.BooleanField(
        required=False,
        help_text="A person comes to the door: the driver's skills count.",
    )
    speed_percent = serializers.IntegerField(
        min_value=1,
        max_value=300,
        required=False,
        help_text="Of a car's speed on the same road.",
    )
    is_active = serializers.BooleanField(required=False)


class NewVehicleType(VehicleTypeChange):
    """A kind of vehicle to be added."""

    code = serializers.SlugField(max_length=30)


class VehicleRow(serializers.ModelSerializer[Vehicle]):
    """A vehicle, as shown."""

    can = serializers.ListField(
        source="abilities",
        child=serializers.CharField(),
        read_only=True,
        help_text="All that it can: its type's capabilities and its own, less `lacks`.",
    )

    class Meta:
        """All of it."""

        model = Vehicle
        fields = [
            "id",
            "depot",
            "name",
            "type",
            "capacity_g",
            "capacity_ml",
            "capacity_pieces",
            "capabilities",
            "lacks",
            "can",
            "cost_per_km_minor",
            "cost_per_hour_minor",
            "speed_percent",
            "is_active",
            "version",
        ]
        read_only_fields = fields


class VehicleChange(serializers.Serializer[Any]):
    """What of a vehicle can be changed."""

    name = serializers.CharField(max_length=60)
    type = serializers.SlugRelatedField(
        slug_field="code",
        queryset=VehicleType.objects.filter(is_active=True),
        required=False,
        help_text="The code of a vehicle type.",
    )
    capacity_g = serializers.IntegerField(min_value=0)
    capacity_ml = serializers.IntegerField(min_value=0)
    capacity_pieces = serializers.IntegerField(min_value=0, max_value=1_000_000)
    capabilities = WordsField(required=False, help_text="Beyond those of its type.")
    lacks = WordsField(
        required=False, help_text="What its type can, and this vehicle cannot."
    )
    cost_per_km_minor = serializers.IntegerField(
        min_value=0, max_value=1_000_000, required=False
    )
    cost_per_hour_minor = serializers.IntegerField(
        min_value=0, max_value=10_000_000, required=False
    )
    speed_percent = serializers.IntegerField(
        min_value=1,
        max_value=300,
        required=False,
        allow_null=True,
        help_text="Of a car's speed. Null: its type's.",
    )
    is_active = serializers.BooleanField(required=False)


class NewVehicle(VehicleChange):
    """A vehicle to be added."""

    depot = ScopedField(Depot, "pk")


class BreakRow(serializers.ModelSerializer[ShiftBreak]):
    """A break that must begin in [opens_at, closes_at]."""

    class Meta:
        """Without its shift, in which it is shown."""

        model = ShiftBreak
        fields = ["opens_at", "closes_at", "duration_s"]


class ShiftRow(serializers.ModelSerializer[Shift]):
    """A shift, as shown."""

    breaks = BreakRow(many=True, read_only=True)

    class Meta:
        """With its breaks."""

        model = Shift
        fields = [
            "id",
            "depot",
            "driver",
            "vehicle",
            "service_date",
            "starts_at",
            "ends_at",
            "max_overtime_s",
            "status",
            "started_at",
            "ended_at",
            "breaks",
            "version",
        ]
        read_only_fields = fields


class ShiftChange(serializers.Serializer[Any]):
    """What of a planned shift can be changed; breaks are replaced as a whole."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    max_overtime_s = serializers.IntegerField(
        min_value=0, max_value=86_400, required=False
    )
    breaks = BreakRow(many=True, required=False)
    vehicle = ScopedField(Vehicle)


class NewShift(ShiftChange):
    """A shift to be planned."""

    driver = ScopedField(Driver)
    service_date = serializers.DateField()


def shift_times(fields: dict[str, Any], present: Shift | None = None) -> ShiftTimes:
    """Return the times that a request asks for, the rest as the shift has them."""
    breaks = fields.get("breaks")
    if breaks is None and present is not None:
        kept = present.breaks.values("opens_at", "closes_at", "duration_s")
        breaks = [dict(row) for row in kept]
    overtime_s = present.max_overtime_s if present else 0
    return ShiftTimes(
        starts_at=fields.get("starts_at") or _of(present).starts_at,
        ends_at=fields.get("ends_at") or _of(present).ends_at,
        max_overtime_s=fields.get("max_overtime_s", overtime_s),
        breaks=tuple(BreakTime(**row) for row in breaks or ()),
    )


def _of(present: Shift | None) -> Shift:
    if present is None:
        raise ValueError("A new shift says when it is.")
    return present


class DeviceRow(serializers.ModelSerializer[Device]):
    """A device, as shown; its credentials never are."""

    class Meta:
        """What the office needs."""

        model = Device
        fields = [
            "id",
            "depot",
            "driver",
            "name",
            "platform",
            "status",
            "enrolled_at",
            "last_seen_at",
            "revoked_at",
            "revoked_by",
        ]
        read_only_fields = fields


class Revocation(serializers.Serializer[Any]):
    """What a revoked device is to do."""

    action = serializers.ChoiceField(choices=["drain_then_wipe", "wipe"])


class EnrolmentCodeShown(serializers.Serializer[Any]):
    """A fresh enrolment code: shown now, and never again."""

    code = serializers.CharField()
    expires_at = serializers.DateTimeField()
    qr = serializers.CharField(help_text="The code as a QR: an SVG data URI.")


class ApiTokenShown(serializers.Serializer[Any]):
    """A fresh API token: shown now, and never again."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
