"""A part of a day as PyVRP's data, and PyVRP's routes as ours.

Costs of arcs are PyVRP's "distance" at one milli a unit. A client that is optional has as
its prize what leaving the job out costs. A job of several windows is several clients that
exclude each other. A pickup with its delivery is a shipment, from the first opening of
its windows to the last closing. Cars that are alike to the search are one vehicle type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

from pyvrp import (
    Activity,
    ActivityType,
    Client,
    ClientGroup,
    Depot,
    Location,
    ProblemData,
    Route,
    ScheduledActivity,
    Shipment,
    Solution,
    VehicleType,
)

from apps.routes.solver.pyvrp_solver.layout import FORBIDDEN_MILLI, Layout

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from apps.routes.solver.insertion import Arrays
    from apps.routes.solver.openings import Opening
    from apps.routes.solver.pyvrp_solver.layout import Integers
    from apps.routes.solver.pyvrp_solver.parts import Part
    from apps.routes.solver.pyvrp_solver.pauses import Pauses

Visit = TypeVar("Visit", Activity, ScheduledActivity)

TimedStops = Iterable[tuple[int, int]]
"""The stops of a route, each with when its service begins, by the clock."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A client that stands for a job in one of its windows, in clock time."""

    client: int
    first_s: int
    last_s: int


@dataclass(frozen=True, slots=True)
class Found:
    """A route as found: the open stops in order, when each begins, when it leaves."""

    stops: tuple[int, ...]
    starts_s: tuple[int, ...]
    depart_s: int

    @property
    def timed_stops(self) -> TimedStops:
        """Give the stops with when each begins."""
        return zip(self.stops, self.starts_s, strict=True)


