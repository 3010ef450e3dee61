"""The live days as they stand, kept by the process, and refreshed route by route.

To lay a route out costs milliseconds, to find out whether it has changed costs almost
nothing: only what has a new mark is read again. Nothing here is a fact that would be
lost with the process; a second process keeps its own.
"""

import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from threading import Lock
from typing import Final

from apps.orders.models import Order
from apps.promises.models import Hold
from apps.promises.selectors import marks_of_day
from apps.promises.slots import Table, table_of
from apps.promises.standing import Standing, plain_day, stand
from apps.routes.conditions import RoadCondition
from apps.routes.dayinputs import DayInput, Interval, OrderInput
from apps.routes.gateways.base import TravelTimes
from apps.routes.inforce import conditions_between
from apps.routes.intake import running_input
from apps.routes.models import Route
from apps.routes.needs import needs_of
from apps.routes.parameters import Parameters
from apps.routes.servicetimes import service_of

MOST_DAYS: Final = 24
"""Depots' days that a process keeps laid out."""


@dataclass(frozen=True, slots=True)
class LiveDay:
    """A published day: its routes, their marks, and all their gaps in one table."""

    since: datetime
    routes: tuple[Standing, ...]
    marks: Mapping[uuid.UUID, str]
    table: Table
    ground: tuple[Parameters, tuple[RoadCondition, ...]]
    """What all its routes go by; with another ground all are laid out anew."""


_days: OrderedDict[tuple[uuid.UUID, date], LiveDay] = OrderedDict()
_lock = Lock()


def live_day(
    depot_id: uuid.UUID,
    day: date,
    holds: Sequence[Hold],
    *,
    parameters: Parameters,
    travel: TravelTimes,
    now: datetime,
) -> LiveDay:
    """Return a published day as it stands with what is held of it."""
    since = datetime.combine(day, time.min, tzinfo=UTC)
    until = datetime.combine(day, time.max, tzinfo=UTC)
    conditions = conditions_between(depot_id, max(now, since), until)
    ground = (parameters, conditions)
    marks = marks_of_day(depot_id, day, holds)
    known = _known(depot_id, day)
    if known is not None and known.ground == ground and known.marks == marks:
        return known
    kept = {}
    if known is not None and known.ground == ground:
        kept = {
            one.route_id: one
            for one in known.routes
            if known.marks.get(one.route_id) == marks.get(one.route_id)
        }
    fresh = _laid_out(depot_id, day, marks.keys() - kept.keys(), holds, travel, now)
    routes = tuple({**kept, **fresh}[key] for key in sorted({*kept, *fresh}))
    found = LiveDay(since, routes, marks, table_of(routes, since), ground)
    with _lock:
        _days[depot_id, day] = found
        _days.move_to_end((depot_id, day))
        while len(_days) > MOST_DAYS:
            _days.popitem(last=False)
    return found


def without(
    live: LiveDay, order_id: uuid.UUID, travel: TravelTimes
) -> tuple[LiveDay, int | None]:
    """Return the day without an order's own stop, and the number of its route."""
    for number, one in enumerate(live.routes):
        own = [order for order in one.day.orders if order.order_id == order_id]
        if own:
            others = tuple(o for o in one.day.orders if o.order_id != order_id)
            bare = stand(
                one.route_id,
                replace(one.day, orders=others),
                one.held,
                travel,
                vehicle_type=one.vehicle_type,
            )
            routes = (*live.routes[:number], bare, *live.routes[number + 1 :])
            changed = replace(live, routes=routes, table=table_of(routes, live.since))
            return changed, number
    return live, None


def _known(depot_id: uuid.UUID, day: date) -> LiveDay | None:
    with _lock:
        return _days.get((depot_id, day))


def _laid_out(  # noqa: PLR0917
    depot_id: uuid.UUID,
    day: date,
    route_ids: set[uuid.UUID],
    holds: Sequence[Hold],
    travel: TravelTimes,
    now: datetime,
) -> dict[uuid.UUID, Standing]:
    if not route_ids:
        return {}
    whole = plain_day(running_input(depot_id, day, route_ids=route_ids, now=now))
    rows = Route.objects.filter(pk__in=route_ids)
    columns = rows.values_list("shift_id", "pk", "shift__vehicle__type")
    route_of = {shift_id: (pk, kind) for shift_id, pk, kind in columns}
    found = {}
    for part in _parts(whole):
        shift = part.shifts[0]
        route_id, kind = route_of[shift.shift_id]
        held = [
            held_input(hold, shift.shift_id, whole.parameters)
            for hold in holds
            if hold.route_id == route_id
        ]
        found[route_id] = stand(route_id, part, held, travel, vehicle_type=kind)
    return found


def _parts(whole: DayInput) -> list[DayInput]:
    """Return each shift's own day, which begins when it is free."""
    return [
        replace(
            whole,
            origin_at=shift.free_at.replace(microsecond=0),
            shifts=(shift,),
            orders=tuple(o for o in whole.orders if o.shift_id == shift.shift_id),
        )
        for shift in whole.shifts
    ]


def held_input(
    hold: Hold, shift_id: uuid.UUID | None, parameters: Parameters
) -> OrderInput:
    """Return what is held as an order of its route."""
    window = Interval(hold.opens_at, hold.closes_at)
    return asked_input(hold.order, window, parameters, shift_id=shift_id)


def asked_input(
    order: Order,
    window: Interval,
    parameters: Parameters,
    *,
    shift_id: uuid.UUID | None = None,
    job_id: uuid.UUID | None = None,
) -> OrderInput:
    """Return an order as planning would see it with this window."""
    return OrderInput(
        order_id=job_id or order.pk,
        order_version=order.version,
        point=order.point,
        service_s=service_of(order, parameters).seconds,
        windows=(window,),
        demands=(order.load_g, order.load_ml, order.pieces),
        requires=needs_of(order.requires, order.proof),
        priority=order.priority,
        is_pickup=order.kind == Order.Kind.PICKUP,
        shift_id=shift_id,
    )
