"""Shapes of estimates on the wire."""

from rest_framework import serializers

from apps.learning.models import Estimate


class EstimateRow(serializers.ModelSerializer[Estimate]):
    """One version of a learned figure: factor or probability, never of a person."""

    depot = serializers.CharField(source="depot.code")

    class Meta:
        """Everything is read-only: nights write it."""

        model = Estimate
        fields = [
            *("id", "depot", "kind", "key", "parent", "n", "mean", "spread"),
            *("as_of", "until_at"),
        ]
        read_only_fields = fields
