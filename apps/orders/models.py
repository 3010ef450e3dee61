"""Customers, orders with their windows, the gazetteer, imports of files."""

from django.db import models
from django.db.models import F, Q

from apps.core.ids import uuid7
from apps.core.units import Point
from apps.depots.models import Depot, Zone
from apps.orders.states import ImportState, OrderState


class Address(models.Model):
    """A known address of the depot's gazetteer, to find coordinates by."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE, related_name="addresses")
    street = models.CharField(max_length=160)
    house_number = models.CharField(max_length=20, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=80, blank=True)
    match_key = models.CharField(
        max_length=200, help_text="Street and house number, folded for matching."
    )
    latitude = models.FloatField()
    longitude = models.FloatField()

    class Meta:
        """One row an address of a depot."""

        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "match_key", "postcode", "city"],
                name="one_row_an_address",
            )
        ]

    def __str__(self) -> str:
        """Return the address line."""
        return f"{self.street} {self.house_number}, {self.postcode} {self.city}"


class Customer(models.Model):
    """Who receives; the personal fields of an order live here alone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="customers")
    name = models.CharField(max_length=160, blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text="E.164.")
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=8, blank=True)

    class Meta:
        """By name."""

        ordering = ["name"]
        indexes = [models.Index(fields=["depot", "phone", "name"])]

    def __str__(self) -> str:
        """Return the name."""
        return self.name or "(no name)"


class Order(models.Model):
    """What must be brought to, or fetched from, a place."""

    class Kind(models.TextChoices):
        """Brought, or fetched."""

        DELIVERY = "delivery"
        PICKUP = "pickup"

    class LocationSource(models.TextChoices):
        """Where the coordinates come from."""

        GIVEN = "given", "Given with the order"
        GAZETTEER = "gazetteer", "Found in the gazetteer"
        CORRECTED = "corrected", "Corrected by a person"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="orders")
    reference = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.DELIVERY)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="orders", null=True, blank=True
    )
    service_date = models.DateField(db_index=True)
    status = models.CharField(
        max_length=12, choices=OrderState.choices, default=OrderState.OPEN
    )
    street = models.CharField(max_length=160, blank=True)
    house_number = models.CharField(max_length=20, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=80, blank=True)
    latitude = models.FloatField()
    longitude = models.FloatField()
    location_source = models.CharField(
        max_length=12, choices=LocationSource.choices, default=LocationSource.GIVEN
    )
    location_confidence = models.FloatField(default=1.0, help_text="0 to 1.")
    zone = models.ForeignKey(
        Zone, on_delete=models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    priority = models.PositiveSmallIntegerField(
        default=3, help_text="1 (may wait) to 5 (must go)."
    )
    pieces = models.PositiveIntegerField(default=1)
    load_g = models.PositiveBigIntegerField(default=0)
    load_ml = models.PositiveBigIntegerField(default=0)
    service_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="Null: the depot's standard."
    )
    requires = models.JSONField(
        default=list,
        blank=True,
        help_text="Capabilities and skills that vehicle or driver must have.",
    )
    proof = models.JSONField(
        default=list, blank=True, help_text="signature, photo, code, barcode."
    )
    notes = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    content_hash = models.CharField(max_length=64, blank=True)
    source_run = models.ForeignKey(
        "ImportRun", on_delete=models.SET_NULL, null=True, blank=True
    )
    source_line = models.PositiveIntegerField(null=True, blank=True)
    received_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        """A reference is the shop's own, once a depot."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["depot", "service_date", "status"])]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "reference"], name="one_order_a_reference"
            ),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90))
                & Q(longitude__range=(-180, 180)),
                name="order_is_on_earth",
            ),
            models.CheckConstraint(
                condition=Q(priority__range=(1, 5)), name="priority_1_to_5"
            ),
            models.CheckConstraint(
                condition=Q(pieces__gte=1), name="at_least_one_piece"
            ),
        ]

    def __str__(self) -> str:
        """Return the reference."""
        return self.reference

    @property
    def point(self) -> Point:
        """Where it goes."""
        return Point(self.latitude, self.longitude)


class TimeWindow(models.Model):
    """When service may start: half-open, [opens_at, closes_at)."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="windows")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()

    class Meta:
        """In order of time; an empty window is no window."""

        ordering = ["opens_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="window_has_length"
            ),
            models.UniqueConstraint(
                fields=["order", "opens_at"], name="one_window_a_start"
            ),
        ]

    def __str__(self) -> str:
        """Return the interval."""
        return f"{self.opens_at:%Y-%m-%d %H:%M}–{self.closes_at:%H:%M}"


class PreferredWindow(models.Model):
    """When an order's customer would like it best: half-open; a wish, not a promise.

    It is the customer's: whoever erases the customer erases it.
    """

    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="preferences"
    )
    customer = models.ForeignKey(
        Customer,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="preferences",
        help_text="Whose wish it is; null where the order names nobody.",
    )
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()

    class Meta:
        """In order of time; an empty window is no window."""

        ordering = ["opens_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="preference_has_length"
            ),
            models.UniqueConstraint(
                fields=["order", "opens_at"], name="one_preference_a_start"
            ),
        ]

    def __str__(self) -> str:
        """Return the interval."""
        return f"{self.opens_at:%Y-%m-%d %H:%M}–{self.closes_at:%H:%M}"


class ImportRun(models.Model):
    """One reading of one order file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="imports")
    service_date = models.DateField(null=True, blank=True)
    file = models.FileField(upload_to="imports/", blank=True)
    file_name = models.CharField(max_length=255)
    file_sha256 = models.CharField(max_length=64)
    options = models.JSONField(
        default=dict, blank=True, help_text="Columns named outright, rows chosen."
    )
    kind = models.CharField(max_length=8, blank=True, help_text="csv or xlsx.")
    encoding = models.CharField(max_length=32, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    headers = models.JSONField(
        default=list, blank=True, help_text="The file's header, in its order."
    )
    mapping = models.JSONField(
        default=dict, blank=True, help_text="Field → header of the file."
    )
    state = models.CharField(
        max_length=10, choices=ImportState.choices, default=ImportState.QUEUED
    )
    problem = models.TextField(blank=True, help_text="Why the file was refused.")
    rows = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(
        default=0, help_text="Rows read so far: the progress of a running import."
    )
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    requested_by = models.CharField(max_length=100)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]
        verbose_name = "order import"

    def __str__(self) -> str:
        """Return the file's name and state."""
        return f"{self.file_name} ({self.state})"


class QuarantinedRow(models.Model):
    """A row of a file that could not become an order, kept as it came."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(
        ImportRun, on_delete=models.CASCADE, related_name="quarantine"
    )
    line = models.PositiveIntegerField(help_text="Line of the file, from 1.")
    raw = models.JSONField(help_text="Header → cell, as text.")
    faults = models.JSONField(help_text="[{column, code, detail}]")
    reference = models.CharField(max_length=80, blank=True, db_index=True)
    resolved_at = models.DateTimeField(
        null=True, blank=True, help_text="When a later file brought the order in."
    )

    class Meta:
        """In order of the file."""

        ordering = ["run", "line"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "line"], name="one_quarantined_row_a_line"
            )
        ]

    def __str__(self) -> str:
        """Return run and line."""
        return f"line {self.line} of {self.run_id}"
