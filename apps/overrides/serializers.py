"""Shapes of requests, answers and decision rights on the wire."""

from typing import Any

from rest_framework import serializers

from apps.core.problems import FieldError, Invalid
from apps.overrides.models import DecisionRight, Override
from apps.overrides.states import AnswerReason, AskReason
from apps.overrides.wishes import Wish
from apps.routes.changes import KINDS, Change, from_wire

CHANGE_KINDS = [(one, one) for one in KINDS]


class ChangeSerializer(serializers.Serializer[Any]):
    """A change of a plan: its kind, and what that kind names."""

    kind = serializers.ChoiceField(choices=CHANGE_KINDS)
    change = serializers.DictField(
        help_text="As its kind has it: move_stop {stop_id, place}, give_stop {stop_id, "
        "shift_id}, skip_stop {stop_id, reason}, lock_route {route_id} and so on."
    )


class WishSerializer(ChangeSerializer):
    """What somebody wants changed, and why; a repeated `client_id` is the same request."""

    client_id = serializers.CharField(max_length=64)
    reason = serializers.ChoiceField(
        choices=AskReason.choices, default=str(AskReason.OTHER)
    )
    note = serializers.CharField(max_length=2000, default="", allow_blank=True)
    recommendation_id = serializers.UUIDField(required=False)


class AnswerSerializer(serializers.Serializer[Any]):
    """Why a request is answered so; `kind` and `change` approve another change instead."""

    reason = serializers.ChoiceField(
        choices=AnswerReason.choices, default=str(AnswerReason.SENSIBLE)
    )
    note = serializers.CharField(max_length=500, default="", allow_blank=True)
    kind = serializers.ChoiceField(choices=CHANGE_KINDS, required=False)
    change = serializers.DictField(required=False)


class ImpactSerializer(serializers.Serializer[Any]):
    """What a change would do, and what the table of rights says of who asks."""

    kind = serializers.CharField()
    impact = serializers.JSONField()
    outcome = serializers.CharField(help_text="allowed, approval or denied")
    approver = serializers.CharField()
    why = serializers.ListField(child=serializers.CharField())


class OverrideSerializer(serializers.ModelSerializer[Override]):
    """A request: what it costs, who is asked, and what became of it."""

    class Meta:
        """All but the inner marks of its price."""

        model = Override
        fields = (
            "id",
            "depot",
            "service_date",
            "kind",
            "change",
            "asked_change",
            "route",
            "stop",
            "driver",
            "source",
            "asked_by",
            "asked_role",
            "client_id",
            "reason",
            "note",
            "recommendation",
            "asked_at",
            "received_at",
            "state",
            "impact",
            "mode",
            "right",
            "because",
            "approver",
            "escalations",
            "deadline_at",
            "answered_at",
            "answered_by",
            "answer_reason",
            "answer_note",
            "problem",
            "version",
        )
        read_only_fields = fields


class DecisionRightSerializer(serializers.ModelSerializer[DecisionRight]):
    """One version of one rule."""

    class Meta:
        """What it says, and since when."""

        model = DecisionRight
        fields = (
            "id",
            "kind",
            "role",
            "depot",
            "outcome",
            "approver",
            "max_minutes",
            "max_cost_minor",
            "max_stops",
            "max_windows_broken",
            "min_minutes_to_departure",
            "hours_from",
            "hours_until",
            "weekdays",
            "answer_within_minutes",
            "valid_from",
            "valid_until",
            "replaces",
            "why",
        )
        read_only_fields = fields


def wish_of(data: Any) -> Wish:
    """Read what somebody wants.

    Raises:
        Invalid: the change is not of its kind's shape; faults are pointed to.
    """
    shape = WishSerializer(data=data)
    shape.is_valid(raise_exception=True)
    fields = shape.validated_data
    return Wish(
        client_id=fields["client_id"],
        change=change_of(fields),
        reason=fields["reason"],
        note=fields["note"],
        recommendation_id=str(fields.get("recommendation_id") or ""),
    )


def change_of(fields: Any) -> Change:
    """Read a change; its faults point into `change`.

    Raises:
        Invalid: it is not of its kind's shape.
    """
    try:
        return from_wire(fields["kind"], fields["change"])
    except Invalid as problem:
        faults = [
            FieldError(f"/change{one.pointer}", one.code, one.detail)
            for one in problem.errors
        ]
        raise Invalid(problem.detail, errors=faults) from problem
