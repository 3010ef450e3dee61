"""A plan driven in thought, by the service and travel times that were realised. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from apps.routes.solver.deviating import DRIVES, Roads, drive, luck_of
from apps.routes.solver.problem import Entries, Job, Problem, Vehicle
from apps.routes.solver.solution import RoutePlan, Solution

LATE_MINOR_PER_MIN: Final = 100
"""What a minute too late is worth beside what driving costs. First value: two and a half
times a driver's minute at 24.00 an hour."""


LUCK_SEED: Final = 11
"""The luck of drives by habit: another than any plan was chosen by."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a day was really like.

    `services_s` are by job; `durations_s` follows the problem's places, at ordinary
    speed. Of both, what was seen is in `seen_services` and `seen_legs`; the rest is
    estimated from the day's own ratio.
    """

    services_s: Mapping[str, int]
    durations_s: Entries
    seen_services: frozenset[str]
    seen_legs: frozenset[tuple[int, int]]


@dataclass(slots=True)
class Tally:
    """What a plan came to on its day, when driven by the truth."""

    late_s: int = 0
    broken: int = 0
    unserved: int = 0
    overtime_s: int = 0
    cost_milli: int = 0
    missed_milli: int = 0
    legs: int = 0
    legs_seen: int = 0
    errors_s: list[int] = field(default_factory=list)
    dots: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Day:
    """What every route of a day is driven in."""

    jobs: Mapping[str, Job]
    problem: Problem
    truth: Truth


def drive_plan(problem: Problem, solution: Solution, truth: Truth) -> dict[str, Any]:
    """Return a plan's figures under the truth.

    Late is a service that begins after its last window has closed. What cannot begin
    before the shift and its overtime are over is brought back, like what was left out.
    """
    jobs = {job.id: job for job in problem.jobs}
    cars = {car.id: car for car in problem.vehicles}
    tally = Tally()
    for unserved in solution.unserved:
        tally.unserved += 1
        tally.missed_milli += jobs[unserved.job_id].prize_milli
    day = _Day(jobs, problem, truth)
    for route in solution.routes:
        _drive(route, cars[route.vehicle_id], day, tally)
    return _figures(tally)


def _drive(route: RoutePlan, car: Vehicle, day: _Day, tally: Tally) -> None:
    jobs, problem, truth = day.jobs, day.problem, day.truth
    speed = car.travel_percent / 100
    meters = problem.matrices[car.profile].distances_m
    now_s, here = route.departure_s, car.start_location
    closes_s = car.end_s + car.max_overtime_s
    distance_m = 0
    for number, visit in enumerate(route.visits):
        now_s = _rested(route, number, now_s)
        job = jobs[visit.job_id]
        arrives_s = now_s + _leg_s(truth, here, job.location, speed, tally)
        starts_s, late_s = _begins(job, arrives_s)
        if starts_s > closes_s:
            left = route.visits[number:]
            tally.unserved += len(left)
            tally.missed_milli += sum(jobs[one.job_id].prize_milli for one in left)
            break
        tally.late_s += late_s
        tally.broken += late_s > 0
        tally.errors_s.append(abs(starts_s - visit.start_s))
        tally.dots.append((visit.start_s, starts_s - visit.start_s))
        distance_m += int(meters[here, job.location])
        now_s, here = starts_s + truth.services_s[job.id], job.location
    if car.end_location is not None:
        now_s += round(int(truth.durations_s[here, car.end_location]) * speed)
        distance_m += int(meters[here, car.end_location])
    over_s = max(0, now_s - car.end_s)
    tally.overtime_s += over_s
    tally.cost_milli += (
        car.fixed_cost_milli
        + distance_m * car.cost_per_m_milli
        + (now_s - route.departure_s) * car.cost_per_s_milli
        + over_s * car.overtime_cost_per_s_milli
    )


def _rested(route: RoutePlan, done: int, now_s: int) -> int:
    """Take the breaks that the plan has after so many visits, not before their time."""
    for rest in route.breaks:
        if rest.after_visits == done:
            now_s = max(now_s, min(rest.start_s, now_s + 900))
            now_s += rest.end_s - rest.start_s
    return now_s


def _leg_s(truth: Truth, here: int, there: int, speed: float, tally: Tally) -> int:
    tally.legs += 1
    tally.legs_seen += (here, there) in truth.seen_legs
    return round(int(truth.durations_s[here, there]) * speed)


def _begins(job: Job, arrives_s: int) -> tuple[int, int]:
    """Return when service begins, and how late that is."""
    for window in job.windows:
        if arrives_s < window.end_s:
            return max(arrives_s, window.start_s), 0
    if not job.windows:
        return arrives_s, 0
    return arrives_s, arrives_s - job.windows[-1].end_s + 1


def drive_by_habits(
    problem: Problem, solution: Solution, truth: Truth, habits: Mapping[str, int]
) -> dict[str, Any]:
    """Return a plan's figures where drivers follow it as far as they are known to.

    `habits` says by job in whole per cent how probably it is gone to when it is next.
    The mean of some drives, with the same luck for each plan of a day.
    """
    jobs = tuple(
        replace(job, followed_percent=habits.get(job.id, 100)) for job in problem.jobs
    )
    known = replace(problem, jobs=jobs)
    roads = Roads((truth.durations_s,) * len(problem.matrices), truth.services_s)
    luck = luck_of(known, LUCK_SEED)
    drives = [drive(known, solution, roads, luck, one) for one in range(DRIVES)]
    cost_minor = round(sum(one.cost_milli for one in drives) / DRIVES / 1000)
    late_min = round(sum(one.late_s for one in drives) / DRIVES / 60, 1)
    missed_minor = round(solution.cost.unserved_milli / 1000)
    return {
        "late_min": late_min,
        "broken": round(sum(one.late_stops for one in drives) / DRIVES, 2),
        "unserved": len(solution.unserved),
        "overtime_min": round(sum(one.overtime_s for one in drives) / DRIVES / 60, 1),
        "cost_minor": cost_minor,
        "loss_minor": round(cost_minor + missed_minor + late_min * LATE_MINOR_PER_MIN),
        "start_error_s": round(
            sum(sum(one.errors_s) for one in drives)
            / max(1, sum(len(one.errors_s) for one in drives)),
            1,
        ),
    }


def _figures(tally: Tally) -> dict[str, Any]:
    cost_minor = round(tally.cost_milli / 1000)
    late_min = round(tally.late_s / 60, 1)
    missed_minor = round(tally.missed_milli / 1000)
    errors = tally.errors_s
    return {
        "late_min": late_min,
        "broken": tally.broken,
        "unserved": tally.unserved,
        "overtime_min": round(tally.overtime_s / 60, 1),
        "cost_minor": cost_minor,
        "loss_minor": round(cost_minor + missed_minor + late_min * LATE_MINOR_PER_MIN),
        "start_error_s": round(sum(errors) / len(errors), 1) if errors else 0.0,
        "legs": tally.legs,
        "legs_seen": tally.legs_seen,
        "dots": tally.dots,
    }


def mean_error_s(told: Sequence[float], took: Sequence[float]) -> float:
    """Return how far what was told lies from what it took, in the mean."""
    if not took:
        return 0.0
    return round(float(np.abs(np.subtract(told, took)).mean()), 1)
