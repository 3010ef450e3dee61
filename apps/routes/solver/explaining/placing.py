"""Why a stop is where it is: what every other place for it would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.routes.solver.explaining.spots import best_spot, put, settled, take_out
from apps.routes.solver.explaining.standing import CannotExplain, place_of
from apps.routes.solver.insertion import price_places

if TYPE_CHECKING:
    from apps.routes.solver.explaining.spots import Spot
    from apps.routes.solver.explaining.standing import Standing
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.solution import Visit

MOST_ROUTES = 3
TRIES_A_ROUTE = 3
MOST_PLACES = 8
"""Places in the stop's own route that are built, cheapest first, in a large plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The best other place for a stop: route, place (1, 2, 3…), cost and time.

    `added_milli` is what the whole plan would cost more, `later_s` how much later the
    stop would be served; both may be negative.
    """

    vehicle_id: str
    place: int
    added_milli: int
    later_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyHere:
    """A stop's place in its route, and what speaks for it.

    `previous_job_id` and `next_job_id` are None at the ends of the route; `slack_s`
    is from the start of service to the end of its window, None without a window.
    `committed` says that the driver is bound to it already. `without_milli` is what
    the plan would cost more without the stop: its prize less what driving saves.
    """

    job_id: str
    vehicle_id: str
    place: int
    visits: int
    visit: Visit
    previous_job_id: str | None
    next_job_id: str | None
    slack_s: int | None
    committed: bool
    same_route: Elsewhere | None
    other_routes: tuple[Elsewhere, ...]
    routes_without_place: int
    saved_milli: int
    without_milli: int


def why_here(standing: Standing, job: int) -> WhyHere:
    """Price every other place of a served stop.

    Raises:
        CannotExplain: the plan leaves the job out, or it is half of a shipment.
    """
    view, home = standing.view, standing.home(job)
    if home is None:
        raise CannotExplain("The plan leaves it out.")
    if standing.is_shipped(job):
        raise CannotExplain("It is fetched and brought: its two stops move together.")
    number, leg = home
    route, car = standing.routes[number], view.cars[number]
    plan = next(
        one for one in standing.stated.routes if one.vehicle_id == car.vehicle.id
    )
    place = place_of(view, route.sequence, leg)
    visit = plan.visits[place - 1]
    committed = leg < len(car.locked)
    rest = None if committed else take_out(standing.arrays, route, job)
    saved_milli = route.cost_milli - rest.cost_milli if rest else 0
    others = _on_other_routes(standing, job, number, saved_milli, visit)
    return WhyHere(
        job_id=visit.job_id,
        vehicle_id=car.vehicle.id,
        place=place,
        visits=len(plan.visits),
        visit=visit,
        previous_job_id=plan.visits[place - 2].job_id if place > 1 else None,
        next_job_id=plan.visits[place].job_id if place < len(plan.visits) else None,
        slack_s=_slack_s(standing, job, visit.start_s),
        committed=committed,
        same_route=_on_same_route(standing, job, route, rest, visit) if rest else None,
        other_routes=() if committed else others[:MOST_ROUTES],
        routes_without_place=len(standing.routes) - 1 - len(others),
        saved_milli=saved_milli,
        without_milli=view.prize_milli(job) - saved_milli,
    )


def _slack_s(standing: Standing, job: int, start_s: int) -> int | None:
    windows = standing.view.windows[job]
    return next((last_s - start_s for _, last_s in windows if start_s <= last_s), None)


def _on_same_route(
    standing: Standing, job: int, route: RouteState, rest: RouteState, visit: Visit
) -> Elsewhere | None:
    """Find the stop's best other place among the stops that it stands among."""
    leg = route.sequence.index(job)
    best: Spot | None = None
    for _, other in price_places(standing.arrays, rest, job)[:MOST_PLACES]:
        if other == leg:
            continue
        spot = put(standing.arrays, rest, job, other)
        if spot and (best is None or spot.added_milli < best.added_milli):
            best = spot
    if best is None:
        return None
    best = settled(standing.arrays, best)
    added_milli = best.route.cost_milli - route.cost_milli
    return _stated(standing, best, added_milli, visit)


def _on_other_routes(
    standing: Standing, job: int, number: int, saved_milli: int, visit: Visit
) -> tuple[Elsewhere, ...]:
    """List the best place on each other route that has one, cheapest first."""
    arrays = standing.arrays
    spots = [
        spot
        for route in standing.routes
        if route.number != number
        and (spot := best_spot(arrays, [route], job, tries=TRIES_A_ROUTE)) is not None
    ]
    spots.sort(key=lambda spot: spot.added_milli)
    spots[:MOST_ROUTES] = [settled(arrays, spot) for spot in spots[:MOST_ROUTES]]
    found = [
        _stated(standing, spot, spot.added_milli - saved_milli, visit) for spot in spots
    ]
    return tuple(sorted(found, key=lambda one: one.added_milli))


def _stated(
    standing: Standing, spot: Spot, added_milli: int, visit: Visit
) -> Elsewhere:
    times = spot.route.timed(standing.view).times
    return Elsewhere(
        vehicle_id=standing.view.cars[spot.route.number].vehicle.id,
        place=place_of(standing.view, spot.route.sequence, spot.leg),
        added_milli=added_milli,
        later_s=times.starts_s[spot.leg] - visit.start_s,
    )
