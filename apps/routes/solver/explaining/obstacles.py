"""What stands between a job and each vehicle: the constraints that bind, one by one."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.explaining.spots import best_spot
from apps.routes.solver.insertion import price_places
from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.reasons import reason_alone
from apps.routes.solver.schedule import time_route
from apps.routes.solver.solution import Reason

if TYPE_CHECKING:
    from apps.routes.solver.explaining.standing import Standing
    from apps.routes.solver.view import Car


class Binding(StrEnum):
    """A constraint that keeps a job from a vehicle."""

    NOT_ALLOWED = "not_allowed"
    LACKS = "lacks"
    ON_THE_ROAD = "on_the_road"
    TOO_LARGE = "too_large"
    FULL = "full"
    NO_WAY = "no_way"
    OUTSIDE_SHIFT = "outside_shift"
    NO_TIME = "no_time"
    NOT_WORTH_IT = "not_worth_it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What keeps a job from one vehicle.

    `lacks` are the capabilities it misses, `short` what it lacks of each dimension.
    """

    vehicle_id: str
    bindings: tuple[Binding, ...]
    lacks: tuple[str, ...] = ()
    short: tuple[tuple[str, int], ...] = ()


def obstacles(standing: Standing, job: int) -> tuple[Obstacle, ...]:
    """Say of each vehicle what keeps the job from it, each constraint by itself."""
    return tuple(
        _obstacle(standing, job, number) for number in range(len(standing.view.cars))
    )


def reason_of(standing: Standing, job: int) -> Reason:
    """Say why the job is left out, as the engines do."""
    alone = reason_alone(standing.view, job)
    if alone is not None:
        return alone
    spot = best_spot(standing.arrays, standing.routes, job)
    if spot is None or spot.added_milli < standing.view.prize_milli(job):
        return Reason.NO_ROOM
    return Reason.NOT_WORTH_IT


def _obstacle(standing: Standing, job: int, number: int) -> Obstacle:
    view, route = standing.view, standing.routes[number]
    car, one = view.cars[number], view.jobs[job]
    lacks = tuple(sorted({*one.required_capabilities} - {*car.vehicle.capabilities}))
    short = tuple(
        (name, demand + loaded - spare)
        for name, demand, loaded, spare in zip(
            view.problem.dimensions, one.demands, route.load, car.spare, strict=True
        )
        if demand + loaded > spare
    )
    found: list[Binding] = []
    if one.pinned_vehicle not in {None, car.vehicle.id} or (
        one.allowed_vehicles is not None and car.vehicle.id not in one.allowed_vehicles
    ):
        found.append(Binding.NOT_ALLOWED)
    if lacks:
        found.append(Binding.LACKS)
    if car.locked and (one.release_s or 0) > car.vehicle.start_s:
        found.append(Binding.ON_THE_ROAD)
    if short:
        alone = all(
            demand <= spare
            for demand, spare in zip(one.demands, car.spare, strict=True)
        )
        found.append(Binding.FULL if alone else Binding.TOO_LARGE)
    timely = _time_binding(standing, job, number)
    if timely is not None:
        found.append(timely)
    elif not found:
        found.append(Binding.NOT_WORTH_IT)
    return Obstacle(
        vehicle_id=car.vehicle.id, bindings=tuple(found), lacks=lacks, short=short
    )


def _time_binding(standing: Standing, job: int, number: int) -> Binding | None:
    """Say what of way and time keeps the job from a car, load and fitness aside."""
    view, car = standing.view, standing.view.cars[number]
    if not _way(standing, car, job):
        return Binding.NO_WAY
    if _has_a_place(standing, job, number):
        return None
    if time_route(view, number, (*car.locked, job)) is None:
        return Binding.OUTSIDE_SHIFT
    return Binding.NO_TIME


def _has_a_place(standing: Standing, job: int, number: int) -> bool:
    arrays = copy(standing.arrays)
    arrays.may_serve = np.ones_like(arrays.may_serve)
    arrays.demands = np.zeros_like(arrays.demands)
    route = standing.routes[number]
    spare = standing.view.cars[number].spare
    if any(taken > room for taken, room in zip(route.load, spare, strict=True)):
        return False
    return bool(price_places(arrays, route, job))


def _way(standing: Standing, car: Car, job: int) -> bool:
    places = [car.vehicle.start_location]
    places += [standing.view.locations[one] for one in car.locked[-1:]]
    place = standing.view.locations[job]
    ways_s = [car.durations_s[places[-1]][place]]
    if car.vehicle.end_location is not None:
        ways_s.append(car.durations_s[place][car.vehicle.end_location])
    return max(ways_s) < UNREACHABLE
