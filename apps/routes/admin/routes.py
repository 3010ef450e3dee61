"""Routes as they are driven, and the changes that drivers were told of."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse

from apps.core import clock
from apps.core.office import FactPage, column
from apps.core.wording import NOTHING, distance, duration, local_time
from apps.depots.scoping import DepotScopedAdmin
from apps.routes import board
from apps.routes.admin.drawing import line_of, map_of_route
from apps.routes.holding import holds_on_route
from apps.routes.models import PlanChange, Route, Stop, StopEvent
from apps.routes.states import DONE, RouteState

COLOURS = {
    RouteState.PUBLISHED: "info",
    RouteState.STARTED: "success",
    RouteState.DRAFT: "warning",
}


@admin.register(Route)
class RoutePage(FactPage, DepotScopedAdmin):
    """What each shift drives."""

    list_display = ["day", "driver", "vehicle", "state", "done", "driven", "hours"]
    list_filter = ["status", "service_date", "depot"]
    search_fields = ["driver__name", "shift__vehicle__name"]
    date_hierarchy = "service_date"
    ordering = ["-service_date", "driver__name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        """Return the routes with how many of their stops are done."""
        rows: QuerySet[Route] = super().get_queryset(request)
        rows = rows.select_related("driver", "shift__vehicle", "depot")
        return rows.annotate(
            stops_total=_count_of(Stop.objects.all()),
            stops_done=_count_of(Stop.objects.filter(status__in=DONE)),
        )

    @column("Day", ordering="service_date")
    def day(self, route: Route) -> str:
        """Return the day."""
        return f"{route.service_date:%a %d %b %Y}"

    @column("Vehicle", ordering="shift__vehicle__name")
    def vehicle(self, route: Route) -> str:
        """Return what is driven."""
        return route.shift.vehicle.name

    @column("State", label=COLOURS, ordering="status")
    def state(self, route: Route) -> tuple[str, str]:
        """Return how it stands."""
        return route.status, route.get_status_display()

    @column("Stops done")
    def done(self, route: Any) -> str:
        """Return how far it is."""
        return f"{route.stops_done or 0} of {route.stops_total or 0}"

    @column("Driven", ordering="distance_m")
    def driven(self, route: Route) -> str:
        """Return distance and time."""
        return f"{distance(route.distance_m)} · {duration(route.duration_s)}"

    @column("Hours", ordering="starts_at")
    def hours(self, route: Route) -> str:
        """Return from when to when, by the depot's clock."""
        zone = route.depot.time_zone
        starts, ends = (
            local_time(at, zone, "%H:%M") for at in (route.starts_at, route.ends_at)
        )
        return f"{starts}–{ends}"

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Route | None:
        """Return a route with the recommendation that its page tells of."""
        rows = self.get_queryset(request).select_related("plan__recommendation")
        try:
            return rows.filter(pk=object_id).first()
        except ValidationError:
            return None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a route: its stops, what was reported of each, and what was changed."""
        found: Route = self.row(request, object_id)
        row = board.whole_route(found)
        route = row.route
        history = StopEvent.objects.filter(stop__route=route).select_related("driver")
        events: dict[Any, list[StopEvent]] = {}
        for event in history:
            events.setdefault(event.stop_id, []).append(event)
        now = clock.now()
        line = line_of(row, now)
        on_the_road = board.conditions_on(route.depot, route.service_date, now)
        changes = route.changes.select_related("plan", "driver")
        return self.page(
            request,
            "routes/route.html",
            title=f"{route.driver.name} · {route.service_date:%a %d %b %Y}",
            may_see_why=request.user.has_perm("recommendations.view_recommendation")
            and route.plan.recommendation_id is not None,
            row=row,
            route=route,
            zone=route.depot.time_zone,
            line=line,
            stops=[(item, events.get(item.stop.pk, [])) for item in line.stops],
            map=map_of_route(row, on_the_road),
            on_the_road=on_the_road,
            holds=holds_on_route(route.pk, now=now),
            changes=[(change, changed_words(change)) for change in changes],
        )


def _count_of(stops: QuerySet[Stop]) -> Subquery:
    """Return how many of these a route has: asked for the rows shown, and no other."""
    own = stops.filter(route=OuterRef("pk")).order_by().values("route")
    return Subquery(own.annotate(n=Count("pk")).values("n"))


def changed_words(change: PlanChange) -> str:
    """Return in words what a change of a route changed."""
    parts = [
        (len(change.added), "added"),
        (len(change.removed), "removed"),
        (len(change.moved), "moved"),
        (len(change.eta_moved), "at another time"),
    ]
    return ", ".join(f"{count} {word}" for count, word in parts if count) or NOTHING


@admin.register(PlanChange)
class PlanChangePage(FactPage, DepotScopedAdmin):
    """What drivers were told of, and whether they have confirmed it."""

    depot_path = "route__depot"
    list_display = ["made", "driver", "day", "what", "why", "confirmed"]
    list_filter = [("acknowledged_at", admin.EmptyFieldListFilter), "route__depot"]
    search_fields = ["driver__name", "why"]
    fields = ["made", "driver", "day", "what", "why", "confirmed", "route_version"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanChange]:
        """Return the changes with all that their rows show."""
        rows: QuerySet[PlanChange] = super().get_queryset(request)
        return rows.select_related("driver", "route__depot")

    @column("When", ordering="made_at")
    def made(self, change: PlanChange) -> str:
        """Return when it was made."""
        return local_time(change.made_at, change.route.depot.time_zone)

    @column("Day", ordering="route__service_date")
    def day(self, change: PlanChange) -> str:
        """Return the route's day."""
        return f"{change.route.service_date:%a %d %b %Y}"

    @column("Stops")
    def what(self, change: PlanChange) -> str:
        """Return what it changed."""
        return changed_words(change)

    @column("Confirmed", ordering="acknowledged_at")
    def confirmed(self, change: PlanChange) -> str:
        """Return when the driver confirmed it."""
        if change.acknowledged_at is None:
            return "not yet"
        return local_time(change.acknowledged_at, change.route.depot.time_zone)
