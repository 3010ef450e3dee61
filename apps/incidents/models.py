"""Incidents, lists of steps for them, and the work that was given to people."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.core.roles import DRIVER, ROLES
from apps.depots.models import Depot
from apps.incidents.kinds import ADMINISTRATOR, KINDS
from apps.incidents.states import (
    UNRESOLVED,
    IncidentState,
    ItemState,
    Outcome,
    Severity,
)

KIND_CHOICES = [(code, kind.title) for code, kind in KINDS.items()]
ROLE_CHOICES = [(role, role) for role in (*ROLES, ADMINISTRATOR) if role != DRIVER]


class Incident(models.Model):
    """Something that needs a person: whose it is, until when, and how it ended.

    The journal has its history.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="incidents")
    kind = models.CharField(max_length=20, choices=KIND_CHOICES)
    cause = models.CharField(
        max_length=160, help_text="What gave cause to it, by name: it raises one alone."
    )
    title = models.CharField(max_length=200)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    status = models.CharField(
        max_length=10, choices=IncidentState.choices, default=IncidentState.OPEN
    )
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict, blank=True)
    role = models.CharField(max_length=40, choices=ROLE_CHOICES)
    level = models.PositiveSmallIntegerField(
        default=0, help_text="How often it was escalated."
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="incidents",
    )
    deadline_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    raised_by = models.CharField(max_length=100)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=100, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    resolution = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """The most urgent first; a cause raises one."""

        ordering = ["deadline_at", "id"]
        indexes = [
            models.Index(fields=["depot", "status", "deadline_at"]),
            models.Index(fields=["owner", "status"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "cause"], name="one_incident_a_cause"
            ),
            models.CheckConstraint(
                condition=Q(status="resolved", resolved_at__isnull=False)
                & ~Q(resolved_by="")
                & ~Q(outcome="")
                | ~Q(status="resolved") & Q(resolved_at=None, resolved_by=""),
                name="resolved_at_by_and_how",
            ),
            models.CheckConstraint(
                condition=~Q(status="assigned") | Q(owner__isnull=False),
                name="assigned_has_an_owner",
            ),
        ]

    def __str__(self) -> str:
        """Return what happened."""
        return self.title

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has to deal with it."""
        return self.status in UNRESOLVED


class Playbook(models.Model):
    """A named list of steps for a kind of trouble, of one depot or of all."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(max_length=32)
    name = models.CharField(max_length=80)
    depot = models.ForeignKey(
        Depot,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="playbooks",
        help_text="Empty: of every depot.",
    )
    about = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField("in use", default=True)

    class Meta:
        """By name; a code once a depot, and once for all."""

        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "depot"], name="one_playbook_a_code_and_depot"
            ),
            models.UniqueConstraint(
                fields=["code"], condition=Q(depot=None), name="one_playbook_for_all"
            ),
        ]

    def __str__(self) -> str:
        """Return its name."""
        return self.name


class PlaybookStep(models.Model):
    """One step: what, whose, and how long after the start."""

    playbook = models.ForeignKey(
        Playbook, on_delete=models.CASCADE, related_name="steps"
    )
    number = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)
    role = models.CharField(max_length=40, choices=ROLE_CHOICES)
    due_min = models.PositiveIntegerField("due after, in minutes", default=15)

    class Meta:
        """In order."""

        ordering = ["playbook", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "number"], name="one_step_a_number"
            )
        ]

    def __str__(self) -> str:
        """Return what is to be done."""
        return self.text


class ActionItem(models.Model):
    """A piece of work that was given to somebody, or waits with a role."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, related_name="action_items"
    )
    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="items"
    )
    playbook = models.ForeignKey(
        Playbook, on_delete=models.SET_NULL, null=True, blank=True, related_name="items"
    )
    number = models.PositiveSmallIntegerField(default=1)
    text = models.CharField(max_length=300)
    role = models.CharField(max_length=40, choices=ROLE_CHOICES)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="action_items",
    )
    status = models.CharField(
        max_length=8, choices=ItemState.choices, default=ItemState.OPEN
    )
    due_at = models.DateTimeField()
    given_at = models.DateTimeField()
    given_by = models.CharField(max_length=100)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=100, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        """What is due first; a playbook's step once an incident."""

        ordering = ["due_at", "number"]
        verbose_name = "to-do"
        indexes = [models.Index(fields=["owner", "status"])]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "playbook", "number"],
                name="one_item_a_step_and_incident",
            ),
            models.CheckConstraint(
                condition=Q(status="open", settled_at=None, settled_by="")
                | ~Q(status="open") & Q(settled_at__isnull=False) & ~Q(settled_by=""),
                name="item_settled_at_and_by",
            ),
        ]

    def __str__(self) -> str:
        """Return what is to be done."""
        return self.text


class WorkCap(models.Model):
    """How much open work somebody should have at most; without a row, the usual."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="work_cap",
    )
    most = models.PositiveSmallIntegerField(
        help_text="Open incidents and to-dos together; more are given with a warning."
    )
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=100)

    class Meta:
        """By name."""

        ordering = ["user__username"]
        verbose_name = "workload cap"

    def __str__(self) -> str:
        """Return whose it is."""
        return f"{self.user}: {self.most}"
