"""The board that the office opens with, and the way to every other page."""

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from apps.core import clock
from apps.core.models import TaskRun
from apps.core.wording import local_time
from apps.depots.models import Depot
from apps.routes import board
from apps.routes.admin.background import tasks_seen_by
from apps.routes.admin.plans import plan_day_url
from apps.routes.admin.routes import changed_words
from apps.routes.forms import DayForm

TODAY = "metrics/today.html"
SHOWN = 12
"""How many left-out orders, and how many dead tasks, the board names."""

SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "The day",
        (
            ("routes.plan", "route"),
            ("routes.route", "local_shipping"),
            ("routes.planchange", "published_with_changes"),
            ("routes.condition", "traffic"),
            ("incidents.incident", "warning"),
            ("incidents.actionitem", "checklist"),
            ("recommendations.recommendation", "lightbulb"),
        ),
    ),
    (
        "Feedback",
        (
            ("feedback.feedback", "forum"),
            ("feedback.survey", "quiz"),
            ("feedback.surveyimport", "upload"),
        ),
    ),
    (
        "Orders",
        (
            ("orders.order", "package_2"),
            ("orders.importrun", "upload_file"),
            ("orders.quarantinedrow", "report"),
            ("orders.customer", "group"),
            ("orders.address", "location_on"),
        ),
    ),
    (
        "Drivers and vehicles",
        (
            ("drivers.shift", "calendar_month"),
            ("drivers.driver", "badge"),
            ("drivers.vehicle", "airport_shuttle"),
            ("drivers.vehicletype", "category"),
            ("drivers.device", "smartphone"),
        ),
    ),
    (
        "Behind it",
        (
            ("routes.depotmode", "switches"),
            ("routes.decisionpoint", "rule"),
            ("incidents.playbook", "menu_book"),
            ("incidents.workcap", "scale"),
            ("depots.depot", "warehouse"),
            ("depots.zone", "polyline"),
            ("depots.absence", "event_busy"),
            ("journal.entry", "history"),
            ("sync.deviceevent", "inbox"),
            ("sync.quarantinedevent", "gpp_maybe"),
            ("core.taskrun", "manufacturing"),
        ),
    ),
)
ADMINISTRATION = "Administration"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar: the pages that the user may see, in the order of the work."""
    # Imported when asked: the site is complete only after every room's pages are.
    from django.contrib import admin  # noqa: PLC0415

    pages = {
        f"{app['app_label']}.{page['object_name'].lower()}": page
        for app in admin.site.get_app_list(request)
        for page in app["models"]
        if page["admin_url"]
    }
    board_link = {"title": "Today", "icon": "today", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [board_link]}]
    for title, labels in SECTIONS:
        items = [
            _link(pages.pop(label), icon) for label, icon in labels if label in pages
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    if pages:
        rest = [_link(page, "settings") for page in pages.values()]
        groups.append(
            {
                "title": ADMINISTRATION,
                "separator": True,
                "collapsible": True,
                "items": rest,
            }
        )
    return groups


def _link(page: dict[str, Any], icon: str) -> dict[str, Any]:
    return {"title": page["name"], "icon": icon, "link": page["admin_url"]}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the board to the index page: each of the user's depots with its day."""
    user: Any = request.user
    may_see = user.has_perm("routes.view_route") and user.has_perm("routes.view_plan")
    depots = list(Depot.objects.visible_to(user)) if may_see else []
    chosen = DayForm(request.GET)
    day = chosen.cleaned_data["date"] if chosen.is_valid() else None
    may_see_tasks = user.has_perm("core.view_taskrun")
    dead = tasks_seen_by(user).filter(state=TaskRun.State.DEAD).order_by("-id")
    now = clock.now()
    return {
        **context,
        "title": "Today",
        "now": now,
        "boards": sorted(
            (_board(depot, day, now) for depot in depots),
            key=lambda shown: shown["it"].is_empty,
        ),
        "may_see": may_see,
        "may_plan": user.has_perm("routes.add_plan"),
        "may_report": user.has_perm("routes.add_condition"),
        "may_judge": user.has_perm("routes.change_condition"),
        "may_see_why": user.has_perm("recommendations.view_recommendation"),
        "may_see_orders": user.has_perm("orders.view_order"),
        "dead_tasks": list(dead[:SHOWN]) if may_see_tasks else [],
        "dead_count": dead.count() if may_see_tasks else 0,
        "day": day,
    }


def _board(depot: Depot, chosen: date | None, now: datetime) -> dict[str, Any]:
    today = date.fromisoformat(local_time(now, depot.time_zone, "%Y-%m-%d"))
    day = chosen or board.newest_day(depot.pk, today)
    shown = board.day_board(depot, day, today=today, now=now)
    return {
        "it": shown,
        "zone": depot.time_zone,
        "previous": day - timedelta(days=1),
        "next": day + timedelta(days=1),
        "plan_url": plan_day_url(depot, day),
        "changes": [(change, changed_words(change)) for change in shown.changes],
        "left_out": shown.left_out[:SHOWN],
        "left_out_more": max(0, len(shown.left_out) - SHOWN),
        "rows": [
            (row, row.next_stop, board.is_behind(row.next_stop, now))
            for row in shown.routes
        ],
    }
