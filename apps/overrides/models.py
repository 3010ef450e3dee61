"""Decision rights with every version of them, and requests to change a plan."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.drivers.models import Driver
from apps.overrides.states import (
    AnswerReason,
    AskReason,
    OverrideKind,
    OverrideSource,
    OverrideState,
)
from apps.recommendations.models import Recommendation
from apps.routes.models import Route, Stop


class DecisionRight(models.Model):
    """One version of one rule of who may do what: never edited, only ended.

    Empty limits are none. `weekdays` counts from Monday as 0; empty is every day.
    """

    class Outcome(models.TextChoices):
        """What the rule says."""

        ALLOWED = "allowed"
        APPROVAL = "approval", "Needs approval"
        DENIED = "denied"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=20, choices=OverrideKind.choices)
    role = models.CharField("who asks", max_length=40)
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="decision_rights",
        help_text="Empty: the whole house, where a depot has no rule of its own.",
    )
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    approver = models.CharField(
        "who approves", max_length=40, blank=True, help_text="Only for an approval."
    )
    max_minutes = models.PositiveIntegerField(
        "minutes more", null=True, blank=True, help_text="On the road, at the most."
    )
    max_cost_minor = models.PositiveIntegerField(
        "cost more",
        null=True,
        blank=True,
        help_text="In minor units of the depot's money, at the most.",
    )
    max_stops = models.PositiveIntegerField("stops moved", null=True, blank=True)
    max_windows_broken = models.PositiveIntegerField(
        "windows broken",
        null=True,
        blank=True,
        help_text="Of customers, with promises, and rules of shift, load or skill.",
    )
    min_minutes_to_departure = models.PositiveIntegerField(
        "minutes before departure",
        null=True,
        blank=True,
        help_text="At the least; a route on the road has left.",
    )
    hours_from = models.TimeField(null=True, blank=True)
    hours_until = models.TimeField(
        null=True, blank=True, help_text="By the depot's clock; may run over midnight."
    )
    weekdays = models.JSONField(default=list, blank=True)
    answer_within_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: as the kind of change has it."
    )
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    replaces = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
    )
    why = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=100)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When its end was decided."
    )
    ended_by = models.CharField(max_length=100, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """By kind and role; each row says one thing that can be understood."""

        ordering = ["kind", "role", "id"]
        indexes = [models.Index(fields=["kind", "role"])]
        constraints = [
            models.CheckConstraint(
                condition=(Q(outcome="approval") & ~Q(approver=""))
                | (~Q(outcome="approval") & Q(approver="")),
                name="an_approval_names_who_approves",
                violation_error_message="Say who approves, and only for what needs approval.",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="denied")
                | Q(
                    max_minutes=None,
                    max_cost_minor=None,
                    max_stops=None,
                    max_windows_broken=None,
                    min_minutes_to_departure=None,
                ),
                name="a_denial_has_hours_alone",
                violation_error_message="A denial has no limits but its hours: limit what allows instead.",
            ),
            models.CheckConstraint(
                condition=Q(hours_from=None, hours_until=None)
                | (
                    Q(hours_from__isnull=False, hours_until__isnull=False)
                    & ~Q(hours_from=F("hours_until"))
                ),
                name="hours_have_both_ends",
                violation_error_message="Give both ends of the hours, and not the same.",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="a_right_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None, ended_at=None, ended_by="")
                | (
                    Q(valid_until__isnull=False, ended_at__isnull=False)
                    & ~Q(ended_by="")
                ),
                name="an_end_has_its_instant_and_author",
            ),
        ]

    def __str__(self) -> str:
        """Return who may what."""
        return f"{self.role}: {self.get_kind_display()} – {self.get_outcome_display()}"


class Override(models.Model):
    """What somebody wants changed in a plan, what it would cost, and what became of it.

    `change` and `asked_change` are a change's wire form; they differ where it was approved
    with another change. `impact` is what `change` costs against the plan whose state is
    `impact_version`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="overrides")
    service_date = models.DateField(db_index=True)
    kind = models.CharField(max_length=20, choices=OverrideKind.choices)
    change = models.JSONField()
    asked_change = models.JSONField()
    route = models.ForeignKey(
        Route, on_delete=models.PROTECT, null=True, blank=True, related_name="overrides"
    )
    stop = models.ForeignKey(
        Stop, on_delete=models.PROTECT, null=True, blank=True, related_name="overrides"
    )
    driver = models.ForeignKey(
        Driver,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="overrides",
        help_text="Who asked on the road, and hears the answer.",
    )
    source = models.CharField(max_length=8, choices=OverrideSource.choices)
    asked_by = models.CharField(max_length=100)
    asked_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    asked_role = models.CharField(max_length=40)
    client_id = models.CharField(
        max_length=64, help_text="The asker's own id: a repeat is the same request."
    )
    reason = models.CharField(
        max_length=20, choices=AskReason.choices, default=AskReason.OTHER
    )
    note = models.TextField(blank=True)
    recommendation = models.ForeignKey(
        Recommendation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="overrides",
        help_text="What it overrides.",
    )
    asked_at = models.DateTimeField(help_text="By the asker's clock.")
    received_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=OverrideState.choices, default=OverrideState.REQUESTED
    )
    impact = models.JSONField(null=True, blank=True)
    impact_version = models.CharField(max_length=64, blank=True)
    priced_at = models.DateTimeField(null=True, blank=True)
    priced_as = models.ForeignKey(
        Recommendation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="priced_overrides",
        help_text="The ledger's row of this impact, with its inputs.",
    )
    times_priced = models.PositiveSmallIntegerField(default=0)
    mode = models.CharField(max_length=16, blank=True)
    right = models.ForeignKey(
        DecisionRight,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="overrides",
        help_text="The rule that decided.",
    )
    because = models.CharField(max_length=500, blank=True, help_text="Why, in words.")
    misses = models.JSONField(
        default=list, blank=True, help_text="Limits that were not kept."
    )
    approver = models.CharField(
        max_length=40, blank=True, help_text="Who is asked now."
    )
    escalations = models.PositiveSmallIntegerField(default=0)
    escalates_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=100, blank=True)
    answer_reason = models.CharField(
        max_length=20, choices=AnswerReason.choices, blank=True
    )
    answer_note = models.TextField(blank=True)
    problem = models.CharField(max_length=500, blank=True, help_text="Why it failed.")
    refusal = models.JSONField(
        default=dict,
        blank=True,
        help_text="The same as a code and figures, for any language; empty: unknown.",
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """What is due first; a request of one asker is one."""

        ordering = [F("deadline_at").asc(nulls_last=True), "id"]
        indexes = [
            models.Index(fields=["state", "deadline_at"]),
            models.Index(fields=["depot", "service_date"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["asked_by", "client_id"], name="one_override_a_request"
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting")
                | (Q(deadline_at__isnull=False) & ~Q(approver="")),
                name="who_waits_knows_for_whom_and_how_long",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "waiting"], answered_at=None)
                | (
                    ~Q(state__in=["requested", "waiting"])
                    & Q(answered_at__isnull=False)
                    & ~Q(answered_by="")
                ),
                name="an_end_has_who_and_when",
            ),
        ]

    def __str__(self) -> str:
        """Return what is wanted."""
        return f"{self.get_kind_display()} ({self.get_state_display()})"
