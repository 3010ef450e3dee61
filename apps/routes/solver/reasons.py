"""Why a job is left out of a plan, found by looking at the job alone first."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.compounds import price_compounds
from apps.routes.solver.insertion import price_insertions, standing_beside
from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.routestate import NEVER
from apps.routes.solver.schedule import time_route
from apps.routes.solver.solution import Reason, Unserved

if TYPE_CHECKING:
    from apps.routes.solver.insertion import Arrays, Plan
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.view import Car, View


def explain_unserved(arrays: Arrays, plan: Plan) -> dict[int, Unserved]:
    """Say for each job in no route why, by job index."""
    return {job: _explain(arrays, plan, job) for job in plan.unserved}


def _explain(arrays: Arrays, plan: Plan, job: int) -> Unserved:
    view = arrays.view
    job_id = view.jobs[job].id
    alone = reason_alone(view, job)
    if alone is not None:
        return Unserved(job_id=job_id, reason=alone)
    item = _item(view, job)
    cheapest = min(_cheapest(arrays, plan, route, item[0]) for route in plan.routes)
    if cheapest >= NEVER:
        return Unserved(job_id=job_id, reason=Reason.NO_ROOM)
    worth = cheapest < sum(view.prize_milli(one) for one in item)
    return Unserved(
        job_id=job_id,
        reason=Reason.NO_ROOM if worth else Reason.NOT_WORTH_IT,
        cheapest_insertion_milli=None if worth else cheapest,
    )


def _item(view: View, job: int) -> tuple[int, ...]:
    """Give the jobs that are served together with one, itself included, in order."""
    partner = view.partner(job)
    if partner is None:
        return (job,)
    return (partner, job) if job in view.pickup_of else (job, partner)


def _cheapest(arrays: Arrays, plan: Plan, route: RouteState, job: int) -> int:
    jobs = np.array([job], dtype=np.int64)
    standing = standing_beside(arrays.view, plan, route.number)
    costs, legs = price_insertions(arrays, route, jobs, standing)
    if arrays.view.has_trips:
        price_compounds(arrays, route, jobs, costs, legs)
    return int(costs[0])


def reason_alone(view: View, job: int) -> Reason | None:
    """Say why no vehicle could serve the job even if it were the only one."""
    item = _item(view, job)
    able = [number for number in range(len(view.cars)) if view.may_serve[number][job]]
    if not able:
        return Reason.NO_CAPABLE_VEHICLE
    able = [number for number in able if _carries(view, view.cars[number], item[0])]
    if not able:
        return Reason.EXCEEDS_CAPACITY
    able = [number for number in able if _reaches(view, view.cars[number], item)]
    if not able:
        return Reason.UNREACHABLE
    if not any(_in_time(view, number, item) for number in able):
        return Reason.NO_WINDOW_IN_ANY_SHIFT
    return None


def _in_time(view: View, number: int, item: tuple[int, ...]) -> bool:
    """Say whether a car could serve jobs alone, loaded first where need be."""
    car = view.cars[number]
    starts = ((), *((stop,) for stop in car.reloads))
    return any(
        time_route(view, number, (*car.locked, *start, *item)) is not None
        for start in starts
    )


def _carries(view: View, car: Car, job: int) -> bool:
    return all(
        demand <= spare
        for demand, spare in zip(view.jobs[job].demands, car.spare, strict=True)
    )


def _reaches(view: View, car: Car, item: tuple[int, ...]) -> bool:
    """Say whether there is a way along some jobs, from the commitments to the end."""
    vehicle = car.vehicle
    start = view.locations[car.locked[-1]] if car.locked else vehicle.start_location
    places = [start, *(view.locations[job] for job in item)]
    if vehicle.end_location is not None:
        places.append(vehicle.end_location)
    return all(car.durations_s[a][b] < UNREACHABLE for a, b in pairwise(places))
