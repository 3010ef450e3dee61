"""Background work of the journey: tell customers what an event, or time, has made due."""

import uuid
from collections.abc import Sequence
from datetime import date, timedelta

from apps.core import clock
from apps.core.actors import SYSTEM, Actor
from apps.core.units import Point
from apps.customers import whereabouts
from apps.customers.services import addresses, telling

LOOKED_AHEAD = timedelta(hours=3)
"""How far ahead the clock's look goes: further than any depot says "on the way"."""


def tell_day(*, depot_id: str, service_date: str) -> None:
    """Tell a day's customers their window, or that it has moved."""
    stops = whereabouts.stops_of_day(
        uuid.UUID(depot_id), date.fromisoformat(service_date)
    )
    telling.tell_stops(stops, by=SYSTEM, now=clock.now())


def tell_near(*, by_the_clock: bool = True) -> None:
    """Tell those to whom a driver comes soon, or too late.

    While the demo's clock stands, whoever set it says when to look.
    """
    if by_the_clock and clock.stands():
        return
    now = clock.now()
    stops = whereabouts.stops_near(until=now + LOOKED_AHEAD, now=now)
    for theirs in whereabouts.by_depot(stops).values():
        telling.tell_stops(theirs, by=SYSTEM, now=now)


def tell_next(*, stop_ids: Sequence[str]) -> None:
    """Tell the customers to whom a driver has set out."""
    now = clock.now()
    stops = whereabouts.stops_ahead(_ids(stop_ids))
    for theirs in whereabouts.by_depot(stops).values():
        telling.tell_stops(theirs, by=SYSTEM, now=now)


def tell_missed(*, stop_ids: Sequence[str]) -> None:
    """Say sorry for failed attempts."""
    telling.tell_missed(_ids(stop_ids), by=SYSTEM, now=clock.now())


def ask_how_it_was(*, stop_ids: Sequence[str]) -> None:
    """Ask how deliveries were."""
    telling.ask_how_it_was(_ids(stop_ids), by=SYSTEM, now=clock.now())


def answer_where(*, reply_id: str) -> None:
    """Answer a question for an order."""
    telling.answer_where(uuid.UUID(reply_id), by=SYSTEM, now=clock.now())


def propose_pin(*, driver_id: str, stop_id: str, lat: float, lon: float) -> None:
    """Put a driver's pin before the office: it counts once somebody has approved it."""
    addresses.propose_pin(
        stop_id=uuid.UUID(stop_id),
        point=Point(lat, lon),
        by=Actor("driver", driver_id),
        now=clock.now(),
    )


def _ids(texts: Sequence[str]) -> list[uuid.UUID]:
    return [uuid.UUID(text) for text in texts]
