"""The page on which a customer follows a delivery."""

import math
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string

from apps.core.problems import Invalid
from apps.customers.changes import time_change
from apps.customers.selectors import where_is
from apps.customers.services import count_inquiry, customer_of, object_to_change
from apps.customers.states import Channel, Purpose
from apps.customers.tracking import Tracked
from apps.customers.views.door import Visit, opened
from apps.customers.words import headline, is_decided, steps_of, why_changed
from apps.feedback.words import answer_in_words
from apps.recommendations.words import CUSTOMER, how_to_object

NEAR_S, FAR_S, OVER_S = 20, 60, 0
"""After how many seconds the page asks again; 0: never."""


@opened(Purpose.TRACKING)
def tracking_page(visit: Visit) -> HttpResponse:
    """Show where the delivery is; a press on the button is a question that counts."""
    if visit.request.method == "POST":
        if visit.request.POST.get("do") == "object":
            words = visit.request.POST.get("words", "")
            object_to_change(link=visit.link, words=words, now=visit.now)
        else:
            _count(visit)
        return visit.again("tracking")
    tracked = where_is(visit.link.order_id, now=visit.now)
    context = _context(visit, tracked) | _change(visit)
    return visit.page("customers/tracking.html", context)


def _change(visit: Visit) -> dict[str, Any]:
    """Return why the time has changed, and how to object; nothing where it has not."""
    change = time_change(visit.link, now=visit.now)
    if change is None:
        return {}
    said = change.said
    return {
        "change": change,
        "change_why": why_changed(change.why),
        "by_people": is_decided(change.why),
        "how_to_object": how_to_object(CUSTOMER),
        "said_answer": answer_in_words(said.answer_code, said.answer) if said else "",
    }


@opened(Purpose.TRACKING)
def tracking_now(visit: Visit) -> HttpResponse:
    """Answer the page's own questions: the part that lives, and when to ask again."""
    if visit.request.method != "GET":
        raise Invalid
    tracked = where_is(visit.link.order_id, now=visit.now)
    zone = ZoneInfo(visit.link.order.depot.time_zone)
    at = f"{visit.now.astimezone(zone):%H:%M}"
    html = render_to_string(
        "customers/_live.html", _context(visit, tracked), request=visit.request
    )
    return JsonResponse({"html": html, "again_s": _again_s(tracked), "at": at})


def _count(visit: Visit) -> None:
    count_inquiry(
        order_id=visit.link.order_id,
        channel=Channel.PAGE,
        by=customer_of(visit.link),
        now=visit.now,
    )


def _context(visit: Visit, tracked: Tracked) -> dict[str, Any]:
    order = visit.link.order
    return {
        "tracked": tracked,
        "zone": ZoneInfo(order.depot.time_zone),
        "headline": headline(tracked),
        "steps": steps_of(tracked),
        "again_s": _again_s(tracked),
        "radius": _radius(tracked),
        "away_km": f"{(tracked.away_m or 0) / 1000:g}",
        "code": visit.code,
        "now": visit.now,
    }


def _again_s(tracked: Tracked) -> int:
    if tracked.is_over:
        return OVER_S
    return NEAR_S if tracked.bearing_deg is not None else FAR_S


def _radius(tracked: Tracked) -> int:
    """Return how far from the middle the van is drawn: the rings are not to scale."""
    away_m = tracked.away_m or 0
    return min(96, round(24 + 72 * math.sqrt(away_m / 3000)))
