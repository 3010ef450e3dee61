"""The shape of depots and zones on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.depots.models import Depot, Zone

POINT_SCHEMA = {
    "type": "object",
    "description": "GeoJSON Point.",
    "required": ["type", "coordinates"],
    "properties": {
        "type": {"const": "Point"},
        "coordinates": {
            "type": "array",
            "items": {"type": "number"},
            "minItems": 2,
            "maxItems": 2,
        },
    },
}
POLYGON_SCHEMA = {
    "type": "object",
    "description": "GeoJSON Polygon.",
    "required": ["type", "coordinates"],
    "properties": {
        "type": {"const": "Polygon"},
        "coordinates": {
            "type": "array",
            "items": {
                "type": "array",
                "items": {"type": "array", "items": {"type": "number"}},
            },
        },
    },
}


@extend_schema_field(POINT_SCHEMA)
class PointField(serializers.Field[Any, Any, Any, Any]):
    """A row's `point` as GeoJSON; read-only."""

    def __init__(self) -> None:
        """Take the row itself."""
        super().__init__(read_only=True, source="point")

    def to_representation(self, value: Any) -> Any:
        """Return the GeoJSON Point."""
        return value.geojson()


@extend_schema_field(POLYGON_SCHEMA)
class BoundaryField(serializers.JSONField):
    """A zone's boundary as GeoJSON."""


class DepotRow(serializers.ModelSerializer[Depot]):
    """A depot."""

    location = PointField()

    class Meta:
        """All of it."""

        model = Depot
        fields = [
            "id",
            "code",
            "name",
            "time_zone",
            "country",
            "currency",
            "location",
            "is_demo",
        ]


class ZoneRow(serializers.ModelSerializer[Zone]):
    """A part of a depot's area."""

    depot = serializers.CharField(source="depot.code")
    boundary = BoundaryField()

    class Meta:
        """All of it."""

        model = Zone
        fields = ["id", "depot", "code", "name", "boundary"]
