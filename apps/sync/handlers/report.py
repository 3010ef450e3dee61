"""What a handler is given, and what all of them look up."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.core.actors import Actor
from apps.core.verdicts import Verdict
from apps.journal.services import Writer
from apps.routes.models import Stop
from apps.routes.selectors import parse_id
from apps.sync.models import DeviceEvent

RETRY: Final = "retry"
HELD: Final = "held"
NO_ID: Final = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Report:
    """An event in the inbox, with its payload checked, and who reports when."""

    event: DeviceEvent
    payload: object
    by: Actor
    now: datetime


Handler = Callable[[Report, Writer], Verdict]


def stop_of(event: DeviceEvent) -> Stop | None:
    """Return the stop of an event, if it was ever its driver's."""
    stops = Stop.objects.filter(pk=parse_id(event.stop_id) or NO_ID)
    mine = stops.filter(assignments__driver_id=event.driver_id)
    return mine.select_related("route", "order").first()
