"""The shape of orders on the wire."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.units import Point
from apps.orders.drafts import (
    MAX_LENGTHS,
    PROOFS,
)
from apps.orders.imports.cells import MAX_AMOUNT, MAX_PIECES
from apps.orders.imports.values import phone
from apps.orders.models import (
    Order,
    PreferredWindow,
    TimeWindow,
)

MAX_BATCH = 1000


class ProblemShape(serializers.Serializer[Any]):
    """A refusal (RFC 9457), with one entry a fault where the input has faults."""

    type = serializers.CharField(help_text="Stable name of the case.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What to do about it.")
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.DictField(child=serializers.CharField()),
        required=False,
        help_text="Each {pointer, code, detail}.",
    )


class InstantField(serializers.DateTimeField):
    """RFC 3339 with its offset: a time without one is refused."""

    default_error_messages = {
        "offset": "Give the offset, for example 2026-03-17T08:00:00+01:00."
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        """Take instants alone."""
        if value.tzinfo is None:
            self.fail("offset")
        return value.astimezone(UTC)


@extend_schema_field({"type": "string", "const": "Point"})
class PointTypeField(serializers.ChoiceField):
    """The one type of geometry that a place has."""

    def __init__(self) -> None:
        """Take `Point` alone."""
        super().__init__(choices=["Point"])


class PlaceSerializer(serializers.Serializer[Any]):
    """A GeoJSON Point: longitude first (RFC 7946)."""

    type = PointTypeField()
    coordinates = serializers.ListField(
        child=serializers.FloatField(min_value=-180, max_value=180),
        min_length=2,
        max_length=2,
        help_text="[longitude, latitude]",
    )

    def validate_coordinates(self, value: list[float]) -> list[float]:
        """Refuse what is not on the Earth, and 0, 0."""
        if not Point(value[1], value[0]).is_valid():
            raise serializers.ValidationError(
                "Latitude goes from -90 to 90, and 0, 0 is no place.",
                code="bad_coordinates",
            )
        return value


class AddressSerializer(serializers.Serializer[Any]):
    """Where, in words."""

    street = serializers.CharField(
        max_length=MAX_LENGTHS["street"], allow_blank=True, default=""
    )
    house_number = serializers.CharField(
        max_length=MAX_LENGTHS["house_number"], allow_blank=True, default=""
    )
    postcode = serializers.CharField(
        max_length=MAX_LENGTHS["postcode"], allow_blank=True, default=""
    )
    city = serializers.CharField(
        max_length=MAX_LENGTHS["city"], allow_blank=True, default=""
    )


class RecipientSerializer(serializers.Serializer[Any]):
    """Who receives; a phone goes with its country (E.164)."""

    name = serializers.CharField(
        max_length=MAX_LENGTHS["name"], allow_blank=True, default=""
    )
    phone = serializers.CharField(max_length=40, allow_blank=True, default="")
    email = serializers.EmailField(allow_blank=True, default="")
    language = serializers.CharField(max_length=8, allow_blank=True, default="")

    def validate_phone(self, value: str) -> str:
        """Return the number in E.164."""
        if not value:
            return value
        try:
            return phone(value, self.context.get("country", ""))
        except ValueError:
            raise serializers.ValidationError(
                "Write the number with its country, for example +49 9123 123456.",
                code="bad_phone",
            ) from None


MAX_WINDOWS = 20


class WindowSerializer(serializers.Serializer[Any]):
    """When service may start: half-open, [opens_at, closes_at)."""

    opens_at = InstantField()
    closes_at = InstantField()


class OrderContent(serializers.Serializer[Any]):
    """What may be said of an order, and changed while it is open."""

    kind = serializers.ChoiceField(choices=Order.Kind.choices, required=False)
    customer = RecipientSerializer(required=False, allow_null=True)
    address = AddressSerializer(required=False)
    location = PlaceSerializer(
        required=False,
        allow_null=True,
        help_text="Absent: found by the address in the depot's gazetteer.",
    )
    windows = serializers.ListField(
        child=WindowSerializer(), required=False, max_length=MAX_WINDOWS
    )
    preferred_windows = serializers.ListField(
        child=WindowSerializer(),
        required=False,
        max_length=MAX_WINDOWS,
        help_text="When the customer likes it best: kept where it costs little.",
    )
    priority = serializers.IntegerField(
        min_value=1,
        max_value=5,
        required=False,
        help_text="1 (may wait) to 5 (must go); 3 unless said.",
    )
    pieces = serializers.IntegerField(min_value=1, max_value=MAX_PIECES, required=False)
    load_g = serializers.IntegerField(min_value=0, max_value=MAX_AMOUNT, required=False)
    load_ml = serializers.IntegerField(
        min_value=0, max_value=MAX_AMOUNT, required=False
    )
    service_s = serializers.IntegerField(
        min_value=0,
        max_value=86_400,
        required=False,
        allow_null=True,
        help_text="Null: the depot's standard.",
    )
    requires = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=20
    )
    proof = serializers.ListField(
        child=serializers.ChoiceField(choices=[(name, name) for name in PROOFS]),
        required=False,
        max_length=len(PROOFS),
    )
    notes = serializers.CharField(
        max_length=MAX_LENGTHS["notes"], allow_blank=True, required=False
    )


class NewOrder(OrderContent):
    """An order to be taken in."""

    depot = serializers.CharField(max_length=32, help_text="The depot's code.")
    reference = serializers.CharField(max_length=MAX_LENGTHS["reference"])
    service_date = serializers.DateField()


class OrderChange(OrderContent):
    """Fields of an order that are to be otherwise."""


class Cancellation(serializers.Serializer[Any]):
    """Why an order is cancelled; no personal data, it stays in the audit trail."""

    reason = serializers.CharField(max_length=200, allow_blank=True, default="")


class Rescheduling(serializers.Serializer[Any]):
    """Another day, with that day's windows."""

    service_date = serializers.DateField()
    windows = serializers.ListField(
        child=WindowSerializer(), required=False, max_length=MAX_WINDOWS
    )


