"""The anonymous door's tables: links, what a page shows, and what customers told."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.customers.states import Channel, ProposalState, Purpose, WishKind
from apps.depots.models import Depot
from apps.orders.models import Order


class Link(models.Model):
    """An address that opens one page of one order; only its code's hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="links")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    code_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=100)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(
        null=True, blank=True, help_text="When it did what it is for; it does so once."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=100, blank=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["order", "purpose"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="link_revoked_at_and_by",
            )
        ]

    def __str__(self) -> str:
        """Return purpose and order, never the code."""
        return f"{self.get_purpose_display()}: {self.order_id}"


class CustomerPage(models.Model):
    """How a depot's pages look, and what they offer; without a row the defaults hold."""

    depot = models.OneToOneField(
        Depot, on_delete=models.CASCADE, primary_key=True, related_name="customer_page"
    )
    brand = models.CharField(
        max_length=60, blank=True, help_text="Empty: the depot's name."
    )
    colour = models.CharField(
        max_length=7,
        default="#0f7a67",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", "Write it as #0f7a67.")],
        help_text="Of the page's head; its text is black or white, whichever is read best.",
    )
    phone = models.CharField(
        max_length=30, blank=True, help_text="Shown where a customer needs somebody."
    )
    logo = models.BinaryField(
        null=True, blank=True, editable=False, help_text="A small PNG, made by us."
    )
    near_stops = models.PositiveSmallIntegerField(
        "near from stops",
        default=3,
        validators=[MaxValueValidator(20)],
        help_text="The van's place is shown when so many stops are left before it.",
    )
    near_minutes = models.PositiveSmallIntegerField(
        "near from minutes",
        default=20,
        validators=[MaxValueValidator(120)],
        help_text="Or when it is expected within so many minutes.",
    )
    coarse_m = models.PositiveIntegerField(
        "coarse to metres",
        default=1000,
        validators=[MinValueValidator(250)],
        help_text="Before that the distance is told in steps of so many metres.",
    )
    offers_safe_place = models.BooleanField(default=True)
    offers_neighbour = models.BooleanField(default=True)
    takes_addresses = models.BooleanField(
        "takes corrected addresses",
        default=True,
        help_text="A person of the office decides on each.",
    )
    wish_cutoff_minutes = models.PositiveSmallIntegerField(
        default=15,
        help_text="Wishes for the door are taken until so long before the driver is due.",
    )

    class Meta:
        """One a depot."""

        verbose_name = "customers' page"

    def __str__(self) -> str:
        """Return whose page it is."""
        return f"Page of {self.depot}"


class PickupPoint(models.Model):
    """A place where customers may fetch what they are not at home for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        Depot, on_delete=models.CASCADE, related_name="pickup_points"
    )
    name = models.CharField(max_length=80)
    street = models.CharField(max_length=160)
    house_number = models.CharField(max_length=20, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=80, blank=True)
    latitude = models.FloatField()
    longitude = models.FloatField()
    hours = models.CharField(max_length=120, blank=True, help_text="Mo–Sa 8–20.")
    is_active = models.BooleanField(default=True)

    class Meta:
        """By name, one a name."""

        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "name"], name="one_pickup_point_a_name"
            )
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class DeliveryWish(models.Model):
    """What a customer asks of the driver at the door: the last word counts."""

    order = models.OneToOneField(
        Order, on_delete=models.CASCADE, primary_key=True, related_name="wish"
    )
    kind = models.CharField(max_length=12, choices=WishKind.choices)
    place = models.CharField(max_length=120, blank=True)
    instructions = models.CharField(max_length=300, blank=True)
    pickup_point = models.ForeignKey(
        PickupPoint, on_delete=models.SET_NULL, null=True, blank=True
    )
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return what kind it is."""
        return str(self.get_kind_display())


class AddressProposal(models.Model):
    """An address or pin that a customer or driver says is right; the office decides."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, related_name="address_proposals"
    )
    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="address_proposals"
    )
    street = models.CharField(max_length=160, blank=True)
    house_number = models.CharField(max_length=20, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=80, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)
    status = models.CharField(
        max_length=10, choices=ProposalState.choices, default=ProposalState.PROPOSED
    )
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=100)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=100, blank=True)
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        """Newest first; an order has one open proposal."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["depot", "status"])]
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(status="proposed"),
                name="one_open_proposal_an_order",
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(latitude__isnull=False, longitude__isnull=False),
                name="a_pin_has_two_degrees",
            ),
            models.CheckConstraint(
                condition=Q(status="proposed", decided_at=None, decided_by="")
                | (
                    ~Q(status="proposed")
                    & Q(decided_at__isnull=False)
                    & ~Q(decided_by="")
                ),
                name="proposal_decided_at_and_by",
            ),
        ]

    def __str__(self) -> str:
        """Return which order it is about."""
        return f"Address of {self.order}"


class Inquiry(models.Model):
    """Somebody asked where an order is."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="inquiries")
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    asked_at = models.DateTimeField()

    class Meta:
        """Newest first; found by depot and time."""

        ordering = ["-id"]
        verbose_name_plural = "inquiries"
        indexes = [models.Index(fields=["depot", "asked_at"])]

    def __str__(self) -> str:
        """Return by which channel."""
        return f"{self.channel} at {self.asked_at:%Y-%m-%d %H:%M}"
