"""Shapes of proposals on the wire; they decide nothing."""

from typing import Any

from rest_framework import serializers

from apps.tuning.models import Proposal, ShadowDay


class ShadowDayRow(serializers.ModelSerializer[ShadowDay]):
    """A past day under both sets of values."""

    class Meta:
        """Judged by its task."""

        model = ShadowDay
        fields = [
            *("service_date", "status", "skipped_because", "before", "after"),
            *("seen_services", "seen_legs", "engine"),
        ]
        read_only_fields = fields


class ProposalRow(serializers.ModelSerializer[Proposal]):
    """A proposed change of parameters, with how far it is."""

    reports = serializers.SerializerMethodField()

    class Meta:
        """Everything is read-only: verbs decide."""

        model = Proposal
        fields = [
            *("id", "depot", "topic", "status", "version", "values", "before"),
            *("evidence", "why", "reports", "recommendation", "progress_percent"),
            *("shadow", "proposed_at", "proposed_by", "tested_at", "decided_at"),
            *("decided_by", "reason", "in_force_at", "versions", "watch"),
            *("watch_until", "closed_at", "closed_by", "closing_words"),
        ]
        read_only_fields = fields

    def get_reports(self, row: Proposal) -> int:
        """Return how many reports stand behind it."""
        return row.reports.count()


class WholeProposal(ProposalRow):
    """A proposal with its replayed days."""

    shadow_days = ShadowDayRow(many=True, read_only=True)

    class Meta(ProposalRow.Meta):
        """With the days."""

        fields = [*ProposalRow.Meta.fields, "shadow_days"]
        read_only_fields = fields


class Deciding(serializers.Serializer[Any]):
    """A decision: why, and the version that the caller read."""

    reason = serializers.CharField(
        max_length=2000, required=False, default="", allow_blank=True
    )
    version = serializers.IntegerField(required=False, min_value=1)
