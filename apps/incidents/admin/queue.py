"""The queue of what needs somebody, and one incident with its history."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse

from apps.core import clock
from apps.core.office import FactPage, column
from apps.core.wording import NOTHING, local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.incidents.admin.asking import given_words, people_with_loads
from apps.incidents.admin.picture import picture_of
from apps.incidents.admin.timeline import names_of, timeline_of
from apps.incidents.forms import (
    GiveForm,
    NoteForm,
    PlaybookForm,
    ResolveForm,
    SpanForm,
    WhyForm,
)
from apps.incidents.kinds import KINDS
from apps.incidents.models import Incident, Playbook
from apps.incidents.reliancefacts import habits_of
from apps.incidents.reschedulefacts import LONGEST, reschedules_of
from apps.incidents.reschedules import WHO
from apps.incidents.selectors import playbooks_for
from apps.incidents.services import incidents, work
from apps.incidents.states import UNRESOLVED, IncidentState, Severity

SEVERITY_COLOURS = {
    Severity.LOW: "",
    Severity.MEDIUM: "info",
    Severity.HIGH: "warning",
    Severity.CRITICAL: "danger",
}
STATE_COLOURS = {
    IncidentState.OPEN: "warning",
    IncidentState.ASSIGNED: "info",
    IncidentState.RESOLVED: "success",
}
PAGES_OF = {
    "deviceevent": "sync_deviceevent",
    "planchange": "routes_planchange",
    "plan": "routes_plan",
    "condition": "routes_condition",
    "shift": "drivers_shift",
    "driver": "drivers_driver",
    "taskrun": "core_taskrun",
    "depotmode": "routes_depotmode",
}
"""Where the subject of an incident is looked at, by its type."""


class StandingFilter(admin.SimpleListFilter):
    """What is open, unless something else is asked for."""

    title = "state"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer what a queue is looked at by."""
        return [("mine", "Mine"), ("resolved", "Resolved"), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Name the first choice by what it shows."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "Open"}
        yield from others

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Incident]
    ) -> QuerySet[Incident]:
        """Return the chosen rows."""
        if self.value() == "all":
            return queryset
        if self.value() == "resolved":
            return queryset.filter(status=IncidentState.RESOLVED)
        rows = queryset.filter(status__in=UNRESOLVED)
        return rows.filter(owner=request.user.pk) if self.value() == "mine" else rows


