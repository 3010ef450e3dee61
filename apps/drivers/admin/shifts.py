"""Shifts with their breaks, by the depot's clock."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from apps.core.office import VerbPage, column, row_url
from apps.core.wording import NOTHING, local_time
from apps.depots.scoping import DepotScopedAdmin
from apps.drivers import services
from apps.drivers.forms import ShiftForm
from apps.drivers.models import Shift
from apps.drivers.states import ShiftState

COLOURS = {
    ShiftState.PLANNED: "info",
    ShiftState.STARTED: "success",
    ShiftState.PAUSED: "warning",
    ShiftState.CANCELLED: "danger",
}


@admin.register(Shift)
class ShiftPage(VerbPage, DepotScopedAdmin):
    """Who drives what, and when."""

    form = ShiftForm
    list_display = ["service_date", "driver", "vehicle", "hours", "rests", "state"]
    list_filter = ["status", "service_date", "depot"]
    search_fields = ["driver__name", "vehicle__name"]
    list_select_related = ["driver", "vehicle", "depot"]
    date_hierarchy = "service_date"
    ordering = ["-service_date", "starts_at"]
    row_pages = {"cancel": "cancel"}
    change_form_outer_before_template = "drivers/shift_links.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the shifts with their breaks."""
        return super().get_queryset(request).prefetch_related("breaks")

    @column("Hours", ordering="starts_at")
    def hours(self, shift: Shift) -> str:
        """Return the shift's hours by the depot's clock."""
        zone = shift.depot.time_zone
        starts, ends = (
            local_time(at, zone, "%H:%M") for at in (shift.starts_at, shift.ends_at)
        )
        return f"{starts}–{ends}"

    @column("Breaks")
    def rests(self, shift: Shift) -> str:
        """Return the breaks by the depot's clock."""
        zone = shift.depot.time_zone
        return (
            "; ".join(
                f"{rest.duration_s // 60} min, "
                f"{local_time(rest.opens_at, zone, '%H:%M')} to "
                f"{local_time(rest.closes_at, zone, '%H:%M')}"
                for rest in shift.breaks.all()
            )
            or NOTHING
        )

    @column("State", label=COLOURS, ordering="status")
    def state(self, shift: Shift) -> tuple[str, str]:
        """Return the state."""
        return shift.status, shift.get_status_display()

    @column("Started")
    def started(self, shift: Shift) -> str:
        """Return when it began, as the device told."""
        return local_time(shift.started_at, shift.depot.time_zone)

    @column("Ended")
    def ended(self, shift: Shift) -> str:
        """Return when it ended, as the device told."""
        return local_time(shift.ended_at, shift.depot.time_zone)

    def has_change_permission(
        self, request: HttpRequest, obj: Shift | None = None
    ) -> bool:
        """A shift that has started, or is off, is a fact."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.status == ShiftState.PLANNED)

    def get_fieldsets(self, request: HttpRequest, obj: Shift | None = None) -> Any:
        """Return the form, or what a shift was where it cannot be changed."""
        if obj and not self.has_change_permission(request, obj):
            shown = ["driver", "vehicle", "service_date", "hours", "rests", "state"]
            return [(None, {"fields": [*shown, "started", "ended"]})]
        return [
            (
                None,
                {
                    "fields": [
                        ("driver", "vehicle"),
                        "service_date",
                        ("starts", "ends", "max_overtime_min"),
                    ]
                },
            ),
            (
                "Breaks",
                {
                    "fields": [
                        ("break_1_opens", "break_1_closes", "break_1_min"),
                        ("break_2_opens", "break_2_closes", "break_2_min"),
                    ]
                },
            ),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Shift | None = None
    ) -> list[str]:
        """A shift keeps its driver and its day."""
        if obj and not self.has_change_permission(request, obj):
            return ["hours", "rests", "state", "started", "ended"]
        return ["driver", "service_date"] if obj else []

    def add_row(self, fields: dict[str, Any], **context: Any) -> Shift:
        """Plan a shift."""
        return services.plan_shift(
            driver=fields["driver"],
            vehicle=fields["vehicle"],
            service_date=fields["service_date"],
            times=fields["times"],
            **context,
        )

    def change_row(
        self, row: Shift, fields: dict[str, Any], version: int, **context: Any
    ) -> Shift:
        """Change a shift that has not started."""
        return services.change_shift(
            shift_id=row.pk,
            expected_version=version,
            times=fields["times"],
            vehicle=fields["vehicle"],
            **context,
        )

    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then take a planned shift back."""
        shift: Shift = self.row(request, object_id, "change")
        if request.method == "POST":

            def verb(**context: Any) -> Shift:
                return services.cancel_shift(
                    shift_id=shift.pk, expected_version=None, **context
                )

            self.carry_out(request, verb, "The shift is cancelled.")
            return self.to_row(shift)
        day = f"{shift.service_date:%A %d %B %Y}"
        return self.page(
            request,
            "core/confirm.html",
            title=f"Cancel the shift of {shift.driver}?",
            lines=[
                f"{day}, {self.hours(shift)}, with {shift.vehicle}.",
                "Its driver is not planned for that time any more.",
            ],
            button="Cancel the shift",
            tone="danger",
            back=row_url(shift),
        )
