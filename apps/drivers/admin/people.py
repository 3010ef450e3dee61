"""Drivers with their enrolment codes, vehicles and their types."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import VerbPage, column, row_url
from apps.core.problems import Problem
from apps.core.wording import NOTHING, local_time
from apps.depots.scoping import DepotScopedAdmin
from apps.drivers import services
from apps.drivers.enrolment import enrolment_picture
from apps.drivers.forms import DriverForm, VehicleForm, VehicleTypeForm
from apps.drivers.models import Device, Driver, Vehicle, VehicleType


@admin.register(Driver)
class DriverPage(VerbPage, DepotScopedAdmin):
    """The people who drive; their devices are enrolled from here."""

    form = DriverForm
    list_display = ["name", "depot", "phone", "words", "devices_active", "is_active"]
    list_filter = ["is_active", "depot"]
    search_fields = ["name", "phone", "user__username"]
    list_select_related = ["depot"]
    row_pages = {"enrolment-code": "enrolment_code"}
    change_form_outer_before_template = "drivers/driver_links.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Driver]:
        """Return the drivers with how many of their devices are not revoked."""
        rows: QuerySet[Driver] = super().get_queryset(request)
        live = Device.objects.filter(driver=OuterRef("pk"), revoked_at=None)
        count = live.order_by().values("driver").annotate(n=Count("pk")).values("n")
        return rows.annotate(live_devices=Subquery(count))

    @column("Skills")
    def words(self, driver: Driver) -> str:
        """Return the skills in a line."""
        return ", ".join(driver.skills)

    @column("Devices")
    def devices_active(self, driver: Any) -> int:
        """Return how many devices the driver has that are not revoked."""
        return driver.live_devices or 0

    @column("User name")
    def username(self, driver: Driver) -> str:
        """Return the log-in's name."""
        return driver.user.username

    def get_fields(self, request: HttpRequest, obj: Driver | None = None) -> list[str]:
        """Ask for a log-in when somebody is hired, and not again."""
        kept = ["depot", "name", "phone", "language", "skills", "is_active"]
        return [*kept, "username"] if obj else [*kept[:-1], "username", "password"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Driver | None = None
    ) -> list[str]:
        """A driver keeps depot and log-in."""
        return ["depot", "username"] if obj else []

    def add_row(self, fields: dict[str, Any], **context: Any) -> Driver:
        """Hire a driver."""
        return services.hire_driver(
            depot=fields["depot"],
            username=fields["username"],
            password=fields["password"] or None,
            fields=fields,
            **context,
        )

    def change_row(
        self, row: Driver, fields: dict[str, Any], version: int, **context: Any
    ) -> Driver:
        """Change a driver."""
        return services.change_driver(
            driver_id=row.pk, expected_version=version, fields=fields, **context
        )

    def enrolment_code(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then make a one-time code and show it this once."""
        driver: Driver = self.row(request, object_id)
        if not request.user.has_perm("drivers.add_enrolmentcode"):
            raise PermissionDenied
        title = f"New device for {driver.name}"
        if request.method != "POST":
            lines = [
                "This makes a code that enrols one device for this driver.",
                "It is valid for 24 hours, works once, and is shown this once.",
            ]
            return self.page(
                request,
                "core/confirm.html",
                title=title,
                lines=lines,
                button="Make the code",
                back=row_url(driver),
            )
        try:
            row, code = services.create_enrolment_code(
                driver_id=driver.pk, by=user_actor(request.user), now=clock.now()
            )
        except Problem as problem:
            messages.error(request, problem.detail)
            return self.to_row(driver)
        return self.page(
            request,
            "drivers/enrolment_code.html",
            title=title,
            code=code,
            qr=_qr(code),
            server=settings.PUBLIC_URL,
            expires=local_time(row.expires_at, driver.depot.time_zone),
            back=row_url(driver),
        )


def _qr(code: str) -> SafeString:
    """Return the picture that a device reads to enrol."""
    picture: str = enrolment_picture(code).svg_inline(
        scale=6, dark="#000", light="#fff", title="Enrolment code"
    )
    return mark_safe(picture)  # noqa: S308  made here of black and white squares


@admin.register(Vehicle)
class VehiclePage(VerbPage, DepotScopedAdmin):
    """What is driven."""

    form = VehicleForm
    list_display = ["name", "depot", "type", "room", "words", "is_active"]
    list_filter = ["is_active", "type", "depot"]
    search_fields = ["name"]
    list_select_related = ["depot", "type"]

    @column("Room")
    def room(self, vehicle: Vehicle) -> str:
        """Return the capacity in every dimension."""
        return (
            f"{vehicle.capacity_g // 1000:,} kg · {vehicle.capacity_ml // 1000:,} l"
            f" · {vehicle.capacity_pieces} pieces"
        )

    @column("Capabilities")
    def words(self, vehicle: Vehicle) -> str:
        """Return all that it can in a line."""
        return ", ".join(vehicle.abilities)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Vehicle | None = None
    ) -> list[str]:
        """A vehicle keeps its depot."""
        return ["depot"] if obj else []

    def add_row(self, fields: dict[str, Any], **context: Any) -> Vehicle:
        """Add a vehicle."""
        return services.add_vehicle(depot=fields["depot"], fields=fields, **context)

    def change_row(
        self, row: Vehicle, fields: dict[str, Any], version: int, **context: Any
    ) -> Vehicle:
        """Change a vehicle."""
        return services.change_vehicle(
            vehicle_id=row.pk, expected_version=version, fields=fields, **context
        )


@admin.register(VehicleType)
class VehicleTypePage(VerbPage):
    """Kinds of vehicle: the same for every depot."""

    form = VehicleTypeForm
    list_display = ["name", "code", "words", "is_crewed", "speed", "used", "is_active"]
    list_filter = ["is_active", "is_crewed"]
    search_fields = ["name", "code"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[VehicleType]:
        """Return the types with how many vehicles are of each."""
        rows: QuerySet[VehicleType] = super().get_queryset(request)
        return rows.annotate(vehicles_of_it=Count("vehicles"))

    @column("Capabilities")
    def words(self, row: VehicleType) -> str:
        """Return the capabilities in a line."""
        return ", ".join(row.capabilities) or NOTHING

    @column("Speed", ordering="speed_percent")
    def speed(self, row: VehicleType) -> str:
        """Return how fast it is."""
        return f"{row.speed_percent} % of a car's"

    @column("Vehicles")
    def used(self, row: Any) -> int:
        """Return how many vehicles are of this type."""
        count: int = row.vehicles_of_it
        return count

    def get_readonly_fields(
        self, request: HttpRequest, obj: VehicleType | None = None
    ) -> list[str]:
        """A type keeps its code."""
        return ["code"] if obj else []

    def add_row(self, fields: dict[str, Any], **context: Any) -> VehicleType:
        """Add a type."""
        return services.add_vehicle_type(code=fields["code"], fields=fields, **context)

    def change_row(
        self, row: VehicleType, fields: dict[str, Any], version: int, **context: Any
    ) -> VehicleType:
        """Change a type."""
        return services.change_vehicle_type(
            code=row.pk, expected_version=version, fields=fields, **context
        )
