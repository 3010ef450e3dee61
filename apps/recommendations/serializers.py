"""Shapes of recommendations on the wire."""

from rest_framework import serializers

from apps.recommendations.models import Recommendation


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
