"""Which conditions of the road count: read from the tables; never writes."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.core.units import Point
from apps.core.wording import local_time
from apps.routes.conditionrows import Condition
from apps.routes.conditions import DailyHours, RoadCondition
from apps.routes.places import Area, Circle, Place
from apps.routes.states import OPEN_CONDITIONS, ConditionState


def conditions_between(
    depot_id: uuid.UUID, from_at: datetime, until_at: datetime
) -> tuple[RoadCondition, ...]:
    """Return the conditions of a depot that may count between two instants.

    What has expired has no effect, whether or not its row says so already.
    """
    rows = open_conditions(depot_id).filter(from_at__lt=until_at, until_at__gt=from_at)
    found = [road_condition(row) for row in rows.select_related("depot").order_by("id")]
    return tuple(each for each in found if each.intervals(from_at, until_at))


def open_conditions(depot_id: uuid.UUID) -> QuerySet[Condition]:
    """Return the conditions that nobody has ended and the clock has not expired."""
    return Condition.objects.filter(depot_id=depot_id, status__in=OPEN_CONDITIONS)


def conditions_of_day(
    depot_id: uuid.UUID, from_at: datetime, until_at: datetime
) -> QuerySet[Condition]:
    """Return the open conditions that a day's pages show."""
    rows = open_conditions(depot_id).filter(from_at__lt=until_at, until_at__gt=from_at)
    return rows.select_related("depot").order_by("from_at", "id")


def road_condition(row: Condition) -> RoadCondition:
    """Return a condition as planning and ETAs see it."""
    daily = None
    if row.daily_from is not None and row.daily_until is not None:
        daily = DailyHours(row.daily_from, row.daily_until)
    return RoadCondition(
        condition_id=row.pk,
        version=row.version,
        kind=row.kind,
        place=place_of(row),
        from_at=row.from_at,
        until_at=row.until_at,
        percent=row.percent,
        name=str(row),
        zone=row.depot.time_zone,
        daily=daily,
        is_confirmed=row.status != ConditionState.UNCONFIRMED,
    )


def place_of(row: Condition) -> Place | None:
    """Return where a condition is; None: everywhere."""
    if row.boundary is not None:
        return area_of(row.boundary)
    if row.latitude is None or row.longitude is None or row.radius_m is None:
        return None
    return Circle(Point(row.latitude, row.longitude), row.radius_m)


def area_of(boundary: dict[str, Any]) -> Area:
    """Return the area within the outer ring of a GeoJSON Polygon."""
    ring = boundary["coordinates"][0]
    return Area(tuple(Point(corner[1], corner[0]) for corner in ring[:-1]))


def geojson_of(row: Condition) -> dict[str, Any] | None:
    """Return where a condition is, as GeoJSON."""
    if row.boundary is not None:
        boundary: dict[str, Any] = row.boundary
        return boundary
    if row.latitude is None or row.longitude is None:
        return None
    return Point(row.latitude, row.longitude).geojson()


def until_text(row: Condition) -> str:
    """Return until when it counts, by the depot's clock."""
    return local_time(row.until_at, row.depot.time_zone)
