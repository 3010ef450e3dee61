"""Parts of a day as problems of their own, and their answers as one of the whole day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from apps.routes.solver.problem import Matrix
from apps.routes.solver.solution import CostBreakdown, Solution, StoppedBy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from apps.routes.solver.problem import Job, Problem, Vehicle
    from apps.routes.solver.solution import RoutePlan, Unserved
    from apps.routes.solver.splitting import Part

MatricesOf = Callable[[Sequence[int]], tuple[Matrix, ...]]
"""Gives travel between some locations of the whole day, one matrix a profile."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part as a problem; `locations` are those of the whole day, in its order."""

    problem: Problem
    locations: tuple[int, ...]

    def stated(self, route: RoutePlan) -> RoutePlan:
        """Return a route of the part with the whole day's locations."""
        if not route.reloads:
            return route
        return replace(
            route,
            reloads=tuple(
                replace(one, location=self.locations[one.location])
                for one in route.reloads
            ),
        )

    def told(self, route: RoutePlan) -> RoutePlan:
        """Return a route of the whole day with the part's locations."""
        if not route.reloads:
            return route
        at = {place: number for number, place in enumerate(self.locations)}
        return replace(
            route,
            reloads=tuple(
                replace(one, location=at[one.location]) for one in route.reloads
            ),
        )


def piece_of(problem: Problem, part: Part, matrices_of: MatricesOf) -> Piece:
    """State a part of a day as a problem; of the whole one no matrix is needed."""
    cars = [problem.vehicles[number] for number in part.vehicles]
    jobs = [problem.jobs[number] for number in part.jobs]
    locations = sorted(
        {*(place for car in cars for place in _places(car))}
        | {job.location for job in jobs}
    )
    at = {place: number for number, place in enumerate(locations)}
    known = {job.id for job in jobs}
    stated = replace(
        problem,
        location_count=len(locations),
        matrices=matrices_of(locations),
        vehicles=tuple(_moved_car(car, at) for car in cars),
        jobs=tuple(replace(job, location=at[job.location]) for job in jobs),
        shipments=tuple(one for one in problem.shipments if one.pickup_job in known),
    )
    return Piece(stated, tuple(locations))


def _places(car: Vehicle) -> tuple[int, ...]:
    ends = () if car.end_location is None else (car.end_location,)
    return (car.start_location, *ends, *car.reload_locations)


def _moved_car(car: Vehicle, at: Mapping[int, int]) -> Vehicle:
    return replace(
        car,
        start_location=at[car.start_location],
        end_location=None if car.end_location is None else at[car.end_location],
        reload_locations=tuple(at[place] for place in car.reload_locations),
    )


@dataclass(frozen=True, slots=True)
class Whole:
    """A day's routes by vehicle and what is left out by job, whatever part they are of.

    `pieces` gives the piece that each route was planned in, by vehicle.
    """

    routes: Mapping[str, RoutePlan]
    unserved: Mapping[str, Unserved]
    pieces: Mapping[str, Piece]

    def with_answer(self, piece: Piece, answer: Solution) -> Whole:
        """Return the day with a piece's answer in place of what its cars and jobs had."""
        cars = {car.id for car in piece.problem.vehicles}
        jobs = {job.id for job in piece.problem.jobs}
        routes = {car: one for car, one in self.routes.items() if car not in cars}
        routes |= {one.vehicle_id: piece.stated(one) for one in answer.routes}
        left = {job: one for job, one in self.unserved.items() if job not in jobs}
        left |= {one.job_id: one for one in answer.unserved}
        return Whole(routes, left, {**self.pieces, **dict.fromkeys(cars, piece)})


NOTHING = Whole({}, {}, {})


