"""The board that the office opens with: a depot's day as it goes, kept fresh."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from apps.core import clock
from apps.core.models import TaskRun
from apps.core.units import Point
from apps.core.wording import duration, local_time
from apps.depots.models import Depot
from apps.metrics.bars import Bars, bars_of, drawn
from apps.metrics.forms import BoardForm
from apps.metrics.selectors import (
    LiveBoard,
    board_version,
    depot_days,
    live_board,
    opening_depot,
)
from apps.metrics.standing import SILENT_S, Standing, late_by_s
from apps.routes import board
from apps.routes.admin.background import tasks_seen_by
from apps.routes.admin.drawing import map_about
from apps.routes.admin.plans import plan_day_url
from apps.routes.admin.routes import changed_words
from apps.routes.pictures import MANY_STOPS, MapPicture, MapVehicle
from apps.routes.stopfacts import eta_reasons

TODAY = "metrics/today.html"
SHOWN = 12
"""How many late stops, left-out orders and dead tasks the board names."""
EVERY_S = 10
KEPT_S = 60

MAY = {
    "may_plan": "routes.add_plan",
    "may_report": "routes.add_condition",
    "may_judge": "routes.change_condition",
    "may_see_why": "recommendations.view_recommendation",
    "may_see_orders": "orders.view_order",
    "may_see_places": "drivers.view_device",
    "may_see_tasks": "core.view_taskrun",
    "may_see_incidents": "incidents.view_incident",
    "may_see_overrides": "overrides.view_override",
    "may_see_mode": "routes.view_depotmode",
}
"""What of the board depends on a permission."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which board a request is for."""

    depot: Depot
    day: date
    only: str
    now: datetime
    is_chosen: bool
    """Whether the reader chose the day, so that links keep it."""

    @property
    def query(self) -> str:
        """The address's question that leads to this very board."""
        return urlencode(
            {"depot": self.depot.code, "date": f"{self.day}", "only": self.only}
        )


