"""The way around the office: pages grouped by what people do."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Run the day",
        (
            ("overrides.override", "rule"),
            ("incidents.incident", "emergency"),
            ("incidents.actionitem", "checklist"),
            ("routes.route", "local_shipping"),
            ("routes.planchange", "published_with_changes"),
            ("routes.condition", "traffic"),
        ),
    ),
    (
        "Plan",
        (
            ("routes.plan", "route"),
            ("recommendations.recommendation", "lightbulb"),
            ("verdicts.verdict", "balance"),
            ("verdicts.rightsproposal", "add_moderator"),
            ("drivers.shift", "calendar_month"),
            ("depots.zone", "polyline"),
        ),
    ),
    (
        "Orders and customers",
        (
            ("orders.order", "package_2"),
            ("orders.importrun", "upload_file"),
            ("orders.quarantinedrow", "report"),
            ("orders.customer", "group"),
            ("orders.address", "location_on"),
            ("customers.addressproposal", "wrong_location"),
            ("customers.link", "link"),
            ("promises.hold", "hourglass_top"),
        ),
    ),
    (
        "Messages",
        (
            ("notifications.message", "sms"),
            ("notifications.reply", "reply"),
            ("notifications.consent", "how_to_reg"),
            ("notifications.messagepolicy", "tune"),
            ("notifications.messagetemplate", "edit_note"),
        ),
    ),
    (
        "People and vehicles",
        (
            ("drivers.driver", "badge"),
            ("drivers.vehicle", "airport_shuttle"),
            ("drivers.vehicletype", "category"),
            ("drivers.device", "smartphone"),
            ("depots.absence", "event_busy"),
        ),
    ),
    (
        "Listen and learn",
        (
            ("metrics.dailyfigure", "monitoring"),
            ("feedback.feedback", "forum"),
            ("feedback.survey", "poll"),
            ("feedback.surveyimport", "upload"),
            ("feedback.surveyhook", "webhook"),
            ("tuning.proposal", "published_with_changes"),
            ("learning.estimate", "school"),
        ),
    ),
    (
        "Look into it",
        (
            ("journal.entry", "history"),
            ("sync.deviceevent", "inbox"),
            ("sync.quarantinedevent", "gpp_maybe"),
            ("sync.attachment", "photo_camera"),
            ("core.taskrun", "manufacturing"),
        ),
    ),
    (
        "Set up",
        (
            ("overrides.decisionright", "gavel"),
            ("routes.depotmode", "switches"),
            ("routes.decisionpoint", "rule_settings"),
            ("incidents.playbook", "menu_book"),
            ("incidents.workcap", "scale"),
            ("promises.slotrules", "event_available"),
            ("customers.pickuppoint", "storefront"),
            ("customers.customerpage", "web"),
            ("depots.depot", "warehouse"),
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
