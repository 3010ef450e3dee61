"""The lines of routes along the roads: kept beside them, for pictures."""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction

from apps.routes.lines import Line
from apps.routes.models import Route, RouteWay


def keep_way(
    route_id: uuid.UUID,
    *,
    wanted: Collection[str],
    fresh: Mapping[str, Line],
    source: str,
    version: str,
    now: datetime,
) -> RouteWay | None:
    """Keep fresh lines beside those that still hold; None where the route has gone.

    A line belongs to a pair of places, so one that comes late does no harm. Lines of
    another version of the roads are given up.
    """
    with transaction.atomic():
        route = Route.objects.select_for_update().filter(pk=route_id).first()
        if route is None:
            return None
        way = RouteWay.objects.filter(route=route).first() or RouteWay(route=route)
        holds = (way.source, way.version) == (source, version)
        known = {**(way.lines if holds else {}), **fresh}
        way.lines = {key: line for key, line in known.items() if key in wanted}
        way.source, way.version, way.made_at = source, version, now
        way.save()
    return way
