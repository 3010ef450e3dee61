"""What devices sent: the inbox, what could not be taken, and files of proof."""

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import FactPage, KnownValues, column, row_url
from apps.core.problems import Problem
from apps.core.wording import local_time
from apps.depots.scoping import DepotScopedAdmin
from apps.drivers.actors import names_of
from apps.sync.forms import MendForm, draft_of, readable, shape_of
from apps.sync.models import Attachment, DeviceEvent, QuarantinedEvent
from apps.sync.selectors import stops_had
from apps.sync.services import mending
from apps.sync.services.uploads import proofs
from apps.sync.states import AttachmentState, QuarantineState

COLOURS = {
    "applied": "success",
    "superseded": "info",
    "held": "warning",
    "needs_review": "warning",
    "rejected": "danger",
}

QUARANTINE_COLOURS = {
    QuarantineState.OPEN: "warning",
    QuarantineState.APPLIED: "success",
    QuarantineState.DISMISSED: "info",
}

FILE_COLOURS = {
    AttachmentState.AWAITED: "warning",
    AttachmentState.UPLOADING: "info",
    AttachmentState.RECEIVED: "info",
    AttachmentState.STORED: "success",
    AttachmentState.REFUSED: "danger",
}


class _OfDevices(FactPage, DepotScopedAdmin):
    """A page of what came from devices."""

    depot_path = "driver__depot"
    list_select_related = ["driver__depot", "device"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows with their driver, depot and device."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("driver__depot", "device")

    @column("Received", ordering="received_at")
    def received(self, row: Any) -> str:
        """Return when it came, by the depot's clock."""
        zone = row.driver.depot.time_zone
        return local_time(row.received_at, zone, "%a %d %b, %H:%M:%S")


@admin.register(DeviceEvent)
class DeviceEventPage(_OfDevices):
    """Every event of every device, with what became of it."""

    list_display = ["received", "occurred", "driver", "device", "seq", "kind", "fate"]
    list_filter = [
        *(("result", KnownValues), ("kind", KnownValues), ("code", KnownValues)),
        "driver__depot",
    ]
    search_fields = ["id", "stop_id", "driver__name", "device__name", "kind"]
    ordering = ["-received_at", "-seq"]
    fields = [
        "id",
        "driver",
        "device",
        "seq",
        "kind",
        "stop_id",
        "content",
        "occurred",
        "received",
        "uncertainty_ms",
        "time_quality",
        "depends_on",
        "result",
        "code",
        "detail",
        "rule",
        "yours",
        "ours",
        "corrects",
    ]
    readonly_fields = fields

    @column("Occurred", ordering="occurred_at")
    def occurred(self, event: DeviceEvent) -> str:
        """Return when it happened, by the depot's clock."""
        zone = event.driver.depot.time_zone
        return local_time(event.occurred_at, zone, "%a %d %b, %H:%M:%S")

    @column("Result", label=COLOURS, ordering="result")
    def fate(self, event: DeviceEvent) -> tuple[str, str]:
        """Return what became of it."""
        return event.result, f"{event.result} ({event.code})"

    @column("What it says")
    def content(self, event: DeviceEvent) -> str:
        """Return the payload."""
        return json.dumps(event.payload, indent=1, ensure_ascii=False)


@admin.register(QuarantinedEvent)
class QuarantinedEventPage(_OfDevices):
    """What devices sent and could not be taken: kept as it came, mended or dismissed."""

    list_display = ["received", "driver", "device", "code", "detail", "stage"]
    list_filter = ["state", ("code", KnownValues), "driver__depot"]
    search_fields = ["event_id", "code", "detail", "driver__name", "device__name"]
    fields = [
        *("state", "received", "driver", "device", "event_id", "code", "detail"),
        *("content", "settled", "person", "reason", "mended_event"),
    ]
    readonly_fields = fields
    row_pages = {"mend": "mend", "dismiss": "dismiss"}
    change_form_outer_before_template = "sync/quarantine_links.html"

    @column("State", label=QUARANTINE_COLOURS, ordering="state")
    def stage(self, row: QuarantinedEvent) -> tuple[str, str]:
        """Return whether somebody has looked at it."""
        return row.state, row.get_state_display()

    @column("As it came")
    def content(self, row: QuarantinedEvent) -> str:
        """Return the body."""
        return readable(row.body)

    @column("Settled")
    def settled(self, row: QuarantinedEvent) -> str:
        """Return when it was mended or dismissed, by the depot's clock."""
        return local_time(row.settled_at, row.driver.depot.time_zone)

    @column("Settled by")
    def person(self, row: QuarantinedEvent) -> str:
        """Return who mended or dismissed it, by name."""
        return names_of([row.settled_by]).get(row.settled_by, row.settled_by)

    def open_row(self, request: HttpRequest, object_id: str) -> QuarantinedEvent:
        """Return a row that a person with the right may settle."""
        if not request.user.has_perm("sync.change_quarantinedevent"):
            raise PermissionDenied
        row: QuarantinedEvent = self.row(request, object_id)
        return row

    def mend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the body beside a form; apply what the form says."""
        row = self.open_row(request, object_id)
        if row.state != QuarantineState.OPEN:
            messages.error(request, mending.SettledAlready.title)
            return self.to_row(row)
        happened = mending.when_it_happened(row).occurred_at
        form = MendForm(
            request.POST or None,
            initial=draft_of(row),
            stops=stops_had(row.driver_id, happened.date()),
        )
        if request.method == "POST" and form.is_valid():
            try:
                event = mending.mend_event(
                    quarantined_id=row.pk,
                    mended=form.mended(),
                    by=user_actor(request.user),
                    now=clock.now(),
                )
            except Problem as problem:
                form.refuse(problem)
            else:
                words = f"Applied: {event.result} ({event.code})."
                messages.success(request, words)
                return self.to_row(row)
        kind = request.POST.get("kind") or draft_of(row)["kind"]
        zone = row.driver.depot.time_zone
        return self.page(
            request,
            "sync/mend.html",
            title=f"Mend a report of {row.driver}",
            why=row.detail or row.code,
            row=row,
            form=form,
            body=self.content(row),
            happened=local_time(happened, zone, "%a %d %b, %H:%M:%S"),
            kind=kind,
            shape=shape_of(kind),
            back=row_url(row),
        )

    def dismiss(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, and lay the body aside."""
        row = self.open_row(request, object_id)
        reason = request.POST.get("reason", "")
        if request.method == "POST":

            def verb(**context: Any) -> QuarantinedEvent:
                return mending.dismiss_event(
                    quarantined_id=row.pk, reason=reason, **context
                )

            if self.carry_out(request, verb, "The report is dismissed."):
                return self.to_row(row)
        return self.page(
            request,
            "sync/dismiss.html",
            title=f"Dismiss this report of {row.driver}?",
            reason=reason,
            back=row_url(row),
        )


@admin.register(Attachment)
class AttachmentPage(_OfDevices):
    """Files of proof: who made them, for which stop, and the pictures themselves."""

    list_display = ["came", "driver", "stop_id", "media_type", "state", "picture"]
    list_filter = ["status", "driver__depot"]
    search_fields = ["id", "event_id", "stop_id", "driver__name", "device__name"]
    fields = [
        *("id", "driver", "device", "event_id", "stop_id", "media_type", "size_bytes"),
        *("sha256", "status", "detail", "came", "picture"),
    ]
    readonly_fields = fields
    row_pages = {"file": "file"}

    @column("Came", ordering="received_at")
    def came(self, row: Attachment) -> str:
        """Return when the whole file had come, by the depot's clock."""
        zone = row.driver.depot.time_zone
        return local_time(row.received_at, zone, "%a %d %b, %H:%M:%S")

    @column("State", label=FILE_COLOURS, ordering="status")
    def state(self, row: Attachment) -> tuple[str, str]:
        """Return how far it is."""
        return row.status, row.get_status_display()

    @column("Picture")
    def picture(self, row: Attachment) -> SafeString | str:
        """Return the picture, small, with a way to the whole of it."""
        if row.status != AttachmentState.STORED:
            return "–"
        return format_html(
            '<a href="{0}"><img src="{0}" alt="Proof for stop {1}" loading="lazy" '
            'class="rm-proof"></a>',
            reverse("admin:sync_attachment_file", args=[row.pk]),
            row.stop_id,
        )

    def file(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Return the picture as it is kept."""
        row: Attachment = self.row(request, object_id)
        if row.status != AttachmentState.STORED:
            raise Http404
        answer = FileResponse(
            proofs().open(row.stored_name), content_type=row.stored_type
        )
        answer["Cache-Control"] = "private, max-age=3600"
        return answer
