"""Imports in the office: hand a file in, watch it, see and fetch what was kept back."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import RangeDateFilter

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import column
from apps.core.problems import Problem
from apps.depots.models import Depot
from apps.orders.admin.readonly import ReadOnlyPage
from apps.orders.forms import UploadForm
from apps.orders.imports.mending import RowToMend, mending_file
from apps.orders.models import ImportRun, QuarantinedRow
from apps.orders.selectors import quarantine_of
from apps.orders.services import receive_file
from apps.orders.states import ImportState

SHOWN_ROWS = 200
STATE_COLOURS = {
    "Queued": "",
    "Running": "info",
    "Done": "success",
    "Refused": "danger",
}


@admin.register(ImportRun)
class ImportPage(ReadOnlyPage):
    """Order files that were handed in."""

    list_display = [
        *("file_name", "how", "depot", "service_date", "rows", "created", "updated"),
        *("unchanged", "kept_back", "requested_at"),
    ]
    list_filter = ["depot", "state", ("service_date", RangeDateFilter)]
    list_filter_submit = True
    search_fields = ["file_name"]
    list_select_related = ["depot"]

    @column("State", ordering="state", label=STATE_COLOURS)
    def how(self, run: ImportRun) -> str:
        """Return the state in colour."""
        return str(run.get_state_display())

    @column("In quarantine", ordering="quarantined")
    def kept_back(self, run: ImportRun) -> str:
        """Return how many rows are to be mended."""
        return str(run.quarantined or "—")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those hand files in who may make imports."""
        return request.user.has_perm("orders.add_importrun")

    def get_urls(self) -> list[URLPattern]:
        """Add the progress of a run, and its quarantine as a file."""
        wrap = self.admin_site.admin_view
        own = [
            path(
                "<uuid:run_id>/progress/",
                wrap(self.progress),
                name="orders_importrun_progress",
            ),
            path(
                "<uuid:run_id>/quarantine/",
                wrap(self.quarantine),
                name="orders_importrun_quarantine",
            ),
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Take a file in and lead to its run."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        depots = Depot.objects.visible_to(request.user)
        form = UploadForm(
            request.POST or None,
            request.FILES or None,
            depots=depots,
            today=_today(depots.first()),
        )
        if request.method == "POST" and form.is_valid():
            try:
                run = self._receive(request, form)
            except Problem as problem:
                form.add_error("file", problem.detail)
            else:
                there = reverse("admin:orders_importrun_change", args=[run.pk])
                return HttpResponseRedirect(there)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Import orders",
            "form": form,
        }
        return render(request, "orders/upload.html", context)

    def _receive(self, request: HttpRequest, form: UploadForm) -> ImportRun:
        file = form.cleaned_data["file"]
        return receive_file(
            depot_id=form.cleaned_data["depot"].pk,
            content=file.read(),
            file_name=file.name,
            service_date=form.cleaned_data["service_date"],
            options=form.options(),
            by=user_actor(request.user),
            now=clock.now(),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show how far a run is, and what came of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(self.get_queryset(request), pk=object_id)
        rows = list(run.quarantine.all()[:SHOWN_ROWS])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": run.file_name,
            "run": run,
            "is_running": run.state in (ImportState.QUEUED, ImportState.RUNNING),
            "figures": [
                ("Rows", run.rows),
                ("New orders", run.created),
                ("Updated", run.updated),
                ("Unchanged", run.unchanged),
                ("In quarantine", run.quarantined),
            ],
            "mapping": {
                "headers": ["Field", "Column of the file"],
                "rows": [
                    [name.replace("_", " "), h] for name, h in run.mapping.items()
                ],
            },
            "quarantine": quarantine_table(rows),
            "hidden_rows": run.quarantined - len(rows),
            "requested": _local(run.requested_at, run.depot),
        }
        return render(request, "orders/run.html", context)

    def progress(self, request: HttpRequest, run_id: Any) -> JsonResponse:
        """Answer how far a run is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(self.get_queryset(request), pk=run_id)
        return JsonResponse(
            {"state": run.state, "rows": run.rows, "rows_done": run.rows_done}
        )

    def quarantine(self, request: HttpRequest, run_id: Any) -> HttpResponse:
        """Answer the rows to mend as a file of the kind that came."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(self.get_queryset(request), pk=run_id)
        content = mending_file(
            [RowToMend(row.raw, row.faults) for row in quarantine_of(run)],
            run.headers,
            kind=run.kind,
            delimiter=run.delimiter,
        )
        suffix = "xlsx" if run.kind == "xlsx" else "csv"
        disposition = f'attachment; filename="quarantine-{run.pk}.{suffix}"'
        response = HttpResponse(content, content_type="application/octet-stream")
        response["Content-Disposition"] = disposition
        return response


def quarantine_table(rows: list[QuarantinedRow]) -> dict[str, Any]:
    """Return quarantined rows as a table: line, reference, column, what to do."""
    lines = []
    for row in rows:
        for number, fault in enumerate(row.faults):
            lines.append(
                [
                    str(row.line) if number == 0 else "",
                    (row.reference or "—") if number == 0 else "",
                    fault["column"] or "—",
                    row.raw.get(fault["column"], "") or "(empty)",
                    fault["detail"],
                ]
            )
    headers = ["Line", "Reference", "Column", "Cell", "What to do"]
    return {"headers": headers, "rows": lines}


def _today(depot: Depot | None) -> Any:
    return _local_time(clock.now(), depot).date()


def _local(instant: datetime, depot: Depot) -> str:
    return f"{_local_time(instant, depot):%Y-%m-%d %H:%M}"


def _local_time(instant: datetime, depot: Depot | None) -> datetime:
    return instant.astimezone(ZoneInfo(depot.time_zone)) if depot else instant


@admin.register(QuarantinedRow)
class QuarantinePage(ReadOnlyPage):
    """Rows of all imports that could not become orders."""

    depot_path = "run__depot"
    list_display = ["where", "reference", "standing", "codes", "advice", "run"]
    list_filter = [
        ("resolved_at", admin.EmptyFieldListFilter),
        "run__depot",
        ("run__requested_at", RangeDateFilter),
    ]
    list_filter_submit = True
    search_fields = ["reference", "run__file_name"]
    list_select_related = ["run"]
    fields = ["run", "line", "reference", "faults", "raw", "resolved_at"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show rows to those who may read imports: they hold personal data."""
        return request.user.has_perm("orders.view_quarantinedrow")

    @column("Line", ordering="line")
    def where(self, row: QuarantinedRow) -> str:
        """Return the line of the file."""
        return f"line {row.line}"

    @column("State", label={"To mend": "warning", "Came in later": "success"})
    def standing(self, row: QuarantinedRow) -> str:
        """Tell whether the order has come in since."""
        return "Came in later" if row.resolved_at else "To mend"

    @column("Faults")
    def codes(self, row: QuarantinedRow) -> str:
        """Return the faults' codes."""
        return ", ".join(dict.fromkeys(fault["code"] for fault in row.faults))

    @column("What to do")
    def advice(self, row: QuarantinedRow) -> str:
        """Return what to do about the first fault."""
        return row.faults[0]["detail"] if row.faults else ""
