"""Who plans a depot, the optimizer or the rules; and where the machine may act at all."""

from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.routes.states import Act, Leave, PlanningMode


class DepotMode(models.Model):
    """How a depot is planned: what people chose, and how the engines have fared.

    A depot without a row is planned as the house's setting says.
    """

    depot = models.OneToOneField(
        Depot, on_delete=models.CASCADE, primary_key=True, related_name="mode"
    )
    chosen = models.CharField(
        max_length=16,
        choices=PlanningMode.choices,
        blank=True,
        help_text="Empty: as the setting PLANNING_MODE says.",
    )
    chosen_at = models.DateTimeField(null=True, blank=True)
    chosen_by = models.CharField(max_length=100, blank=True)
    why = models.CharField(max_length=300, blank=True)
    signed_off = models.CharField(
        max_length=300,
        blank=True,
        help_text="Why the optimizer was switched on though a check was red.",
    )
    most_failures = models.PositiveSmallIntegerField(
        default=3,
        help_text="So many failures of engines within the window put the rules in.",
    )
    window_s = models.PositiveIntegerField("window, in seconds", default=900)
    pause_s = models.PositiveIntegerField(
        "pause, in seconds",
        default=120,
        help_text="After it the engines are tried; each further pause is twice as long.",
    )
    failed_at_s = models.JSONField(default=list, editable=False)
    open_until = models.DateTimeField(null=True, blank=True, editable=False)
    on_trial = models.BooleanField(default=False, editable=False)
    openings = models.PositiveIntegerField(default=0, editable=False)
    fell_back_at = models.DateTimeField(null=True, blank=True, editable=False)
    failure = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        """By depot."""

        ordering = ["depot__name"]
        verbose_name = "planning mode"
        constraints = [
            models.CheckConstraint(
                condition=Q(chosen_at=None, chosen_by="")
                | (Q(chosen_at__isnull=False) & ~Q(chosen_by="")),
                name="mode_chosen_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(most_failures__gt=0, window_s__gt=0, pause_s__gt=0),
                name="mode_limits_are_something",
            ),
        ]

    def __str__(self) -> str:
        """Return the depot."""
        return str(self.depot)


class DecisionPoint(models.Model):
    """Whether the machine may do one kind of act, in one depot or in all (C20)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    act = models.CharField(max_length=16, choices=Act.choices)
    depot = models.ForeignKey(
        Depot,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="decision_points",
        help_text="Empty: every depot that has no row of its own.",
    )
    leave = models.CharField("the machine may", max_length=8, choices=Leave.choices)
    why = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=100)
    let_until = models.DateTimeField(
        null=True, blank=True, help_text="A person has said yes until then."
    )
    let_by = models.CharField(max_length=100, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """One row an act and depot, and one for all the others."""

        ordering = ["act", "depot__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["act", "depot"], name="one_decision_point_a_depot"
            ),
            models.UniqueConstraint(
                fields=["act"],
                condition=Q(depot=None),
                name="one_decision_point_for_all",
            ),
        ]

    def __str__(self) -> str:
        """Return act and leave."""
        return f"{self.get_act_display()}: {self.get_leave_display()}"
