"""What a depot offers, what is held of it, and the lock of a day."""

from django.db import models
from django.db.models import F, Q

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.orders.models import Order
from apps.promises.states import HoldState
from apps.routes.models import Route


class SlotRules(models.Model):
    """How a depot cuts its days into slots; without a row the first values hold."""

    depot = models.OneToOneField(
        Depot, on_delete=models.CASCADE, primary_key=True, related_name="slot_rules"
    )
    opens = models.TimeField(
        default="08:00", help_text="First slot of a day, by the depot's clock."
    )
    closes = models.TimeField(default="20:00", help_text="End of a day's last slot.")
    slot_minutes = models.PositiveSmallIntegerField(default=120)
    days_ahead = models.PositiveSmallIntegerField(
        default=5, help_text="How many days after today are offered."
    )
    lead_minutes = models.PositiveSmallIntegerField(
        default=60, help_text="A slot is offered until so long before it opens."
    )
    cutoff_minutes = models.PositiveSmallIntegerField(
        default=30,
        help_text="A delivery can be moved until so long before the driver is due.",
    )
    hold_minutes = models.PositiveSmallIntegerField(
        default=10, help_text="How long a chosen slot is kept before it is confirmed."
    )
    fill_percent = models.PositiveSmallIntegerField(
        default=85,
        help_text="Of days without a plan: how much of the shifts may be promised.",
    )
    stop_travel_s = models.PositiveSmallIntegerField(
        default=240,
        help_text="Of days without a plan: seconds on the way to a stop, in the mean.",
    )
    co2_g_per_km = models.PositiveSmallIntegerField(
        default=230,
        help_text="Of a van or car; bikes and walkers count nothing.",
    )

    class Meta:
        """A slot has a length, and a day a first and a last."""

        verbose_name = verbose_name_plural = "slot rules"
        constraints = [
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")), name="slots_have_a_day"
            ),
            models.CheckConstraint(
                condition=Q(slot_minutes__range=(15, 720)), name="slot_has_a_length"
            ),
            models.CheckConstraint(
                condition=Q(days_ahead__lte=30), name="slots_are_not_for_ever"
            ),
            models.CheckConstraint(
                condition=Q(hold_minutes__range=(1, 120)), name="hold_ends"
            ),
            models.CheckConstraint(
                condition=Q(fill_percent__range=(1, 100)), name="fill_percent_1_to_100"
            ),
        ]

    def __str__(self) -> str:
        """Return whose rules they are."""
        return f"Slots of {self.depot}"


class SlotDay(models.Model):
    """The lock of a depot's day: whoever counts what is left of it holds this row."""

    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="+")
    service_date = models.DateField()

    class Meta:
        """One a depot and day."""

        constraints = [
            models.UniqueConstraint(
                fields=["depot", "service_date"], name="one_lock_a_day_of_slots"
            )
        ]

    def __str__(self) -> str:
        """Return depot and day."""
        return f"{self.depot_id} {self.service_date}"


class Hold(models.Model):
    """A slot that is kept for one order, at the price that was shown."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="holds")
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="holds")
    route = models.ForeignKey(
        Route,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="holds",
        help_text="Where its room is; empty on a day without a plan.",
    )
    service_date = models.DateField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    status = models.CharField(
        max_length=10, choices=HoldState.choices, default=HoldState.HELD
    )
    added_s = models.IntegerField(help_text="Travel that it adds, in seconds.")
    added_m = models.IntegerField(help_text="Travel that it adds, in metres.")
    cost_minor = models.IntegerField(help_text="What it adds to the day's cost.")
    co2_g = models.IntegerField(help_text="CO2 that it adds, in grams.")
    held_at = models.DateTimeField()
    held_by = models.CharField(max_length=100)
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was taken, released, or expired."
    )

    class Meta:
        """Newest first; an order holds one slot at a time."""

        ordering = ["-id"]
        indexes = [
            models.Index(fields=["depot", "service_date", "status"]),
            models.Index(fields=["status", "expires_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(status="held"), name="one_hold_an_order"
            ),
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="held_slot_has_length"
            ),
            models.CheckConstraint(
                condition=Q(status="held", settled_at=None)
                | (~Q(status="held") & Q(settled_at__isnull=False)),
                name="settled_hold_says_when",
            ),
        ]

    def __str__(self) -> str:
        """Return order and interval."""
        return f"{self.order_id} {self.opens_at:%Y-%m-%d %H:%M}–{self.closes_at:%H:%M}"
