"""Every output of the machine, with what it was made of and what became of it."""

from django.db import models

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.recommendations.states import RecommendationState


class Content(models.Model):
    """What went into an engine, or came out of it: kept once, however often it is used."""

    hash = models.CharField(
        primary_key=True, max_length=64, help_text="SHA-256 of the canonical JSON."
    )
    body = models.BinaryField(help_text="The canonical JSON, packed.")
    size_bytes = models.PositiveBigIntegerField(help_text="Of the canonical JSON.")

    def __str__(self) -> str:
        """Return the beginning of its hash."""
        return self.hash[:12]


class Recommendation(models.Model):
    """One recommendation: inputs, engine, answer, reasons, and its fate."""

    class Kind(models.TextChoices):
        """What is recommended."""

        PLAN = "plan", "Day plan"
        REPLAN = "replan", "Re-optimization"
        ETA = "eta", "Times of arrival"
        IMPACT = "impact", "Impact of an override"
        SLOT = "slot", "Slots offered"
        PARAMETER = "parameter", "Planning parameter"

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
    inputs = models.ForeignKey(
        Content, on_delete=models.PROTECT, related_name="+", db_column="inputs_hash"
    )
    answer = models.ForeignKey(
        Content, on_delete=models.PROTECT, related_name="+", db_column="answer_hash"
    )
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
    data_used = models.JSONField(
        default=list, help_text="What it was made of, in short: [{code, text, …}]."
    )
    mode = models.CharField(max_length=16, choices=Mode.choices)
    state = models.CharField(
        max_length=16,
        choices=RecommendationState.choices,
        default=RecommendationState.ISSUED,
    )
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(
        null=True, help_text="From then on nobody can follow it; empty: never."
    )
    settled_at = models.DateTimeField(null=True)
    outcome = models.JSONField(
        default=dict, help_text="What became of it in figures, and in words (`text`)."
    )
    checked_at = models.DateTimeField(
        null=True, help_text="When it was last made again from its inputs."
    )
    is_identical = models.BooleanField(
        null=True, help_text="Whether that gave the same answer to the byte."
    )

    class Meta:
        """Newest first; found by what it is about."""

        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"]),
            models.Index(fields=["state", "expires_at"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="issued", settled_at=None)
                | models.Q(settled_at__isnull=False),
                name="settled_has_its_instant",
            ),
            models.CheckConstraint(
                condition=models.Q(checked_at=None, is_identical=None)
                | models.Q(checked_at__isnull=False, is_identical__isnull=False),
                name="made_again_says_when_and_how",
            ),
        ]

    def __str__(self) -> str:
        """Return kind, engine and state."""
        return f"{self.get_kind_display()} by {self.engine} ({self.state})"

    @property
    def inputs_hash(self) -> str:
        """The SHA-256 of what the engine was given."""
        return self.inputs_id

    @property
    def answer_hash(self) -> str:
        """The SHA-256 of what the engine answered."""
        return self.answer_id
