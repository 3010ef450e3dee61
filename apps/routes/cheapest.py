"""Where on a route a stop costs least, or breaks least where it fits nowhere."""

import uuid
from dataclasses import dataclass, replace

from apps.routes.dayinputs import DayInput
from apps.routes.dayversions import present_jobs
from apps.routes.replanning import only
from apps.routes.solver.explaining.lateness import drive_anyhow
from apps.routes.solver.explaining.spots import short_detours
from apps.routes.solver.insertion import Arrays, price_places
from apps.routes.solver.routestate import RouteState, build_route
from apps.routes.solver.view import View
from apps.routes.steps import on_the_roads

SHORT = 60
"""Up to so many stops every place is timed; on a longer route the most promising ones."""
TRIED = 24


@dataclass(frozen=True, slots=True)
class _Ground:
    """One route without a job that looks for its place on it."""

    view: View
    route: RouteState
    job: int

    def fitting(self) -> int | None:
        """Return the cheapest place at which nothing is broken, wishes included."""
        sequence = self.route.sequence
        found = []
        for leg in self._legs():
            changed = (*sequence[:leg], self.job, *sequence[leg:])
            fresh = build_route(self.view, 0, changed)
            if fresh is not None:
                found.append((fresh.cost_milli, leg))
        return min(found)[1] if found else None

    def _legs(self) -> list[int]:
        first, count = len(self.view.cars[0].locked), len(self.route.sequence)
        if count <= SHORT:
            return [*range(first, count + 1)]
        if not self.view.may_serve[0][self.job]:
            return []
        priced = price_places(Arrays(self.view), self.route, self.job)
        return [leg for _, leg in sorted(priced)[:TRIED]]


def cheapest_place(day: DayInput, shift_id: uuid.UUID, job_id: str) -> int:
    """Return a job's place among what is ahead of a shift, from 0.

    It is the cheapest at which it fits, or else the one with the shortest detour.
    """
    ground = _ground(day, shift_id, job_id)
    place = ground.fitting()
    if place is None:
        place = short_detours(ground.view, ground.route, ground.job)[0]
    return place


def fitting_place(day: DayInput, shift_id: uuid.UUID, job_id: str) -> int | None:
    """Return a job's cheapest place among what is ahead of a shift, None: it fits nowhere."""
    return _ground(day, shift_id, job_id).fitting()


def _ground(day: DayInput, shift_id: uuid.UUID, job_id: str) -> _Ground:
    part = only(day, {shift_id})
    orders = [order for order in part.orders if str(order.order_id) != job_id]
    (mine,) = (order for order in day.orders if str(order.order_id) == job_id)
    part = replace(part, orders=(*orders, mine))
    view = View(on_the_roads(part).problem())
    sequence = tuple(
        view.job_index[one] for one in present_jobs(part)[shift_id] if one != job_id
    )
    route = build_route(view, 0, sequence) or drive_anyhow(view, 0, sequence)
    return _Ground(view, route, view.job_index[job_id])