def may_see_days(user: Any) -> bool:
    """Tell whether the user's role has a board at all."""
    return bool(
        user.has_perm("routes.view_route") and user.has_perm("routes.view_plan")
    )


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the board to the index page: one depot's day, and a way to each other's."""
    user: Any = request.user
    context |= {"title": "Today", "may_see": may_see_days(user)}
    if not context["may_see"]:
        return {**context, "dead": _gave_up(user)}
    depots = Depot.objects.visible_to(user)
    form = BoardForm(request.GET or None, depots=depots)
    asked = _asked(request, form)
    if asked is None:
        return context
    shown = list(depots)
    days = [
        asked.day if asked.is_chosen else board.today_of(depot, asked.now)
        for depot in shown
    ]
    version = _version(asked, user)
    return {
        **context,
        "asked": asked,
        "strip": depot_days(shown, days) if len(shown) > 1 else [],
        "depots": shown,
        "live": _live(request, asked, version),
        "previous": asked.day - timedelta(days=1),
        "next": asked.day + timedelta(days=1),
    }


def board_panel(request: HttpRequest) -> HttpResponse:
    """Return the part of the board that moves; 304 while nothing has.

    Raises:
        PermissionDenied: the role has no board.
        Http404: there is no such depot for the user.
    """
    user: Any = request.user
    if not may_see_days(user):
        raise PermissionDenied
    form = BoardForm(request.GET, depots=Depot.objects.visible_to(user))
    asked = _asked(request, form)
    if asked is None or not form.is_valid():
        raise Http404
    etag = _version(asked, user)
    answer: HttpResponse
    if request.headers.get("If-None-Match") == etag:
        answer = HttpResponseNotModified()
    else:
        answer = HttpResponse(_live(request, asked, etag))
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, no-cache"
    return answer


panel_view = admin.site.admin_view(board_panel)


def _asked(request: HttpRequest, form: BoardForm) -> Asked | None:
    now = clock.now()
    chosen = form.cleaned_data if form.is_valid() else {}
    depot = chosen.get("depot") or opening_depot(request.user, now)
    if depot is None:
        return None
    day = chosen.get("date")
    return Asked(
        depot=depot,
        day=day or board.newest_day(depot.pk, board.today_of(depot, now)),
        only=chosen.get("only", ""),
        now=now,
        is_chosen=day is not None,
    )


def _version(asked: Asked, user: Any) -> str:
    depots = Depot.objects.visible_to(user).order_by("pk")
    seen_as = [
        asked.only,
        asked.query,
        *(user.has_perm(name) for name in MAY.values()),
        *depots.values_list("pk", flat=True),
        get_language(),
    ]
    version = board_version(asked.depot, asked.day, now=asked.now, seen_as=seen_as)
    return f'W/"{version}"'


def _live(request: HttpRequest, asked: Asked, etag: str) -> SafeString:
    """Return the part that is fetched again and again.

    The tag says all that it is made of: whoever sees the same of the same depot shares
    it as long as it stands.
    """

    def look() -> SafeString:
        panel = _panel(request, asked)
        context = {
            "panel": panel,
            "panel_url": f"{reverse('board')}?{asked.query}",
            "etag": etag,
            "every_s": EVERY_S,
        }
        text = render_to_string("metrics/live.html", context, request)
        # A template's context holds itself: without this thousands of stops would
        # stay until the garbage collector finds them.
        panel.clear()
        return text

    found: str | None = cache.get_or_set(f"board:{etag[3:-1]}", look, KEPT_S)
    return mark_safe(found or look())  # noqa: S308  rendered above


def _panel(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """Return all that the moving part of the board shows."""
    user: Any = request.user
    may = {name: user.has_perm(need) for name, need in MAY.items()}
    it = live_board(asked.depot, asked.day, now=asked.now)
    zone = asked.depot.time_zone
    shown = [s for s in it.standings if asked.only != "trouble" or not s.is_calm]
    is_dense = sum(one.row.total for one in shown) > MANY_STOPS
    bars = bars_of(shown, asked.now, zone, is_dense=is_dense) if shown else None
    vehicles = _vehicles(it, asked.now) if may["may_see_places"] else []
    return {
        **may,
        **_gave_up(user),
        "it": it,
        "asked": asked,
        "zone": zone,
        "now": asked.now,
        "bars": bars,
        "rows": _rows(shown, bars) if bars else [],
        "plan_url": plan_day_url(asked.depot, asked.day),
        "map": _map(it, vehicles),
        "vehicles": vehicles,
        "late": _late(it, asked.now)[:SHOWN],
        "failed": [(one, stop) for one in it.standings for stop in one.failed][:SHOWN],
        "changes": [(change, changed_words(change)) for change in it.changes],
        "left_out": it.left_out[:SHOWN],
        "left_out_more": max(0, len(it.left_out) - SHOWN),
    }


def _rows(
    shown: Sequence[Standing], bars: Bars
) -> list[tuple[Standing, SafeString, str]]:
    """Return each route with its bar, and with why its next ETA is what it is."""
    following = [one.next_stop.pk if one.next_stop else None for one in shown]
    reasons = eta_reasons([key for key in following if key])
    return [
        (one, drawn(bar, bars.now_x), reasons.get(key, "") if key else "")
        for one, bar, key in zip(shown, bars.routes, following, strict=True)
    ]


def _gave_up(user: Any) -> dict[str, Any]:
    if not user.has_perm(MAY["may_see_tasks"]):
        return {"dead_tasks": [], "dead_count": 0}
    dead = tasks_seen_by(user).filter(state=TaskRun.State.DEAD).order_by("-id")
    return {"dead_tasks": list(dead[:SHOWN]), "dead_count": dead.count()}


def _late(it: LiveBoard, now: datetime) -> list[tuple[Standing, Any, int]]:
    """Return the stops ahead that are expected too late, the worst first; in minutes."""
    now_s = int(now.timestamp())
    found = [
        (one, stop, round(late_by_s(stop, now_s) / 60))
        for one in it.standings
        for stop in one.late
    ]
    return sorted(found, key=lambda item: -item[2])


def _map(it: LiveBoard, vehicles: list[MapVehicle]) -> MapPicture | None:
    if it.is_empty:
        return None
    rows = [one.row for one in it.standings]
    return map_about(it.depot, rows, it.left_out, it.conditions, vehicles=vehicles)


def _vehicles(it: LiveBoard, now: datetime) -> list[MapVehicle]:
    """Return where each route's vehicle was last, and how long ago that is."""
    found = []
    for one in it.standings:
        fix = it.positions.get(one.row.route.driver_id)
        if fix is None:
            continue
        age_s = max(0, int(now.timestamp()) - fix.occurred_ms // 1000)
        at = local_time(
            datetime.fromtimestamp(fix.occurred_ms / 1000, now.tzinfo),
            it.depot.time_zone,
            "%H:%M",
        )
        name = one.row.route.driver.name
        vehicle = one.row.route.shift.vehicle.name
        found.append(
            MapVehicle(
                point=Point(fix.lat_e6 / 1e6, fix.lon_e6 / 1e6),
                title=f"{name} · {vehicle} · seen {at}, {duration(age_s)} ago",
                name=name,
                colour=one.row.colour,
                is_stale=age_s > SILENT_S,
            )
        )
    return found
