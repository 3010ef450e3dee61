"""Shapes of modes, readiness and decision points on the wire."""

from rest_framework import serializers

from apps.routes.moderows import DecisionPoint
from apps.routes.states import Leave, PlanningMode


class CheckShown(serializers.Serializer[None]):
    """One check before the optimizer is switched on."""

    code = serializers.CharField()
    title = serializers.CharField()
    colour = serializers.ChoiceField(choices=["red", "amber", "green"])
    found = serializers.CharField()
    to_do = serializers.CharField(allow_blank=True)


class ModeShown(serializers.Serializer[None]):
    """Who plans a depot, why, and since when."""

    depot = serializers.CharField()
    mode = serializers.ChoiceField(choices=PlanningMode.choices)
    cause = serializers.ChoiceField(
        choices=["usual", "setting", "switched", "fell_back"]
    )
    text = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField(allow_blank=True)
    why = serializers.CharField(allow_blank=True)
    on_trial = serializers.BooleanField()
    tries_at = serializers.DateTimeField(allow_null=True)


class ReadinessShown(serializers.Serializer[None]):
    """Whether a depot is ready for the optimizer, check by check."""

    depot = serializers.CharField()
    is_ready = serializers.BooleanField()
    checks = CheckShown(many=True)


class Switch(serializers.Serializer[None]):
    """Who is to plan; `null` lets the installation's setting decide."""

    mode = serializers.ChoiceField(choices=PlanningMode.choices, allow_null=True)
    why = serializers.CharField(max_length=300)
    signed_off = serializers.CharField(max_length=300, required=False, default="")


class DecisionPointRow(serializers.ModelSerializer[DecisionPoint]):
    """Whether the machine may do one kind of act."""

    depot = serializers.CharField(source="depot.code", default=None, read_only=True)
    leave = serializers.ChoiceField(choices=Leave.choices, read_only=True)

    class Meta:
        """Everything is read-only: verbs set it."""

        model = DecisionPoint
        fields = [
            *("id", "act", "depot", "leave", "why", "changed_at", "changed_by"),
            *("let_until", "let_by", "version"),
        ]
        read_only_fields = fields
