"""Where one job fits into a standing plan, by building the route and not by estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.routes.solver.insertion import price_places
from apps.routes.solver.routestate import build_route, settle_rests
from apps.routes.solver.schedule import every_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from apps.routes.solver.insertion import Arrays
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.schedule import Times
    from apps.routes.solver.view import View

TRIES = 8
"""Places built before the cheapest so far is taken, in a plan too large to try all."""

MOST_FAILURES = 40
"""Places in vain, cheapest first, after which a plan too large to try all is given up."""

MOST_BENT = 6
"""Places on a route without a feasible one that are tried with rules broken."""

SMALL_PLAN = 80
"""Up to so many jobs every place is tried, whatever its estimate says."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A job put into a route: the route with it, its place from 0, and the added cost."""

    route: RouteState
    leg: int
    added_milli: int


def best_spot(
    arrays: Arrays, routes: Iterable[RouteState], job: int, tries: int = TRIES
) -> Spot | None:
    """Return the cheapest place of a job in any of the routes, or None."""
    best: Spot | None = None
    built = failed = 0
    routes = tuple(routes)
    small = len(arrays.view.jobs) <= SMALL_PLAN
    for route, leg in _places(arrays, routes, job, small=small):
        spot = put(arrays, route, job, leg)
        built += spot is not None
        failed += spot is None
        if spot is not None and (best is None or spot.added_milli < best.added_milli):
            best = spot
        if not small and (built >= tries or failed >= MOST_FAILURES):
            break
    return best


def _places(
    arrays: Arrays, routes: Sequence[RouteState], job: int, *, small: bool
) -> Iterator[tuple[RouteState, int]]:
    """Yield places, cheapest first by the estimate; all there are in a small plan."""
    if small:
        for route in routes:
            locked = len(arrays.view.cars[route.number].locked)
            if arrays.may_serve[route.number, job]:
                for leg in range(locked, len(route.sequence) + 1):
                    yield route, leg
        return
    priced = [
        (price, order, leg)
        for order, route in enumerate(routes)
        for price, leg in price_places(arrays, route, job)
    ]
    for _, order, leg in sorted(priced):
        yield routes[order], leg


def put(arrays: Arrays, route: RouteState, job: int, leg: int) -> Spot | None:
    """Build a route with one more job; None where it cannot be driven."""
    sequence = (*route.sequence[:leg], job, *route.sequence[leg:])
    found = build_route(arrays.view, route.number, sequence)
    if found is None:
        return None
    return Spot(found, leg, found.cost_milli - route.cost_milli)


def settle(view: View, route: RouteState) -> RouteState:
    """Move a route's breaks to where they cost least; built once, where that is clear.

    With soft windows the cost of a start counts too, so that every way is built.
    """
    if view.has_softs:
        return settle_rests(view, route)
    times = route.times
    rests = view.cars[route.number].rests
    in_route = all(one is not None for one in times.rests_s)
    departs_s = times.departure_s + times.slack_s
    if not rests or (
        times.wait_s == times.slack_s
        and in_route
        and departs_s <= min(rest.earliest_s for rest in rests)
    ):
        return route
    vehicle = view.cars[route.number].vehicle

    def cost_of(times: Times) -> int:
        length_s = times.end_s - times.departure_s - times.slack_s
        over_s = max(0, times.end_s - vehicle.end_s)
        return (
            length_s * vehicle.cost_per_s_milli
            + over_s * vehicle.overtime_cost_per_s_milli
        )

    best = min(
        every_time(view, route.number, route.sequence), key=cost_of, default=None
    )
    found = best and build_route(view, route.number, route.sequence, best)
    return found if found and found.cost_milli < route.cost_milli else route


def settled(arrays: Arrays, spot: Spot) -> Spot:
    """Return a spot with the route's breaks where they cost least."""
    route = settle(arrays.view, spot.route)
    saved = spot.route.cost_milli - route.cost_milli
    return Spot(route, spot.leg, spot.added_milli - saved)


def take_out(arrays: Arrays, route: RouteState, job: int) -> RouteState | None:
    """Build a route without one of its jobs."""
    rest = tuple(one for one in route.sequence if one != job)
    found = build_route(arrays.view, route.number, rest)
    return settle(arrays.view, found) if found is not None else None


def short_detours(view: View, route: RouteState, job: int) -> list[int]:
    """Return the places at which a job lengthens a route least, the shortest first."""
    car = view.cars[route.number]
    places = [car.vehicle.start_location]
    places += [view.locations[one] for one in route.sequence]
    end = car.vehicle.end_location
    there = view.locations[job]
    detours = []
    for leg in range(len(car.locked), len(places)):
        before = places[leg]
        after = places[leg + 1] if leg + 1 < len(places) else end
        detour_s = car.durations_s[before][there]
        if after is not None:
            detour_s += car.durations_s[there][after] - car.durations_s[before][after]
        detours.append((detour_s, leg))
    return [leg for _, leg in sorted(detours)[:MOST_BENT]]