def merge(problem: Problem, whole: Whole, answers: Iterable[Solution]) -> Solution:
    """State a day's routes as one solution; `answers` are those it is made of."""
    known = list(answers)
    routes = [
        whole.routes[car.id] for car in problem.vehicles if car.id in whole.routes
    ]
    left = [whole.unserved[job.id] for job in problem.jobs if job.id in whole.unserved]
    engine, version = _engine(known)
    return Solution(
        routes=tuple(routes),
        unserved=tuple(left),
        cost=whole_cost(problem, routes, left),
        engine=engine,
        engine_version=version,
        seed=known[0].seed if known else 0,
        solutions=sum(one.solutions for one in known),
        stopped_by=_ended(known),
    )


def _engine(answers: Sequence[Solution]) -> tuple[str, str]:
    """Name the engine that planned most jobs."""
    done: dict[tuple[str, str], int] = {}
    for one in answers:
        key = (one.engine, one.engine_version)
        visits = sum(len(route.visits) for route in one.routes)
        done[key] = done.get(key, 0) + visits
    return max(done, key=lambda key: (done[key], key), default=("none", "1"))


def _ended(answers: Sequence[Solution]) -> StoppedBy:
    for reason in (StoppedBy.TIME, StoppedBy.SOLUTIONS):
        if any(one.stopped_by == reason for one in answers):
            return reason
    return StoppedBy.EXHAUSTED


def whole_cost(
    problem: Problem, routes: Sequence[RoutePlan], left: Sequence[Unserved]
) -> CostBreakdown:
    """Add up what a day costs by the figures of its routes."""
    jobs = {job.id: job for job in problem.jobs}
    objective = problem.objective
    durations_s = [route.duration_s for route in routes]
    uneven_s = (
        max(durations_s) - sum(durations_s) // len(durations_s) if durations_s else 0
    )
    return CostBreakdown(
        fixed_milli=sum(route.cost.fixed_milli for route in routes),
        distance_milli=sum(route.cost.distance_milli for route in routes),
        duration_milli=sum(route.cost.duration_milli for route in routes),
        overtime_milli=sum(route.cost.overtime_milli for route in routes),
        unserved_milli=objective.unserved_weight
        * sum(jobs[one.job_id].prize_milli for one in left),
        disruption_milli=objective.disruption_milli
        * sum(_changed(route, jobs) for route in routes),
        soft_milli=sum(route.cost.soft_milli for route in routes),
        resequence_milli=objective.resequence_milli
        * sum(_followed_another(route, jobs) for route in routes),
        balance_milli=objective.balance_milli_per_s * uneven_s,
        zone_order_milli=sum(route.cost.zone_order_milli for route in routes),
    )


def _changed(route: RoutePlan, jobs: Mapping[str, Job]) -> int:
    """Count the jobs that another vehicle had."""
    return sum(
        jobs[visit.job_id].previous_vehicle not in (None, route.vehicle_id)
        for visit in route.visits
    )


def _followed_another(route: RoutePlan, jobs: Mapping[str, Job]) -> int:
    """Count the jobs that another visit came before."""
    moved, before = 0, ""
    for visit in route.visits:
        moved += jobs[visit.job_id].previous_job not in (None, before)
        before = visit.job_id
    return moved


def standing_solution(piece: Piece, whole: Whole) -> Solution | None:
    """Return what a day has for a piece's cars and jobs as a solution of the piece."""
    cars = [car.id for car in piece.problem.vehicles]
    jobs = [job.id for job in piece.problem.jobs]
    routes = [piece.told(whole.routes[car]) for car in cars if car in whole.routes]
    left = [whole.unserved[job] for job in jobs if job in whole.unserved]
    if not routes and not left:
        return None
    return Solution(
        routes=tuple(routes),
        unserved=tuple(left),
        cost=whole_cost(piece.problem, routes, left),
        engine="parts",
        engine_version="1",
        seed=0,
        solutions=0,
        stopped_by=StoppedBy.EXHAUSTED,
    )


def told_to(piece: Piece, warm_start: Solution) -> Solution:
    """Return what a start of the whole day says of a piece's cars."""
    cars = {car.id for car in piece.problem.vehicles}
    routes = tuple(
        piece.told(one) for one in warm_start.routes if one.vehicle_id in cars
    )
    return replace(warm_start, routes=routes, unserved=())
