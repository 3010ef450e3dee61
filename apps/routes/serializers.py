"""Shapes of plans, routes and stops on the wire; they decide nothing."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.problems import Invalid
from apps.depots.models import Depot
from apps.drivers.serializers import ScopedField
from apps.routes.conditionrows import Condition
from apps.routes.conditions import CLOSURE
from apps.routes.inforce import geojson_of, place_of, road_condition
from apps.routes.models import Plan, PlanChange, Route, Stop
from apps.routes.roaddrafts import ConditionDraft, place_of_geojson


class PlanRequestSerializer(serializers.Serializer[dict[str, Any]]):
    """What is needed to ask for a day's plan."""

    depot = serializers.PrimaryKeyRelatedField(queryset=Depot.objects.all())
    service_date = serializers.DateField()
    publish_when_ready = serializers.BooleanField(default=False)


class PlanSerializer(serializers.ModelSerializer[Plan]):
    """A plan, how far it is, and what it amounts to."""

    class Meta:
        """Everything is read-only: verbs change a plan."""

        model = Plan
        fields = [
            "id",
            "depot",
            "service_date",
            "kind",
            "number",
            "status",
            "cause",
            "mode",
            "publish_when_ready",
            "progress_percent",
            "progress_text",
            "totals",
            "problem",
            "recommendation",
            "requested_by",
            "requested_at",
            "solved_at",
            "published_at",
            "published_by",
        ]
        read_only_fields = fields


class LeftOutSerializer(serializers.Serializer[Any]):
    """An order without a route, and why."""

    order_id = serializers.UUIDField()
    reference = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    plan_id = serializers.UUIDField(
        allow_null=True,
        help_text="The plan that left it out: its `explanations` say what would serve it.",
    )


class StopSerializer(serializers.ModelSerializer[Stop]):
    """A stop of a route, with its place as GeoJSON."""

    reference = serializers.CharField(source="order.reference", read_only=True)
    location = serializers.SerializerMethodField()

    class Meta:
        """Everything is read-only: events and plans change a stop."""

        model = Stop
        fields = [
            "id",
            "order",
            "reference",
            "location",
            "sequence",
            "status",
            "reason",
            "service_s",
            "planned_arrival_at",
            "plan_eta_at",
            "eta_at",
            "eta_low_at",
            "eta_high_at",
            "eta_reason",
            "road_warning",
            "road_warning_text",
            "enroute_at",
            "arrived_at",
            "completed_at",
            "version",
        ]
        read_only_fields = fields

    @extend_schema_field(
        {
            "type": "object",
            "description": "GeoJSON Point",
            "properties": {
                "type": {"type": "string", "enum": ["Point"]},
                "coordinates": {"type": "array", "items": {"type": "number"}},
            },
        }
    )
    def get_location(self, stop: Stop) -> dict[str, object]:
        """Return the order's place."""
        return stop.order.point.geojson()


class RiskCauseSerializer(serializers.Serializer[Any]):
    """Why a route is at risk."""

    code = serializers.CharField(
        help_text="window, shift_end, late_start, late, conditions or part_of_town."
    )
    text = serializers.CharField(help_text="In plain words.")
    percent = serializers.IntegerField(help_text="Its part of all that is at stake.")


class RouteSerializer(serializers.ModelSerializer[Route]):
    """A route without its stops."""

    risk_causes = RiskCauseSerializer(many=True, read_only=True)

    driver_name = serializers.CharField(source="driver.name", read_only=True)
    vehicle_name = serializers.CharField(source="shift.vehicle.name", read_only=True)

    class Meta:
        """Everything is read-only: plans change a route."""

        model = Route
        fields = [
            "id",
            "depot",
            "service_date",
            "shift",
            "driver",
            "driver_name",
            "vehicle_name",
            "plan",
            "status",
            "version",
            "starts_at",
            "ends_at",
            "distance_m",
            "duration_s",
            "break_starts_at",
            "break_ends_at",
            "travel_quality",
            "risk_percent",
            "risk_causes",
            "risk_at",
        ]
        read_only_fields = fields


class RouteDetailSerializer(RouteSerializer):
    """A route with its stops."""

    stops = StopSerializer(many=True, read_only=True)

    class Meta(RouteSerializer.Meta):
        """The route's fields, and its stops."""

        fields = [*RouteSerializer.Meta.fields, "stops"]
        read_only_fields = fields


class PlanChangeSerializer(serializers.ModelSerializer[PlanChange]):
    """A difference that a driver has to confirm."""

    driver_name = serializers.CharField(source="driver.name", read_only=True)

    class Meta:
        """Everything is read-only: the device confirms."""

        model = PlanChange
        fields = [
            "id",
            "route",
            "driver",
            "driver_name",
            "plan",
            "route_version",
            "added",
            "removed",
            "moved",
            "eta_moved",
            "why",
            "made_at",
            "acknowledged_at",
        ]
        read_only_fields = fields


class PreferenceShareSerializer(serializers.Serializer[Any]):
    """How far a day keeps to what its customers prefer."""

    wished = serializers.IntegerField(help_text="Stops with a preference.")
    planned = serializers.IntegerField(help_text="Of these, expected within it.")
    done = serializers.IntegerField(help_text="Of the wished, visited.")
    kept = serializers.IntegerField(
        help_text="Of these, reached within it, by the device's time."
    )


