"""Plans, the routes of a day, their stops, and the facts about each stop."""

from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.drivers.models import Device, Driver, Shift
from apps.orders.models import Order
from apps.recommendations.models import Recommendation
from apps.routes.calibrationrows import (  # noqa: F401
    EtaCalibration,
    EtaLearning,
    StopTelling,
)
from apps.routes.conditionrows import Condition  # noqa: F401
from apps.routes.moderows import (  # noqa: F401  a room's tables are found here
    DecisionPoint,
    DepotMode,
)
from apps.routes.pinned import Pin, RouteLock  # noqa: F401
from apps.routes.states import DONE, PlanState, RouteState, StopState


class PlanningParameter(models.Model):
    """One version of one planning parameter of a depot; the newest in force counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE)
    name = models.CharField(max_length=60)
    version = models.PositiveIntegerField()
    value = models.JSONField()
    valid_from = models.DateTimeField()
    created_by = models.CharField(max_length=100)
    why = models.TextField(blank=True)

    class Meta:
        """A version is never edited."""

        ordering = ["name", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "name", "version"], name="one_value_a_version"
            )
        ]

    def __str__(self) -> str:
        """Return name and version."""
        return f"{self.name} v{self.version}"


class Plan(models.Model):
    """One planning of a depot's day: the first, or a re-optimization of it."""

    class Kind(models.TextChoices):
        """The whole day, or what is still ahead of a running one."""

        DAY = "day", "Day plan"
        REPLAN = "replan", "Re-optimization"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="plans")
    service_date = models.DateField(db_index=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    number = models.PositiveIntegerField(help_text="1, 2, 3… within the day.")
    status = models.CharField(
        max_length=12, choices=PlanState.choices, default=PlanState.QUEUED
    )
    cause = models.JSONField(default=dict, help_text="What gave cause to it.")
    publish_when_ready = models.BooleanField(default=False)
    input_version = models.CharField(max_length=64, blank=True)
    left_version = models.CharField(
        max_length=64, blank=True, help_text="The state of the day that it left behind."
    )
    recommendation = models.ForeignKey(
        Recommendation, on_delete=models.PROTECT, null=True, blank=True
    )
    mode = models.CharField(max_length=16, blank=True)
    progress_percent = models.PositiveSmallIntegerField(default=0)
    progress_text = models.CharField(max_length=200, blank=True)
    totals = models.JSONField(default=dict)
    problem = models.TextField(blank=True, help_text="Why it failed.")
    requested_by = models.CharField(max_length=100)
    requested_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=100, blank=True)

    class Meta:
        """Newest first; numbers count within the day."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "service_date", "number"], name="one_plan_a_number"
            ),
            models.UniqueConstraint(
                fields=["depot", "service_date", "input_version"],
                condition=Q(kind="replan") & ~Q(input_version=""),
                name="one_replan_a_state",
            ),
            models.CheckConstraint(
                condition=Q(published_at=None, published_by="")
                | (Q(published_at__isnull=False) & ~Q(published_by="")),
                name="published_at_and_by_together",
            ),
        ]

    def __str__(self) -> str:
        """Return kind, date and number."""
        return f"{self.get_kind_display()} {self.service_date} #{self.number}"


class UnservedOrder(models.Model):
    """An order that a plan leaves out, and why."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="unserved")
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="unserved")
    code = models.CharField(max_length=40)
    detail = models.CharField(max_length=300)

    class Meta:
        """Once a plan and order."""

        constraints = [
            models.UniqueConstraint(
                fields=["plan", "order"], name="one_reason_a_plan_and_order"
            )
        ]

    def __str__(self) -> str:
        """Return order and reason."""
        return f"{self.order_id}: {self.code}"