@admin.register(Incident)
class IncidentPage(FactPage, DepotScopedAdmin):
    """What needs somebody, the most urgent first."""

    list_display = ["what", "matters", "state", "due", "whose", "depot", "raised"]
    list_filter = [StandingFilter, "severity", "kind", "depot"]
    search_fields = ["title", "cause", "resolution"]
    list_select_related = ["depot", "owner"]
    ordering = ["deadline_at", "id"]
    change_list_template = "incidents/queue.html"
    row_pages = {
        "assign": "assign",
        "escalate": "escalate",
        "resolve": "resolve",
        "note": "note",
        "playbook": "playbook",
    }

    def get_urls(self) -> list[URLPattern]:
        """Add the watches."""
        view = self.admin_site.admin_view
        return [
            path(
                "reschedules/", view(self.reschedules), name="incidents_incident_moves"
            ),
            path("reliance/", view(self.reliance), name="incidents_incident_reliance"),
            *super().get_urls(),
        ]

    def may_act(self, request: HttpRequest) -> bool:
        """Tell whether the user may deal with incidents."""
        return bool(request.user.has_perm("incidents.change_incident"))

    @column("What", ordering="title")
    def what(self, row: Incident) -> str:
        """Return what happened."""
        return row.title

    @column("Severity", label=SEVERITY_COLOURS, ordering="severity")
    def matters(self, row: Incident) -> tuple[str, str]:
        """Return how much it matters."""
        return row.severity, row.get_severity_display()

    @column("State", label=STATE_COLOURS, ordering="status")
    def state(self, row: Incident) -> tuple[str, str]:
        """Return how it stands."""
        return row.status, row.get_status_display()

    @column("Until", ordering="deadline_at")
    def due(self, row: Incident) -> str:
        """Return until when somebody should have dealt with it."""
        if not row.is_open:
            return NOTHING
        at = local_time(row.deadline_at, row.depot.time_zone)
        left_min = round((row.deadline_at - clock.now()).total_seconds() / 60)
        return f"{at} ({left_min} min)" if left_min >= 0 else f"{at}, over"

    @column("Whose")
    def whose(self, row: Incident) -> str:
        """Return who has it, or the role that it waits with."""
        owner = row.owner.get_username() if row.owner else "nobody yet"
        return f"{owner} · {row.role}"

    @column("Raised", ordering="raised_at")
    def raised(self, row: Incident) -> str:
        """Return when it was raised."""
        return local_time(row.raised_at, row.depot.time_zone)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show an incident: what, whose, its to-dos, its history, what can be done."""
        row: Incident = self.row(request, object_id)
        kind = KINDS[row.kind]
        items = list(row.items.select_related("owner"))
        return self.page(
            request,
            "incidents/incident.html",
            title=row.title,
            incident=row,
            kind=kind,
            zone=row.depot.time_zone,
            subject_url=_subject_url(row),
            facts=_facts(row),
            items=items,
            done=sum(item.status != "open" for item in items),
            playbooks=[
                playbook
                for playbook in playbooks_for(row, kind.playbook)
                if playbook.pk not in {item.playbook_id for item in items}
            ],
            fitting=kind.playbook,
            timeline=timeline_of(row),
            may_act=self.may_act(request) and row.is_open,
            may_settle=request.user.has_perm("incidents.change_actionitem"),
            is_late=row.is_open and row.deadline_at <= clock.now(),
        )

    def _row_to_act(self, request: HttpRequest, object_id: str) -> Incident:
        if not self.may_act(request):
            raise PermissionDenied
        row: Incident = self.row(request, object_id)
        return row

    def assign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give it to somebody, or take it."""
        row = self._row_to_act(request, object_id)

        def verb(owner: int, **context: Any) -> str:
            given = incidents.assign(incident_id=row.pk, owner_id=owner, **context)
            name = User.objects.get(pk=given.owner_id).get_username()
            return given_words(name, given.warning)

        if request.method == "POST" and "take" in request.POST:
            self.carry_out(
                request,
                lambda **context: verb(owner=request.user.pk or 0, **context),
                "You have it.",
            )
            return self.to_row(row)
        people = people_with_loads(row.depot_id)
        form = GiveForm(request.POST or None, people=people)
        return self.ask(
            request, row, form, verb, title="Give it to somebody", button="Give"
        )

    def escalate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the next role have it."""
        row = self._row_to_act(request, object_id)

        def verb(**context: Any) -> str:
            after = incidents.escalate(incident_id=row.pk, **context)
            return f"It is with the role {after.role} now."

        form = WhyForm(request.POST or None)
        return self.ask(
            request, row, form, verb, title="Escalate it", button="Escalate"
        )

    def resolve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close it, and say how it ended."""
        row = self._row_to_act(request, object_id)

        def verb(**context: Any) -> str:
            incidents.resolve(incident_id=row.pk, **context)
            return "It is resolved."

        form = ResolveForm(request.POST or None)
        return self.ask(request, row, form, verb, title="Resolve it", button="Resolve")

    def note(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Add words to its history."""
        row = self._row_to_act(request, object_id)

        def verb(**context: Any) -> str:
            incidents.add_note(incident_id=row.pk, **context)
            return "Noted."

        form = NoteForm(request.POST or None)
        return self.ask(request, row, form, verb, title="Add a note", button="Note")

    def playbook(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the steps of a playbook to-dos."""
        row = self._row_to_act(request, object_id)

        def verb(playbook: Playbook, **context: Any) -> str:
            made = work.start_playbook(
                incident_id=row.pk, playbook_id=playbook.pk, **context
            )
            waiting = sum(item.owner_id is None for item in made)
            more = f" {waiting} wait for somebody to take them." if waiting else ""
            return f"{len(made)} to-dos are given.{more}"

        playbooks = playbooks_for(row, KINDS[row.kind].playbook)
        form = PlaybookForm(request.POST or None, playbooks=playbooks)
        return self.ask(
            request, row, form, verb, title="Start a playbook", button="Start"
        )

    def reschedules(self, request: HttpRequest) -> HttpResponse:
        """Show who changed what was planned, by cause and day."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        depots = list(Depot.objects.visible_to(request.user))
        depot = _chosen(request, depots)
        first, last = _span(request, clock.now().date())
        tally = reschedules_of(depot, first, last) if depot else None
        return self.page(
            request,
            "incidents/reschedules.html",
            title="Who changed what was planned",
            depots=depots,
            depot=depot,
            first=first,
            last=last,
            tally=tally,
            who=WHO,
            picture=picture_of(tally.by_day, first, last) if tally else None,
            rows=[
                (cause, [counts.get(code, 0) for code in WHO], sum(counts.values()))
                for cause, counts in tally.by_cause.items()
            ]
            if tally
            else [],
        )

    def reliance(self, request: HttpRequest) -> HttpResponse:
        """Show how people decide on what the machine proposes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        depots = list(Depot.objects.visible_to(request.user))
        depot = _chosen(request, depots)
        found = habits_of(depot.pk, clock.now()) if depot else []
        names = names_of(habit.who for habit in found)
        return self.page(
            request,
            "incidents/reliance.html",
            title="Are decisions still decisions?",
            depots=depots,
            depot=depot,
            rows=[(names.get(habit.who, habit.who), habit) for habit in found],
        )


def _chosen(request: HttpRequest, depots: list[Depot]) -> Depot | None:
    wanted = request.GET.get("depot", "")
    first = depots[0] if depots else None
    return next((one for one in depots if str(one.pk) == wanted), first)


def _span(request: HttpRequest, today: date) -> tuple[date, date]:
    """Return the days that are asked for; a fortnight without a word."""
    form = SpanForm(request.GET)
    fields = form.cleaned_data if form.is_valid() else {}
    last = fields.get("last") or today
    first = fields.get("first") or last - timedelta(days=13)
    return max(min(first, last), last - LONGEST), last


def _subject_url(row: Incident) -> str:
    """Return where its subject is looked at; empty where it has no page."""
    page = PAGES_OF.get(row.subject_type)
    if page is None:
        return ""
    try:
        return reverse(f"admin:{page}_change", args=[row.subject_id])
    except NoReverseMatch:
        return ""


def _facts(row: Incident) -> list[tuple[str, str]]:
    """Return what is known of it, in words; ids lead elsewhere."""
    return [
        (name.replace("_", " "), _fact(value))
        for name, value in row.details.items()
        if not name.endswith("_id")
    ]


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
