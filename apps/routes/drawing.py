"""A day's routes drawn along the roads: asked of a source, kept for pictures."""

import uuid
from datetime import date, datetime

import structlog

from apps.routes import selectors
from apps.routes.gateways.base import RoadEngine, RoadsFailed
from apps.routes.lines import wanted_legs
from apps.routes.services import ways
from apps.routes.tracing import missing_lines

log = structlog.get_logger(__name__)


def draw_day(
    roads: RoadEngine, depot_id: uuid.UUID, service_date: date, *, now: datetime
) -> None:
    """Draw the routes of a depot's day.

    Only legs that are not drawn yet are asked for. A source that is down leaves the
    pictures as they are; the next plan asks again.
    """
    for row in selectors.ways_of_day(depot_id, service_date):
        try:
            origin = roads.provenance([place.point for place in row.places])
            known = row.lines_of(origin.source, origin.version)
            fresh = missing_lines(roads, row.places, known)
        except RoadsFailed as error:
            log.warning("ways_not_drawn", why=str(error))
            return
        wanted = wanted_legs(row.places)
        if fresh or known.keys() - set(wanted):
            ways.keep_way(
                row.route_id,
                wanted=wanted,
                fresh=fresh,
                source=origin.source,
                version=origin.version,
                now=now,
            )