class OrderRow(serializers.Serializer[Order]):
    """An order as it stands."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    depot = serializers.CharField(source="depot.code")
    kind = serializers.ChoiceField(choices=Order.Kind.choices)
    service_date = serializers.DateField()
    status = serializers.CharField()
    customer = RecipientSerializer(allow_null=True)
    address = AddressSerializer(source="*")
    location = PlaceSerializer(source="point.geojson")
    location_source = serializers.CharField()
    location_confidence = serializers.FloatField()
    zone = serializers.CharField(source="zone.code", allow_null=True, default=None)
    windows = WindowSerializer(many=True)
    preferred_windows = WindowSerializer(many=True, source="preferences")
    priority = serializers.IntegerField()
    pieces = serializers.IntegerField()
    load_g = serializers.IntegerField()
    load_ml = serializers.IntegerField()
    service_s = serializers.IntegerField(allow_null=True)
    requires = serializers.ListField(child=serializers.CharField())
    proof = serializers.ListField(child=serializers.CharField())
    notes = serializers.CharField()
    version = serializers.IntegerField()
    received_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()

    def to_representation(self, instance: Order) -> dict[str, Any]:
        """Write every instant with the offset of the depot's zone."""
        body = super().to_representation(instance)
        zone = ZoneInfo(instance.depot.time_zone)
        body["windows"] = _local(instance.windows.all(), zone)
        body["preferred_windows"] = _local(instance.preferences.all(), zone)
        for name in ("received_at", "changed_at"):
            body[name] = getattr(instance, name).astimezone(zone).isoformat()
        return body


def _local(
    windows: Iterable[TimeWindow | PreferredWindow], zone: ZoneInfo
) -> list[dict[str, str]]:
    return [
        {
            "opens_at": window.opens_at.astimezone(zone).isoformat(),
            "closes_at": window.closes_at.astimezone(zone).isoformat(),
        }
        for window in windows
    ]


class BatchAnswer(serializers.Serializer[Any]):
    """What became of one item of a list: its order, or its problem."""

    index = serializers.IntegerField()
    status = serializers.IntegerField()
    order = OrderRow(required=False)
    problem = ProblemShape(required=False)


class BatchAnswers(serializers.Serializer[Any]):
    """One answer an item, in the list's order."""

    results = BatchAnswer(many=True)
