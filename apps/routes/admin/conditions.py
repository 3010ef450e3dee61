"""Conditions of the road: reported by the office, judged, changed, ended."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core import clock
from apps.core.office import VerbPage, column, row_url
from apps.core.wording import NOTHING, local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.routes import board
from apps.routes.admin.drawing import map_about
from apps.routes.conditionforms import ConditionForm, proposed
from apps.routes.conditionrows import Condition
from apps.routes.people import who
from apps.routes.services import conditions
from apps.routes.states import ConditionState

COLOURS = {
    ConditionState.UNCONFIRMED: "warning",
    ConditionState.CONFIRMED: "success",
    ConditionState.ENDED: "info",
}


@admin.register(Condition)
class ConditionPage(VerbPage, DepotScopedAdmin):
    """What makes travel slow or impossible somewhere for a while."""

    form = ConditionForm
    list_display = ["what", "depot", "where", "effect", "lasts", "state", "told"]
    list_filter = ["status", "kind", "source", "depot"]
    search_fields = ["title", "note"]
    list_select_related = ["depot"]
    row_pages = {"confirm": "confirm", "end": "end"}
    change_form_outer_before_template = "routes/condition_head.html"

    @column("What", ordering="kind")
    def what(self, row: Condition) -> str:
        """Return kind and title."""
        return str(row)

    @column("Where")
    def where(self, row: Condition) -> str:
        """Return how its place is told."""
        if row.boundary is not None:
            return "an area"
        if row.latitude is None:
            return "the whole depot"
        return f"{row.radius_m} m about {row.latitude:.4f}, {row.longitude:.4f}"

    @column("Effect", ordering="percent")
    def effect(self, row: Condition) -> str:
        """Return what it does to travel."""
        if row.percent is None:
            return "no way through"
        return f"{row.percent} % of the time"

    @column("Lasts", ordering="until_at")
    def lasts(self, row: Condition) -> str:
        """Return from when to when, by the depot's clock."""
        zone = row.depot.time_zone
        span = f"{local_time(row.from_at, zone)} to {local_time(row.until_at, zone)}"
        if row.daily_from is None or row.daily_until is None:
            return span
        return f"{span}, {row.daily_from:%H:%M}–{row.daily_until:%H:%M}"

    @column("State", label=COLOURS, ordering="status")
    def state(self, row: Condition) -> tuple[str, str]:
        """Return how it stands."""
        return row.status, row.get_status_display()

    @column("Told by", ordering="source")
    def told(self, row: Condition) -> str:
        """Return who reported it, and how often."""
        often = f", {row.reports} times" if row.reports > 1 else ""
        return f"{row.get_source_display()}{often}"

    @column("Reported")
    def reported(self, row: Condition) -> str:
        """Return when, and by whom."""
        return f"{local_time(row.reported_at, row.depot.time_zone)}, {who(row.reported_by)}"

    @column("Confirmed")
    def confirmed(self, row: Condition) -> str:
        """Return when, and by whom."""
        if row.confirmed_at is None:
            return NOTHING
        at = local_time(row.confirmed_at, row.depot.time_zone)
        return f"{at}, {who(row.confirmed_by)}"

    @column("Ended")
    def ended(self, row: Condition) -> str:
        """Return when, and by whom."""
        if row.ended_at is None:
            return NOTHING
        return f"{local_time(row.ended_at, row.depot.time_zone)}, {who(row.ended_by)}"

    @column("Note")
    def words(self, row: Condition) -> SafeString | str:
        """Return what was said of it, line by line."""
        return format_html("<pre>{}</pre>", row.note) if row.note else NOTHING

    def has_change_permission(
        self, request: HttpRequest, obj: Condition | None = None
    ) -> bool:
        """A condition that is over is a fact."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.is_open)

    def get_fieldsets(self, request: HttpRequest, obj: Condition | None = None) -> Any:
        """Return the form, or what a condition was where it cannot be changed."""
        facts = ["told", "reported", "confirmed", "ended"]
        if obj and not self.has_change_permission(request, obj):
            shown = ["what", "depot", "where", "effect", "lasts", "state", "words"]
            return [(None, {"fields": [*shown, *facts]})]
        parts: list[Any] = [
            (None, {"fields": ["depot", ("kind", "percent"), "title", "note"]}),
            ("When", {"fields": [("begins", "ends"), ("hours_from", "hours_until")]}),
            (
                "Where",
                {"fields": [("latitude", "longitude"), "radius_m", "zone", "area"]},
            ),
        ]
        return [*parts, ("Reports", {"fields": facts})] if obj else parts

    def get_readonly_fields(
        self, request: HttpRequest, obj: Condition | None = None
    ) -> list[str]:
        """A condition keeps its depot."""
        facts = ["told", "reported", "confirmed", "ended"]
        if obj and not self.has_change_permission(request, obj):
            return ["what", "where", "effect", "lasts", "state", "words", *facts]
        return ["depot", *facts] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose the depot, and the next two hours."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        depots = Depot.objects.visible_to(request.user)
        return {**proposed(depots.first()), **initial}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the picture of where it is, among the day's routes."""
        row: Condition | None = kwargs.get("obj")
        depots = Depot.objects.visible_to(request.user)
        depot = row.depot if row else depots.first()
        if depot is not None:
            now = clock.now()
            day = board.newest_day(depot.pk, board.today_of(depot, now))
            rows = board.route_rows(board.routes_of_day(depot.pk, day))
            shown = [row] if row else board.conditions_on(depot, day, now)
            context["map"] = map_about(
                depot, rows, conditions=shown, holds_shapes=row is not None
            )
            context["routes_day"] = day
        context["row"] = row
        return super().render_change_form(request, context, *args, **kwargs)

    def add_row(self, fields: dict[str, Any], **context: Any) -> Condition:
        """Report a condition."""
        return conditions.report_condition(
            depot_id=fields["depot"].pk,
            draft=fields["draft"],
            source=Condition.Source.ADMIN,
            **context,
        )

    def change_row(
        self, row: Condition, fields: dict[str, Any], version: int, **context: Any
    ) -> Condition:
        """Change an open condition."""
        return conditions.change_condition(
            condition_id=row.pk,
            expected_version=version,
            draft=fields["draft"],
            **context,
        )

    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then confirm a driver's report."""
        row: Condition = self.row(request, object_id, "change")
        if request.method == "POST":

            def verb(**context: Any) -> Condition:
                return conditions.confirm_condition(
                    condition_id=row.pk, expected_version=None, **context
                )

            self.carry_out(request, verb, "Confirmed: it counts for four hours more.")
            return self.to_row(row)
        return self.page(
            request,
            "core/confirm.html",
            title=f"Confirm: {row}?",
            lines=[
                f"{self.told(row)}, {self.reported(row)}. {row.note}",
                "It then counts for four hours more; change its end where you know it.",
            ],
            button="Confirm",
            back=row_url(row),
        )

    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then end a condition before its time."""
        row: Condition = self.row(request, object_id, "change")
        if request.method == "POST":

            def verb(**context: Any) -> Condition:
                return conditions.end_condition(
                    condition_id=row.pk, expected_version=None, **context
                )

            self.carry_out(request, verb, "It is over: the routes follow.")
            return self.to_row(row)
        return self.page(
            request,
            "core/confirm.html",
            title=f"End: {row}?",
            lines=[
                f"It would last until {local_time(row.until_at, row.depot.time_zone)}.",
                "Its marks go from the stops, and the routes are planned again.",
            ],
            button="It is over",
            tone="danger",
            back=row_url(row),
        )
