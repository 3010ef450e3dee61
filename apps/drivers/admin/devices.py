"""Devices: their state, when they were heard of last, and how to take them back."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse

from apps.core.office import OfficePage, column, row_url
from apps.core.wording import local_time
from apps.depots.scoping import DepotScopedAdmin
from apps.drivers import services
from apps.drivers.models import Device
from apps.drivers.states import DEVICE_STEPS, DeviceState

COLOURS = {
    DeviceState.ACTIVE: "success",
    DeviceState.DRAINING: "warning",
    DeviceState.REVOKED: "danger",
}
ACTIONS = (
    (
        "drain_then_wipe",
        "Let it send what it still holds, then wipe it (it is with the driver, or found)",
    ),
    ("wipe", "Wipe it at once; what it has not sent is lost (it is stolen)"),
)
NEXT_STATE = {"drain_then_wipe": DeviceState.DRAINING, "wipe": DeviceState.REVOKED}


@admin.register(Device)
class DevicePage(OfficePage, DepotScopedAdmin):
    """What drivers carry."""

    list_display = ["name", "driver", "depot", "state", "seen", "platform"]
    list_filter = ["status", "depot"]
    search_fields = ["name", "driver__name", "platform"]
    list_select_related = ["driver", "depot"]
    row_pages = {"revoke": "revoke"}
    change_form_outer_before_template = "drivers/device_links.html"
    fields = [
        "name",
        "driver",
        "depot",
        "status",
        "platform",
        "enrolled",
        "seen",
        "revoked",
        "clock",
    ]
    readonly_fields = fields

    @column("State", label=COLOURS, ordering="status")
    def state(self, device: Device) -> tuple[str, str]:
        """Return how far it is trusted."""
        return device.status, device.get_status_display()

    @column("Last seen", ordering="last_seen_at")
    def seen(self, device: Device) -> str:
        """Return when it was heard of last, by the depot's clock."""
        return local_time(device.last_seen_at, device.depot.time_zone)

    @column("Enrolled")
    def enrolled(self, device: Device) -> str:
        """Return since when it is ours."""
        return local_time(device.enrolled_at, device.depot.time_zone)

    @column("Revoked")
    def revoked(self, device: Device) -> str:
        """Return when it was revoked."""
        return local_time(device.revoked_at, device.depot.time_zone)

    @column("Its clock is off by")
    def clock(self, device: Device) -> str:
        """Return how far its wall clock is from ours."""
        offset_ms = device.clock_offset_ms
        return "unknown" if offset_ms is None else f"{offset_ms / 1000:+.1f} s"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A device comes by its enrolment code, from the driver's page."""
        return False

    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask which way, then take the device's trust away."""
        device: Device = self.row(request, object_id, "change")
        open_ways = [
            way
            for way in ACTIONS
            if NEXT_STATE[way[0]] in DEVICE_STEPS.allowed(device.status)
        ]
        if not open_ways:
            messages.error(request, "This device is revoked already.")
            return self.to_row(device)
        if request.method == "POST":
            action = request.POST.get("action", "")
            if action not in dict(open_ways):
                messages.error(request, "Choose how the device is to be revoked.")
                return self.to_row(device)

            def verb(**context: Any) -> Device:
                return services.revoke_device(
                    device_id=device.pk, action=action, **context
                )

            self.carry_out(request, verb, "The device is revoked.")
            return self.to_row(device)
        return self.page(
            request,
            "core/confirm.html",
            title=f"Revoke {device.name}?",
            lines=[
                f"It is with {device.driver}; last seen {self.seen(device)}.",
                "Its session ends at once, and for good: to use it again, enrol it.",
            ],
            choices=open_ways,
            choices_title="How",
            choice_name="action",
            button="Revoke the device",
            tone="danger",
            back=row_url(device),
        )
