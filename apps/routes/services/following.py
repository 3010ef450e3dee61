"""How routes follow what happens to orders and shifts below them."""

import uuid
from datetime import datetime

from apps.core.actors import Actor
from apps.drivers.models import Shift
from apps.drivers.states import ShiftState
from apps.journal.services import writing
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.routes.models import Route, Stop
from apps.routes.services.holding import end_pins_of_other_days
from apps.routes.services.releasing import release_stop
from apps.routes.states import DONE, RouteState, StopState


def follow_order(order_id: uuid.UUID, *, by: Actor, now: datetime) -> bool:
    """Let an order's open stop follow its change; tell whether a route must follow.

    A cancelled order's stop is over; one that moved to another day leaves its route;
    any other change is told to the driver who holds it.
    """
    with writing(by=by, now=now) as journal:
        order = Order.objects.filter(pk=order_id).first()
        stop = (
            Stop.objects.filter(order_id=order_id)
            .exclude(status__in=DONE)
            .select_related("route")
            .first()
        )
        if order is None or stop is None:
            return False
        route = stop.route
        end_pins_of_other_days(stop, order.service_date, journal)
        if order.status == OrderState.CANCELLED:
            return release_stop(
                stop.pk, because="order_cancelled", cancel=True, by=by, now=now
            )
        if route is not None and route.service_date != order.service_date:
            return release_stop(
                stop.pk, because="order_moved", cancel=False, by=by, now=now
            )
        if route is not None and route.status != RouteState.DRAFT:
            journal.changed(route.driver_id, "orders", order.pk)
    return route is not None


def follow_shift(shift_id: uuid.UUID, *, by: Actor, now: datetime) -> uuid.UUID | None:
    """Let a route follow its shift's start or end; return the route, if there is one.

    What an ended shift has not visited goes back to be planned anew.
    """
    with writing(by=by, now=now) as journal:
        shift = Shift.objects.filter(pk=shift_id).first()
        route = Route.objects.filter(shift_id=shift_id).first()
        if shift is None or route is None:
            return None
        journal.lock([route.driver_id])
        if shift.status in {ShiftState.ENDED, ShiftState.CANCELLED}:
            rest = Stop.objects.filter(route=route, status=StopState.PENDING)
            for stop_id in list(rest.values_list("pk", flat=True)):
                release_stop(
                    stop_id, because="shift_ended", cancel=False, by=by, now=now
                )
            Route.objects.filter(pk=route.pk).update(status=RouteState.FINISHED)
        elif route.status == RouteState.PUBLISHED:
            Route.objects.filter(pk=route.pk).update(status=RouteState.STARTED)
        if route.status != RouteState.DRAFT:
            journal.changed(route.driver_id, "routes", route.pk)
    return route.pk
