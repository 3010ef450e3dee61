"""Nodes and arcs of a part of a day, as a search without commitments sees them.

Nodes are the jobs, then the places where cars start, end, and load again. Arcs carry a cost in milli
of whatever does not depend on the clock (the metres, the prices of a changed vehicle
and of a changed sequence, a prohibitive sum where a car may not go) and a duration in
seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.assemble import route_cost
from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.routestate import build_route
from apps.routes.solver.steps import AT_DEPOT
from apps.routes.solver.view import FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from apps.routes.solver.insertion import Arrays
    from apps.routes.solver.openings import Opening
    from apps.routes.solver.pyvrp_solver.parts import Part

    Integers = NDArray[np.int64]

FORBIDDEN_MILLI = 1 << 46
"""Cost of an arc that may not be taken: beyond all prizes together, and a sum of many
of them is far from the end of 64 bits."""

NOWHERE = -1
"""The place where an open route ends."""


class Layout:
    """Nodes of jobs and cars, and the profiles of cars that drive alike.

    `starts` and `ends` are nodes by car, `profile_of` profiles by car, `reloads` the
    nodes where each car loads again, by stop. `homes_milli` is what each car pays for going home after
    its commitments: to a search an unused car costs nothing, so that the arcs from its
    start are cheaper by as much. `folds_service` says that services are on the arcs that
    leave a job, as cars take differently long.
    """

    def __init__(self, arrays: Arrays, part: Part) -> None:
        """Number the nodes and tell the profiles apart."""
        self.arrays = arrays
        self.view = arrays.view
        self.part = part
        self.job_count = len(part.jobs)
        self.places = [self.view.locations[job] for job in part.jobs]
        self._shared: dict[int, int] = {}
        self._loading: dict[tuple[int, int], int] = {}
        self.starts = [self._start(one) for one in part.openings]
        self.ends = [self._end(one) for one in part.openings]
        self.reloads = [self._reload_nodes(one) for one in part.openings]
        self.homes_milli = [self._home_milli(one) for one in part.openings]
        self.services_s = self._rows(arrays.services_s)
        self.folds_service = bool((self.services_s != self.services_s[:1]).any())
        self._known_ways: dict[
            tuple[int, int, int], tuple[Integers, Integers, NDArray[np.bool_]]
        ] = {}
        self._members: dict[tuple[object, ...], list[int]] = {}
        for car in range(len(part.openings)):
            self._members.setdefault(self._key(car), []).append(car)
        self.profile_of = [0] * len(part.openings)
        for profile, members in enumerate(self._members.values()):
            for car in members:
                self.profile_of[car] = profile

    @property
    def size(self) -> int:
        """Count the nodes."""
        return len(self.places)

    @property
    def profile_count(self) -> int:
        """Count the profiles."""
        return len(self._members)

    def profiles(self) -> Iterator[tuple[Integers, Integers]]:
        """Give each profile's costs and durations, row to column."""
        for members in self._members.values():
            yield self._profile(members)

    def _rows(self, table: Integers) -> Integers:
        """Take the part's cars and jobs out of a table of cars and jobs."""
        numbers = [one.number for one in self.part.openings]
        return table[np.ix_(numbers, list(self.part.jobs))]

    def _node(self, place: int) -> int:
        self.places.append(place)
        return len(self.places) - 1

    def _node_at(self, place: int) -> int:
        if place not in self._shared:
            self._shared[place] = self._node(place)
        return self._shared[place]

    def _start(self, opening: Opening) -> int:
        if self.view.cars[opening.number].locked:
            return self._node(opening.location)
        return self._node_at(opening.location)

    def _end(self, opening: Opening) -> int:
        end = self.view.cars[opening.number].vehicle.end_location
        return self._node_at(NOWHERE if end is None else end)

    def _reload_nodes(self, opening: Opening) -> dict[int, int]:
        """Number a car's places to load again, apart for cars that take longer there."""
        car = self.view.cars[opening.number]
        nodes = {}
        for stop in car.reloads:
            key = (stop, car.vehicle.reload_s)
            if key not in self._loading:
                self._loading[key] = self._node(self.view.locations[stop])
            nodes[stop] = self._loading[key]
        return nodes

    @property
    def loading_s(self) -> dict[int, int]:
        """Say how long loading again takes, by node."""
        return {node: loading_s for (_, loading_s), node in self._loading.items()}

    def _home_milli(self, opening: Opening) -> int:
        """Price the way home after a car's commitments, its overtime included."""
        view = self.view
        car = view.cars[opening.number]
        route = build_route(view, opening.number, car.locked)
        if not car.locked or route is None:
            return 0
        end = car.vehicle.end_location
        metres = 0 if end is None else car.distances_m[opening.location][end]
        times = route.times
        home_s = times.end_s - times.finishes_s[-1]
        cost = route_cost(view, opening.number, metres, home_s, times.end_s)
        steps_milli = view.steps_milli(opening.number, car.locked)
        steps_milli -= view.steps_milli(opening.number, car.locked, ends=False)
        return cost.total_milli - cost.fixed_milli + steps_milli

    def _key(self, car: int) -> tuple[object, ...]:
        number = self.part.openings[car].number
        vehicle = self.view.cars[number].vehicle
        jobs = list(self.part.jobs)
        return (
            vehicle.profile,
            vehicle.travel_percent,
            vehicle.cost_per_m_milli,
            self.services_s[car].tobytes() if self.folds_service else b"",
            self.arrays.may_serve[number, jobs].tobytes(),
            self.arrays.disruptions[number, jobs].tobytes(),
        )

    def _profile(self, members: list[int]) -> tuple[Integers, Integers]:
        car = members[0]
        number = self.part.openings[car].number
        jobs = list(self.part.jobs)
        ways_s, ways_milli, closed = self._ways(number)
        travel, costs, blocked = ways_s.copy(), ways_milli.copy(), closed.copy()
        costs[:, : self.job_count] += self.arrays.disruptions[number, jobs]
        if NOWHERE in self._shared:
            nowhere = self._shared[NOWHERE]
            for arcs in (travel, costs, blocked):
                arcs[:, nowhere] = arcs[nowhere, :] = 0
        blocked[:, : self.job_count] |= ~self.arrays.may_serve[number, jobs]
        travel[blocked], costs[blocked] = 0, FORBIDDEN_MILLI
        if self.folds_service:
            travel[: self.job_count] += self.services_s[car][:, None]
        for member in members:
            costs[self.starts[member]] -= self.homes_milli[member]
        np.fill_diagonal(costs, 0)
        np.fill_diagonal(travel, 0)
        return costs, travel

    def _ways(self, number: int) -> tuple[Integers, Integers, NDArray[np.bool_]]:
        """Give durations, costs, and what cannot be driven, once for cars alike."""
        vehicle = self.view.cars[number].vehicle
        key = (vehicle.profile, vehicle.travel_percent, vehicle.cost_per_m_milli)
        if key not in self._known_ways:
            weight = self.view.problem.objective.distance_weight
            travel = self._pick(self.arrays.durations_s[number])
            costs = self._pick(self.arrays.distances_m[number])
            blocked = (travel >= UNREACHABLE) | (costs >= UNREACHABLE)
            costs *= vehicle.cost_per_m_milli * weight
            costs += self._alike_milli()
            self._known_ways[key] = (travel, costs, blocked)
        return self._known_ways[key]

    def _alike_milli(self) -> Integers:
        """Price what arcs cost whoever drives: changed sequences, and steps of zones."""
        costs: Integers = np.zeros((self.size, self.size), dtype=np.int64)
        self._price_sequence(costs)
        if self.view.steps is not None:
            costs += self.view.steps.between(self._zones())
        return costs

    def _price_sequence(self, costs: Integers) -> None:
        """Price the arcs into jobs that followed another stop in the plan before."""
        view = self.view
        price_milli = view.problem.objective.resequence_milli
        if not view.has_previous:
            return
        node_of = {job: [node] for node, job in enumerate(self.part.jobs)}
        firsts: list[int] = []
        for start, opening in zip(self.starts, self.part.openings, strict=True):
            locked = view.cars[opening.number].locked
            if locked:
                node_of[locked[-1]] = [start]
            else:
                firsts.append(start)
        for node, job in enumerate(self.part.jobs):
            before = view.previous[job]
            if before is None:
                continue
            known = firsts if before == FIRST else node_of.get(before, [])
            costs[:, node] += price_milli
            costs[known, node] -= price_milli

    def _zones(self) -> list[int]:
        """Give the zone of each node: cars with commitments start where these end."""
        zones = [AT_DEPOT] * self.size
        zones[: self.job_count] = [self.view.zone_of[job] for job in self.part.jobs]
        for start, opening in zip(self.starts, self.part.openings, strict=True):
            zones[start] = self.view.zone_before(opening.number)
        return zones

    def _pick(self, entries: NDArray[np.int32]) -> Integers:
        rows = np.array(self.places)
        picked: Integers = entries[rows[:, None], rows[None, :]].astype(np.int64)
        return picked
