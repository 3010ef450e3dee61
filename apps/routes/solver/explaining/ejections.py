"""Room for one job by taking one other out: moved elsewhere, or left out for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.routes.solver.explaining.spots import best_spot, put, settled
from apps.routes.solver.insertion import price_places
from apps.routes.solver.resting import AFTER_END
from apps.routes.solver.routestate import build_route
from apps.routes.solver.schedule import forward

if TYPE_CHECKING:
    from apps.routes.solver.explaining.spots import Spot
    from apps.routes.solver.explaining.standing import Standing
    from apps.routes.solver.routestate import RouteState

MOST_TRIED = 30
"""Jobs taken out by way of trial in a large plan: those in whose place the job does
least harm come first."""

MISSED_S = 86_400


@dataclass(frozen=True, slots=True)
class Ejection:
    """Routes that change so that a job enters route `number`.

    `other` was taken out of there; it is served by `other_number`, or by nobody (-1).
    `cost_milli` is what the routes cost more.
    """

    routes: tuple[RouteState, ...]
    number: int
    other: int
    other_number: int
    cost_milli: int


def best_rearrangement(standing: Standing, job: int) -> Ejection | None:
    """Find one stop that, served elsewhere, makes room for the job; nothing is lost."""
    best: Ejection | None = None
    for route, other in _candidates(standing, job, below=None):
        if not _has_elsewhere(standing, route, job, other):
            continue
        spot = _swapped(standing, route, job, other)
        if spot is None:
            continue
        routes = [
            spot.route if one.number == route.number else one for one in standing.routes
        ]
        home = best_spot(standing.arrays, routes, other)
        if home is None:
            continue
        added = spot.route.cost_milli - route.cost_milli + home.added_milli
        if best is None or added < best.cost_milli:
            changed = {spot.route.number: spot.route, home.route.number: home.route}
            best = Ejection(
                tuple(changed.values()), route.number, other, home.route.number, added
            )
    return best


def best_exchange(standing: Standing, job: int) -> Ejection | None:
    """Find the stop of lower worth that is best left out for the job."""
    view = standing.view
    best: tuple[int, int, RouteState, Spot] | None = None
    for route, other in _candidates(standing, job, below=view.prize_milli(job)):
        spot = _swapped(standing, route, job, other)
        if spot is None:
            continue
        added = spot.route.cost_milli - route.cost_milli
        whole = added + view.prize_milli(other)
        if best is None or whole < best[0]:
            best = (whole, other, route, spot)
    if best is None:
        return None
    _, other, route, spot = best
    spot = settled(standing.arrays, spot)
    added = spot.route.cost_milli - route.cost_milli
    return Ejection((spot.route,), route.number, other, -1, added)


def _has_elsewhere(standing: Standing, route: RouteState, job: int, other: int) -> bool:
    """Tell whether a stop may have a place on another route, or room to stay."""
    view = standing.view
    spare = view.cars[route.number].spare
    if all(
        taken + demand <= room
        for taken, demand, room in zip(
            route.load, view.jobs[job].demands, spare, strict=True
        )
    ):
        return True
    return any(
        price_places(standing.arrays, one, other)
        for one in standing.routes
        if one.number != route.number
    )


def _swapped(
    standing: Standing, route: RouteState, job: int, other: int
) -> Spot | None:
    """Put the job into a route from which a stop was taken."""
    left = _without(standing, route, other)
    if left is None:
        return None
    if len(standing.view.jobs) <= MOST_TRIED:
        return best_spot(standing.arrays, [left], job)
    for _, leg in price_places(standing.arrays, left, job)[:2]:
        spot = put(standing.arrays, left, job, leg)
        if spot is not None:
            return spot
    return None


def _without(standing: Standing, route: RouteState, other: int) -> RouteState | None:
    """Take a stop out of a route; its breaks stay between the stops where they are."""
    view, leg = standing.view, route.sequence.index(other)
    rest = (*route.sequence[:leg], *route.sequence[leg + 1 :])
    if not rest:
        return build_route(view, route.number, rest)
    slots = tuple(
        slot if slot <= 2 * leg or slot == AFTER_END else max(2 * leg, slot - 2)
        for slot in route.times.slots
    )
    times = forward(view, route.number, rest, slots)
    return build_route(view, route.number, rest, times)


def _candidates(
    standing: Standing, job: int, below: int | None
) -> list[tuple[RouteState, int]]:
    """List route and stop by the harm that the job does in the stop's place.

    `below` asks for stops that are worth less than that. A large plan's list is cut.
    """
    view = standing.view
    demands = view.jobs[job].demands
    found: list[tuple[int, int, int]] = []
    for number, route in enumerate(standing.routes):
        car = view.cars[number]
        if not view.may_serve[number][job]:
            continue
        for leg in range(len(car.locked), len(route.sequence)):
            other = route.sequence[leg]
            if other >= view.job_count or standing.is_shipped(other):
                continue
            if below is not None and view.prize_milli(other) >= below:
                continue
            if all(
                demand + taken - freed <= room
                for demand, taken, freed, room in zip(
                    demands,
                    route.load,
                    view.jobs[other].demands,
                    car.spare,
                    strict=True,
                )
            ):
                found.append((_harm_s(standing, route, leg, job), number, other))
    most = len(found) if len(view.jobs) <= MOST_TRIED else MOST_TRIED
    return [
        (standing.routes[number], other) for _, number, other in sorted(found)[:most]
    ]


def _harm_s(standing: Standing, route: RouteState, leg: int, job: int) -> int:
    """Estimate the seconds by which a job in a stop's place is worse than the stop.

    Missing the job's window there counts a day: another place may still be right.
    """
    view, car = standing.view, standing.view.cars[route.number]
    stops, travel_s = route.sequence, car.durations_s
    before = view.locations[stops[leg - 1]] if leg else car.vehicle.start_location
    place, there = view.locations[job], view.locations[stops[leg]]
    after = car.vehicle.end_location
    if leg + 1 < len(stops):
        after = view.locations[stops[leg + 1]]
    harm_s = travel_s[before][place] + car.services_s[job]
    harm_s -= travel_s[before][there] + car.services_s[stops[leg]]
    if after is not None:
        harm_s += travel_s[place][after] - travel_s[there][after]
    ready_s = route.times.finishes_s[leg - 1] if leg else route.times.departure_s
    arrival_s = ready_s + travel_s[before][place]
    start_s = view.next_start_s(job, arrival_s)
    return harm_s + (MISSED_S if start_s is None else start_s - arrival_s)
