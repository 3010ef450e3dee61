"""Verdicts on what people chose, and proposals of decision rights that they earn."""

from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.drivers.models import Shift
from apps.overrides.models import DecisionRight, Override
from apps.recommendations.models import Recommendation
from apps.routes.models import Route
from apps.verdicts.states import ProposalState, RulingChoice, Subject


class Verdict(models.Model):
    """Who was right: the recommended and the chosen way, replayed on what happened.

    `gained_*` is what the choice gained over the recommendation; less than 0: lost. What
    was judged again, since facts came late, has a higher `version`; the journal keeps all.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="verdicts")
    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="verdicts")
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="verdicts")
    service_date = models.DateField(db_index=True)
    subject = models.CharField(max_length=10, choices=Subject.choices)
    kind = models.CharField(
        max_length=20, help_text="Of the override; a deviation's is “sequence”."
    )
    role = models.CharField("who chose", max_length=40)
    override = models.OneToOneField(
        Override,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="verdict",
    )
    recommendation = models.ForeignKey(
        Recommendation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="verdicts",
    )
    ruling = models.CharField(max_length=12, choices=RulingChoice.choices)
    because = models.CharField(
        max_length=20,
        blank=True,
        help_text="Why it is undecidable, where that is not the noise of the day.",
    )
    gained_minor = models.IntegerField(help_text="In the depot's currency.")
    gained_s = models.IntegerField("seconds gained")
    sd_minor = models.PositiveIntegerField("spread of the gain")
    sd_s = models.PositiveIntegerField("spread in seconds")
    least_minor = models.PositiveIntegerField(
        help_text="What the gain has to exceed, either way."
    )
    arithmetic = models.JSONField(
        help_text="Both ways leg by leg, and what is unsure; empty: not replayed."
    )
    inputs_hash = models.CharField(max_length=64, help_text="Of what was replayed.")
    version = models.PositiveIntegerField(default=1)
    judged_at = models.DateTimeField()

    class Meta:
        """Newest first; one an override, one a route and recommendation."""

        ordering = ["-id"]
        indexes = [
            models.Index(fields=["depot", "service_date"]),
            models.Index(fields=["kind", "role", "judged_at"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(subject="override", override__isnull=False)
                | Q(
                    subject="deviation",
                    override=None,
                    recommendation__isnull=False,
                ),
                name="a_verdict_has_its_subject",
            ),
            models.UniqueConstraint(
                fields=["route", "recommendation"],
                condition=Q(subject="deviation"),
                name="one_verdict_a_deviation",
            ),
        ]

    def __str__(self) -> str:
        """Return what was judged, and how."""
        return f"{self.get_subject_display()} ({self.get_ruling_display()})"


class RightsProposal(models.Model):
    """Other limits for a decision right, with the record that speaks for them."""

    class Direction(models.TextChoices):
        """Whether it gives more, or less."""

        WIDEN = "widen", "More may be decided alone"
        NARROW = "narrow", "Less may be decided alone"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rights_proposals",
        help_text="Empty: a rule of the whole house.",
    )
    right = models.ForeignKey(
        DecisionRight, on_delete=models.PROTECT, related_name="proposals"
    )
    kind = models.CharField(max_length=20)
    role = models.CharField("who may", max_length=40)
    direction = models.CharField(max_length=6, choices=Direction.choices)
    limits = models.JSONField(help_text="Limit → [from, to].")
    evidence = models.JSONField(help_text="Counts, interval, thresholds, and the ids.")
    state = models.CharField(
        max_length=10, choices=ProposalState.choices, default=ProposalState.PROPOSED
    )
    made_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    new_right = models.ForeignKey(
        DecisionRight,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The version that the signature made.",
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """Newest first; one open at a time for a rule, one at all for a version and way."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["right"],
                condition=Q(state="proposed"),
                name="one_open_proposal_a_right",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_at=None, decided_by="")
                | (
                    ~Q(state="proposed")
                    & Q(decided_at__isnull=False)
                    & ~Q(decided_by="")
                ),
                name="a_decision_has_who_and_when",
            ),
        ]

    def __str__(self) -> str:
        """Return for whom, and which way."""
        return f"{self.role}: {self.kind}, {self.get_direction_display()}"
