"""A part of a day as PyVRP's data, and PyVRP's routes as ours.

Costs of arcs are PyVRP's "distance" at one milli a unit. A client that is optional has as
its prize what leaving the job out costs. A job of several windows is several clients that
exclude each other. Cars that are alike to the search are one vehicle type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pyvrp import (
    Activity,
    ActivityType,
    Client,
    ClientGroup,
    Depot,
    Location,
    ProblemData,
    Route,
    Solution,
    VehicleType,
)

from apps.routes.solver.pyvrp_solver.layout import FORBIDDEN_MILLI, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.routes.solver.insertion import Arrays, Plan
    from apps.routes.solver.openings import Opening
    from apps.routes.solver.pyvrp_solver.layout import Integers
    from apps.routes.solver.pyvrp_solver.parts import Part
    from apps.routes.solver.pyvrp_solver.pauses import Pauses


@dataclass(frozen=True, slots=True)
class _Choice:
    """A client that stands for a job in one of its windows, in clock time."""

    client: int
    first_s: int
    last_s: int


@dataclass(frozen=True, slots=True)
class Found:
    """A route as found: the open jobs in order, and when it leaves for them."""

    jobs: tuple[int, ...]
    depart_s: int


class Model:
    """PyVRP's data of a part, with the way to and fro.

    `constant_milli` is what PyVRP's cost lacks of the part's cost by our reckoning.
    Where a plan that serves all jobs is known (`is_complete`), those that no detour
    makes too dear must be served: a search that may not drop them is faster.
    """

    def __init__(
        self, arrays: Arrays, part: Part, pauses: Pauses, *, is_complete: bool
    ) -> None:
        """Translate a part; breaks are given room by `pauses`."""
        self.view = arrays.view
        self.is_complete = is_complete
        self.part = part
        self.pauses = pauses
        self.layout = Layout(arrays, part)
        self.origin_s = min(one.free_s for one in part.openings)
        self.horizon_s = max(self._closes_s(one) for one in part.openings)
        self.constant_milli = sum(self.layout.homes_milli) + sum(
            one.committed_milli for one in part.openings
        )
        self._choices: dict[int, list[_Choice]] = {}
        self._job_of: list[int] = []
        self._groups: list[ClientGroup] = []
        self._cars: list[list[int]] = []
        self.data = self._data()

    def to_solution(self, plan: Plan) -> Solution:
        """Give a plan's open parts; jobs that are not in the model are passed over."""
        routes = []
        for kind, cars in enumerate(self._cars):
            for car in cars:
                route = plan.routes[self.part.openings[car].number]
                visits = [
                    Activity(ActivityType.CLIENT, self._client_at(job, start_s))
                    for job, start_s in zip(
                        route.sequence, route.times.starts_s, strict=True
                    )
                    if job in self._choices
                ]
                if visits:
                    routes.append(Route(self.data, visits, kind))
        return Solution(self.data, routes)

    def from_solution(self, solution: Solution) -> dict[int, Found]:
        """Give what was found for each car, by car number."""
        free = [list(reversed(cars)) for cars in self._cars]
        found = {one.number: Found((), one.free_s) for one in self.part.openings}
        begin_s = self.pauses.working_s(self.origin_s)
        for route in solution.routes():
            opening = self.part.openings[free[route.vehicle_type()].pop()]
            found[opening.number] = Found(
                tuple(
                    self._job_of[one.idx] for one in route.schedule() if one.is_client()
                ),
                self.pauses.clock_s(route.start_time() + begin_s),
            )
        return found

    def scales(self) -> tuple[float, ...]:
        """Say what a unit of load, by dimension, and a second are worth, about.

        A unit of load is taken to be worth an average arc by an average demand.
        """
        costs: Integers = np.asarray(self.data.distance_matrix(0), np.int64)
        travel: Integers = np.asarray(self.data.duration_matrix(0), np.int64)
        allowed = costs < FORBIDDEN_MILLI
        rate_milli = self.data.vehicle_type(0).unit_duration_cost
        arc_s = max(1.0, float(travel[allowed].mean()))
        arc_milli = float(costs[allowed].mean()) + rate_milli * arc_s
        demands = np.array([self.view.jobs[job].demands for job in self.part.jobs])
        loads = [max(1.0, demand) for demand in demands.mean(axis=0).tolist()]
        return (*(arc_milli / load for load in loads), max(1.0, arc_milli / arc_s))

    def _data(self) -> ProblemData:
        layout = self.layout
        profiles = list(layout.profiles())
        self._dearest_milli = self._dearest_visit_milli(profiles)
        clients = list(self._clients())
        # The library's stubs give an array's length where its shape belongs.
        matrices: list[tuple[Any, Any]] = [*profiles]
        return ProblemData(
            locations=[Location(0, 0)] * layout.size,
            clients=clients,
            depots=[Depot(node) for node in range(layout.job_count, layout.size)],
            vehicle_types=self._types(),
            distance_matrices=[costs for costs, _ in matrices],
            duration_matrices=[travel for _, travel in matrices],
            groups=self._groups,
        )

    def _dearest_visit_milli(self, profiles: list[tuple[Integers, Integers]]) -> int:
        """Bound what one more visit costs: a whole shift and the two longest ways."""
        weight = self.view.problem.objective.duration_weight
        vehicles = [self.view.cars[one.number].vehicle for one in self.part.openings]
        shift_milli = (self.horizon_s - self.origin_s) * max(
            one.cost_per_s_milli + one.overtime_cost_per_s_milli for one in vehicles
        )
        ways_milli = 2 * max(
            int(costs[costs < FORBIDDEN_MILLI].max()) for costs, _ in profiles
        )
        fixed_milli = max(one.fixed_cost_milli for one in vehicles)
        return shift_milli * weight + ways_milli + fixed_milli

    def _client_at(self, job: int, start_s: int) -> int:
        """Pick the client of the window that a start lies in."""
        choices = self._choices[job]
        return next(
            (one.client for one in choices if start_s <= one.last_s), choices[-1].client
        )

    def _closes_s(self, opening: Opening) -> int:
        return max(self.view.cars[opening.number].closes_s, opening.free_s)

    def _clock_s(self, clock_s: int) -> int:
        """Turn a time of the clock into PyVRP's: working time since the origin."""
        clock_s = max(clock_s, self.origin_s)
        return self.pauses.working_s(clock_s) - self.pauses.working_s(self.origin_s)

    def _clients(self) -> Iterator[Client]:
        ceiling = FORBIDDEN_MILLI // (2 * self.layout.job_count + 2)
        for node, job in enumerate(self.part.jobs):
            windows = self._windows(job)
            prize = min(self.view.prize_milli(job), ceiling)
            if not windows:
                self.constant_milli += prize
                continue
            required = self.is_complete and prize > self._dearest_milli
            prize = 0 if required else prize
            first = len(self._job_of)
            members = range(first, first + len(windows))
            self._choices[job] = [
                _Choice(client, *window)
                for client, window in zip(members, windows, strict=True)
            ]
            self._job_of += [job] * len(windows)
            group = None
            if len(windows) > 1:
                group = len(self._groups)
                self._groups.append(ClientGroup(list(members), required=required))
                self.constant_milli -= (len(windows) - 1) * prize
            for window in windows:
                yield self._client(node, job, window, (prize, required), group)

    def _windows(self, job: int) -> list[tuple[int, int]]:
        """Give a job's windows as far as its release and the shifts reach into them."""
        opens_s = max(self.origin_s, self.view.jobs[job].release_s or self.origin_s)
        return [
            (max(first_s, self.origin_s), min(last_s, self.horizon_s))
            for first_s, last_s in self.view.windows[job]
            or [(self.origin_s, self.horizon_s)]
            if last_s >= opens_s and first_s <= self.horizon_s >= opens_s
        ]

    def _client(
        self,
        node: int,
        job: int,
        window: tuple[int, int],
        worth: tuple[int, bool],
        group: int | None,
    ) -> Client:
        prize, required = worth
        layout, release_s = self.layout, self.view.jobs[job].release_s
        service_s = 0 if layout.folds_service else int(layout.services_s[0, node])
        return Client(
            node,
            delivery=list(self.view.jobs[job].demands),
            service_duration=service_s,
            tw_early=self._clock_s(window[0]),
            tw_late=self._clock_s(window[1]),
            release_time=0 if release_s is None else self._clock_s(release_s),
            prize=prize,
            required=required and group is None,
            group=group,
        )

    def _types(self) -> list[VehicleType]:
        kinds: dict[tuple[object, ...], int] = {}
        given: list[dict[str, Any]] = []
        for car, opening in enumerate(self.part.openings):
            arguments = self._type(car, opening)
            key = tuple(arguments.values())
            if key not in kinds:
                kinds[key] = len(given)
                given.append(arguments)
                self._cars.append([])
            self._cars[kinds[key]].append(car)
        return [
            VehicleType(num_available=len(cars), **arguments)
            for arguments, cars in zip(given, self._cars, strict=True)
        ]

    def _type(self, car: int, opening: Opening) -> dict[str, Any]:
        """Describe a car; its breaks beside the pauses shorten its shift.

        PyVRP counts overtime from a route's beginning, we by the clock: a route that
        begins later than its shift has less of it here than in truth.
        """
        one = self.view.cars[opening.number]
        weight = self.view.problem.objective.duration_weight
        rate_milli = one.vehicle.cost_per_s_milli * weight
        closes_s = self._closes_s(opening)
        missing_s = self.pauses.missing_s(opening, closes_s)
        free_s = self._clock_s(opening.free_s)
        shut_s = max(free_s, self._clock_s(closes_s) - missing_s)
        end_s = self._clock_s(one.vehicle.end_s) - missing_s
        resting_s = sum(rest.duration_s for _, rest in opening.rests)
        paid_milli = 0 if one.locked else resting_s * rate_milli
        return {
            "capacity": opening.spare,
            "start_depot": self.layout.starts[car] - self.layout.job_count,
            "end_depot": self.layout.ends[car] - self.layout.job_count,
            "fixed_cost": paid_milli
            + (0 if one.locked else one.vehicle.fixed_cost_milli),
            "tw_early": free_s,
            "tw_late": shut_s,
            "start_late": free_s if one.goes_at_once else shut_s,
            "shift_duration": min(shut_s - free_s, max(0, end_s - free_s)),
            "max_overtime": shut_s - free_s,
            "unit_distance_cost": 1,
            "unit_duration_cost": rate_milli,
            "unit_overtime_cost": one.vehicle.overtime_cost_per_s_milli * weight,
            "profile": self.layout.profile_of[car],
        }
