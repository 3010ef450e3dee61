"""The journal of what happened, and the tasks that work behind the pages."""

import json
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse

from apps.core.models import TaskRun
from apps.core.office import FactPage, KnownValues, column, row_url
from apps.core.wording import NOTHING, local_time
from apps.depots.models import Depot
from apps.journal.models import Entry
from apps.journal.reruns import run_task_again

COLOURS = {
    TaskRun.State.QUEUED: "info",
    TaskRun.State.RUNNING: "warning",
    TaskRun.State.SUCCEEDED: "success",
    TaskRun.State.DEAD: "danger",
}


def tasks_seen_by(user: Any) -> QuerySet[TaskRun]:
    """Return the tasks of the user's depots; those of nobody are the administrators'."""
    rows = TaskRun.objects.all()
    if user.is_superuser:
        return rows
    depots = Depot.objects.visible_to(user).values_list("pk", flat=True)
    return rows.filter(depot_id__in=list(depots))


def zone_for(user: Any) -> str:
    """Return the zone to show times in that belong to no depot: the user's, or UTC."""
    zones = Depot.objects.visible_to(user).order_by().values_list("time_zone")
    found = list(zones.distinct()[:2])
    return found[0][0] if len(found) == 1 else "UTC"


@admin.register(Entry)
class EntryPage(FactPage):
    """What happened, who did it, and to what: append-only."""

    list_display = ["at_local", "kind", "actor", "subject"]
    list_filter = [("kind", KnownValues)]
    search_fields = ["kind", "actor", "subject_id"]
    ordering = ["-id"]
    fields = [
        "at_local",
        "kind",
        "actor",
        "subject",
        "content",
        "sequence",
        "hash",
        "previous_hash",
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        """Return the facts of the user's depots."""
        rows: QuerySet[Entry] = super().get_queryset(request)
        depots = Depot.objects.visible_to(request.user)
        if not request.user.is_superuser:
            rows = rows.filter(depot_id__in=depots.values("pk"))
        its_depot = Depot.objects.filter(pk=OuterRef("depot_id"))
        zone = Subquery(its_depot.values("time_zone")[:1])
        return rows.annotate(zone=Coalesce(zone, Value("UTC")))

    @column("When", ordering="id")
    def at_local(self, entry: Entry) -> str:
        """Return the instant by the depot's clock."""
        zone: str = entry.zone  # type: ignore[attr-defined]
        return local_time(entry.at, zone, "%a %d %b, %H:%M:%S")

    @column("About")
    def subject(self, entry: Entry) -> str:
        """Return what it is about."""
        return f"{entry.subject_type} {entry.subject_id}"

    @column("What it says")
    def content(self, entry: Entry) -> str:
        """Return the payload."""
        return json.dumps(entry.payload, indent=1, ensure_ascii=False)


@admin.register(TaskRun)
class TaskRunPage(FactPage):
    """Background work: what is queued, what runs, and what has given up."""

    list_display = ["task_name", "status", "attempts", "enqueued", "finished", "why"]
    list_filter = ["state", ("task", KnownValues)]
    search_fields = ["task", "error"]
    ordering = ["-id"]
    row_pages = {"run-again": "run_again"}
    change_form_outer_before_template = "routes/task_links.html"
    fields = [
        "task",
        "status",
        "attempts",
        "max_attempts",
        "arguments",
        "enqueued",
        "started",
        "finished",
        "error",
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskRun]:
        """Return the tasks of the user's depots."""
        rows = tasks_seen_by(request.user)
        zone = Value(zone_for(request.user))
        return rows.annotate(zone=zone).order_by(*self.ordering)

    def has_rerun_permission(self, request: HttpRequest) -> bool:
        """A dead task is run again by who may change tasks; nobody edits one."""
        return request.user.has_perm("core.change_taskrun")

    @column("Task", ordering="task")
    def task_name(self, run: TaskRun) -> str:
        """Return the task's name without its module."""
        return run.task.rpartition(".")[2].replace("_", " ")

    @column("State", label=COLOURS, ordering="state")
    def status(self, run: TaskRun) -> tuple[str, str]:
        """Return where it is."""
        return run.state, run.get_state_display()

    @column("Queued", ordering="enqueued_at")
    def enqueued(self, run: TaskRun) -> str:
        """Return when it was asked for."""
        return self._at(run, run.enqueued_at)

    @column("Last begun")
    def started(self, run: TaskRun) -> str:
        """Return when its last attempt began."""
        return self._at(run, run.started_at)

    @column("Ended", ordering="finished_at")
    def finished(self, run: TaskRun) -> str:
        """Return when it was done, or gave up."""
        return self._at(run, run.finished_at)

    @column("Why")
    def why(self, run: TaskRun) -> str:
        """Return the beginning of what went wrong."""
        return run.error[:90] or NOTHING

    def _at(self, run: TaskRun, at: datetime | None) -> str:
        zone: str = run.zone  # type: ignore[attr-defined]
        return local_time(at, zone, "%d %b, %H:%M:%S")

    def run_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let a dead task try again."""
        run: TaskRun = self.row(request, object_id)
        if not self.has_rerun_permission(request):
            raise PermissionDenied
        if request.method == "POST":

            def verb(**context: Any) -> TaskRun:
                return run_task_again(run_id=run.pk, **context)

            self.carry_out(request, verb, "The task is queued again.")
            return self.to_row(run)
        lines = [f"It gave up after {run.attempts} attempts: {run.error}"]
        return self.page(
            request,
            "core/confirm.html",
            title=f"Run “{self.task_name(run)}” again?",
            lines=lines,
            button="Run it again",
            back=row_url(run),
        )
