"""The first plan: commitments, then what a previous plan says, as far as it holds."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from apps.routes.solver.insertion import Plan
from apps.routes.solver.port import EngineRefused
from apps.routes.solver.routestate import build_route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.solution import RoutePlan, Solution
    from apps.routes.solver.view import View


def start_plan(view: View, warm_start: Solution | None = None) -> Plan:
    """Lay down every car's locked jobs and, after them, its jobs of a warm start.

    Jobs that are gone, taken, or no longer fit are left out, and stay unserved.
    """
    told = {
        route.vehicle_id: _stops(view, route)
        for route in (warm_start.routes if warm_start else ())
    }
    routes: list[RouteState] = []
    placed: set[int] = set(view.locked_by)
    for number, car in enumerate(view.cars):
        wanted = [
            stop
            for stop in told.get(car.vehicle.id, [])
            if stop not in placed and (stop < view.job_count or stop in car.reloads)
        ]
        route = follow(view, number, wanted)
        placed.update(stop for stop in route.sequence if stop < view.job_count)
        routes.append(route)
    unserved = [job for job in range(len(view.jobs)) if job not in placed]
    return Plan(routes, unserved)


def follow(view: View, number: int, wanted: Sequence[int]) -> RouteState:
    """Take the wanted jobs after the locked ones, one by one where not all fit."""
    locked = view.cars[number].locked
    able = [
        stop
        for stop in wanted
        if stop >= view.job_count or view.may_serve[number][stop]
    ]
    if view.has_trips:
        able = _whole(view, able)
    route = build_route(view, number, (*locked, *able)) if able else None
    if route is not None:
        return route
    route = build_route(view, number, locked)
    if route is None:
        vehicle_id = view.cars[number].vehicle.id
        message = (
            f"vehicle {vehicle_id}: its locked jobs or its way home cannot be timed"
        )
        raise EngineRefused(message)
    if view.has_trips:
        return _follow_by_trips(view, route, able)
    for job in able:
        route = build_route(view, number, (*route.sequence, job)) or route
    return route


def _stops(view: View, route: RoutePlan) -> list[int]:
    """Read a stated route as stops; what is gone is left out."""
    loaded = {one.after_visits: one.location for one in route.reloads}
    stops: list[int] = []
    for order, visit in enumerate(route.visits):
        if loaded.get(order) in view.reload_places:
            place = view.reload_places.index(loaded[order])
            stops.append(view.job_count + place)
        job = view.job_index.get(visit.job_id)
        if job is not None and job not in stops:
            stops.append(job)
    return stops


def _whole(view: View, stops: Sequence[int]) -> list[int]:
    """Leave out half shipments, and reloads that no visit follows."""
    there = {*stops}
    whole = [
        stop
        for stop in stops
        if stop >= view.job_count or view.partner(stop) in (None, *there)
    ]
    return [
        stop
        for stop, after in pairwise([*whole, view.job_count])
        if min(stop, after) < view.job_count
    ]


def _follow_by_trips(view: View, route: RouteState, able: Sequence[int]) -> RouteState:
    """Add stops to the end one by one, a reload with the visit after it.

    A pickup goes in with its delivery, which follows at once; searches part them. A
    reload is taken where the next visit needs it.
    """
    loading: tuple[int, ...] = ()
    for stop in able:
        if stop >= view.job_count:
            loading = (stop,)
            continue
        partner = view.partner(stop)
        if partner is not None and stop in view.pickup_of:
            continue
        added = (stop,) if partner is None else (stop, partner)
        plain = build_route(view, route.number, (*route.sequence, *added))
        if plain is not None:
            route = plain
            continue
        if loading:
            sequence = (*route.sequence, *loading, *added)
            route = build_route(view, route.number, sequence) or route
            loading = ()
    return route
