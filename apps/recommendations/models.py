"""Every output of the machine, with what it was made of and what became of it."""

from django.db import models

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.recommendations.states import RecommendationState


class Recommendation(models.Model):
    """One recommendation: inputs, engine, answer, reasons, and its fate."""

    class Kind(models.TextChoices):
        """What is recommended."""

        PLAN = "plan", "Day plan"
        REPLAN = "replan", "Re-optimization"

    class Mode(models.TextChoices):
        """Who thought: the optimizer, or the rules alone."""

        OPTIMIZER = "optimizer"
        RULES = "rules"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, related_name="recommendations"
    )
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    inputs = models.BinaryField(help_text="The problem: zlib over canonical JSON.")
    inputs_hash = models.CharField(max_length=64, db_index=True)
    answer = models.BinaryField(help_text="The solution: zlib over canonical JSON.")
    answer_hash = models.CharField(max_length=64)
    engine = models.CharField(max_length=40)
    engine_version = models.CharField(max_length=40)
    seed = models.BigIntegerField()
    parameters = models.JSONField(
        default=dict, help_text="Stop rule and options that the engine was given."
    )
    alternatives = models.JSONField(default=list)
    costs = models.JSONField(default=dict, help_text="Cost breakdown of the answer.")
    expected_gain = models.JSONField(default=dict)
    reasons = models.JSONField(default=list, help_text="[{code, text, …}]")
    mode = models.CharField(max_length=16, choices=Mode.choices)
    state = models.CharField(
        max_length=16,
        choices=RecommendationState.choices,
        default=RecommendationState.ISSUED,
    )
    issued_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first; found by what it is about."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["subject_type", "subject_id"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="issued", settled_at=None)
                | models.Q(settled_at__isnull=False),
                name="settled_has_its_instant",
            )
        ]

    def __str__(self) -> str:
        """Return kind, engine and state."""
        return f"{self.get_kind_display()} by {self.engine} ({self.state})"
