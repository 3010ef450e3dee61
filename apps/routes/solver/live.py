"""A running plan laid out, so that an event is answered in milliseconds.

Sequences, times, latest starts, and loads of every route lie ready before anything
happens; an event pays only for the routes that it touches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from apps.routes.solver.assemble import plan_route
from apps.routes.solver.gaps import lay_places
from apps.routes.solver.growing import grow
from apps.routes.solver.leavings import Leavings
from apps.routes.solver.port import EngineRefused
from apps.routes.solver.routestate import build_route
from apps.routes.solver.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apps.routes.solver.gaps import Places
    from apps.routes.solver.problem import Job, Problem, Vehicle
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.solution import RoutePlan, Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened to a running day.

    `cancelled` are ids of jobs that nobody wants any more, `added` new jobs at known
    locations, `vehicles` cars that are elsewhere, later, or fuller than was planned;
    whom they may serve, and how fast, is as before.
    """

    cancelled: tuple[str, ...] = ()
    added: tuple[Job, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()


class LivePlan:
    """Routes, the places where they could take more, and the jobs in none of them.

    `touched` are the cars whose route is no longer what it was; `loose` jobs wait for
    a place. `homeless` sequences are those that cannot be driven as they stand.
    """

    def __init__(self, problem: Problem, present: Solution | None = None) -> None:
        """Lay out a plan; what cannot be driven as it stands is `broken`.

        Raises:
            InvalidProblem: the problem contradicts itself.
            EngineRefused: a car's commitments cannot be timed.
        """
        self.view = View(problem)
        self.routes: list[RouteState] = []
        self.broken: dict[int, tuple[int, ...]] = {}
        self.gone: set[int] = set()
        self.touched: set[int] = set()
        for number, sequence in enumerate(_sequences(self.view, present)):
            self._follow(number, sequence)
        served = {job for route in self.routes for job in route.sequence}
        held = {job for sequence in self.broken.values() for job in sequence}
        self.loose = [
            job for job in range(len(self.view.jobs)) if job not in served | held
        ]
        self.stated: list[RoutePlan | None] = [None] * len(self.routes)
        for number in range(len(self.routes)):
            self.stated[number] = self._state(number)
        self.places: list[Places] = [lay_places(self.view, one) for one in self.routes]
        self._leavings: list[Leavings | None] = [None] * len(self.routes)
        for number in range(len(self.routes)):
            self.leavings(number)

    def _follow(self, number: int, sequence: tuple[int, ...]) -> None:
        locked = self.view.cars[number].locked
        route = build_route(self.view, number, (*locked, *sequence))
        if route is None:
            self.broken[number] = sequence
            route = build_route(self.view, number, locked)
        if route is None:
            name = self.view.cars[number].vehicle.id
            raise EngineRefused(
                f"vehicle {name}: its locked jobs or its way home cannot be timed"
            )
        self.routes.append(route)

    def leavings(self, number: int) -> Leavings:
        """Give a car's route without each of its stops in turn, as it is now."""
        found = self._leavings[number]
        if found is None:
            found = Leavings(self.view, self.routes[number], self.places[number])
            self._leavings[number] = found
        return found

    @property
    def problem(self) -> Problem:
        """The problem as it is now, without the jobs that are gone."""
        problem = self.view.problem
        if not self.gone:
            return problem
        gone = {self.view.jobs[job].id for job in self.gone}
        return replace(
            problem, jobs=tuple(job for job in problem.jobs if job.id not in gone)
        )

    def take_in(self, event: Event) -> None:
        """Take an event in: what it makes undrivable is `broken`, what is new is loose.

        Raises:
            EngineRefused: a car's commitments cannot be timed.
        """
        first_new = len(self.view.jobs)
        changed = {self.view.vehicle_index[one.id] for one in event.vehicles}
        if event.added or changed:
            self.view = grow(self.view, event.added, event.vehicles)
        self.loose += range(first_new, len(self.view.jobs))
        gone = {self.view.job_index[job_id] for job_id in event.cancelled}
        self.gone |= gone
        self.loose = [job for job in self.loose if job not in gone]
        homes = [
            number
            for number, route in enumerate(self.routes)
            if number in changed or not gone.isdisjoint(route.sequence)
        ]
        for number in homes:
            self._retime(number, gone)

    def _retime(self, number: int, gone: set[int]) -> None:
        """Time a route anew without the jobs that are gone."""
        car = self.view.cars[number]
        sequence = self.routes[number].sequence
        rest = tuple(job for job in sequence if job not in gone)
        route = build_route(self.view, number, rest)
        if route is None:
            self.broken[number] = rest[len(car.locked) :]
            route = build_route(self.view, number, car.locked)
        if route is None:
            raise EngineRefused(f"vehicle {car.vehicle.id}: it cannot come home")
        self.put(route)

    def put(self, route: RouteState) -> None:
        """Take a route in place of its car's."""
        self.routes[route.number] = route
        self.places[route.number] = lay_places(self.view, route)
        self._leavings[route.number] = None
        self.touched.add(route.number)

    def try_sequence(self, number: int, sequence: Sequence[int]) -> bool:
        """Give a car a sequence if it can be driven; tell whether it can."""
        route = build_route(self.view, number, sequence)
        if route is not None:
            self.put(route)
        return route is not None

    def plans(self) -> list[tuple[RouteState, RoutePlan]]:
        """State the routes that are used, timing only what was touched."""
        for number in self.touched:
            self.stated[number] = self._state(number)
        return [
            (route, plan)
            for route, plan in zip(self.routes, self.stated, strict=True)
            if plan is not None
        ]

    def _state(self, number: int) -> RoutePlan | None:
        route = self.routes[number]
        if not route.sequence:
            return None
        return plan_route(self.view, route.timed(self.view), self.stated[number])


def _sequences(view: View, present: Solution | None) -> list[tuple[int, ...]]:
    """Give each car its open jobs in a present plan, known and each once."""
    told: Mapping[str, Sequence[str]] = {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in (present.routes if present else ())
    }
    placed = set(view.locked_by)
    sequences = []
    for number, car in enumerate(view.cars):
        wanted = [
            job
            for job_id in dict.fromkeys(told.get(car.vehicle.id, ()))
            if (job := view.job_index.get(job_id)) is not None
            and job not in placed
            and view.may_serve[number][job]
        ]
        placed.update(wanted)
        sequences.append(tuple(wanted))
    return sequences
