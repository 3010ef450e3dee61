"""A shift that was planned along a line and driven as somebody chose."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.drivers.models import Shift
from apps.drivers.states import ShiftState
from apps.overrides.models import Override
from apps.recommendations.services import Draft, issue
from apps.routes.changes import (
    Called,
    Impact,
    MoveStop,
    RouteSketch,
    as_wire,
    impact_as_wire,
)
from apps.routes.models import Plan, Route, Stop
from apps.routes.solver.codec import SolveRequest, encode_request, encode_solution
from apps.routes.solver.follow import follow
from apps.routes.solver.port import Stop as StopRule
from apps.routes.solving import as_start
from apps.routes.states import PlanState, RouteState, StopState
from tests.factories import (
    NOW,
    SERVICE_DATE,
    DepotFactory,
    OrderFactory,
    OverrideFactory,
    ShiftFactory,
    VehicleFactory,
)
from tests.routes.solver.instances import job, line_problem, van

AFTER = NOW + timedelta(hours=10)
LEG = timedelta(seconds=120)
SERVICE = timedelta(seconds=60)


@dataclass
class Driven:
    """One route of six stops, 120 s apart, numbered along the line from the depot."""

    depot: Depot
    shift: Shift
    route: Route
    stops: list[Stop]

    def ids(self, *numbers: int) -> tuple[str, ...]:
        return tuple(str(self.stops[number - 1].pk) for number in numbers)


def make_driven(*driven: int, depot: Depot | None = None, **shift: Any) -> Driven:
    """Plan six stops along a line, and let them be visited in another sequence.

    A leg between neighbours takes 100 s by the plan, and 120 s on the day.
    """
    place = depot or DepotFactory()
    vehicle = VehicleFactory(depot=place)
    values = {"status": ShiftState.ENDED, "started_at": NOW, "ended_at": AFTER} | shift
    working = ShiftFactory(
        depot=place,
        vehicle=vehicle,
        driver__depot=place,
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=8),
        **values,
    )
    north, east = place.latitude, place.longitude
    orders = [
        OrderFactory(depot=place, latitude=north + 0.004 * number, longitude=east)
        for number in range(1, 7)
    ]
    plan = _plan(place, working, orders)
    route = Route.objects.create(
        depot=place,
        shift=working,
        driver=working.driver,
        service_date=SERVICE_DATE,
        plan=plan,
        status=RouteState.FINISHED,
        starts_at=NOW,
        ends_at=AFTER,
        travel_quality="roads",
    )
    stops = [
        Stop.objects.create(
            order=order,
            route=route,
            sequence=number,
            service_s=60,
            status=StopState.SUCCEEDED,
        )
        for number, order in enumerate(orders, 1)
    ]
    found = Driven(place, working, route, stops)
    drive(found, driven or (1, 2, 3, 4, 5, 6))
    return found


def _plan(depot: Depot, shift: Shift, orders: list[Any]) -> Plan:
    problem = line_problem(
        places=7,
        jobs=tuple(job(str(one.pk), at) for at, one in enumerate(orders, 1)),
        vehicles=(van(str(shift.pk), end_s=30_000),),
    )
    start = as_start({str(shift.pk): [str(one.pk) for one in orders]})
    answer = follow(problem, start)
    row = issue(
        Draft(
            kind="plan",
            depot_id=depot.pk,
            subject_type="plan",
            subject_id=str(shift.pk),
            inputs=encode_request(
                SolveRequest(problem=problem, engine="greedy", stop=StopRule(), seed=7)
            ),
            answer=encode_solution(answer),
            engine="greedy",
            engine_version="1",
            seed=7,
            mode="rules",
        ),
        by=SYSTEM,
        now=NOW,
    )
    return Plan.objects.create(
        depot=depot,
        service_date=SERVICE_DATE,
        kind=Plan.Kind.DAY,
        number=Plan.objects.filter(depot=depot).count() + 1,
        status=PlanState.PUBLISHED,
        recommendation=row,
        requested_by="system",
        requested_at=NOW,
        published_at=NOW,
        published_by="system",
    )


def drive(driven: Driven, sequence: tuple[int, ...]) -> None:
    """Let a route be visited: each leg as long as it is far."""
    at, here = NOW + timedelta(minutes=10), 0
    Stop.objects.filter(pk=driven.stops[sequence[0] - 1].pk).update(enroute_at=at)
    for number in sequence:
        at += LEG * abs(number - here)
        Stop.objects.filter(pk=driven.stops[number - 1].pk).update(
            arrived_at=at, completed_at=at + SERVICE
        )
        at, here = at + SERVICE, number


def overridden(
    driven: Driven, before: tuple[int, ...], after: tuple[int, ...], **values: Any
) -> Override:
    """Let a stop have been moved before the route set out."""
    moved = driven.stops[after[0] - 1]
    at = NOW + timedelta(minutes=1)
    impact = Impact(
        kind="move_stop",
        summary="Moved.",
        minutes=0,
        distance_m=0,
        cost_minor=0,
        currency="EUR",
        left_out=(),
        moved=(),
        broken=(),
        drivers=(str(driven.route.driver_id),),
        other_drivers=(),
        before=(_sketch(driven, before, at),),
        after=(_sketch(driven, after, at),),
        version="v1",
        is_feasible=True,
        reasons=(),
        depot_id=str(driven.depot.pk),
        worked_out_at=at,
    )
    change = as_wire(MoveStop(stop_id=str(moved.pk), place=1))
    return OverrideFactory(
        **{
            "depot": driven.depot,
            "kind": "move_stop",
            "state": "applied",
            "change": change,
            "route": driven.route,
            "stop": moved,
            "driver": driven.route.driver,
            "impact": impact_as_wire(impact),
            "impact_version": "v1",
            "recommendation": driven.route.plan.recommendation,
            "approver": "",
            "deadline_at": None,
            "answered_at": at,
            "answered_by": "right:1",
            **values,
        }
    )


def _sketch(driven: Driven, numbers: tuple[int, ...], at: datetime) -> RouteSketch:
    return RouteSketch(
        shift_id=str(driven.shift.pk),
        driver_id=str(driven.route.driver_id),
        route_id=str(driven.route.pk),
        ends_at=at + timedelta(hours=4),
        stops=tuple(
            Called(
                stop_id=str(driven.stops[number - 1].pk),
                order_id=str(driven.stops[number - 1].order_id),
                number=place,
                eta_at=at,
            )
            for place, number in enumerate(numbers, 1)
        ),
    )
