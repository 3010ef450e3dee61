"""Feedback with each saying of it, and what the office answered."""

from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.drivers.models import Driver
from apps.feedback.states import ANSWERED, FeedbackState
from apps.recommendations.models import Recommendation


class Feedback(models.Model):
    """What one person says of one recommendation, and what the office said to it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="feedback")
    recommendation = models.ForeignKey(
        Recommendation,
        on_delete=models.PROTECT,
        related_name="feedback",
        null=True,
        blank=True,
        help_text="Empty: it is about the work as a whole.",
    )
    person = models.CharField(
        max_length=100, help_text="Who says it, as the journal names people."
    )
    role = models.CharField(max_length=20, help_text="Driver, office, or customer.")
    driver = models.ForeignKey(
        Driver, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    stop_id = models.CharField(max_length=64, blank=True)
    rating = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="1 (bad) to 5 (good)."
    )
    reason = models.CharField(max_length=40, blank=True, help_text="A code.")
    text = models.TextField(blank=True)
    attachment_id = models.CharField(
        max_length=64, blank=True, help_text="A photo, among the files of proof."
    )
    is_objection = models.BooleanField(
        "objects", default=False, help_text="The person wants it to be changed."
    )
    status = models.CharField(
        max_length=10, choices=FeedbackState.choices, default=FeedbackState.NEW
    )
    version = models.PositiveIntegerField(default=1)
    given_at = models.DateTimeField(help_text="By the clock of who said it.")
    received_at = models.DateTimeField()
    raised_at = models.DateTimeField(
        help_text="When it came, or was last said anew: time to answer runs from here."
    )
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.CharField(max_length=100, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=100, blank=True)
    answer_code = models.CharField(
        max_length=40, blank=True, help_text="What was done, or why not."
    )
    answer = models.TextField(blank=True, help_text="In the office's own words.")

    class Meta:
        """Newest first; one a person and recommendation."""

        ordering = ["-id"]
        verbose_name_plural = "feedback"
        indexes = [
            models.Index(fields=["depot", "status", "raised_at"]),
            models.Index(fields=["person"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["recommendation", "person"],
                condition=Q(recommendation__isnull=False),
                name="one_feedback_a_person_and_recommendation",
            ),
            models.CheckConstraint(
                condition=Q(rating=None) | Q(rating__range=(1, 5)),
                name="feedback_rating_of_five",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[str(state) for state in ANSWERED])
                & Q(answered_at__isnull=False)
                & ~Q(answered_by="")
                | ~Q(status__in=[str(state) for state in ANSWERED])
                & Q(answered_at=None, answered_by=""),
                name="answered_feedback_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        """Return rating and reason."""
        return " ".join(filter(None, [self.stars, self.reason])) or "Feedback"

    @property
    def stars(self) -> str:
        """The rating, as `4/5`; empty where none was given."""
        return f"{self.rating}/5" if self.rating else ""


class FeedbackEdit(models.Model):
    """One saying of a feedback, as it came: the first one, and each change of it."""

    feedback = models.ForeignKey(
        Feedback, on_delete=models.CASCADE, related_name="edits"
    )
    source_key = models.CharField(
        max_length=100, unique=True, help_text="The event or request that brought it."
    )
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    text = models.TextField(blank=True)
    attachment_id = models.CharField(max_length=64, blank=True)
    is_objection = models.BooleanField(default=False)
    given_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        """As it was said."""

        ordering = ["given_at", "id"]

    def __str__(self) -> str:
        """Return when it was said."""
        return f"{self.given_at:%Y-%m-%d %H:%M}"


class FeedbackAnswer(models.Model):
    """One thing that the office said to a feedback; what was said before stays here."""

    feedback = models.ForeignKey(
        Feedback, on_delete=models.CASCADE, related_name="answers"
    )
    status = models.CharField(max_length=10, choices=FeedbackState.choices)
    code = models.CharField(max_length=40)
    words = models.TextField(blank=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=100)

    class Meta:
        """As it was said."""

        ordering = ["at", "id"]

    def __str__(self) -> str:
        """Return state and code."""
        return f"{self.get_status_display()}: {self.code}"
