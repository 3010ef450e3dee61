"""Background work of the room: days become figures."""

from datetime import date, timedelta

import structlog

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.metrics.services.rollups import roll_up
from apps.routes.board import today_of

log = structlog.get_logger(__name__)

LATE_DAYS = 3
"""Devices may report so many days late: those days are rolled up again."""


def roll_up_days(*, by_the_clock: bool = True) -> None:
    """Roll up the last days of each depot, the oldest first.

    While the demo's clock stands, whoever set it says when to look.
    """
    if by_the_clock and clock.stands():
        return
    now = clock.now()
    for depot in Depot.objects.order_by("pk"):
        today = today_of(depot, now)
        for back in range(LATE_DAYS, 0, -1):
            rows = roll_up(depot, today - timedelta(days=back), by=SYSTEM, now=now)
            log.info("day_rolled_up", back=back, figures=len(rows))


def roll_up_day(*, depot_id: str, service_date: str) -> None:
    """Roll up one day of one depot, when somebody asks for it."""
    depot = Depot.objects.get(pk=depot_id)
    roll_up(depot, date.fromisoformat(service_date), by=SYSTEM, now=clock.now())