class CoverageSerializer(serializers.Serializer[Any]):
    """Arrivals of a day against the interval that was told."""

    measured = serializers.IntegerField(help_text="Arrivals with an interval.")
    within = serializers.IntegerField()
    early = serializers.IntegerField(help_text="Before it.")
    late = serializers.IntegerField(help_text="Behind it.")
    percent = serializers.FloatField(allow_null=True, help_text="Within, of measured.")


class EtaCoverageSerializer(serializers.Serializer[Any]):
    """How often drivers arrived within the ETA interval, by the device's time."""

    wanted_percent = serializers.IntegerField()
    first = CoverageSerializer(help_text="The interval told when the stop was shown.")
    last = CoverageSerializer(help_text="The interval told last before the arrival.")


class DayOverviewSerializer(serializers.Serializer[Any]):
    """A depot's day in figures."""

    depot_id = serializers.UUIDField()
    service_date = serializers.DateField()
    plan = PlanSerializer(allow_null=True)
    thinking = serializers.IntegerField(help_text="Plans queued or being solved.")
    pending_tasks = serializers.IntegerField(help_text="Background tasks not done.")
    routes = serializers.IntegerField()
    stops = serializers.DictField(
        child=serializers.IntegerField(), help_text="Count by state."
    )
    orders_open_without_route = serializers.IntegerField()
    unacknowledged_changes = serializers.IntegerField()
    preferences = PreferenceShareSerializer()
    eta_coverage = EtaCoverageSerializer()


PLACE_SCHEMA = {
    "type": "object",
    "nullable": True,
    "description": "GeoJSON Point (with radius_m) or Polygon of one ring; null: the "
    "whole depot.",
    "properties": {
        "type": {"type": "string", "enum": ["Point", "Polygon"]},
        "coordinates": {"type": "array", "items": {}},
    },
}


@extend_schema_field(PLACE_SCHEMA)
class PlaceField(serializers.JSONField):
    """A place as GeoJSON; the verbs say what is wrong with it."""


class ConditionRow(serializers.ModelSerializer[Condition]):
    """A condition of the road, as shown."""

    place = serializers.SerializerMethodField()
    is_in_force = serializers.SerializerMethodField()

    class Meta:
        """Everything is read-only: verbs change it."""

        model = Condition
        fields = [
            "id",
            "depot",
            "kind",
            "title",
            "place",
            "radius_m",
            "from_at",
            "until_at",
            "daily_from",
            "daily_until",
            "percent",
            "status",
            "is_in_force",
            "source",
            "note",
            "reports",
            "reported_by",
            "reported_at",
            "confirmed_at",
            "confirmed_by",
            "ended_at",
            "ended_by",
            "version",
        ]
        read_only_fields = fields

    @extend_schema_field(PLACE_SCHEMA)
    def get_place(self, row: Condition) -> dict[str, Any] | None:
        """Return where it is."""
        return geojson_of(row)

    def get_is_in_force(self, row: Condition) -> bool:
        """Tell whether it counts at this moment."""
        now: datetime = self.context["now"]
        return row.is_open and road_condition(row).is_in_force(now)


class ConditionChange(serializers.Serializer[Any]):
    """What of a condition can be changed."""

    kind = serializers.ChoiceField(choices=Condition.Kind.choices)
    title = serializers.CharField(max_length=120, required=False, allow_blank=True)
    place = PlaceField(required=False, allow_null=True)
    radius_m = serializers.IntegerField(
        required=False, allow_null=True, help_text="Of a Point; 150 where absent."
    )
    from_at = serializers.DateTimeField(required=False, help_text="Absent: now.")
    until_at = serializers.DateTimeField(help_text="From then on it has no effect.")
    daily_from = serializers.TimeField(
        required=False, allow_null=True, help_text="By the depot's clock."
    )
    daily_until = serializers.TimeField(required=False, allow_null=True)
    percent = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="What travel inside takes, of its usual time. Absent: as usual for "
        "its kind; a closure has none.",
    )
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class NewCondition(ConditionChange):
    """A condition to be reported."""

    depot = ScopedField(Depot, "pk")


class Confirmation(serializers.Serializer[Any]):
    """Until when a confirmed report counts."""

    until_at = serializers.DateTimeField(
        required=False, help_text="Absent: four hours from now, at the least."
    )


def condition_draft(
    fields: dict[str, Any], present: Condition | None = None, *, now: datetime
) -> ConditionDraft:
    """Return the draft that a request asks for, the rest as the condition has it.

    Raises:
        Invalid: the place is none.
    """
    if "place" in fields or "radius_m" in fields or present is None:
        known = geojson_of(present) if present else None
        radius_m = fields.get("radius_m", present.radius_m if present else None)
        place, fault = place_of_geojson(fields.get("place", known), radius_m)
        if fault is not None:
            raise Invalid(fault.detail, errors=[fault])
    else:
        place = place_of(present)

    def value(name: str, default: Any) -> Any:
        return fields.get(name, default if present is None else getattr(present, name))

    if fields.get("kind") == CLOSURE:
        fields = {"percent": None, **fields}
    return ConditionDraft(
        kind=value("kind", None),
        place=place,
        from_at=value("from_at", now),
        until_at=value("until_at", None),
        percent=value("percent", None),
        daily_from=value("daily_from", None),
        daily_until=value("daily_until", None),
        title=value("title", ""),
        note=value("note", ""),
    )
