"""Does an answer still fit the day? Matches an engine's visits to today's stops."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.core.problems import Conflict
from apps.drivers.models import Shift
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.recommendations.services import Draft
from apps.routes.chain import Failure
from apps.routes.dayinputs import DayInput, ShiftInput
from apps.routes.models import Plan, Route, Stop
from apps.routes.shiftinputs import when_frozen
from apps.routes.solver.solution import RoutePlan, Solution
from apps.routes.states import DONE, FROZEN, StopState


class StaleInput(Conflict):
    """The day has moved on while the engine was thinking: the answer is thrown away."""

    type = "/problems/stale-input"
    title = "The day has moved on meanwhile."


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An order that an answer leaves out: a stable code, and what to do about it."""

    order_id: uuid.UUID
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An engine's solution with the input it was made for, and its ledger draft."""

    day: DayInput
    solution: Solution
    draft: Draft | None
    """Its recommendation; None where people decided."""
    left_out: tuple[LeftOut, ...] = ()
    why: str = ""
    legs: Mapping[str, int] = field(default_factory=dict)
    """Seconds to each order from the stop before it, on a clear road (see `legs`)."""
    told: Mapping[str, datetime] = field(default_factory=dict)
    """When each order is told to be reached, by the hour of each leg (see `told`)."""
    travel_quality: str = "estimated"
    """What its travel times are worth (see the gateways' `base`)."""
    failures: tuple[Failure, ...] = ()
    """The engines that gave no answer before this one."""
    leaves: str = ""
    """The version of the day that it leaves behind (see `planning.left_version`)."""


@dataclass(slots=True)
class RouteChange:
    """A route before and after; `ahead` are its open stops in their new sequence."""

    route: Route
    plan: RoutePlan | None
    before: list[Stop]
    behind: list[Stop]
    ahead: list[tuple[Stop, datetime]]


def open_stops(answer: Answer) -> dict[uuid.UUID, Stop]:
    """Return the stop of each order that is still wanted, made where there is none."""
    day = answer.day
    wanted = set(
        Order.objects.filter(
            pk__in=[order.order_id for order in day.orders],
            service_date=day.service_date,
            status=OrderState.OPEN,
        ).values_list("pk", flat=True)
    )
    rows = Stop.objects.filter(order__in=wanted).exclude(status__in=DONE)
    found = {stop.order_id: stop for stop in rows.select_related("route")}
    served = {
        uuid.UUID(visit.job_id)
        for route in answer.solution.routes
        for visit in route.visits
    }
    missing = (served & wanted) - found.keys()
    fresh = [
        Stop(order_id=order.order_id, service_s=order.service_s)
        for order in day.orders
        if order.order_id in missing
    ]
    Stop.objects.bulk_create(fresh)
    return found | {stop.order_id: stop for stop in fresh}


def route_changes(
    plan: Plan, answer: Answer, stops: Mapping[uuid.UUID, Stop]
) -> list[RouteChange]:
    """Return every route of the answer, before and after.

    Raises:
        StaleInput: a shift or a route has changed so that the answer does not fit.
    """
    day = answer.day
    shifts = _unchanged_shifts(day)
    planned = {uuid.UUID(route.vehicle_id): route for route in answer.solution.routes}
    routes = {route.shift_id: route for route in Route.objects.filter(shift__in=shifts)}
    present: dict[uuid.UUID | None, list[Stop]] = defaultdict(list)
    rows = Stop.objects.filter(route__in=routes.values()).select_related("order")
    for stop in rows.order_by("sequence", "id"):
        present[stop.route_id].append(stop)
    changes = []
    for shift in day.shifts:
        route = routes.get(shift.shift_id) or _new_route(plan, shifts[shift.shift_id])
        held = [s for s in present[route.pk] if s.status != StopState.CANCELLED]
        visits = _visits(planned.get(shift.shift_id), answer, stops)
        behind, ahead = _fit(shift, held, visits)
        changes.append(
            RouteChange(
                route=route,
                plan=planned.get(shift.shift_id),
                before=[stop for stop in held if stop.status == StopState.PENDING],
                behind=behind,
                ahead=ahead,
            )
        )
    return changes


def _unchanged_shifts(day: DayInput) -> dict[uuid.UUID, Shift]:
    rows = Shift.objects.in_bulk([shift.shift_id for shift in day.shifts])
    for shift in day.shifts:
        row = rows.get(shift.shift_id)
        if row is None or row.version != shift.shift_version:
            raise StaleInput("A shift has changed meanwhile.")
    return rows


def _visits(
    planned: RoutePlan | None, answer: Answer, stops: Mapping[uuid.UUID, Stop]
) -> list[tuple[Stop, datetime]]:
    """Return stop and ETA (begin of service); what nobody wants any more is left out."""
    if planned is None:
        return []
    origin_at, told = answer.day.origin_at, answer.told
    return [
        (
            stop,
            told.get(visit.job_id) or origin_at + timedelta(seconds=visit.start_s),
        )
        for visit in planned.visits
        if (stop := stops.get(uuid.UUID(visit.job_id))) is not None
    ]


def _fit(
    shift: ShiftInput, held: Sequence[Stop], visits: list[tuple[Stop, datetime]]
) -> tuple[list[Stop], list[tuple[Stop, datetime]]]:
    """Fit new visits behind what is frozen by now; return what is behind and ahead.

    What froze while the engine was thinking must be what the answer visits first.
    """
    known = {*shift.frozen, *shift.ahead}
    if any(stop.pk not in known for stop in held):
        raise StaleInput("A route was given a stop meanwhile.")
    behind = sorted((s for s in held if s.status in FROZEN), key=when_frozen)
    fresh = [stop for stop in behind if stop.pk not in shift.frozen]
    first = visits[: len(fresh)]
    if {stop.pk for stop, _ in first} != {stop.pk for stop in fresh}:
        raise StaleInput("A stop was begun meanwhile that the answer has elsewhere.")
    if missing := set(shift.frozen) - {stop.pk for stop in behind}:
        raise StaleInput(f"{len(missing)} done stops were opened again meanwhile.")
    ahead = visits[len(fresh) :]
    holders = {stop.pk for stop in held}
    for stop, _ in ahead:
        if stop.pk in shift.ahead and stop.pk not in holders:
            raise StaleInput("A stop was taken off its route meanwhile.")
    return behind, ahead


def _new_route(plan: Plan, shift: Shift) -> Route:
    return Route.objects.create(
        depot_id=plan.depot_id,
        shift=shift,
        driver_id=shift.driver_id,
        service_date=plan.service_date,
        plan=plan,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
    )
