"""What is still open of each car once its commitments are done.

An engine that knows no locked jobs plans from here: where and when the car is free,
what it can still carry, and which breaks are still to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.assemble import route_cost
from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.resting import AFTER_END, BEFORE_DEPARTURE
from apps.routes.solver.routestate import build_route, settle_rests
from apps.routes.solver.schedule import forward
from apps.routes.solver.steps import AT_DEPOT
from apps.routes.solver.warmth import follow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from apps.routes.solver.insertion import Arrays
    from apps.routes.solver.problem import Entries
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.view import Car, Rest, View

    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Opening:
    """A car from its last locked job on; `rests` goes with positions among its rests.

    `committed_milli` is its cost up to there. A car that can take nothing more has
    `closed` set, and the cost of its whole route.
    """

    number: int
    location: int
    free_s: int
    spare: tuple[int, ...]
    rests: tuple[tuple[int, Rest], ...]
    settled: tuple[int, ...]
    committed_milli: int
    closed: bool

    def close(
        self, view: View, jobs: list[int], slots: list[int], depart_s: int
    ) -> RouteState:
        """Time the whole route, commitments first, jobs after them.

        `slots` are where an engine took the breaks, counted from the opening, and
        `depart_s` when it left; they are used where our own choice is worse. Jobs that
        do not fit after all are dropped.
        """
        locked = view.cars[self.number].locked
        sequence = (*locked, *jobs)
        routes = [build_route(view, self.number, sequence)]
        if jobs:
            moved = (
                slot
                if slot in (AFTER_END, BEFORE_DEPARTURE)
                else slot + 2 * len(locked)
                for slot in slots
            )
            kept = (*self.settled, *moved)
            times = forward(view, self.number, sequence, kept, depart_s)
            if times is not None:
                routes.append(build_route(view, self.number, sequence, times))
        route = min(
            (one for one in routes if one is not None),
            key=lambda one: one.cost_milli,
            default=None,
        )
        return settle_rests(view, route or follow(view, self.number, jobs))


def find_openings(view: View) -> tuple[Opening, ...]:
    """Give every car's opening, in order."""
    return tuple(_opening(view, number) for number in range(len(view.cars)))


def is_open(view: View) -> bool:
    """Say whether any car can take more and any job is not committed."""
    free = any(not one.closed for one in find_openings(view))
    return free and len(view.locked_by) < len(view.jobs)


def _opening(view: View, number: int) -> Opening:
    car = view.cars[number]
    if not car.locked:
        rests = tuple(enumerate(car.rests))
        place, start_s = car.vehicle.start_location, car.vehicle.start_s
        return Opening(number, place, start_s, car.spare, rests, (), 0, closed=False)
    route = build_route(view, number, car.locked)
    if route is None:
        place, start_s = car.vehicle.start_location, car.vehicle.start_s
        return Opening(number, place, start_s, car.spare, (), (), 0, closed=True)
    return _after_commitments(view, number, route)


def _after_commitments(view: View, number: int, route: RouteState) -> Opening:
    car, times = view.cars[number], route.times
    within = 2 * len(car.locked)
    settled = tuple(slot for slot in times.slots if slot < within)
    free_s = times.finishes_s[-1]
    places = [car.vehicle.start_location, *(view.locations[job] for job in car.locked)]
    distance_m = sum(car.distances_m[a][b] for a, b in pairwise(places))
    cost = route_cost(
        view,
        number,
        distance_m,
        free_s - times.departure_s,
        0,
        steps_milli=view.steps_milli(number, car.locked, ends=False),
    )
    disruption_milli = sum(view.disruption_milli(job, number) for job in car.locked)
    spare = tuple(room - load for room, load in zip(car.spare, route.load, strict=True))
    is_overloaded = min(spare, default=0) < 0 and not car.reloads
    closed = times.end_s > car.closes_s or is_overloaded
    return Opening(
        number=number,
        location=places[-1],
        free_s=free_s,
        spare=spare,
        rests=tuple(enumerate(car.rests))[len(settled) :],
        settled=settled,
        committed_milli=route.cost_milli
        if closed
        else cost.total_milli + disruption_milli,
        closed=closed,
    )


def latest_rest_s(view: View, opening: Opening, position: int) -> int:
    """Say how late a rest may begin, commitments counted."""
    rests = view.cars[opening.number].rests
    if not view.cars[opening.number].locked:
        return rests[position].latest_s
    due_s = opening.free_s + sum(rest.duration_s for rest in rests[:position])
    return max(rests[position].latest_s, due_s)


def slot_of(rest: Rest, begin_s: int, end_s: int, finishes_s: list[int]) -> int:
    """Turn a rest's start, be it while travelling, into a slot from the opening.

    `finishes_s` are the departure and the ends of the visits, `end_s` the route's. A
    rest that could not begin before the travel is taken after it.
    """
    if begin_s >= end_s:
        return AFTER_END
    legs = [leg for leg, finish_s in enumerate(finishes_s) if finish_s <= begin_s]
    if not legs:
        return BEFORE_DEPARTURE
    leg = legs[-1]
    on_arrival = finishes_s[leg] < rest.earliest_s and leg < len(finishes_s) - 1
    return 2 * leg + int(on_arrival)


