"""Shapes of recommendations on the wire."""

from typing import Any

from rest_framework import serializers

from apps.recommendations.models import Recommendation
from apps.recommendations.story import STAGES, Step


class RecommendationSerializer(serializers.ModelSerializer[Recommendation]):
    """A recommendation without its stored inputs and answer."""

    class Meta:
        """Everything is read-only: verbs issue and settle."""

        model = Recommendation
        fields = [
            "id",
            "kind",
            "depot",
            "subject_type",
            "subject_id",
            "inputs_hash",
            "answer_hash",
            "engine",
            "engine_version",
            "seed",
            "parameters",
            "alternatives",
            "costs",
            "expected_gain",
            "reasons",
            "data_used",
            "mode",
            "state",
            "outcome",
            "issued_at",
            "expires_at",
            "settled_at",
            "checked_at",
            "is_identical",
        ]
        read_only_fields = fields


class StepSerializer(serializers.Serializer[Step]):
    """One thing that happened to a recommendation, or came of it."""

    stage = serializers.CharField(help_text=f"One of {', '.join(STAGES)}.")
    at = serializers.DateTimeField()
    title = serializers.CharField()
    text = serializers.CharField()
    state = serializers.CharField()
    who = serializers.CharField(help_text="A role, or who of the office.")
    subject_id = serializers.CharField(help_text="Of the feedback, override, verdict…")
    url = serializers.CharField(help_text="Its page in the office; empty: this one.")


class StorySerializer(serializers.Serializer[Any]):
    """A recommendation with all that came of it, oldest first."""

    recommendation = RecommendationSerializer()
    steps = StepSerializer(many=True)
    not_yet = serializers.ListField(
        child=serializers.CharField(),
        help_text="Stages of which nothing is known, or may be known to the caller.",
    )
