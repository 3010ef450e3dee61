"""A solved plan laid out for questions: its routes as they were stated, and what differs.

Every question of "what if" starts here: the plan's own sequences and breaks, compiled
once, so that a changed plan is priced by the same arithmetic as the plan itself.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from apps.routes.solver.assemble import Provenance, assemble
from apps.routes.solver.insertion import Arrays
from apps.routes.solver.resting import AFTER_END, BEFORE_DEPARTURE
from apps.routes.solver.routestate import build_route
from apps.routes.solver.schedule import forward
from apps.routes.solver.solution import CostBreakdown, Reason, Unserved
from apps.routes.solver.validate import validate
from apps.routes.solver.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from apps.routes.solver.judging import Violation
    from apps.routes.solver.problem import Problem
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.solution import PlacedBreak, RoutePlan, Solution, Visit

MILLI = "_milli"


class CannotExplain(ValueError):
    """The plan does not lend itself to the question; the message says why."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan as it stands: `routes` by car, `unserved` by job, `stated` in full."""

    problem: Problem
    solution: Solution
    arrays: Arrays
    routes: tuple[RouteState, ...]
    unserved: tuple[int, ...]
    stated: Solution

    @property
    def view(self) -> View:
        """The compiled problem."""
        return self.arrays.view

    def home(self, job: int) -> tuple[int, int] | None:
        """Return the car of a job and its place in the sequence, or None."""
        for route in self.routes:
            if job in route.sequence:
                return route.number, route.sequence.index(job)
        return None

    def is_shipped(self, job: int) -> bool:
        """Tell whether a job is half of a shipment, of which no half moves alone."""
        return job in self.view.delivery_of or job in self.view.pickup_of

    def job(self, job_id: str) -> int:
        """Return a job's index.

        Raises:
            CannotExplain: the plan does not know the job.
        """
        found = self.view.job_index.get(job_id)
        if found is None:
            raise CannotExplain(f"The plan was made without the stop {job_id}.")
        return found

    def car(self, vehicle_id: str) -> int:
        """Return a vehicle's index.

        Raises:
            CannotExplain: the plan does not know the vehicle.
        """
        found = self.view.vehicle_index.get(vehicle_id)
        if found is None:
            raise CannotExplain(f"The plan was made without the route {vehicle_id}.")
        return found


def stand(problem: Problem, solution: Solution) -> Standing:
    """Lay out a plan for questions.

    Raises:
        InvalidProblem: the problem contradicts itself.
        CannotExplain: the solution is not one of this problem.
    """
    arrays = Arrays(View(problem))
    view = arrays.view
    plans = {plan.vehicle_id: plan for plan in solution.routes}
    if unknown := plans.keys() - view.vehicle_index.keys():
        raise CannotExplain(f"The problem has no vehicle {', '.join(sorted(unknown))}.")
    routes = tuple(
        _as_stated(view, number, plans.get(car.vehicle.id))
        for number, car in enumerate(view.cars)
    )
    unserved = left_out(view, routes)
    return Standing(
        problem=problem,
        solution=solution,
        arrays=arrays,
        routes=routes,
        unserved=unserved,
        stated=lay(view, routes, unserved, solution),
    )


def _as_stated(view: View, number: int, plan: RoutePlan | None) -> RouteState:
    """Rebuild a route with its breaks where the plan has them."""
    visits = plan.visits if plan else ()
    if any(visit.job_id not in view.job_index for visit in visits):
        raise CannotExplain("The solution visits what the problem does not know.")
    sequence = _stops(view, number, plan) if plan else ()
    route = None
    if plan is not None:
        for slots in _stated_slots(view, number, sequence, plan):
            times = forward(view, number, sequence, slots)
            if times is not None and times.end_s == plan.end_s:
                route = build_route(view, number, sequence, times)
                break
    route = route or build_route(view, number, sequence)
    if route is None:
        vehicle_id = view.cars[number].vehicle.id
        raise CannotExplain(f"The route of {vehicle_id} cannot be timed as stated.")
    return route


def _stops(view: View, number: int, plan: RoutePlan) -> tuple[int, ...]:
    """List a route's stops: its visits, and where it loads again between them."""
    places = {view.locations[stop]: stop for stop in view.cars[number].reloads}
    loads = {one.after_visits: places[one.location] for one in plan.reloads}
    stops: list[int] = []
    for done, visit in enumerate(plan.visits):
        if done in loads:
            stops.append(loads[done])
        stops.append(view.job_index[visit.job_id])
    return tuple(stops)


def _stated_slots(
    view: View, number: int, sequence: tuple[int, ...], plan: RoutePlan
) -> Iterator[tuple[int, ...]]:
    """Yield where the breaks may be: those not in the route are before or after it."""
    rests = view.cars[number].rests
    placed = {
        one.break_index: 2 * _leg(view, sequence, one) + one.on_arrival
        for one in plan.breaks
    }
    for early in range(len(rests) + 1):
        yield tuple(
            placed.get(rest.index, BEFORE_DEPARTURE if position < early else AFTER_END)
            for position, rest in enumerate(rests)
        )


