"""The model monitor: what the machine said beside what came of it, by day."""

from datetime import date, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.core import clock
from apps.core.office import FactPage
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.feedback.selectors import pulse_survey
from apps.metrics.confidence import WEEKS, confidence_of, span_of_weeks
from apps.metrics.figures import span_of
from apps.metrics.models import DailyFigure
from apps.metrics.monitored import MONITORED, as_text
from apps.metrics.monitoring import (
    calibration_of,
    courses_of,
    parts_of,
    span_until,
)
from apps.metrics.plots import calibration_plot, small_of
from apps.metrics.weekplots import panels_of
from apps.routes.board import today_of
from apps.routes.intervaltrial import interval_trial
from apps.routes.selectors import parameters_in_force

TRIED = timedelta(days=13)
"""The last fortnight's tellings are tried with the margins known before it."""

SPANS = (12, 26, 52)
"""So many weeks of confidence can be looked at."""

BY_PART = ("override_rate", "acceptance_rate", "approval_rate")
PART_TITLES = {
    "override_rate": "Overrides by stops",
    "acceptance_rate": "Recommendations followed",
    "approval_rate": "Requests approved",
}


@admin.register(DailyFigure)
class DailyFigurePage(FactPage, DepotScopedAdmin):
    """The figures themselves, and the page that draws them."""

    list_display = ["day", "depot", "name", "key", "value", "n", "is_drift"]
    list_filter: ClassVar[list[Any]] = ["is_drift", "name"]
    search_fields = ["name", "key"]
    list_select_related = ["depot"]
    list_before_template = "metrics/monitor_link.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page with the plots before those of the rows."""
        view = self.admin_site.admin_view
        more = [
            path("monitor/", view(self.monitor), name="metrics_dailyfigure_monitor"),
            path(
                "confidence/",
                view(self.confidence),
                name="metrics_dailyfigure_confidence",
            ),
        ]
        return [*more, *super().get_urls()]

    def confidence(self, request: HttpRequest) -> HttpResponse:
        """Show how confident each role is by week, beside the weeks' work."""
        if not request.user.has_perm("feedback.view_survey"):
            raise PermissionDenied
        depots = list(Depot.objects.visible_to(request.user))
        return self.page(
            request,
            "metrics/confidence.html",
            title="Confidence",
            depots=depots,
            **(_confidence(request, depots) if depots else {}),
        )

    def monitor(self, request: HttpRequest) -> HttpResponse:
        """Show each figure's course with its limits, and coverage by zone and hour."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        depots = list(Depot.objects.visible_to(request.user))
        wanted = request.GET.get("depot", "")
        first_of_all = depots[0] if depots else None
        depot = next((one for one in depots if str(one.pk) == wanted), first_of_all)
        return self.page(
            request,
            "metrics/monitor.html",
            title="Model monitor",
            depots=depots,
            depot=depot,
            **(_drawn(depot, _last_day(request, depot)) if depot else {}),
        )


def _last_day(request: HttpRequest, depot: Depot) -> date:
    """Return the day that is asked for, or today by the depot's clock."""
    try:
        return date.fromisoformat(request.GET.get("last", ""))
    except ValueError:
        return today_of(depot, clock.now())


def _confidence(request: HttpRequest, depots: list[Depot]) -> dict[str, Any]:
    """Return the trend of the pulse, of one depot or of all that the user works for."""
    wanted = request.GET.get("depot", "")
    depot = next((one for one in depots if str(one.pk) == wanted), None)
    if depot is None and len(depots) == 1:
        depot = depots[0]
    asked = request.GET.get("weeks", "")
    weeks = int(asked) if asked in map(str, SPANS) else WEEKS
    last = _last_day(request, depot or depots[0])
    context = {"depot": depot, "spans": SPANS, "weeks": weeks, "last": last}
    survey = pulse_survey(request.GET.get("survey", ""))
    if survey is None:
        return context
    shown = [depot] if depot else depots
    found = confidence_of(survey, shown, *span_of_weeks(last, weeks))
    return context | {
        "found": found,
        "panels": panels_of(found),
        "rows": [
            (week, [week.voice(role) for role in found.roles])
            for week in reversed(found.weeks)
        ],
    }


def _drawn(depot: Depot, last: date) -> dict[str, Any]:
    first, last = span_until(last)
    courses = courses_of(depot.pk, first, last)
    return {
        "first": first,
        "last": last,
        "plots": [
            {
                "about": MONITORED[course.name],
                "value": as_text(course.name, course.last.value),
                "row": course.last,
                "drifts": [
                    (row.day, as_text(course.name, row.value)) for row in course.drifts
                ],
                "usual": as_text(course.name, course.last.centre)
                if course.last.centre is not None
                else "",
                "picture": small_of(course, first, last),
            }
            for course in courses
        ],
        "calibration": calibration_plot(calibration_of(depot.pk, first, last)),
        "method": parameters_in_force(depot.pk, clock.now()).eta_interval,
        "trial": interval_trial(
            depot.pk,
            span_of(depot, last - TRIED).from_at,
            span_of(depot, last).until_at,
        ),
        "parts": [
            (PART_TITLES[name], rows)
            for name in BY_PART
            if (rows := _worded(parts_of(depot.pk, name, first, last)))
        ],
    }


def _worded(parts: list[Any]) -> list[tuple[str, str, float, int]]:
    return [
        (
            part.key.partition(":")[0],
            part.key.partition(":")[2].replace("_", " "),
            round(100 * part.share, 1),
            part.n,
        )
        for part in parts
    ]
