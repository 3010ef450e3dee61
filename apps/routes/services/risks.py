"""The risk of each running route, made anew with its ETAs."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.core.cache import cache

from apps.orders.models import Order
from apps.routes.courses import Ahead, course_of, spread_of
from apps.routes.experience import services_by_zone
from apps.routes.models import Route
from apps.routes.outlook import Outlook
from apps.routes.risk import Risk, assess

KEPT_S = 3_600
"""How long what past days teach is kept: it changes from day to day."""


def note_risks(
    route_ids: Collection[uuid.UUID], outlooks: Sequence[Outlook], *, now: datetime
) -> None:
    """Write down the risk of these routes; one with nothing ahead has none any more.

    It belongs to a verb that holds the routes' drivers. No fact, so no journal.
    """
    with_stops = {outlook.route.pk for outlook in outlooks}
    over = Route.objects.filter(pk__in=set(route_ids) - with_stops)
    over.filter(risk_percent__isnull=False).update(
        risk_percent=None, risk_causes=[], risk_at=now
    )
    zones = _zones(outlooks)
    for outlook in outlooks:
        route = outlook.route
        ahead = _ahead(outlook, zones, _experience(route.depot_id, now))
        risk = assess(course_of(ahead), spread_of(outlook.law))
        Route.objects.filter(pk=route.pk).update(
            risk_percent=round(risk.probability * 100),
            risk_causes=_causes(risk),
            risk_at=now,
        )


def _causes(risk: Risk) -> list[dict[str, object]]:
    return [
        {
            "code": cause.code,
            "text": cause.text[:1].upper() + cause.text[1:],
            "percent": round(cause.share * 100),
        }
        for cause in risk.causes
    ]


def _ahead(
    outlook: Outlook, zones: Mapping[uuid.UUID, str], factors: Mapping[str, float]
) -> Ahead:
    route = outlook.route
    shift = route.shift
    return Ahead(
        outset=outlook.outset,
        visits=outlook.visits,
        rests=outlook.rests,
        conditions=outlook.conditions,
        law=outlook.law,
        numbers=tuple(stop.sequence for stop in outlook.stops),
        zones=tuple(zones.get(stop.order_id, "") for stop in outlook.stops),
        service_factors=factors,
        home=route.depot.point,
        latest_at=shift.ends_at + timedelta(seconds=shift.max_overtime_s),
    )


def _zones(outlooks: Sequence[Outlook]) -> dict[uuid.UUID, str]:
    orders = [stop.order_id for outlook in outlooks for stop in outlook.stops]
    rows = Order.objects.filter(pk__in=orders, zone__isnull=False)
    return dict(rows.values_list("pk", "zone__name"))


def _experience(depot_id: uuid.UUID, now: datetime) -> dict[str, float]:
    key = f"services-by-zone-{depot_id}"
    held: dict[str, float] | None = cache.get(key)
    if held is None:
        held = services_by_zone(depot_id, now=now)
        cache.set(key, held, KEPT_S)
    return held
