"""Reads a day out of the tables into the pure input of planning; never writes."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.codes import codes_of
from apps.core.units import Point
from apps.drivers.models import Driver, Shift, Vehicle
from apps.drivers.states import ShiftState
from apps.orders.models import Order, PreferredWindow, TimeWindow
from apps.orders.states import OrderState
from apps.routes.conditions import RoadCondition
from apps.routes.dayinputs import BreakRule, DayInput, Interval, OrderInput, ShiftInput
from apps.routes.grouping import in_groups
from apps.routes.holding import Held, held_on, pinned_windows
from apps.routes.inforce import conditions_between
from apps.routes.models import Route, Stop
from apps.routes.needs import needs_of
from apps.routes.parameters import Parameters
from apps.routes.selectors import parameters_in_force
from apps.routes.servicetimes import service_of
from apps.routes.states import DONE, UNDER_WAY, StopState

USABLE_SHIFTS = (ShiftState.PLANNED, ShiftState.STARTED, ShiftState.PAUSED)
ON_THE_ROAD = (ShiftState.STARTED, ShiftState.PAUSED)
FROZEN_FOR_GOOD = (*DONE, StopState.ARRIVED)
Load = tuple[int, int, int]


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
        _with_pins(
            _shift_input(shift, stops[shift.pk], now if running else None, parameters),
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


def _shift_input(
    shift: Shift, stops: Sequence[Stop], now: datetime | None, parameters: Parameters
) -> ShiftInput:
    visited = [s for s in stops if s.status in {*DONE, *UNDER_WAY}]
    frozen = sorted(
        (s for s in visited if s.status != StopState.CANCELLED), key=when_frozen
    )
    start, free_at = _whereabouts(shift, frozen, now)
    vehicle = shift.vehicle
    return ShiftInput(
        shift_id=shift.pk,
        shift_version=shift.version,
        driver_id=shift.driver_id,
        start=start,
        end=shift.depot.point,
        free_at=free_at,
        ends_at=shift.ends_at,
        max_overtime_s=shift.max_overtime_s,
        capacities=capacities(vehicle),
        on_board=_on_board(frozen),
        capabilities=abilities(vehicle, shift.driver),
        breaks=tuple(
            BreakRule(rule.opens_at, rule.closes_at, rule.duration_s)
            for rule in shift.breaks.all()
            if rule.taken_at is None
        ),
        cost_per_km_minor=vehicle.cost_per_km_minor,
        cost_per_hour_minor=vehicle.cost_per_hour_minor,
        speed_percent=vehicle.travel_speed_percent,
        departed=shift.status in ON_THE_ROAD,
        late_steps=_late_steps(stops, now, parameters.late_s) if now else 0,
        frozen=tuple(stop.pk for stop in frozen),
        ahead=tuple(stop.pk for stop in stops if stop.status == StopState.PENDING),
    )


def _with_pins(shift: ShiftInput, stops: Sequence[Stop], held_fast: Held) -> ShiftInput:
    """Hold the sequence of a shift's stops as far as the last one that is pinned.

    A van at the depot leaves for them as was planned, not as its shift begins.
    """
    held = max(
        (
            number
            for number, stop_id in enumerate(shift.ahead, 1)
            if held_fast.places.get(stop_id) == shift.shift_id
        ),
        default=0,
    )
    if not held:
        return shift
    route = stops[0].route
    at_depot = not shift.departed and not shift.frozen and route is not None
    free_at = shift.free_at
    if at_depot and route is not None:
        free_at = max(free_at, min(route.starts_at, shift.ends_at))
    return replace(shift, held=held, free_at=free_at)


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


def capacities(vehicle: Vehicle) -> Load:
    """Return the room of a vehicle in each dimension."""
    return (vehicle.capacity_g, vehicle.capacity_ml, vehicle.capacity_pieces)


def abilities(vehicle: Vehicle, driver: Driver) -> tuple[str, ...]:
    """Return what is possible at the door: skills count where the driver comes along."""
    skills = driver.skills if vehicle.type.is_crewed else []
    return codes_of([*vehicle.abilities, *skills])


def _late_steps(stops: Sequence[Stop], now: datetime, late_s: int) -> int:
    awaited = [s.eta_at for s in stops if s.eta_at and s.status not in FROZEN_FOR_GOOD]
    overdue = now - min(awaited, default=now)
    return max(0, int(overdue.total_seconds() // late_s))


def when_frozen(stop: Stop) -> tuple[bool, datetime, int]:
    """Done stops as they were done, then the one that is under way."""
    under_way = stop.status in UNDER_WAY
    instant = stop.completed_at or stop.arrived_at or stop.enroute_at
    if instant is None:
        raise ValueError(f"Stop {stop.pk} is {stop.status} and has no instant.")
    return (under_way, instant, stop.sequence)


def _whereabouts(
    shift: Shift, frozen: Sequence[Stop], now: datetime | None
) -> tuple[Point, datetime]:
    """Return from where, and from when on, the van can take a next stop."""
    if now is None:
        return shift.depot.point, shift.starts_at
    if not frozen:
        ready_at = shift.started_at or shift.starts_at
        return shift.depot.point, max(now, ready_at)
    last = frozen[-1]
    service = timedelta(seconds=last.service_s)
    if last.status == StopState.ARRIVED and last.arrived_at is not None:
        return last.order.point, max(now, last.arrived_at + service)
    if last.status == StopState.ENROUTE:
        return last.order.point, max(now, last.eta_at or now) + service
    return last.order.point, max(now, last.completed_at or now)


def _on_board(frozen: Sequence[Stop]) -> Load:
    """Return what stays in the van: collected parcels, and deliveries that failed."""
    staying = [
        stop.order
        for stop in frozen
        if (stop.status in {StopState.SUCCEEDED, StopState.ARRIVED, StopState.ENROUTE})
        == (stop.order.kind == Order.Kind.PICKUP)
    ]
    loads = [_load(order) for order in staying]
    return (
        sum(load[0] for load in loads),
        sum(load[1] for load in loads),
        sum(load[2] for load in loads),
    )


def _load(order: Order) -> Load:
    return (order.load_g, order.load_ml, order.pieces)


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
        demands=_load(order),
        requires=needs_of(order.requires, order.proof),
        priority=order.priority,
        is_pickup=order.kind == Order.Kind.PICKUP,
        stop_id=stop_id,
        shift_id=shift_id,
        preferred=tuple(preferred),
        told_at=told_at,
        service_because=service.because,
    )