class OpenDay:
    """The open part of a problem on nodes: jobs first, then each car's start, its end.

    Times count from `origin_s`. What a job's service costs the car that does it
    cheapest, its prize at most, is `base_milli`: it is taken off both arcs and prizes,
    since arcs that hold a constant mislead a guided search. `constant_milli` gives it back.
    """

    def __init__(self, arrays: Arrays) -> None:
        """Number what is open of a day."""
        view = arrays.view
        self.arrays = arrays
        self.view = view
        openings = find_openings(view)
        self.openings = [one for one in openings if not one.closed]
        self.cars = [view.cars[one.number] for one in self.openings]
        self.jobs = [job for job in range(len(view.jobs)) if job not in view.locked_by]
        self.node = {job: node for node, job in enumerate(self.jobs)}
        self.size = len(self.jobs) + 2 * len(self.cars)
        self.starts = list(range(len(self.jobs), len(self.jobs) + len(self.cars)))
        self.ends = list(range(len(self.jobs) + len(self.cars), self.size))
        self.origin_s = min((car.vehicle.start_s for car in self.cars), default=0)
        self.horizon_s = 1 + max(
            (car.closes_s + one.free_s for car, one in self._pairs()), default=0
        )
        self._places = np.array(
            [
                *(view.locations[job] for job in self.jobs),
                *(one.location for one in self.openings),
                *(car.vehicle.end_location or 0 for car in self.cars),
            ],
            dtype=np.int64,
        )
        rates = [self._second_milli(car) for car in range(len(self.cars))]
        cheapest = np.min(
            [self._services_s(car) * rate for car, rate in enumerate(rates)], axis=0
        )
        prizes = np.zeros(self.size, dtype=np.int64)
        prizes[: len(self.jobs)] = arrays.prizes[self.jobs]
        self.base_milli = np.minimum(cheapest, prizes)
        self.constant_milli = int(self.base_milli.sum()) + sum(
            one.committed_milli for one in openings
        )

    def _pairs(self) -> list[tuple[Car, Opening]]:
        return list(zip(self.cars, self.openings, strict=True))

    def penalty_milli(self, job: int) -> int:
        """Price leaving a job out, less what its service would have cost."""
        return self.view.prize_milli(job) - int(self.base_milli[self.node[job]])

    def services_s(self, car: int) -> list[int]:
        """Give the service at each node."""
        services: list[int] = self._services_s(car).tolist()
        return services

    def transit_s(self, car: int) -> Integers:
        """Give service and travel between nodes; an open route's last way takes none."""
        travel = self._travel(car, self.arrays.durations_s)
        return travel + self._services_s(car)[:, None]

    def arcs_milli(self, car: int) -> Integers:
        """Price the way between nodes: time and distance, and a change of vehicle."""
        vehicle, objective = self.cars[car].vehicle, self.view.problem.objective
        number = self.openings[car].number
        rate = self._second_milli(car)
        travel = np.minimum(self._travel(car, self.arrays.durations_s), UNREACHABLE)
        metres = np.minimum(self._travel(car, self.arrays.distances_m), UNREACHABLE)
        costs = travel * rate
        costs += metres * (vehicle.cost_per_m_milli * objective.distance_weight)
        costs += (self._services_s(car) * rate - self.base_milli)[:, None]
        costs[:, : len(self.jobs)] += self.arrays.disruptions[number, self.jobs]
        if self.view.steps is not None:
            costs += self.view.steps.between(self._zones(car))
        return costs

    def _zones(self, car: int) -> list[int]:
        """Give the zone of each node, as the car's way home has it."""
        view, home = self.view, self.cars[car].vehicle.end_location
        starts = [view.zone_before(one.number) for one in self.openings]
        ends = [AT_DEPOT if home is not None else view.nowhere] * len(self.cars)
        return [*(view.zone_of[job] for job in self.jobs), *starts, *ends]

    def _second_milli(self, car: int) -> int:
        weight = self.view.problem.objective.duration_weight
        return self.cars[car].vehicle.cost_per_s_milli * weight

    def _services_s(self, car: int) -> Integers:
        services_s = np.zeros(self.size, dtype=np.int64)
        number = self.openings[car].number
        services_s[: len(self.jobs)] = self.arrays.services_s[number, self.jobs]
        return services_s

    def _travel(self, car: int, matrices: list[Entries]) -> Integers:
        rows = matrices[self.openings[car].number]
        travel = rows[self._places[:, None], self._places[None, :]].astype(np.int64)
        if self.cars[car].vehicle.end_location is None:
            travel[:, self.ends[car]] = 0
        for start, end, one in zip(self.starts, self.ends, self.cars, strict=True):
            if not one.locked:
                travel[start, end] = 0  # a car without visits stays where it is
        return travel
