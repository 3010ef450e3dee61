"""What would have to give for a left-out job to be served: tried, priced, and judged.

Each relaxation changes one thing of the problem, as little as serves. It is named only
when the job was really put into the standing plan, the changed plan was judged by the
validator against the changed problem, and serving costs less than leaving it out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from apps.routes.solver.explaining.ejections import best_exchange, best_rearrangement
from apps.routes.solver.explaining.extra import extra_shift
from apps.routes.solver.explaining.kinds import (
    Kind,
    LeftOutWhy,
    Outcome,
    Relaxation,
)
from apps.routes.solver.explaining.leasts import least_overtime, least_widening
from apps.routes.solver.explaining.obstacles import obstacles, reason_of
from apps.routes.solver.explaining.spots import best_spot, settled
from apps.routes.solver.explaining.standing import CannotExplain, compare, lay
from apps.routes.solver.insertion import Arrays
from apps.routes.solver.routestate import build_route
from apps.routes.solver.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from apps.routes.solver.explaining.standing import Standing
    from apps.routes.solver.problem import Problem, Vehicle
    from apps.routes.solver.routestate import RouteState


def why_left_out(
    standing: Standing, job: int, on_tried: Callable[[float], None] | None = None
) -> LeftOutWhy:
    """Find the constraints that bind and the relaxations that serve a left-out job.

    `on_tried` hears after each trial which share of them is done.

    Raises:
        CannotExplain: the plan serves the job, or it is half of a shipment.
    """
    if job not in standing.unserved:
        raise CannotExplain("The plan serves it.")
    if standing.is_shipped(job):
        raise CannotExplain("It is fetched and brought: half of it cannot be served.")
    return LeftOutWhy(
        job_id=standing.view.jobs[job].id,
        reason=reason_of(standing, job),
        obstacles=obstacles(standing, job),
        relaxations=tuple(_heard(_Trials(standing, job).all(), on_tried)),
    )


def _heard(
    trials: Iterator[Relaxation], on_tried: Callable[[float], None] | None
) -> Iterator[Relaxation]:
    for count, one in enumerate(trials, 1):
        if on_tried is not None:
            on_tried(count / len(Kind))
        yield one


class _Trials:
    """The relaxations of one job, one method a kind."""

    def __init__(self, standing: Standing, job: int) -> None:
        self.standing = standing
        self.problem = standing.problem
        self.view = standing.view
        self.index = job
        self.job = self.view.jobs[job]
        self.prize_milli = self.view.prize_milli(job)

    def all(self) -> Iterator[Relaxation]:
        """Try every kind; where it fits as it is, nothing has to give."""
        first = self._as_it_is()
        yield first
        if first.outcome == Outcome.SERVES:
            return
        yield self._rearrange()
        yield self._widen()
        yield self._overtime()
        yield self._lend()
        yield self._drop()
        yield self._unpin()
        yield self._extra()
        yield self._exchange()
        yield self._raise(first)

    def _as_it_is(self) -> Relaxation:
        return self._try(Kind.AS_IT_IS, self.problem)

    def _rearrange(self) -> Relaxation:
        found = best_rearrangement(self.standing, self.index)
        if found is None:
            return _failed(Kind.REARRANGE)
        return self._state(
            Kind.REARRANGE,
            self.problem,
            self.standing.arrays,
            {route.number: route for route in found.routes},
            vehicle_id=self._vehicle(found.number).id,
            other_job_id=self.view.jobs[found.other].id,
            other_vehicle_id=self._vehicle(found.other_number).id,
        )

    def _widen(self) -> Relaxation:
        if not self.job.windows:
            return _failed(Kind.WIDEN_WINDOW, Outcome.DOES_NOT_APPLY)
        found = least_widening(self.standing, self.index)
        if isinstance(found, bool):
            return _failed(Kind.WIDEN_WINDOW, _dear(found))
        windows = tuple(
            found.after if one == found.before else one for one in self.job.windows
        )
        return self._try(
            Kind.WIDEN_WINDOW,
            self._with_job(windows=windows),
            window=(found.before, found.after),
            minutes=found.minutes,
        )

    def _overtime(self) -> Relaxation:
        found = least_overtime(self.standing, self.index)
        if isinstance(found, bool):
            return _failed(Kind.ALLOW_OVERTIME, _dear(found))
        number, minutes = found
        vehicle = self._vehicle(number)
        longer_s = vehicle.max_overtime_s + 60 * minutes
        return self._try(
            Kind.ALLOW_OVERTIME,
            self._with_vehicle(number, max_overtime_s=longer_s),
            cars=[number],
            minutes=minutes,
        )

    def _lend(self) -> Relaxation:
        """Lend what is missing to the vehicle that misses least of what it has."""
        tight: list[tuple[float, int, tuple[tuple[str, int], ...]]] = []
        for number, route in enumerate(self.standing.routes):
            short = self._short(route)
            if short and self.view.may_serve[number][self.index]:
                room = dict(
                    zip(
                        self.problem.dimensions,
                        self._vehicle(number).capacities,
                        strict=True,
                    )
                )
                share = max(lack / max(1, room[name]) for name, lack in short)
                tight.append((share, number, short))
        if not tight:
            return _failed(Kind.LEND_CAPACITY, Outcome.DOES_NOT_APPLY)
        dear = False
        for _, number, short in sorted(tight):
            lent = dict(short)
            capacities = tuple(
                room + lent.get(name, 0)
                for name, room in zip(
                    self.problem.dimensions,
                    self._vehicle(number).capacities,
                    strict=True,
                )
            )
            found = self._try(
                Kind.LEND_CAPACITY,
                self._with_vehicle(number, capacities=capacities),
                cars=[number],
                lent=short,
            )
            if found.outcome == Outcome.SERVES:
                return found
            dear = dear or found.outcome == Outcome.COSTS_TOO_MUCH
        return _failed(Kind.LEND_CAPACITY, _dear(dear))

    def _short(self, route: RouteState) -> tuple[tuple[str, int], ...]:
        spare = self.view.cars[route.number].spare
        return tuple(
            (name, taken + demand - room)
            for name, taken, demand, room in zip(
                self.problem.dimensions,
                route.load,
                self.job.demands,
                spare,
                strict=True,
            )
            if taken + demand > room
        )

    def _drop(self) -> Relaxation:
        """Drop as few of the required capabilities as serve."""
        required = {*self.job.required_capabilities}
        lacking = {
            tuple(sorted(required - {*vehicle.capabilities}))
            for vehicle in self.problem.vehicles
        } - {()}
        if not lacking:
            return _failed(Kind.DROP_CAPABILITY, Outcome.DOES_NOT_APPLY)
        dear = False
        for dropped in sorted(lacking, key=lambda names: (len(names), names)):
            kept = tuple(sorted(required - {*dropped}))
            found = self._try(
                Kind.DROP_CAPABILITY,
                self._with_job(required_capabilities=kept),
                dropped=dropped,
            )
            if found.outcome == Outcome.SERVES:
                return found
            dear = dear or found.outcome == Outcome.COSTS_TOO_MUCH
        return _failed(Kind.DROP_CAPABILITY, _dear(dear))

    def _unpin(self) -> Relaxation:
        if self.job.pinned_vehicle is None:
            return _failed(Kind.UNPIN, Outcome.DOES_NOT_APPLY)
        return self._try(Kind.UNPIN, self._with_job(pinned_vehicle=None))

    def _extra(self) -> Relaxation:
        found = extra_shift(self.standing, self.index)
        if found is None:
            return _failed(Kind.EXTRA_SHIFT, Outcome.DOES_NOT_APPLY)
        vehicle, job = found
        problem = replace(
            self._with_job(
                allowed_vehicles=job.allowed_vehicles,
                pinned_vehicle=job.pinned_vehicle,
            ),
            vehicles=(*self.problem.vehicles, vehicle),
        )
        return self._try(
            Kind.EXTRA_SHIFT,
            problem,
            cars=[len(self.problem.vehicles)],
            shift_s=(vehicle.start_s, vehicle.end_s),
            dropped=tuple(
                sorted({*vehicle.capabilities} & {*self.job.required_capabilities})
            ),
        )

    def _exchange(self) -> Relaxation:
        found = best_exchange(self.standing, self.index)
        if found is None:
            return _failed(Kind.EXCHANGE)
        return self._state(
            Kind.EXCHANGE,
            self.problem,
            self.standing.arrays,
            {route.number: route for route in found.routes},
            left_out=[found.other],
            vehicle_id=self._vehicle(found.number).id,
            other_job_id=self.view.jobs[found.other].id,
        )

    def _raise(self, first: Relaxation) -> Relaxation:
        """Raise what the job is worth above what it adds where it fits."""
        if first.outcome != Outcome.COSTS_TOO_MUCH or first.change is None:
            return _failed(Kind.RAISE_PRIZE, Outcome.DOES_NOT_APPLY)
        weight = self.problem.objective.unserved_weight
        if not weight:
            return _failed(Kind.RAISE_PRIZE)
        added_milli = first.change.total_milli + self.prize_milli
        prize_milli = added_milli // weight + 1
        return self._try(
            Kind.RAISE_PRIZE,
            self._with_job(prize_milli=prize_milli),
            prize_milli=prize_milli - self.job.prize_milli,
        )

    def _try(
        self,
        kind: Kind,
        problem: Problem,
        *,
        cars: Sequence[int] | None = None,
        **facts: Any,
    ) -> Relaxation:
        """Put the job into the plan under a changed problem, at its best place."""
        same = problem is self.problem
        arrays = self.standing.arrays if same else Arrays(View(problem))
        routes = [
            route if same else replace(route, gaps={})
            for route in _routes(self.standing, arrays.view)
        ]
        wanted = routes if cars is None else [routes[number] for number in cars]
        spot = best_spot(arrays, wanted, self.index)
        if spot is None:
            return _failed(kind)
        spot = settled(arrays, spot)
        if "vehicle_id" not in facts:
            facts["vehicle_id"] = arrays.view.cars[spot.route.number].vehicle.id
        return self._state(
            kind, problem, arrays, {spot.route.number: spot.route}, **facts
        )

    def _state(
        self,
        kind: Kind,
        problem: Problem,
        arrays: Arrays,
        changed: Mapping[int, RouteState],
        *,
        left_out: Sequence[int] = (),
        **facts: Any,
    ) -> Relaxation:
        """State the changed plan, have it judged, and see whether it is worth it."""
        view = arrays.view
        routes = [
            changed.get(route.number, route) for route in _routes(self.standing, view)
        ]
        unserved = sorted({*self.standing.unserved, *left_out} - {self.index})
        solution = lay(view, routes, unserved, self.standing.solution)
        change = compare(problem, self.standing.stated, solution)
        if change.broken:
            return _failed(kind)
        prize_milli = view.prize_milli(self.index)
        worth = change.total_milli + self.prize_milli < prize_milli
        return replace(
            Relaxation(
                kind=kind,
                outcome=Outcome.SERVES if worth else Outcome.COSTS_TOO_MUCH,
                problem=problem,
                solution=solution,
                change=change,
            ),
            **facts,
        )

    def _with_job(self, **values: Any) -> Problem:
        jobs = list(self.problem.jobs)
        jobs[self.index] = replace(self.job, **values)
        return replace(self.problem, jobs=tuple(jobs))

    def _with_vehicle(self, number: int, **values: Any) -> Problem:
        vehicles = list(self.problem.vehicles)
        vehicles[number] = replace(vehicles[number], **values)
        return replace(self.problem, vehicles=tuple(vehicles))

    def _vehicle(self, number: int) -> Vehicle:
        return self.problem.vehicles[number]


def _routes(standing: Standing, view: View) -> list[RouteState]:
    """Return the standing routes, and an empty one for a car that came on top."""
    extra = [
        build_route(view, number, ())
        for number in range(len(standing.routes), len(view.cars))
    ]
    return [*standing.routes, *(route for route in extra if route is not None)]


def _dear(fits: bool) -> Outcome:
    return Outcome.COSTS_TOO_MUCH if fits else Outcome.DOES_NOT_HELP


def _failed(kind: Kind, outcome: Outcome = Outcome.DOES_NOT_HELP) -> Relaxation:
    return Relaxation(kind=kind, outcome=outcome)
