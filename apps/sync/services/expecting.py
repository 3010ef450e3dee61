"""What a push moves beyond its own rows: the ETAs of the routes that it touched."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from apps.routes.selectors import parse_id, routes_in_motion
from apps.routes.services.etas import note_etas_due
from apps.sync.kinds import CORRECTED
from apps.sync.models import DeviceEvent
from apps.sync.services.judging import HELD

MOVING: Final = ("stop.", "shift.", CORRECTED)
"""The kinds of events that say where a driver is in the day."""


def expect_anew(events: Iterable[DeviceEvent], *, now: datetime) -> None:
    """Have the ETAs made anew of the routes that events moved: once, however many.

    Evidence never waits for an estimate: a task makes it, and the drivers hear of it.
    """
    moving = [
        row for row in events if row.kind.startswith(MOVING) and row.result != HELD
    ]
    if not moving:
        return
    drivers = {row.driver_id for row in moving if row.kind.startswith("shift.")}
    driven = routes_in_motion((), drivers, now) if drivers else set()
    stop_ids = {parsed for row in moving if (parsed := parse_id(row.stop_id))}
    note_etas_due(stop_ids, driven, now=now)
