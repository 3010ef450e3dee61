"""What a plan comes to when drivers do not follow it to the letter: costs in expectation.

A driver goes on to the stop that the plan has next with the probability of that stop;
else to the nearest other stop of the route where he need not wait, and from there on with
what the plan has next. Each plan is driven in thought a number of times, with the same luck for all plans.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.problem import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.problem import Entries, Job, Problem, Vehicle
    from apps.routes.solver.solution import RoutePlan, Solution

    Luck = NDArray[np.float64]

WAITS_S = 600
"""Nobody leaves the planned sequence for a stop where he would wait longer: first value."""

GOLDEN = 0.618_033_988_75
"""Turns a stop's luck from step to step: who passed it by once is asked anew."""

DRIVES = 40
"""So often each plan is driven in thought."""


@dataclass(frozen=True, slots=True)
class Roads:
    """What a day is like: travel between its places, and services by job."""

    durations_s: Sequence[Entries]
    services_s: Mapping[str, int]


@dataclass(slots=True)
class Driven:
    """What one drive of a plan came to."""

    cost_milli: int = 0
    late_s: int = 0
    late_stops: int = 0
    overtime_s: int = 0
    deviations: int = 0
    errors_s: list[int] = field(default_factory=list)
    """How far services began from when they were told, either way."""


def is_uncertain(problem: Problem) -> bool:
    """Tell whether plans of a problem are to be chosen by what they come to."""
    return problem.objective.late_milli_per_s > 0 and any(
        job.followed_percent < 100 for job in problem.jobs
    )


def certain(problem: Problem) -> Problem:
    """Return a problem of which plans are chosen as if they were followed."""
    if not is_uncertain(problem):
        return problem
    return replace(problem, objective=replace(problem.objective, late_milli_per_s=0))


def as_told(problem: Problem) -> Roads:
    """Return a day's roads as the problem has them."""
    return Roads(
        tuple(matrix.durations_s for matrix in problem.matrices),
        {job.id: job.service_s for job in problem.jobs},
    )


def luck_of(problem: Problem, seed: int, drives: int = DRIVES) -> dict[str, Luck]:
    """Return by job what decides in each drive whether it is gone to as planned."""
    random = np.random.default_rng(seed)
    return {job.id: random.random(drives) for job in problem.jobs}


def expected_milli(problem: Problem, solution: Solution, seed: int) -> int:
    """Return a plan's cost in the mean of its drives, lateness included.

    What is no matter of driving (orders left out, preferences, unrest) counts as stated.
    """
    luck = luck_of(problem, seed)
    told = as_told(problem)
    drives = [drive(problem, solution, told, luck, one) for one in range(DRIVES)]
    late_milli = problem.objective.late_milli_per_s
    whole = sum(each.cost_milli + each.late_s * late_milli for each in drives)
    cost = solution.cost
    as_stated = (
        cost.unserved_milli
        + cost.disruption_milli
        + cost.resequence_milli
        + cost.zone_order_milli
        + cost.soft_milli
    )
    return whole // DRIVES + as_stated


def drive(
    problem: Problem,
    solution: Solution,
    roads: Roads,
    luck: Mapping[str, Luck],
    number: int,
) -> Driven:
    """Drive a plan once; `number` says with which luck."""
    jobs = {job.id: job for job in problem.jobs}
    cars = {car.id: car for car in problem.vehicles}
    found = Driven()
    for route in solution.routes:
        _drive_route(
            _Way(problem, cars[route.vehicle_id], jobs, roads),
            route,
            luck,
            number,
            found,
        )
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """What a route is driven in."""

    problem: Problem
    car: Vehicle
    jobs: Mapping[str, Job]
    roads: Roads

    def leg_s(self, here: int, there: int) -> int:
        plain_s = int(self.roads.durations_s[self.car.profile][here, there])
        return (2 * plain_s * self.car.travel_percent + 100) // 200

    def service_s(self, job: Job) -> int:
        return (
            2 * self.roads.services_s[job.id] * self.car.service_percent + 100
        ) // 200


def _drive_route(
    way: _Way, route: RoutePlan, luck: Mapping[str, Luck], number: int, found: Driven
) -> None:
    """Drive one route: its rests after as many visits as planned."""
    car, objective = way.car, way.problem.objective
    metres = way.problem.matrices[car.profile].distances_m
    left = [way.jobs[visit.job_id] for visit in route.visits]
    told_s = {visit.job_id: visit.start_s for visit in route.visits}
    bound = len(car.locked)
    now_s, here, distance_m = route.departure_s, car.start_location, 0
    for done in range(len(left)):
        now_s += sum(
            rest.end_s - rest.start_s
            for rest in route.breaks
            if rest.after_visits == done
        )
        place = 0
        if done >= bound:
            drawn = float(luck[left[0].id][number]) + GOLDEN * done
            place = _next(way, left, here, now_s, drawn % 1.0)
        found.deviations += place > 0
        job = left.pop(place)
        arrives_s = now_s + way.leg_s(here, job.location)
        starts_s, late_s = _begins(job, arrives_s)
        found.late_s += late_s
        found.late_stops += late_s > 0
        found.errors_s.append(abs(starts_s - told_s[job.id]))
        distance_m += int(metres[here, job.location])
        now_s, here = starts_s + way.service_s(job), job.location
    if car.end_location is not None:
        now_s += way.leg_s(here, car.end_location)
        distance_m += int(metres[here, car.end_location])
    over_s = max(0, now_s - car.end_s)
    found.overtime_s += over_s
    found.cost_milli += (
        car.fixed_cost_milli
        + distance_m * car.cost_per_m_milli * objective.distance_weight
        + (now_s - route.departure_s) * car.cost_per_s_milli * objective.duration_weight
        + over_s * car.overtime_cost_per_s_milli * objective.duration_weight
    )


def _next(way: _Way, left: Sequence[Job], here: int, now_s: int, luck: float) -> int:
    """Return the place among the stops left of the one that is gone to."""
    if len(left) < 2 or luck * 100 < left[0].followed_percent:
        return 0
    row = way.roads.durations_s[way.car.profile][here]
    best, nearest = 0, UNREACHABLE
    for place, job in enumerate(left[1:], start=1):
        way_s = int(row[job.location])
        opens_s = min((one.start_s for one in job.windows), default=now_s)
        if way_s < nearest and now_s + way_s >= opens_s - WAITS_S:
            best, nearest = place, way_s
    return best


def _begins(job: Job, arrives_s: int) -> tuple[int, int]:
    """Return when service begins, and how late that is."""
    for window in sorted(job.windows, key=lambda one: one.start_s):
        if arrives_s < window.end_s:
            return max(arrives_s, window.start_s), 0
    if not job.windows:
        return arrives_s, 0
    return arrives_s, arrives_s - max(one.end_s for one in job.windows) + 1
