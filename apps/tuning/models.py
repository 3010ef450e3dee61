"""Proposals of parameter versions, their replays on past days, and the days watched."""

from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.feedback.models import Feedback
from apps.recommendations.models import Recommendation
from apps.tuning.states import OPEN, ProposalState, ShadowState


class Proposal(models.Model):
    """One proposed change of planning parameters of a depot, with what speaks for it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="proposals")
    topic = models.CharField(
        max_length=60, help_text="The parameter, or what several ones are together."
    )
    values = models.JSONField(help_text="Parameter → its proposed value.")
    before = models.JSONField(help_text="Parameter → its value when this was proposed.")
    evidence = models.JSONField(
        default=dict, help_text="Estimates, clusters of reports, lessons: as data."
    )
    why = models.JSONField(default=list, help_text="The evidence in sentences.")
    reports = models.ManyToManyField(
        Feedback, related_name="proposals", blank=True, help_text="Who said so."
    )
    recommendation = models.OneToOneField(
        Recommendation, on_delete=models.PROTECT, related_name="proposal"
    )
    status = models.CharField(
        max_length=14, choices=ProposalState.choices, default=ProposalState.PROPOSED
    )
    version = models.PositiveIntegerField(default=1)
    progress_percent = models.PositiveSmallIntegerField(default=0)
    shadow = models.JSONField(
        default=dict, help_text="What the replays came to: figures, verdict, words."
    )
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=100)
    tested_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True, help_text="Why it was approved or declined.")
    in_force_at = models.DateTimeField(null=True, blank=True)
    versions = models.JSONField(
        default=dict, help_text="Parameter → the version that this put in force."
    )
    watch = models.JSONField(
        default=dict, help_text="The watched figures beside the days before."
    )
    watch_until = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="Kept, taken back, or expired."
    )
    closed_by = models.CharField(max_length=100, blank=True)
    closing_words = models.TextField(blank=True)

    class Meta:
        """Newest first; one open a depot and topic."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["depot", "status"])]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "topic"],
                condition=Q(status__in=[str(state) for state in OPEN]),
                name="one_open_proposal_a_topic",
            ),
            models.CheckConstraint(
                condition=Q(decided_at=None, decided_by="")
                | (Q(decided_at__isnull=False) & ~Q(decided_by="")),
                name="proposal_decided_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by="")
                | (Q(closed_at__isnull=False) & ~Q(closed_by="")),
                name="proposal_closed_at_and_by_together",
            ),
        ]

    def __str__(self) -> str:
        """Return topic and state."""
        return f"{self.topic} ({self.get_status_display()})"


class ShadowDay(models.Model):
    """One past day planned anew with the old and the new values, and judged."""

    proposal = models.ForeignKey(
        Proposal, on_delete=models.CASCADE, related_name="shadow_days"
    )
    service_date = models.DateField()
    status = models.CharField(
        max_length=8, choices=ShadowState.choices, default=ShadowState.WAITING
    )
    skipped_because = models.CharField(max_length=200, blank=True)
    before = models.JSONField(default=dict, help_text="Figures of the old values.")
    after = models.JSONField(default=dict, help_text="Figures of the new values.")
    seen_services = models.PositiveIntegerField(default=0)
    seen_legs = models.PositiveIntegerField(default=0)
    engine = models.CharField(max_length=40, blank=True)

    class Meta:
        """In order of time; once a day."""

        ordering = ["service_date"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "service_date"], name="one_replay_a_day"
            )
        ]

    def __str__(self) -> str:
        """Return the day."""
        return f"{self.service_date}: {self.status}"
