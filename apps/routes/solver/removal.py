"""Taking jobs out of routes, with what cannot stay without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.routes.solver.routestate import build_route

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.view import View


def with_partners(view: View, jobs: Sequence[int]) -> list[int]:
    """Add the other halves of shipments to jobs, each once."""
    if not view.delivery_of:
        return list(jobs)
    found = dict.fromkeys(jobs)
    for job in jobs:
        partner = view.partner(job)
        if partner is not None:
            found[partner] = None
    return list(found)


def without(view: View, route: RouteState, jobs: Collection[int]) -> RouteState | None:
    """Take jobs out of a route, and reloads that are no longer needed.

    None where what is left cannot be driven. Who takes half a shipment out gets None.
    """
    gone = {*jobs}
    kept = tuple(stop for stop in route.sequence if stop not in gone)
    if not view.reload_places:
        return build_route(view, route.number, kept)
    return tidy(view, route.number, _plausible(view, kept))


def _plausible(view: View, sequence: Sequence[int]) -> tuple[int, ...]:
    """Drop reloads that no visit follows, and all but the first of several in a row."""
    kept: list[int] = []
    for stop in sequence:
        if kept and min(stop, kept[-1]) >= view.job_count:
            continue
        kept.append(stop)
    while kept and kept[-1] >= view.job_count:
        kept.pop()
    return tuple(kept)


def tidy(view: View, number: int, sequence: tuple[int, ...]) -> RouteState | None:
    """Build a route without the reloads that it is cheaper without."""
    route = build_route(view, number, sequence)
    for stop in [stop for stop in sequence if stop >= view.job_count]:
        now = route.sequence if route else sequence
        for leg, other in enumerate(now):
            if other != stop:
                continue
            fewer = build_route(view, number, (*now[:leg], *now[leg + 1 :]))
            if fewer and (route is None or fewer.cost_milli < route.cost_milli):
                route = fewer
                break
    return route


def settle_reloads(view: View, route: RouteState) -> RouteState:
    """Move each reload of a route to where it costs least, or leave it out."""
    best = tidy(view, route.number, route.sequence) or route
    for _ in range(sum(stop >= view.job_count for stop in route.sequence)):
        moved = min(_moved(view, best), key=lambda one: one.cost_milli, default=best)
        if moved.cost_milli >= best.cost_milli:
            break
        best = moved
    return best


def _moved(view: View, route: RouteState) -> list[RouteState]:
    """List the feasible routes with one reload moved or at another place."""
    sequence, first = route.sequence, len(view.cars[route.number].locked)
    found: list[RouteState | None] = []
    for leg, stop in enumerate(sequence):
        if stop < view.job_count:
            continue
        rest = (*sequence[:leg], *sequence[leg + 1 :])
        for at in range(first, len(rest)):
            for place in view.cars[route.number].reloads:
                moved = (*rest[:at], place, *rest[at:])
                if moved != sequence:
                    found.append(build_route(view, route.number, moved))
    return [one for one in found if one is not None]
