"""What the office reads of figures, as JSON."""

from rest_framework import serializers

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


class MonitorQuery(serializers.Serializer[object]):
    """Which days, and which figure; without a word, the last six weeks."""

    first = serializers.DateField(required=False)
    last = serializers.DateField(required=False)
    name = serializers.CharField(required=False)
    key = serializers.CharField(required=False, allow_blank=True)