def _leg(view: View, sequence: tuple[int, ...], one: PlacedBreak) -> int:
    """Return the leg on which a stated break is taken."""
    done = 0
    for leg, stop in enumerate(sequence):
        loads = stop >= view.job_count
        if done == one.after_visits and loads == (one.at_reload and one.on_arrival):
            return leg + (one.at_reload and not one.on_arrival and loads)
        done += not loads
    return len(sequence)


def left_out(view: View, routes: Iterable[RouteState]) -> tuple[int, ...]:
    """Return the jobs that are on none of the routes."""
    served = {stop for route in routes for stop in route.sequence}
    return tuple(job for job in range(view.job_count) if job not in served)


def place_of(view: View, sequence: Sequence[int], leg: int) -> int:
    """Return a stop's place among the visits of its route: 1 for the first."""
    return 1 + sum(stop < view.job_count for stop in sequence[:leg])


def lay(
    view: View,
    routes: Sequence[RouteState],
    unserved: Sequence[int],
    like: Solution,
) -> Solution:
    """State routes and what is left out as a solution, with the provenance of another."""
    told = {left.job_id: left for left in like.unserved}
    reasons = {
        job: told.get(
            view.jobs[job].id,
            Unserved(job_id=view.jobs[job].id, reason=Reason.NO_ROOM),
        )
        for job in unserved
    }
    provenance = Provenance(
        engine=like.engine,
        engine_version=like.engine_version,
        seed=like.seed,
        solutions=like.solutions,
        stopped_by=like.stopped_by,
    )
    timed = [route.timed(view) for route in routes]
    return assemble(view, timed, reasons, provenance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A stop before and after: vehicle, place (1, 2, 3…) and start of service.

    None stands for "not served".
    """

    job_id: str
    vehicle_before: str | None
    vehicle_after: str | None
    place_before: int | None
    place_after: int | None
    start_before_s: int | None
    start_after_s: int | None

    @property
    def later_s(self) -> int:
        """How much later it is served; negative is earlier, 0 where it is left out."""
        if self.start_before_s is None or self.start_after_s is None:
            return 0
        return self.start_after_s - self.start_before_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What another plan does differently.

    `cost_milli` holds the difference of each part of the cost, `moved` every stop
    whose vehicle, place or time differs, `broken` what it breaks of the rules.
    """

    cost_milli: tuple[tuple[str, int], ...]
    duration_s: int
    travel_s: int
    distance_m: int
    overtime_s: int
    moved: tuple[Moved, ...]
    broken: tuple[Violation, ...]

    @property
    def total_milli(self) -> int:
        """The difference of the whole cost."""
        return sum(milli for _, milli in self.cost_milli)

    def part_milli(self, name: str) -> int:
        """Return the difference of one part, 0 for one that is not there."""
        return dict(self.cost_milli).get(name, 0)


def compare(problem: Problem, before: Solution, after: Solution) -> Change:
    """Say what `after` does differently, and what of the problem's rules it breaks."""
    one, other = cost_parts(before.cost), cost_parts(after.cost)
    return Change(
        cost_milli=tuple((name, other[name] - one[name]) for name in one),
        duration_s=_total(after, "duration_s") - _total(before, "duration_s"),
        travel_s=_total(after, "travel_s") - _total(before, "travel_s"),
        distance_m=_total(after, "distance_m") - _total(before, "distance_m"),
        overtime_s=_total(after, "overtime_s") - _total(before, "overtime_s"),
        moved=tuple(_moved(before, after)),
        broken=validate(problem, after),
    )


def cost_parts(cost: CostBreakdown) -> dict[str, int]:
    """Return the parts of a cost by name, without their unit: they add up to it."""
    return {
        item.name.removesuffix(MILLI): getattr(cost, item.name)
        for item in fields(CostBreakdown)
        if item.name.endswith(MILLI)
    }


def _total(solution: Solution, name: str) -> int:
    return sum(getattr(route, name) for route in solution.routes)


def _moved(before: Solution, after: Solution) -> Iterator[Moved]:
    then, now = _places(before), _places(after)
    for job_id in dict.fromkeys([*then, *now]):
        old, new = then.get(job_id), now.get(job_id)
        if old and new and old[:2] == new[:2] and old[2].start_s == new[2].start_s:
            continue
        yield Moved(
            job_id=job_id,
            vehicle_before=old[0] if old else None,
            vehicle_after=new[0] if new else None,
            place_before=old[1] if old else None,
            place_after=new[1] if new else None,
            start_before_s=old[2].start_s if old else None,
            start_after_s=new[2].start_s if new else None,
        )


def _places(solution: Solution) -> Mapping[str, tuple[str, int, Visit]]:
    return {
        visit.job_id: (route.vehicle_id, place, visit)
        for route in solution.routes
        for place, visit in enumerate(route.visits, 1)
    }
