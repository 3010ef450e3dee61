"""What a push moves beyond its own rows: the ETAs of the routes that it touched."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import structlog
from django.db import OperationalError

from apps.core import queue
from apps.core.actors import Actor
from apps.routes.selectors import routes_in_motion
from apps.routes.services.etas import refresh_etas
from apps.sync.models import DeviceEvent
from apps.sync.services.judging import HELD

log = structlog.get_logger(__name__)

MOVING: Final = ("stop.", "shift.")
"""The kinds of events that say where a driver is in the day."""


def expect_anew(events: Iterable[DeviceEvent], *, by: Actor, now: datetime) -> None:
    """Make the ETAs anew of the routes that events moved: once, however many there are.

    Evidence never waits for an estimate: where this fails, a task tries again.
    """
    moving = [
        row for row in events if row.kind.startswith(MOVING) and row.result != HELD
    ]
    if not moving:
        return
    stop_ids = {row.stop_id for row in moving}
    drivers = {row.driver_id for row in moving if row.kind.startswith("shift.")}
    route_ids = routes_in_motion(stop_ids, drivers, now)
    try:
        refresh_etas(route_ids, by=by, now=now)
    except OperationalError:
        raise  # as in judging: the whole push is sent again
    except Exception:
        log.exception("etas_failed")
        again = sorted(map(str, route_ids))
        queue.enqueue("apps.routes.tasks.refresh_etas", route_ids=again)
