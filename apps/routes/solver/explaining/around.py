"""Planning the other stops anew about what was forced, through the port."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from apps.routes.solver.explaining.forcing import (
    Follow,
    Forced,
    LeaveOut,
    PutBeside,
    PutOnRoute,
    lay_forced,
)
from apps.routes.solver.explaining.standing import compare
from apps.routes.solver.port import EngineRefused, Stop, open_engine

if TYPE_CHECKING:
    from apps.routes.solver.explaining.standing import Standing
    from apps.routes.solver.problem import Job, Problem, Vehicle
    from apps.routes.solver.solution import Solution

ENGINE = "greedy"
"""The engine that needs no process of its own: it may run where a page is made."""

ROUNDS = 40
TIME_LIMIT_S = 8
FORCED_PRIZE = 1000
"""How many times its worth a forced stop counts, so that no search leaves it out."""


def plan_around(standing: Standing, forced: Forced, *, seed: int = 1) -> Forced:
    """Search for a better plan in which the wish holds; the forced one if none is found.

    What the engine refuses to plan stays as it is forced. Up to the forced stops a sequence is locked; a stop on a wished route is pinned.
    Fewer broken rules come before a lower cost.
    """
    problem = _bound(standing, forced)
    try:
        answer = open_engine(ENGINE).solve(
            problem,
            stop=Stop(solutions=ROUNDS, time_limit_s=TIME_LIMIT_S),
            seed=seed,
            warm_start=forced.solution,
        )
    except EngineRefused:
        return forced
    solution = lay_forced(standing, _sequences(standing, answer))
    change = compare(standing.problem, standing.stated, solution)
    before = (len(forced.change.broken), forced.change.total_milli)
    if (
        not _holds(solution, forced)
        or (len(change.broken), change.total_milli) >= before
    ):
        return forced
    return replace(forced, solution=solution, change=change, around=True)


def _sequences(standing: Standing, answer: Solution) -> dict[int, tuple[int, ...]]:
    view = standing.view
    sequences: dict[int, tuple[int, ...]] = {
        number: () for number in range(len(view.cars))
    }
    for route in answer.routes:
        sequences[view.vehicle_index[route.vehicle_id]] = tuple(
            view.job_index[visit.job_id] for visit in route.visits
        )
    return sequences


def _bound(standing: Standing, forced: Forced) -> Problem:
    """Bind the wish into the problem by pins and locked beginnings."""
    problem, wish = standing.problem, forced.wish
    if isinstance(wish, LeaveOut):
        jobs = tuple(job for job in problem.jobs if job.id != wish.job_id)
        return replace(problem, jobs=jobs)
    if isinstance(wish, PutOnRoute):
        return _pinned(problem, wish)
    vehicle_id, locked = _locked(forced, wish)
    if not locked:
        return problem
    plans = {route.vehicle_id: route for route in forced.solution.routes}
    return replace(
        problem,
        vehicles=tuple(
            _locked_vehicle(vehicle, locked, plans[vehicle_id].departure_s)
            if vehicle.id == vehicle_id
            else vehicle
            for vehicle in problem.vehicles
        ),
    )


def _pinned(problem: Problem, wish: PutOnRoute) -> Problem:
    """Pin the job to its vehicle, which gets what it lacks for it."""
    job = next(one for one in problem.jobs if one.id == wish.job_id)
    vehicle = next(one for one in problem.vehicles if one.id == wish.vehicle_id)
    able = tuple(sorted({*job.required_capabilities} & {*vehicle.capabilities}))
    pinned = replace(
        job,
        pinned_vehicle=vehicle.id,
        allowed_vehicles=None,
        required_capabilities=able,
        prize_milli=job.prize_milli * FORCED_PRIZE,
    )
    jobs: tuple[Job, ...] = tuple(
        pinned if one.id == job.id else one for one in problem.jobs
    )
    return replace(problem, jobs=jobs)


def _locked(forced: Forced, wish: PutBeside | Follow) -> tuple[str, tuple[str, ...]]:
    """Return the vehicle of the wish and the beginning of its route that is fixed."""
    fixed = dict(forced.fixed)
    if isinstance(wish, Follow):
        return wish.vehicle_id, fixed[wish.vehicle_id]
    vehicle_id = next(
        one
        for one, jobs in fixed.items()
        if wish.job_id in jobs and wish.other_id in jobs
    )
    jobs = fixed[vehicle_id]
    last = max(jobs.index(wish.job_id), jobs.index(wish.other_id))
    return vehicle_id, jobs[: last + 1]


def _locked_vehicle(
    vehicle: Vehicle, locked: tuple[str, ...], departure_s: int
) -> Vehicle:
    return replace(
        vehicle,
        locked=locked,
        start_s=departure_s,
        end_s=max(vehicle.end_s, departure_s),
    )


def _holds(solution: Solution, forced: Forced) -> bool:
    """Tell whether the wish holds in a solution."""
    wish = forced.wish
    places = {
        visit.job_id: (route.vehicle_id, place)
        for route in solution.routes
        for place, visit in enumerate(route.visits)
    }
    if isinstance(wish, LeaveOut):
        return wish.job_id not in places
    if isinstance(wish, PutOnRoute):
        found = places.get(wish.job_id)
        return found is not None and found[0] == wish.vehicle_id
    vehicle_id, locked = _locked(forced, wish)
    return [places.get(job_id) for job_id in locked] == [
        (vehicle_id, place) for place in range(len(locked))
    ]
