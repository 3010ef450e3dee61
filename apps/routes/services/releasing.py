"""Stops taken off their routes, and what is forgotten of them then."""

import uuid
from datetime import datetime

from apps.core.actors import Actor
from apps.journal.services import writing
from apps.routes.models import Stop, StopAssignment
from apps.routes.pinned import Pin
from apps.routes.services.holding import end_pins
from apps.routes.services.stoplocks import lock_stop
from apps.routes.states import DONE, UNDER_WAY, RouteState, StopState


def release_stop(
    stop_id: uuid.UUID, *, because: str, cancel: bool, by: Actor, now: datetime
) -> bool:
    """Take an open stop off its route; tell whether anything was to be taken.

    With `cancel` the visit is over for good; without it the stop waits for a place.
    A stop under way stays with its driver: the driver hears of the order's new state.
    What people had pinned of it is over with its route.
    """
    with writing(by=by, now=now) as journal:
        stop = lock_stop(stop_id, journal)
        if stop is None or stop.status in DONE:
            return False
        route = stop.route
        if stop.status in UNDER_WAY and route is not None:
            journal.changed(route.driver_id, "orders", stop.order_id)
            journal.changed(route.driver_id, "stops", stop.pk)
            return False
        if cancel:
            stop.status = StopState.CANCELLED
            stop.completed_at = now
        stop.version += 1
        stop.route, stop.sequence = None, 0
        forget_eta(stop)
        stop.save()
        end_pins([stop.pk], journal, kinds=Pin.Kind.values)
        if route is not None:
            _end_assignment(stop, now)
            if route.status != RouteState.DRAFT:
                journal.removed(route.driver_id, "stops", stop.pk)
                journal.removed(route.driver_id, "orders", stop.order_id)
        journal.record(
            "stop.released",
            stop,
            depot_id=stop.order.depot_id,
            because=because,
            route_id=str(route.pk) if route else None,
            service_date=stop.order.service_date.isoformat(),
        )
    return route is not None


def forget_eta(stop: Stop) -> None:
    """Take from a stop that is off its route all that was expected of it."""
    stop.plan_eta_at = stop.eta_at = stop.eta_low_at = stop.eta_high_at = None
    stop.told_low_at = stop.told_high_at = None
    stop.leg_s = stop.leg_from = None
    stop.eta_reason = stop.road_warning = stop.road_warning_text = ""


def _end_assignment(stop: Stop, now: datetime) -> None:
    StopAssignment.objects.filter(stop=stop, until_at=None).update(until_at=now)
