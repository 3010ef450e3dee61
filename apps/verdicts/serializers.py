"""Shapes of verdicts and of proposals of decision rights on the wire."""

from rest_framework import serializers

from apps.verdicts.models import RightsProposal, Verdict
from apps.verdicts.showing import why_words
from apps.verdicts.words import ruling_words


class VerdictSerializer(serializers.ModelSerializer[Verdict]):
    """Who was right, by how much, and how sure that is; without who it was."""

    text = serializers.SerializerMethodField()

    class Meta:
        """All but the hash of what was replayed."""

        model = Verdict
        fields = (
            "id",
            "depot",
            "shift",
            "route",
            "service_date",
            "subject",
            "kind",
            "role",
            "override",
            "recommendation",
            "ruling",
            "because",
            "gained_minor",
            "gained_s",
            "sd_minor",
            "sd_s",
            "least_minor",
            "text",
            "version",
            "judged_at",
        )
        read_only_fields = fields

    def get_text(self, row: Verdict) -> str:
        """Return the verdict in words."""
        return f"{ruling_words(row.ruling)} {why_words(row)}"


class VerdictDetailSerializer(VerdictSerializer):
    """A verdict with its arithmetic, leg by leg."""

    class Meta(VerdictSerializer.Meta):
        """The arithmetic as well."""

        fields = (*VerdictSerializer.Meta.fields, "arithmetic")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class RightsProposalSerializer(serializers.ModelSerializer[RightsProposal]):
    """Other limits for a decision right, with the record that speaks for them."""

    class Meta:
        """All of it."""

        model = RightsProposal
        fields = (
            "id",
            "depot",
            "right",
            "kind",
            "role",
            "direction",
            "limits",
            "evidence",
            "state",
            "made_at",
            "decided_at",
            "decided_by",
            "reason",
            "new_right",
            "version",
        )
        read_only_fields = fields
