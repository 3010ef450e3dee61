"""What was told of stops, and what intervals have learned from it, by depot."""

from django.db import models

from apps.core.ids import uuid7
from apps.depots.models import Depot


class StopTelling(models.Model):
    """What a stop was told, by horizon, until its driver arrives and it is scored."""

    stop = models.OneToOneField(
        "routes.Stop", on_delete=models.CASCADE, primary_key=True, related_name="told"
    )
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="+")
    route_id = models.UUIDField(help_text="On another route a stop is told anew.")
    zone = models.CharField(max_length=80, blank=True)
    told = models.JSONField(default=dict, help_text="Telling by horizon.")
    arrived_at = models.DateTimeField(null=True, blank=True)
    began_at = models.DateTimeField(
        null=True, blank=True, help_text="When service could begin."
    )
    scored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Asked for by depot and the time of scoring."""

        indexes = [models.Index(fields=["depot", "scored_at"])]

    def __str__(self) -> str:
        """Return whose it is."""
        return f"Told of {self.stop_id}"


class EtaCalibration(models.Model):
    """One version of a depot's margins by horizon, zone and hour; never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        Depot, on_delete=models.CASCADE, related_name="eta_calibrations"
    )
    version = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    count = models.PositiveIntegerField(help_text="Scores that this version added.")
    margins = models.JSONField(
        help_text="[low, high, high alone] by group, in spreads."
    )

    class Meta:
        """The newest counts."""

        ordering = ["depot", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "version"], name="one_calibration_a_version"
            )
        ]

    def __str__(self) -> str:
        """Return the version."""
        return f"Margins v{self.version}"


class EtaLearning(models.Model):
    """What a depot's intervals learn from: today by horizon, and histograms by group."""

    depot = models.OneToOneField(
        Depot, on_delete=models.CASCADE, primary_key=True, related_name="eta_learning"
    )
    day = models.DateField(help_text="Whose today it is, by the depot's clock.")
    today = models.JSONField(default=list)
    sketches = models.JSONField(default=dict)
    folded_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        """Return whose it is."""
        return f"Learning of {self.depot_id}"
