"""A shift as planning sees it: where its van is, what is on board, what is held."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from apps.core.codes import codes_of
from apps.core.units import Point
from apps.drivers.models import Driver, Shift, Vehicle
from apps.drivers.states import ShiftState
from apps.orders.models import Order
from apps.routes.dayinputs import BreakRule, ShiftInput
from apps.routes.holding import Held
from apps.routes.models import Stop
from apps.routes.parameters import Parameters
from apps.routes.states import DONE, UNDER_WAY, StopState

ON_THE_ROAD = (ShiftState.STARTED, ShiftState.PAUSED)
FROZEN_FOR_GOOD = (*DONE, StopState.ARRIVED)
Load = tuple[int, int, int]


def shift_input(
    shift: Shift, stops: Sequence[Stop], now: datetime | None, parameters: Parameters
) -> ShiftInput:
    """Read a shift and its stops; without `now` as one that has not begun."""
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


def with_pins(shift: ShiftInput, stops: Sequence[Stop], held_fast: Held) -> ShiftInput:
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
    loads = [load_of(order) for order in staying]
    return (
        sum(load[0] for load in loads),
        sum(load[1] for load in loads),
        sum(load[2] for load in loads),
    )


def load_of(order: Order) -> Load:
    """Return what an order takes up in each dimension."""
    return (order.load_g, order.load_ml, order.pieces)
