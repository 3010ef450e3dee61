"""A past day planned anew with other values, and both plans driven by what was real.

Runs in a task, outside any transaction: it reads no table and writes none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from apps.routes.chain import Budget, NoAnswer, solve_by_chain
from apps.routes.followed import percent_of
from apps.routes.gateways.choice import travel_times
from apps.routes.hours import hour_factor
from apps.routes.parameters import Parameters
from apps.routes.servicefactors import planned_service
from apps.routes.solver.follow import follow
from apps.routes.solver.port import RULES, EngineRefused
from apps.routes.solver.problem import (
    UNREACHABLE,
    Entries,
    InvalidProblem,
    Matrix,
    Problem,
)
from apps.routes.solver.solution import Solution
from apps.routes.solving import as_start
from apps.routes.zoneorder import WAVE, steps_of, wave_of
from apps.tuning.nearness import order_error_pct
from apps.tuning.pastdays import PastDay, day_ratio
from apps.tuning.replay import Truth, drive_by_habits, drive_plan, mean_error_s


@dataclass(frozen=True, slots=True)
class Replayed:
    """A day's figures under the old and the new values."""

    before: dict[str, Any]
    after: dict[str, Any]
    seen_services: int
    seen_legs: int
    engine: str

    def with_figures(
        self, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> "Replayed":
        """Return it with further figures of the day."""
        return replace(
            self, before={**self.before, **before}, after={**self.after, **after}
        )


def replay_day(day: PastDay, old: Parameters, new: Parameters) -> Replayed:
    """Plan a day with both sets of values alike, and judge both by what was real.

    Engine, seed and rounds are those of its own plan, unless the values name others.

    Raises:
        NoAnswer: no engine answered.
    """
    truth = truth_of(day)
    engine = day.request.engine
    # Both plans are driven by people who follow them as the better known value says.
    habits = _shares(day, new) if new.followed != old.followed else {}
    before = _judged(day, old, old, truth, habits)
    after = _judged(day, new, old, truth, habits)
    if _zones(old) != _zones(new):
        driven = as_driven_minor(day, problem_with(day, old), truth)
        if driven is not None:
            before["driven_loss_minor"] = driven
            after["driven_loss_minor"] = after["loss_minor"]
    return Replayed(
        before, after, len(truth.seen_services), len(truth.seen_legs), engine
    )


def _zones(values: Parameters) -> tuple[Any, ...]:
    return values.zone_order, values.zone_order_minor, values.zone_leave_minor


def as_driven_minor(day: PastDay, problem: Problem, truth: Truth) -> int | None:
    """Return what a day came to as it was really driven, by the truth that plans are.

    Not the old plan counts, which people did not drive, but the sequences that they drove
    in its place. None where these cannot be driven on the problem.
    """
    known = {job.id for job in problem.jobs}
    cars = {car.id for car in problem.vehicles}
    sequences = {
        route.vehicle_id: [job for job in route.jobs if job in known]
        for route in day.routes
        if route.vehicle_id in cars
    }
    visited = {job for jobs in sequences.values() for job in jobs}
    open_cars = tuple(replace(car, locked=()) for car in problem.vehicles)
    jobs = tuple(job for job in problem.jobs if job.id in visited)
    part = replace(problem, jobs=jobs, vehicles=open_cars)
    try:
        driven = follow(part, as_start(sequences))
    except (EngineRefused, InvalidProblem):
        return None
    return int(drive_plan(part, driven, truth)["loss_minor"])


def _shares(day: PastDay, values: Parameters) -> dict[str, int]:
    return {
        job: percent_of(values.followed, place.zone)
        for job, place in day.places.items()
    }


def _judged(
    day: PastDay,
    values: Parameters,
    usual: Parameters,
    truth: Truth,
    habits: Mapping[str, int],
) -> dict[str, Any]:
    problem = problem_with(day, values)
    solution = _planned(day, problem, values, usual)
    driven = drive_plan(problem, solution, truth)
    if habits:
        driven |= drive_by_habits(problem, solution, truth, habits)
    zones = {job: place.zone for job, place in day.places.items()}
    planned = [[one.job_id for one in route.visits] for route in solution.routes]
    return {
        **driven,
        "order_error_pct": order_error_pct(planned, day.routes, zones, waves_of(day)),
        "service_error_s": service_error_s(day, problem),
        "leg_error_s": leg_error_s(day, problem, values),
    }


# ── the plan ─────────────────────────────────────────────────────────────────
def problem_with(day: PastDay, values: Parameters) -> Problem:
    """Return a day's problem as these values would have made it."""
    problem = day.request.problem
    jobs = tuple(
        replace(
            job,
            service_s=planned_service(
                _standard_s(day, job.id, values),
                day.places[job.id],
                values.service_factors,
            ).seconds,
        )
        for job in problem.jobs
    )
    matrices = tuple(
        replace(matrix, durations_s=_scaled(day, matrix, values))
        for matrix in problem.matrices
    )
    counts = bool(values.zone_order or values.zone_leave_minor)
    by_wave = any(key.startswith(WAVE) for key in values.zone_order)
    waves = waves_of(day)
    jobs = tuple(
        replace(
            job,
            zone=(day.places[job.id].zone or None) if counts else None,
            wave=(waves.get(job.id) or None) if by_wave else None,
            followed_percent=percent_of(values.followed, day.places[job.id].zone),
        )
        for job in jobs
    )
    zones = {name for job in jobs for name in (job.zone, job.wave) if name}
    most_milli = values.zone_order_minor * 1000
    late_minor = values.expected_late_minor_per_min if values.followed else 0
    return replace(
        problem,
        jobs=jobs,
        matrices=matrices,
        zone_steps=steps_of(values.zone_order, zones, most_milli),
        objective=replace(
            problem.objective,
            zone_leave_milli=values.zone_leave_minor * 1000,
            late_milli_per_s=round(late_minor * 1000 / 60),
        ),
    )


def waves_of(day: PastDay) -> dict[str, str]:
    """Return by job the hour in which its first window opens, as waves are named."""
    problem, zone = day.request.problem, ZoneInfo(day.zone)
    origin_at = datetime.fromisoformat(problem.origin_at)
    return {
        job.id: wave_of(
            origin_at + timedelta(seconds=min(one.start_s for one in job.windows)), zone
        )
        for job in problem.jobs
        if job.windows
    }


def _standard_s(day: PastDay, job_id: str, values: Parameters) -> int:
    own_s = day.standards_s[job_id]
    return values.standard_service_s if own_s is None else own_s


def _scaled(day: PastDay, matrix: Matrix, values: Parameters) -> Entries:
    """Scale travel by what the values say beside those of then: conditions stay in it."""
    if _law(values) == _law(day.then):
        return matrix.durations_s
    then = travel_times(day.then).matrix(day.points).durations_s.astype(float)
    now = travel_times(values).matrix(day.points).durations_s.astype(float)
    ratio = np.divide(now, then, out=np.ones_like(now), where=then > 0)
    scaled = np.rint(matrix.durations_s * ratio)
    scaled[matrix.durations_s >= UNREACHABLE] = UNREACHABLE
    whole: Entries = np.minimum(scaled, UNREACHABLE).astype(np.int32)
    return whole


def _law(values: Parameters) -> tuple[float, float, float]:
    return values.travel_c_s, values.travel_p, values.roads_factor


def _planned(
    day: PastDay, problem: Problem, values: Parameters, usual: Parameters
) -> Solution:
    """Solve as the day was solved: the rules first, then its engine from their answer."""
    request = day.request
    engine = values.engine if values.engine != usual.engine else request.engine
    same = values.stops("plan").get(engine) == usual.stops("plan").get(engine)
    stop = request.stop if same else values.stops("plan")[engine]
    budget = Budget.of_task(settings.TASK_TIMEOUT_S / 2)
    rules = solve_by_chain(
        problem,
        engines=(RULES,),
        stops=values.stops("plan") if engine != RULES else {RULES: stop},
        seed=values.seed if values.seed != usual.seed else request.seed,
        budget=budget,
    )
    found = rules.found
    if engine != RULES:
        searched = solve_by_chain(
            problem,
            engines=(engine,),
            stops={engine: stop},
            seed=values.seed if values.seed != usual.seed else request.seed,
            budget=budget,
            warm_start=found.solution if found else None,
        )
        if searched.found is not None:
            found = searched.found
    if found is None:
        raise NoAnswer(" ".join(each.text for each in rules.failures))
    return found.solution


# ── the truth ────────────────────────────────────────────────────────────────
def truth_of(day: PastDay) -> Truth:
    """Return what a day was like: what was seen, the rest by the day's own ratio."""
    problem = day.request.problem
    planned = {job.id: job.service_s for job in problem.jobs}
    seen = {one.job_id: one.took_s for one in day.services if one.job_id in planned}
    ratio = day_ratio([(planned[job], took) for job, took in seen.items()])
    services_s = {
        job.id: seen.get(job.id, round(job.service_s * ratio)) for job in problem.jobs
    }
    durations_s, seen_legs = _real_legs(day)
    return Truth(services_s, durations_s, frozenset(seen), seen_legs)


def _real_legs(day: PastDay) -> tuple[Entries, frozenset[tuple[int, int]]]:
    problem = day.request.problem
    place = {job.id: job.location for job in problem.jobs}
    told = problem.matrices[0].durations_s
    seen = {
        (place[leg.from_job], place[leg.to_job]): leg.took_s
        for leg in day.legs
        if leg.from_job in place and leg.to_job in place
    }
    ratio = day_ratio([(float(told[pair]), took) for pair, took in seen.items()])
    real = np.where(told >= UNREACHABLE, told, np.rint(told * ratio)).astype(np.int32)
    for pair, took_s in seen.items():
        real[pair] = round(took_s)
    return real, frozenset(seen)


def service_error_s(day: PastDay, problem: Problem) -> float:
    """Return the mean error of the services that were seen, as a problem plans them."""
    planned = {job.id: job.service_s for job in problem.jobs}
    seen = [one for one in day.services if one.job_id in planned]
    return mean_error_s(
        [planned[one.job_id] for one in seen], [one.took_s for one in seen]
    )


def leg_error_s(day: PastDay, problem: Problem, values: Parameters) -> float:
    """Return the mean error of the legs that were seen, each at its hour."""
    place = {job.id: job.location for job in problem.jobs}
    durations_s = problem.matrices[0].durations_s
    seen = [leg for leg in day.legs if leg.from_job in place and leg.to_job in place]
    told = [
        int(durations_s[place[leg.from_job], place[leg.to_job]])
        * hour_factor(leg.hour, by_hour=values.travel_by_hour)
        for leg in seen
    ]
    return mean_error_s(told, [leg.took_s for leg in seen])


def figures_by_day(
    days: Mapping[str, Replayed], name: str
) -> tuple[list[float], list[float]]:
    """Return a figure of all days, before and after."""
    return (
        [float(each.before[name]) for each in days.values()],
        [float(each.after[name]) for each in days.values()],
    )
