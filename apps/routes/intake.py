"""Reads a day out of the tables into the pure input of planning; never writes."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.drivers.models import Shift
from apps.drivers.states import ShiftState
from apps.orders.models import Order, PreferredWindow, TimeWindow
from apps.orders.states import OrderState
from apps.routes.conditions import RoadCondition
from apps.routes.dayinputs import DayInput, Interval, OrderInput, ShiftInput
from apps.routes.grouping import in_groups
from apps.routes.holding import Held, held_on, pinned_windows
from apps.routes.inforce import conditions_between
from apps.routes.models import Route, Stop
from apps.routes.needs import needs_of
from apps.routes.parameters import Parameters
from apps.routes.selectors import parameters_in_force
from apps.routes.servicetimes import service_of
from apps.routes.shiftinputs import load_of, shift_input, with_pins
from apps.routes.states import DONE, StopState

USABLE_SHIFTS = (ShiftState.PLANNED, ShiftState.STARTED, ShiftState.PAUSED)


def day_input(depot_id: uuid.UUID, service_date: date, *, now: datetime) -> DayInput:
    """Read a whole day that is not yet running, for its first plan."""
    return _read(depot_id, service_date, route_ids=None, now=now, running=False)


def running_input(
    depot_id: uuid.UUID,
    service_date: date,
    *,
    route_ids: Collection[uuid.UUID] | None,
    now: datetime,
    locked_too: bool = False,
) -> DayInput:
    """Read what is still ahead of a running day, for a re-optimization.

    `route_ids` None means all routes and every open order without one; otherwise those
    routes alone, and no order that they do not hold. Locked routes are not in it, unless
    people ask, who may change `locked_too`.
    """
    return _read(
        depot_id,
        service_date,
        route_ids=route_ids,
        now=now,
        running=True,
        locked_too=locked_too,
    )


def _read(
    depot_id: uuid.UUID,
    service_date: date,
    *,
    route_ids: Collection[uuid.UUID] | None,
    now: datetime,
    running: bool,
    locked_too: bool = False,
) -> DayInput:
    parameters = parameters_in_force(depot_id, now)
    held_fast = held_on(depot_id, service_date, now=now)
    shifts = _shifts(depot_id, service_date, route_ids)
    stops = _stops_by_shift(depot_id, service_date, route_ids)
    inputs = tuple(
        with_pins(
            shift_input(shift, stops[shift.pk], now if running else None, parameters),
            stops[shift.pk],
            held_fast,
        )
        for shift in shifts
        if (not running or _last_instant(shift) > now)
        and (locked_too or shift.pk not in held_fast.locked)
    )
    known_stops = {stop.pk: stop for rows in stops.values() for stop in rows}
    held = {
        known_stops[stop_id].order_id: (stop_id, shift.shift_id if running else None)
        for shift in inputs
        for stop_id in shift.ahead
    }
    orders = _orders(
        depot_id,
        service_date,
        held,
        unassigned_too=route_ids is None,
        off=held_fast.off,
    )
    clock = next((shift.depot.time_zone for shift in shifts), "UTC")
    known = {shift.shift_id for shift in inputs}
    told = _told(known_stops.values()) if running else {}
    return DayInput(
        depot_id=depot_id,
        service_date=service_date,
        origin_at=min((s.free_at for s in inputs), default=now).replace(microsecond=0),
        shifts=inputs,
        orders=in_groups(
            [
                _pinned(one, held_fast, known)
                for one in _order_inputs(orders, held, told, parameters)
            ],
            [order.zone.name if order.zone is not None else "" for order in orders],
            parameters=parameters,
            clock=clock,
        ),
        parameters=parameters,
        conditions=_conditions(depot_id, inputs, now),
        zone=clock,
    )


def _told(stops: Iterable[Stop]) -> dict[uuid.UUID, datetime | None]:
    """Give the ETAs that the plan in force tells, by order, of stops that wait."""
    return {
        stop.order_id: stop.plan_eta_at
        for stop in stops
        if stop.status == StopState.PENDING
    }


def _order_inputs(
    orders: Sequence[Order],
    held: Mapping[uuid.UUID, tuple[uuid.UUID, uuid.UUID | None]],
    told: Mapping[uuid.UUID, datetime | None],
    parameters: Parameters,
) -> list[OrderInput]:
    """Read orders as planning sees them: whose they are, when, and what was told."""
    holders = {
        **{order_id: (stop_id, None) for order_id, stop_id in _waiting(orders)},
        **held,
    }
    windows = _windows(orders, TimeWindow)
    preferred = _windows(orders, PreferredWindow)
    return [
        _order_input(
            order,
            holders.get(order.pk, (None, None)),
            windows.get(order.pk, ()),
            preferred.get(order.pk, ()),
            told.get(order.pk),
            parameters,
        )
        for order in orders
    ]


def _conditions(
    depot_id: uuid.UUID, shifts: Sequence[ShiftInput], now: datetime
) -> tuple[RoadCondition, ...]:
    """Return the conditions between the first departure and the last shift's end."""
    if not shifts:
        return ()
    begins_at = max(now, min(shift.free_at for shift in shifts))
    ends_at = max(s.ends_at + timedelta(seconds=s.max_overtime_s) for s in shifts)
    return conditions_between(depot_id, begins_at, ends_at)