class Route(models.Model):
    """What one shift drives in a day; lives on through every re-optimization."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="routes")
    shift = models.OneToOneField(Shift, on_delete=models.PROTECT, related_name="route")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="routes")
    service_date = models.DateField(db_index=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="routes")
    status = models.CharField(
        max_length=10, choices=RouteState.choices, default=RouteState.DRAFT
    )
    version = models.PositiveIntegerField(
        default=0, help_text="Moves with every published change of the sequence."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    distance_m = models.PositiveIntegerField(default=0)
    duration_s = models.PositiveIntegerField(default=0)
    break_starts_at = models.DateTimeField(null=True, blank=True)
    break_ends_at = models.DateTimeField(null=True, blank=True)
    travel_quality = models.CharField(max_length=16, default="estimated")
    risk_percent = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Probability that a stop ahead misses its window, or the shift overruns.",
    )
    risk_causes = models.JSONField(
        default=list, blank=True, help_text="[{code, text, percent}], the worst first."
    )
    risk_at = models.DateTimeField(null=True, blank=True)
    etas_due_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when its ETAs wait to be made anew; empty: they are as known.",
    )

    class Meta:
        """In order of time."""

        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["depot", "service_date"])]

    def __str__(self) -> str:
        """Return whose route it is."""
        return f"Route of {self.driver_id} on {self.service_date}"


class RouteWay(models.Model):
    """A route's way along the roads, leg by leg, for pictures; made after each plan."""

    route = models.OneToOneField(
        Route, on_delete=models.CASCADE, primary_key=True, related_name="way"
    )
    lines = models.JSONField(
        default=dict, help_text="Whole numbers a leg, by the places at its ends."
    )
    source = models.CharField(max_length=200)
    version = models.CharField(max_length=100, blank=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return whose way it is, and who drew it."""
        return f"{self.route_id} by {self.source}"


class Stop(models.Model):
    """One visit for one order: folded from its events, never edited by hand."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="stops")
    route = models.ForeignKey(
        Route, on_delete=models.PROTECT, related_name="stops", null=True, blank=True
    )
    sequence = models.PositiveIntegerField(
        default=0, help_text="1, 2, 3… in its route."
    )
    status = models.CharField(
        max_length=10, choices=StopState.choices, default=StopState.PENDING
    )
    reason = models.CharField(max_length=40, blank=True)
    service_s = models.PositiveIntegerField()
    planned_arrival_at = models.DateTimeField(null=True, blank=True)
    plan_eta_at = models.DateTimeField(
        null=True, blank=True, help_text="ETA of the plan that holds: lateness counts."
    )
    leg_s = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Travel from the stop before by the plan: the day's mean, clear road.",
    )
    leg_from = models.UUIDField(
        null=True, blank=True, help_text="The stop before, or the depot."
    )
    eta_at = models.DateTimeField(null=True, blank=True)
    eta_low_at = models.DateTimeField(null=True, blank=True)
    eta_high_at = models.DateTimeField(null=True, blank=True)
    told_low_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Earliest ETA as first told: what it came to is measured (C13).",
    )
    told_high_at = models.DateTimeField(null=True, blank=True)
    eta_reason = models.CharField(max_length=200, blank=True)
    road_warning = models.CharField(
        max_length=10, blank=True, help_text="Kind of the condition that touches it."
    )
    road_warning_text = models.CharField(max_length=200, blank=True)
    enroute_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    completed_by = models.ForeignKey(
        Driver, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        """In order of the route; an order has one open stop at the most."""

        ordering = ["route", "sequence"]
        indexes = [models.Index(fields=["route", "sequence"])]
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=~Q(status__in=[str(state) for state in DONE]),
                name="one_open_stop_an_order",
            )
        ]

    def __str__(self) -> str:
        """Return place in the route and order."""
        return f"{self.sequence}. {self.order_id}"


class StopAssignment(models.Model):
    """Who was ever given a stop: late facts are judged by this, not by who holds it."""

    stop = models.ForeignKey(Stop, on_delete=models.CASCADE, related_name="assignments")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One holder at a time."""

        indexes = [models.Index(fields=["driver", "stop"])]
        constraints = [
            models.UniqueConstraint(
                fields=["stop"],
                condition=Q(until_at=None),
                name="one_holder_of_a_stop",
            )
        ]

    def __str__(self) -> str:
        """Return stop and driver."""
        return f"{self.stop_id} with {self.driver_id}"


class StopEvent(models.Model):
    """A fact about a stop, as the device told it; the stop's state folds from these."""

    id = models.CharField(primary_key=True, max_length=64)
    stop = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="events")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    payload = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    device_seq = models.BigIntegerField(default=0)
    verdict = models.CharField(max_length=48)
    corrects = models.CharField(
        max_length=64, blank=True, help_text="The fact that should have said this."
    )
    device = models.ForeignKey(
        Device,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        help_text="Whose number it has; none where no device reported.",
    )
    is_sure = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Its instant comes of no clock that somebody may have set.",
    )

    class Meta:
        """As it happened."""

        ordering = ["occurred_at", "device_seq", "id"]

    def __str__(self) -> str:
        """Return kind and instant."""
        return f"{self.kind} at {self.occurred_at:%H:%M:%S}"


class PlanChange(models.Model):
    """The difference of one route that its driver has to acknowledge."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="changes")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="changes")
    route_version = models.PositiveIntegerField()
    added = models.JSONField(default=list)
    removed = models.JSONField(default=list)
    moved = models.JSONField(default=list)
    eta_moved = models.JSONField(default=list)
    why = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Newest first; one a version."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["route", "route_version"], name="one_change_a_version"
            )
        ]

    def __str__(self) -> str:
        """Return route and version."""
        return f"{self.route_id} v{self.route_version}"
