"""What the office reads of figures, as JSON."""

from rest_framework import serializers

from apps.metrics.confidence import (
    MOST_WEEKS,
    WEEKS,
    Confidence,
    Share,
    Voice,
    Week,
)
from apps.metrics.models import DailyFigure
from apps.metrics.monitoring import Cell


class DailyFigureSerializer(serializers.ModelSerializer[DailyFigure]):
    """One figure of one day."""

    class Meta:
        """As it was rolled up."""

        model = DailyFigure
        fields = [
            *("day", "name", "key", "value", "n", "low", "high", "centre"),
            *("deviations", "is_drift", "rolled_up_at"),
        ]


class CellSerializer(serializers.Serializer[Cell]):
    """Coverage of one zone at one hour, over the days together."""

    zone = serializers.CharField()
    hour = serializers.IntegerField()
    share = serializers.FloatField(help_text="0 to 1; 0.9 is wanted.")
    n = serializers.IntegerField()


class MonitorSerializer(serializers.Serializer[object]):
    """What the model monitor's page shows."""

    first = serializers.DateField()
    last = serializers.DateField()
    figures = DailyFigureSerializer(many=True)
    calibration = CellSerializer(many=True)


class VoiceSerializer(serializers.Serializer[Voice]):
    """One role in one week; nothing where too few people answered."""

    role = serializers.CharField()
    count = serializers.IntegerField(allow_null=True, help_text="People.")
    mean = serializers.FloatField(allow_null=True, help_text="Null: too few answers.")


class ShareSerializer(serializers.Serializer[Share]):
    """A share of a week."""

    value = serializers.FloatField(help_text="0 to 1.")
    n = serializers.IntegerField(help_text="Of so many observations.")


class WeekSerializer(serializers.Serializer[Week]):
    """One week's confidence by role, override rate and on-time rate."""

    week = serializers.DateField(source="begins", help_text="Its Monday.")
    roles = VoiceSerializer(source="voices", many=True)
    override_rate = ShareSerializer(source="overridden", allow_null=True)
    on_time_rate = ShareSerializer(source="on_time", allow_null=True)


class ConfidenceSerializer(serializers.Serializer[Confidence]):
    """What the page of confidence shows."""

    survey = serializers.CharField(source="survey.key")
    question = serializers.CharField(source="text")
    low = serializers.IntegerField()
    high = serializers.IntegerField()
    least_answers = serializers.IntegerField(source="survey.least_answers")
    weeks = WeekSerializer(many=True)


class ConfidenceQuery(serializers.Serializer[object]):
    """Of which depot (none: all of one's own), which pulse, and which weeks."""

    depot = serializers.UUIDField(required=False)
    survey = serializers.SlugField(required=False, default="")
    last = serializers.DateField(required=False)
    weeks = serializers.IntegerField(
        min_value=1, max_value=MOST_WEEKS, required=False, default=WEEKS
    )


class MonitorQuery(serializers.Serializer[object]):
    """Which days, and which figure; without a word, the last six weeks."""

    first = serializers.DateField(required=False)
    last = serializers.DateField(required=False)
    name = serializers.CharField(required=False)
    key = serializers.CharField(required=False, allow_blank=True)