def _shifts(
    depot_id: uuid.UUID,
    service_date: date,
    route_ids: Collection[uuid.UUID] | None,
) -> QuerySet[Shift]:
    rows = Shift.objects.filter(
        depot_id=depot_id, service_date=service_date, status__in=USABLE_SHIFTS
    )
    if route_ids is not None:
        rows = rows.filter(route__in=route_ids)
    return (
        rows.select_related("vehicle__type", "driver", "depot")
        .prefetch_related("breaks")
        .order_by("starts_at", "id")
    )


def _last_instant(shift: Shift) -> datetime:
    return shift.ends_at + timedelta(seconds=shift.max_overtime_s)


def _stops_by_shift(
    depot_id: uuid.UUID,
    service_date: date,
    route_ids: Collection[uuid.UUID] | None,
) -> Mapping[uuid.UUID, list[Stop]]:
    found: dict[uuid.UUID, list[Stop]] = defaultdict(list)
    routes = Route.objects.filter(depot_id=depot_id, service_date=service_date)
    if route_ids is not None:
        routes = routes.filter(pk__in=route_ids)
    shift_of = dict(routes.order_by().values_list("pk", "shift_id"))
    rows = Stop.objects.filter(route__in=list(shift_of)).select_related("order")
    for stop in rows.order_by("sequence", "id"):
        if stop.route_id is not None:
            found[shift_of[stop.route_id]].append(stop)
    return found


def _orders(
    depot_id: uuid.UUID,
    service_date: date,
    held: Mapping[uuid.UUID, object],
    *,
    unassigned_too: bool,
    off: Collection[uuid.UUID],
) -> list[Order]:
    wanted = Q(pk__in=list(held))
    if unassigned_too:
        open_stops = Stop.objects.filter(order=OuterRef("pk")).exclude(status__in=DONE)
        taken = open_stops.filter(Q(route__isnull=False) | Q(pk__in=off))
        free = Q(~Exists(taken), status=OrderState.OPEN)
        wanted = wanted | free
    rows = Order.objects.filter(wanted, depot_id=depot_id, service_date=service_date)
    return list(rows.select_related("zone").order_by("id"))


def _windows(
    orders: Iterable[Order], kind: type[TimeWindow] | type[PreferredWindow]
) -> Mapping[uuid.UUID, Sequence[Interval]]:
    """Return the windows of orders: one question, and no row made of an answer."""
    found: dict[uuid.UUID, list[Interval]] = defaultdict(list)
    rows = kind._default_manager.filter(
        order__in=[order.pk for order in orders]
    ).order_by("opens_at", "id")
    for order_id, opens_at, closes_at in rows.values_list(
        "order_id", "opens_at", "closes_at"
    ):
        found[order_id].append(Interval(opens_at, closes_at))
    return found


def _waiting(orders: Iterable[Order]) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
    """Return order and stop, of the open stops that have no route."""
    rows = Stop.objects.filter(
        order__in=[order.pk for order in orders], route=None, status=StopState.PENDING
    )
    return rows.values_list("order_id", "pk")


def _pinned(
    order: OrderInput, held_fast: Held, known: Collection[uuid.UUID]
) -> OrderInput:
    """Return an order as people have pinned it; an end of its shift undoes that."""
    stop_id = order.stop_id
    if stop_id is None:
        return order
    shift_id = held_fast.drivers.get(stop_id)
    if shift_id in known:
        order = replace(order, pinned_shift=shift_id)
    pin = held_fast.times.get(stop_id)
    if pin is None:
        return order
    return replace(
        order, windows=pinned_windows(pin, order.windows), has_pinned_time=True
    )


def _order_input(  # noqa: PLR0917
    order: Order,
    holder: tuple[uuid.UUID | None, uuid.UUID | None],
    windows: Sequence[Interval],
    preferred: Sequence[Interval],
    told_at: datetime | None,
    parameters: Parameters,
) -> OrderInput:
    stop_id, shift_id = holder
    service = service_of(order, parameters)
    return OrderInput(
        order_id=order.pk,
        order_version=order.version,
        point=order.point,
        service_s=service.seconds,
        windows=tuple(windows),
        demands=load_of(order),
        requires=needs_of(order.requires, order.proof),
        priority=order.priority,
        is_pickup=order.kind == Order.Kind.PICKUP,
        stop_id=stop_id,
        shift_id=shift_id,
        preferred=tuple(preferred),
        told_at=told_at,
        service_because=service.because,
    )