class Model:
    """PyVRP's data of a part, with the way to and fro.

    `constant_milli` is what PyVRP's cost lacks of the part's cost by our reckoning.
    `left_out` are jobs that a known plan leaves out. What it serves must be served, if no
    detour makes that too dear and none of them is worth more: what drivers know stays in
    the day, and rounds in which few jobs may be dropped are quick (0.9 ms at 200 jobs
    where it was 2.2).
    """

    def __init__(
        self, arrays: Arrays, part: Part, pauses: Pauses, left_out: Collection[int]
    ) -> None:
        """Translate a part; breaks are given room by `pauses`."""
        self.view = arrays.view
        self.part = part
        self.left_out = frozenset(left_out).intersection(part.jobs)
        self._most_left_milli = max(
            map(self.view.prize_milli, self.left_out), default=0
        )
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
        self._pickups: list[int] = []
        self._cars: list[list[int]] = []
        self.data = self._data()

    def to_solution(self, routes: Mapping[int, TimedStops]) -> Solution:
        """Give the open parts of routes, by car number.

        Unknown jobs are passed over, and shipments that stay on board while their car
        loads again: PyVRP ends them with the trip.
        """
        known = []
        for kind, cars in enumerate(self._cars):
            for car in cars:
                stops = routes.get(self.part.openings[car].number, ())
                activities = [self._activity(car, *one) for one in stops]
                visits = _in_one_trip([one for one in activities if one is not None])
                if visits:
                    known.append(Route(self.data, visits, kind))
        return Solution(self.data, known)

    def from_solution(self, solution: Solution) -> dict[int, Found]:
        """Give what was found for each car, by car number."""
        free = [list(reversed(cars)) for cars in self._cars]
        found = {one.number: Found((), (), one.free_s) for one in self.part.openings}
        begin_s = self.pauses.working_s(self.origin_s)
        for route in solution.routes():
            car = free[route.vehicle_type()].pop()
            visits = _of_use(route.schedule()[1:-1])
            found[self.part.openings[car].number] = Found(
                tuple(self._stop(car, one) for one in visits),
                tuple(self.pauses.clock_s(one.start_time + begin_s) for one in visits),
                self.pauses.clock_s(route.start_time() + begin_s),
            )
        return found

    def links(
        self, neighbours: Mapping[Activity, Sequence[Activity]], most: int
    ) -> dict[int, list[int]]:
        """Give the first so many neighbours of each job, as jobs."""
        return {
            self._stop(0, one): [self._stop(0, other) for other in others[:most]]
            for one, others in neighbours.items()
        }

    def _activity(self, car: int, stop: int, start_s: int) -> Activity | None:
        """Give what a car's stop is to the search; None for one that it lacks."""
        node = self.layout.reloads[car].get(stop)
        if node is not None:
            return Activity(ActivityType.DEPOT, node - self.layout.job_count)
        if stop in self._choices:
            return Activity(ActivityType.CLIENT, self._client_at(stop, start_s))
        pickup = self.view.pickup_of.get(stop, stop)
        if pickup not in self._pickups:
            return None
        kind = ActivityType.PICKUP if pickup == stop else ActivityType.DELIVERY
        return Activity(kind, self._pickups.index(pickup))

    def _stop(self, car: int, activity: Activity | ScheduledActivity) -> int:
        """Give the stop that an activity stands for."""
        if activity.is_client():
            return self._job_of[activity.idx]
        if activity.is_depot():
            node = activity.idx + self.layout.job_count
            reloads = self.layout.reloads[car]
            return next(stop for stop, place in reloads.items() if place == node)
        pickup = self._pickups[activity.idx]
        return pickup if activity.is_pickup() else self.view.delivery_of[pickup]

    def _data(self) -> ProblemData:
        layout = self.layout
        profiles = list(layout.profiles())
        self._dearest_milli = self._dearest_visit_milli(profiles)
        clients, shipments = list(self._clients()), list(self._shipments())
        # The library's stubs give an array's length where its shape belongs.
        matrices: list[tuple[Any, Any]] = [*profiles]
        return ProblemData(
            locations=[Location(0, 0)] * layout.size,
            clients=clients,
            depots=[
                Depot(node, service_duration=layout.loading_s.get(node, 0))
                for node in range(layout.job_count, layout.size)
            ],
            vehicle_types=self._types(),
            distance_matrices=[costs for costs, _ in matrices],
            duration_matrices=[travel for _, travel in matrices],
            groups=self._groups,
            shipments=shipments,
        )

    def _dearest_visit_milli(self, profiles: list[tuple[Integers, Integers]]) -> int:
        """Bound what one more visit costs: a whole shift and the two longest ways."""
        weight = self.view.problem.objective.duration_weight
        vehicles = [self.view.cars[one.number].vehicle for one in self.part.openings]
        shift_milli = (self.horizon_s - self.origin_s) * max(
            one.cost_per_s_milli + one.overtime_cost_per_s_milli for one in vehicles
        )
        ways_milli = (4 if self.view.has_trips else 2) * max(
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
        for node, job in enumerate(self.part.jobs):
            if self.view.partner(job) is not None:
                continue
            windows = self._windows(job)
            prize, required = self._worth(job)
            if not windows:
                self.constant_milli += self._prize_milli(job)
                continue
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

    def _shipments(self) -> Iterator[Shipment]:
        """Translate what is fetched and brought on the way; both halves or none."""
        node_of = {job: node for node, job in enumerate(self.part.jobs)}
        layout = self.layout
        for pickup, delivery in self.view.delivery_of.items():
            if pickup not in node_of or self.view.partner(pickup) is None:
                continue
            halves = (pickup, delivery)
            windows = [self._windows(job) for job in halves]
            prize, required = self._worth(*halves)
            if not all(windows) or windows[1][-1][1] < windows[0][0][0]:
                self.constant_milli += self._prize_milli(*halves)
                continue
            begin, end = (node_of[job] for job in halves)
            services_s = [
                0 if layout.folds_service else int(layout.services_s[0, node])
                for node in (begin, end)
            ]
            opens_s, closes_s = (
                [self._clock_s(one[edge][edge]) for one in windows] for edge in (0, -1)
            )
            self._pickups.append(pickup)
            yield Shipment(
                begin,
                end,
                pickup_tw_early=opens_s[0],
                pickup_tw_late=closes_s[0],
                pickup_service_duration=services_s[0],
                delivery_tw_early=opens_s[1],
                delivery_tw_late=closes_s[1],
                delivery_service_duration=services_s[1],
                amount=list(self.view.jobs[pickup].demands),
                prize=prize,
                required=required,
            )

    def _prize_milli(self, *jobs: int) -> int:
        """Price leaving out what must be left out together."""
        ceiling = FORBIDDEN_MILLI // (2 * self.layout.job_count + 2)
        return sum(min(self.view.prize_milli(job), ceiling) for job in jobs)

    def _worth(self, *jobs: int) -> tuple[int, bool]:
        """Give the prize of jobs, and whether they must be served: then it is none."""
        prize = self._prize_milli(*jobs)
        required = (
            prize > self._dearest_milli
            and self.left_out.isdisjoint(jobs)
            and sum(map(self.view.prize_milli, jobs)) >= self._most_left_milli
        )
        return (0 if required else prize, required)

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
        demands = self._demands(job)
        service_s = 0 if layout.folds_service else int(layout.services_s[0, node])
        return Client(
            node,
            delivery=demands,
            pickup=demands if self.view.delivery_of else [],
            service_duration=service_s,
            tw_early=self._clock_s(window[0]),
            tw_late=self._clock_s(window[1]),
            release_time=0 if release_s is None else self._clock_s(release_s),
            prize=prize,
            required=required and group is None,
            group=group,
        )

    def _demands(self, job: int) -> list[int]:
        """Give what a job takes of its trip; what was fetched already is on board."""
        if job in self.view.pickup_of:
            return [0] * len(self.view.problem.dimensions)
        return list(self.view.jobs[job].demands)

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
        reloads = self.layout.reloads[car].values()
        room = one.spare if reloads else opening.spare
        aboard = zip(room, opening.spare, strict=True)
        return {
            "capacity": room,
            "initial_load": tuple(whole - max(0, spare) for whole, spare in aboard),
            "reload_depots": tuple(node - self.layout.job_count for node in reloads),
            "max_reloads": one.vehicle.max_reloads,
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


def _of_use(activities: Sequence[Visit]) -> list[Visit]:
    """Leave out reloads that no visit follows."""
    return [
        one
        for one, after in zip_longest(activities, activities[1:])
        if not one.is_depot() or (after is not None and not after.is_depot())
    ]


def _in_one_trip(activities: Sequence[Activity]) -> list[Activity]:
    """Leave out shipments of two trips, and reloads that no visit follows."""
    trips: dict[int, set[int]] = {}
    trip = 0
    for one in activities:
        trip += one.is_depot()
        if one.is_shipment():
            trips.setdefault(one.idx, set()).add(trip)
    return _of_use(
        [one for one in activities if not one.is_shipment() or len(trips[one.idx]) == 1]
    )
