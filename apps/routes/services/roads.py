"""How running routes follow a condition of the road: marked, expected, planned again."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from apps.core.actors import Actor
from apps.journal.services import writing
from apps.routes.conditionrows import Condition
from apps.routes.inforce import place_of
from apps.routes.marks import NEARBY_M
from apps.routes.models import Route
from apps.routes.outlook import Outlook, outlooks
from apps.routes.places import distances_m, shares_of_ways
from apps.routes.services.etas import refresh_etas
from apps.routes.states import RouteState

LATEST_END = timedelta(hours=4)
"""How long after its planned end a route may still be under way."""


def follow_condition(
    condition_id: uuid.UUID, *, by: Actor, now: datetime
) -> list[uuid.UUID]:
    """Mark the stops that a condition touches, or no longer does; return their routes.

    Each route is a transaction of its own, so that no more than one driver waits. What
    is planned again are the routes whose ways pass the place and those whose ETAs or
    marks have moved, as after the end of a condition or a change of its place.
    """
    condition = (
        Condition.objects.select_related("depot").filter(pk=condition_id).first()
    )
    if condition is None:
        return []
    touched: dict[date, list[uuid.UUID]] = defaultdict(list)
    for route_id, service_date in _routes_at_its_time(condition, now):
        moved = refresh_etas([route_id], by=by, now=now)
        if moved or _is_touched(condition, outlooks([route_id], now=now)):
            touched[service_date].append(route_id)
    for service_date, route_ids in sorted(touched.items()):
        with writing(by=by, now=now) as journal:
            journal.record(
                "condition.touched",
                condition,
                depot_id=condition.depot_id,
                service_date=service_date.isoformat(),
                route_ids=sorted(map(str, route_ids)),
            )
    return [route_id for route_ids in touched.values() for route_id in route_ids]


def _routes_at_its_time(
    condition: Condition, now: datetime
) -> list[tuple[uuid.UUID, date]]:
    rows = Route.objects.filter(
        depot_id=condition.depot_id,
        status__in=[RouteState.PUBLISHED, RouteState.STARTED],
        starts_at__lt=condition.until_at,
        ends_at__gt=max(condition.from_at, now) - LATEST_END,
    )
    return list(rows.order_by("pk").values_list("pk", "service_date"))


def _is_touched(condition: Condition, ahead: Sequence[Outlook]) -> bool:
    """Tell whether a way that is ahead passes the place, or a stop lies near it."""
    place = place_of(condition)
    if place is None:
        return bool(ahead)
    for outlook in ahead:
        ends = [visit.point for visit in outlook.visits]
        starts = [outlook.outset.point, *ends[:-1]]
        near_m = NEARBY_M if condition.percent is None else 0
        lines = [visit.line for visit in outlook.visits]
        if (shares_of_ways(place, starts, ends, lines) > 0).any():
            return True
        if (distances_m(place, ends) <= near_m).any():
            return True
    return False
