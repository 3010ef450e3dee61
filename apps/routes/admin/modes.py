"""Who plans each depot, whether it is ready, and what the machine may do."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from apps.core import clock
from apps.core.office import OfficePage, VerbPage, column, row_url
from apps.core.wording import NOTHING, local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.journal.selectors import entries_about
from apps.routes.modeforms import DecisionPointForm, LimitsForm, SwitchForm
from apps.routes.moderows import DecisionPoint, DepotMode
from apps.routes.people import who
from apps.routes.planners import mode_in
from apps.routes.readyfacts import readiness_of
from apps.routes.services.leaves import let_once, set_leave
from apps.routes.services.modes import set_limits, switch_mode
from apps.routes.states import Leave

LEAVE_COLOURS = {Leave.YES: "success", Leave.ASK: "warning", Leave.NO: "danger"}
HISTORY = {
    "mode.switched": "Switched to {mode}: {why}",
    "mode.limits_set": "{most_failures} failures within {window_s} s, pause {pause_s} s",
    "mode.fell_back": "The rules took over: {why}",
    "mode.came_back": "The engines answer again",
    "mode.trial_passed": "The trial was passed",
}


@admin.register(DepotMode)
class ModePage(OfficePage, DepotScopedAdmin):
    """Who plans each depot, and since when."""

    list_display = ["depot", "who_plans", "because"]
    list_select_related = ["depot"]
    row_pages = {"switch": "switch", "limits": "limits"}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Every depot has one."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return a row a depot of the user's, made where there was none."""
        mine = Depot.objects.visible_to(request.user)
        missing = mine.filter(mode=None)
        DepotMode.objects.bulk_create(
            [DepotMode(depot=depot) for depot in missing], ignore_conflicts=True
        )
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows

    @column("Who plans")
    def who_plans(self, row: DepotMode) -> str:
        """Return who plans the depot now."""
        return mode_in(row).text

    @column("Why")
    def because(self, row: DepotMode) -> str:
        """Return why."""
        return mode_in(row).why or NOTHING

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show who plans, how the engines fare, whether all is ready, and what was."""
        row: DepotMode = self.row(request, object_id)
        mode, zone = mode_in(row), row.depot.time_zone
        return self.page(
            request,
            "routes/mode.html",
            title=f"Who plans {row.depot}?",
            row=row,
            mode=mode,
            by=who(mode.by) if mode.by else "",
            zone=zone,
            checks=readiness_of(row.depot, clock.now()),
            history=[
                (local_time(entry.at, zone), who(entry.actor), _said(entry))
                for entry in reversed(entries_about("depotmode", row.pk))
            ],
            may_switch=request.user.has_perm("routes.change_depotmode"),
        )

    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask who is to plan, and why."""
        row: DepotMode = self.row(request, object_id, "change")

        def verb(**fields: Any) -> str:
            after = switch_mode(depot_id=row.pk, **fields)
            return mode_in(after).text

        form = SwitchForm(request.POST or None, initial={"to": row.chosen})
        return self.ask(request, row, form, verb, title="Who is to plan?")

    def limits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask what the engines may fail."""
        row: DepotMode = self.row(request, object_id, "change")

        def verb(**fields: Any) -> str:
            set_limits(depot_id=row.pk, **fields)
            return "The limits hold from now on."

        names = ("most_failures", "window_s", "pause_s")
        initial = {name: getattr(row, name) for name in names}
        form = LimitsForm(request.POST or None, initial=initial)
        title = "When do the rules take over?"
        return self.ask(request, row, form, verb, title=title)


def _said(entry: Any) -> str:
    sentence = HISTORY.get(entry.kind, entry.kind)
    signed = entry.payload.get("signed_off")
    words = sentence.format(**entry.payload)
    return f"{words}. Signed off: {signed}" if signed else words


@admin.register(DecisionPoint)
class DecisionPointPage(VerbPage):
    """Where the machine may act on its own."""

    form = DecisionPointForm
    list_display = ["act", "where", "may", "why", "since"]
    list_filter = ["leave", "act"]
    search_fields = ["why", "depot__name"]
    list_select_related = ["depot"]
    row_pages = {"let": "let"}
    change_form_outer_before_template = "routes/decision_links.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that hold in the user's depots."""
        rows: QuerySet[Any] = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        depots = Depot.objects.visible_to(request.user).values("pk")
        return rows.filter(Q(depot__in=depots) | Q(depot=None))

    def has_change_permission(
        self, request: HttpRequest, obj: DecisionPoint | None = None
    ) -> bool:
        """What holds in all depots, administrators change."""
        allowed: bool = super().has_change_permission(request, obj)
        for_all = obj is not None and obj.depot_id is None
        return allowed and (request.user.is_superuser or not for_all)

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the user's depots; all of them at once to administrators alone."""
        kwargs["queryset"] = Depot.objects.visible_to(request.user)
        kwargs["required"] = not request.user.is_superuser
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(
        self, request: HttpRequest, obj: DecisionPoint | None = None
    ) -> list[str]:
        """Another act or depot is another row."""
        return ["act", "depot"] if obj else []

    @column("Where", ordering="depot__name")
    def where(self, row: DecisionPoint) -> str:
        """Return the depot, or all others."""
        return str(row.depot) if row.depot else "Every depot without a row of its own"

    @column("The machine may", label=LEAVE_COLOURS, ordering="leave")
    def may(self, row: DecisionPoint) -> tuple[str, str]:
        """Return how far it may go."""
        return row.leave, row.get_leave_display()

    @column("Since", ordering="changed_at")
    def since(self, row: DecisionPoint) -> str:
        """Return since when, and by whom."""
        zone = row.depot.time_zone if row.depot else "UTC"
        return f"{local_time(row.changed_at, zone)}, {who(row.changed_by)}"

    def add_row(self, fields: dict[str, Any], **context: Any) -> DecisionPoint:
        """Set how far the machine may go in a depot."""
        return _set(fields["act"], fields["depot"], fields, None, context)

    def change_row(
        self, row: DecisionPoint, fields: dict[str, Any], version: int, **context: Any
    ) -> DecisionPoint:
        """Change how far the machine may go."""
        return _set(row.act, row.depot, fields, version, context)

    def let(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then say yes for a quarter of an hour."""
        row: DecisionPoint = self.row(request, object_id, "change")
        if not self.has_change_permission(request, row):
            raise Http404
        if request.method == "POST":

            def verb(**context: Any) -> DecisionPoint:
                return let_once(row.pk, **context)

            self.carry_out(request, verb, "The machine goes on.")
            return self.to_row(row)
        return self.page(
            request,
            "core/confirm.html",
            title=f"Let the machine: {row.get_act_display()}?",
            lines=["It holds for a quarter of an hour; what waited is done at once."],
            button="Yes, go on",
            back=row_url(row),
        )


def _set(
    act: str,
    depot: Depot | None,
    fields: dict[str, Any],
    version: int | None,
    context: dict[str, Any],
) -> DecisionPoint:
    return set_leave(
        act=act,
        depot_id=depot.pk if depot else None,
        leave=fields["leave"],
        why=fields["why"],
        expected_version=version,
        **context,
    )
