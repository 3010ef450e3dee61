"""The judge of one stated route; see `validate`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from apps.routes.solver.problem import DEPOT_ZONE, UNREACHABLE
from apps.routes.solver.solution import PlacedReload, RouteCost

NO_ZONE = "\0"
"""In place of a job's zone or wave where it has none: no step is named like it."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from apps.routes.solver.problem import Break, Job, Problem, Vehicle
    from apps.routes.solver.solution import PlacedBreak, RoutePlan, Visit


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault of a plan: a stable code, whom it concerns, and what was found."""

    code: str
    vehicle_id: str | None = None
    job_id: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Halt:
    """A place where the route halts: for a visit, to load again, or (None) to end.

    `after_visits` are done on the way there; `from_reload` says whence that leads.
    """

    location: int
    after_visits: int
    from_reload: bool
    stated: Visit | PlacedReload | None

    @property
    def at_reload(self) -> bool:
        return isinstance(self.stated, PlacedReload)


class RouteJudge:
    """Checks one route of known jobs by a known vehicle."""

    def __init__(
        self,
        problem: Problem,
        jobs: Mapping[str, Job],
        vehicle: Vehicle,
        route: RoutePlan,
    ) -> None:
        """Look at a route; nothing is checked yet."""
        self.problem = problem
        self.vehicle = vehicle
        self.route = route
        self.served = [jobs[visit.job_id] for visit in route.visits]
        self.committed_count = len(vehicle.locked)
        self.only_committed = len(self.served) == self.committed_count
        self.loaded_after = {one.after_visits: one for one in route.reloads}
        self.halts = list(self._halts())
        self.stops = [vehicle.start_location, *(one.location for one in self.halts)]

    def violations(self) -> Iterator[Violation]:
        """Yield every fault of the route."""
        if not self.served:
            yield self._fault("route_empty")
            return
        misplaced = list(self._reloads())
        yield from misplaced
        if misplaced:
            return
        yield from self._fitness()
        yield from self._visits()
        yield from self._travel()
        yield from self._shift()
        yield from self._placed_breaks()
        yield from self._missing_breaks()
        yield from self._figures()

    def _fault(
        self, code: str, detail: str = "", job_id: str | None = None
    ) -> Violation:
        return Violation(code, self.vehicle.id, job_id, detail)

    def _fitness(self) -> Iterator[Violation]:
        for job in self.served[self.committed_count :]:
            missing = set(job.required_capabilities) - set(self.vehicle.capabilities)
            if missing:
                yield self._fault("capability_missing", f"{sorted(missing)}", job.id)
            allowed = job.allowed_vehicles
            if allowed is not None and self.vehicle.id not in allowed:
                yield self._fault("vehicle_not_allowed", "", job.id)
            if job.pinned_vehicle not in (None, self.vehicle.id):
                yield self._fault("pin_broken", f"{job.pinned_vehicle}", job.id)

    def _halts(self) -> Iterator[_Halt]:
        """List what follows the start, reloads among the visits."""
        for order, (visit, job) in enumerate(
            zip(self.route.visits, self.served, strict=True)
        ):
            reload = self.loaded_after.get(order)
            if reload is not None:
                yield _Halt(reload.location, order, False, reload)
            yield _Halt(job.location, order, reload is not None, visit)
        if self.vehicle.end_location is not None:
            yield _Halt(self.vehicle.end_location, len(self.served), False, None)

    def _reloads(self) -> Iterator[Violation]:
        """Check where and how often the route loads again."""
        vehicle, reloads = self.vehicle, self.route.reloads
        if len(reloads) > vehicle.max_reloads:
            yield self._fault("reload_too_often", f"{len(reloads)} times")
        places = [one.after_visits for one in reloads]
        if any(a >= b for a, b in pairwise(places)) or not all(
            self.committed_count <= place < len(self.served) for place in places
        ):
            yield self._fault("reload_misplaced", f"after {places} visits")
        for one in reloads:
            if one.location not in vehicle.reload_locations:
                yield self._fault("reload_not_allowed", f"at {one.location}")
            if one.departure_s - one.start_s != vehicle.reload_s:
                yield self._fault("reload_wrong_length", f"not {vehicle.reload_s} s")

    def _visits(self) -> Iterator[Violation]:
        percent = self.vehicle.service_percent
        for order, (visit, job) in enumerate(
            zip(self.route.visits, self.served, strict=True)
        ):
            committed = order < self.committed_count
            service_s = (2 * job.service_s * percent + 100) // 200
            if visit.departure_s - visit.start_s != service_s:
                yield self._fault("service_wrong", f"should be {service_s} s", job.id)
            rest_s = sum(
                one.end_s - one.start_s for one in self._resting(order, arrived=True)
            )
            stay_s = visit.start_s - visit.arrival_s
            if visit.wait_s < 0 or visit.wait_s + rest_s != stay_s:
                yield self._fault("wait_misstated", f"{stay_s - rest_s} s", job.id)
            if not committed and not _inside(job, visit):
                yield self._fault("window_missed", f"starts {visit.start_s}", job.id)
            release_s = job.release_s
            if (
                not committed
                and release_s is not None
                and self._loaded_s(order) < release_s
            ):
                yield self._fault("left_before_release", f"{release_s}", job.id)

    def _loaded_s(self, order: int) -> int:
        """Say when the trip that a visit belongs to departed."""
        return max(
            (
                one.departure_s
                for one in self.route.reloads
                if one.after_visits <= order
            ),
            default=self.route.departure_s,
        )

    def _resting(
        self, order: int, *, arrived: bool, at_reload: bool = False
    ) -> list[PlacedBreak]:
        return [
            one
            for one in self.route.breaks
            if one.after_visits == order
            and one.on_arrival is arrived
            and one.at_reload is at_reload
        ]

    def _travel(self) -> Iterator[Violation]:
        """Follow the legs: breaks before leaving, travel, breaks on arrival."""
        ready_s = self.route.departure_s
        for leg, halt in enumerate(self.halts):
            travel_s = self._leg_s(self.stops[leg], halt.location)
            stated, done = halt.stated, halt.after_visits
            job_id = self.served[done].id if stated and not halt.at_reload else None
            if travel_s is None:
                yield self._fault("unreachable", f"leg {leg}", job_id)
                return
            before = self._resting(done, arrived=False, at_reload=halt.from_reload)
            yield from self._overlaps(before, ready_s, job_id)
            arrival_s = max([ready_s, *(one.end_s for one in before)]) + travel_s
            stated_s = stated.arrival_s if stated else self.route.end_s
            if stated_s != arrival_s:
                yield self._fault("travel_wrong", f"arrives {arrival_s}", job_id)
            after = self._resting(done, arrived=True, at_reload=halt.at_reload)
            yield from self._overlaps(after, stated_s, job_id)
            ready_s = stated.departure_s if stated else stated_s
            if stated and after and stated.start_s < after[-1].end_s:
                yield self._fault("break_overlaps", "service", job_id)
            if stated and halt.at_reload and stated.start_s < stated_s:
                yield self._fault("reload_too_early", f"at {stated.start_s}")
        if self.vehicle.end_location is None and self.route.end_s != ready_s:
            yield self._fault("travel_wrong", f"ends {ready_s}")

    def _overlaps(
        self, breaks: list[PlacedBreak], ready_s: int, job_id: str | None
    ) -> Iterator[Violation]:
        """Find breaks that begin before the driver is free."""
        for one in breaks:
            if one.start_s < ready_s:
                yield self._fault("break_overlaps", f"at {one.start_s}", job_id)
            ready_s = max(ready_s, one.end_s)

    def _leg_s(self, origin: int, target: int) -> int | None:
        matrix = self.problem.matrices[self.vehicle.profile]
        plain_s = int(matrix.durations_s[origin, target])
        if plain_s >= UNREACHABLE:
            return None
        return (2 * plain_s * self.vehicle.travel_percent + 100) // 200

    def _shift(self) -> Iterator[Violation]:
        vehicle, route = self.vehicle, self.route
        if route.departure_s < vehicle.start_s:
            yield self._fault("shift_started_early", f"{route.departure_s}")
        if self.committed_count and route.departure_s != vehicle.start_s:
            yield self._fault("committed_departure_moved", f"{route.departure_s}")
        if vehicle.leaves_at_once and route.departure_s > self._released_s():
            yield self._fault("departure_put_off", f"{route.departure_s}")
        latest_s = vehicle.end_s + vehicle.max_overtime_s
        if route.end_s > latest_s and not self.only_committed:
            yield self._fault("shift_overrun", f"{route.end_s} > {latest_s}")

    def _released_s(self) -> int:
        """Return when all that it leaves with is there."""
        first_trip = self.served[: min(self.loaded_after, default=len(self.served))]
        releases_s = (one.release_s for one in first_trip if one.release_s is not None)
        return max((self.vehicle.start_s, *releases_s))

    def _placed_breaks(self) -> Iterator[Violation]:
        rests = self.vehicle.breaks
        seen: set[int] = set()
        for one in self.route.breaks:
            if not 0 <= one.break_index < len(rests) or one.break_index in seen:
                yield self._fault("break_unknown", f"{one.break_index}")
                continue
            seen.add(one.break_index)
            rest = rests[one.break_index]
            if one.end_s - one.start_s != rest.duration_s:
                yield self._fault("break_wrong_length", f"{one.end_s - one.start_s}")
            if not rest.earliest_s <= one.start_s <= self._latest_s(rest):
                yield self._fault("break_outside_window", f"at {one.start_s}")
            if not any(self._is_at(one, halt) for halt in self.halts):
                yield self._fault("break_unknown", f"after {one.after_visits} visits")

    def _is_at(self, one: PlacedBreak, halt: _Halt) -> bool:
        """Say whether a break is taken on the way to a halt."""
        at_reload = halt.at_reload if one.on_arrival else halt.from_reload
        return one.after_visits == halt.after_visits and one.at_reload is at_reload

    def _missing_breaks(self) -> Iterator[Violation]:
        """Ask for every break that the route cannot go without."""
        placed = {one.break_index for one in self.route.breaks}
        ready_s = self.vehicle.start_s
        order = sorted(
            enumerate(self.vehicle.breaks),
            key=lambda pair: (pair[1].earliest_s, pair[0]),
        )
        for index, rest in order:
            if index in placed or rest.latest_s < self.vehicle.start_s:
                continue
            begin_s = max(ready_s, rest.earliest_s)
            over_s = begin_s + rest.duration_s
            if begin_s <= rest.latest_s and over_s <= self.route.departure_s:
                ready_s = over_s
            elif self.route.end_s > self._latest_s(rest):
                yield self._fault("break_missing", f"break {index}")

    def _latest_s(self, rest: Break) -> int:
        """Give a break's last start; committed visits put it off until they end."""
        if not self.committed_count:
            return rest.latest_s
        free_s = self.route.visits[self.committed_count - 1].departure_s
        earlier_s = sum(
            other.duration_s
            for other in self.vehicle.breaks
            if other.earliest_s <= rest.earliest_s and other is not rest
        )
        return max(rest.latest_s, free_s + earlier_s)

    def _figures(self) -> Iterator[Violation]:
        route, vehicle, objective = self.route, self.vehicle, self.problem.objective
        legs = list(zip(self.stops, self.stops[1:], strict=False))
        matrix = self.problem.matrices[vehicle.profile]
        distance_m = sum(int(matrix.distances_m[a, b]) for a, b in legs)
        travel_s = sum(self._leg_s(a, b) or 0 for a, b in legs)
        overtime_s = max(0, route.end_s - vehicle.end_s)
        for name, stated, true in (
            ("distance_m", route.distance_m, distance_m),
            ("travel_s", route.travel_s, travel_s),
            ("duration_s", route.duration_s, route.end_s - route.departure_s),
            ("overtime_s", route.overtime_s, overtime_s),
        ):
            if stated != true:
                yield self._fault("figure_misstated", f"{name} is {true}")
        time_weight = objective.duration_weight
        cost = RouteCost(
            fixed_milli=vehicle.fixed_cost_milli,
            distance_milli=objective.distance_weight
            * vehicle.cost_per_m_milli
            * distance_m,
            duration_milli=time_weight
            * vehicle.cost_per_s_milli
            * (route.end_s - route.departure_s),
            overtime_milli=time_weight * vehicle.overtime_cost_per_s_milli * overtime_s,
            soft_milli=sum(
                _missed_milli(job, visit.start_s)
                for job, visit in zip(self.served, route.visits, strict=True)
            ),
            zone_order_milli=self._steps_milli(),
        )
        if cost != route.cost:
            yield self._fault("route_cost_misstated", f"should be {cost}")

    def _steps_milli(self) -> int:
        """Add up the prices of the steps between zones, halt by halt."""
        price_of = {
            (step.from_zone, step.to_zone): step.price_milli
            for step in self.problem.zone_steps
        }
        leave_milli = self.problem.objective.zone_leave_milli
        total_milli, here = 0, (DEPOT_ZONE, DEPOT_ZONE)
        for halt in self.halts:
            there = (DEPOT_ZONE, DEPOT_ZONE)
            at_job = halt.stated is not None and not halt.at_reload
            if at_job:
                job = self.served[halt.after_visits]
                there = (job.zone or NO_ZONE, job.wave or NO_ZONE)
            total_milli += sum(
                price_of.get(pair, 0) for pair in zip(here, there, strict=True)
            )
            zones = {here[0], there[0]} - {NO_ZONE, DEPOT_ZONE}
            total_milli += leave_milli if len(zones) == 2 else 0
            here = there
        return total_milli


def _inside(job: Job, visit: Visit) -> bool:
    """Say whether service starts in one of the job's windows."""
    return not job.windows or any(
        window.start_s <= visit.start_s < window.end_s for window in job.windows
    )


def _missed_milli(job: Job, start_s: int) -> int:
    """Price a start by the soft window that it misses least."""
    prices = [
        soft.early_milli_per_s * (soft.start_s - start_s)
        if start_s < soft.start_s
        else soft.late_milli_per_s * max(0, start_s - soft.end_s)
        for soft in job.soft_windows
    ]
    return min(prices, default=0)
