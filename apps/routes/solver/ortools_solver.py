"""OR-Tools' routing library behind the port; the only file that knows it.

Locked jobs are cut off before the model is made: a car with commitments starts where
and when the last of them ends. The search starts from the greedy engine's plan and
goes on with guided local search.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from ortools.util.optional_boolean_pb2 import BOOL_FALSE

from apps.routes.solver.assemble import Provenance
from apps.routes.solver.greedy import Search, construct, improve, state_plan
from apps.routes.solver.insertion import Arrays, Plan
from apps.routes.solver.openings import OpenDay, is_open, latest_rest_s, slot_of
from apps.routes.solver.port import Progress, refuse_by_name, refused_features
from apps.routes.solver.ruin import Ruin
from apps.routes.solver.solution import Improvement, Solution, StoppedBy
from apps.routes.solver.versions import ortools_version
from apps.routes.solver.view import View

if TYPE_CHECKING:
    from apps.routes.solver.openings import Opening
    from apps.routes.solver.port import OnProgress, Stop
    from apps.routes.solver.problem import Problem
    from apps.routes.solver.routestate import Integers, RouteState

OPENING_ROUNDS = 600
WARM_ROUNDS = 50
"""Rounds of the greedy engine before the guided search: a warm start needs fewer."""

SMALL_DAY_JOBS = 40
STALE_CHECKS = 100_000


class OrToolsSolver:
    """Guided local search; each accepted neighbour counts as a solution."""

    name = "ortools"

    @property
    def version(self) -> str:
        """The library's version and this adapter's."""
        return ortools_version()

    def refuses(self, problem: Problem) -> str | None:
        """Name what the table of capabilities says that this engine refuses."""
        return refused_features(self.name, problem)

    def solve(
        self,
        problem: Problem,
        *,
        stop: Stop,
        seed: int,
        warm_start: Solution | None = None,
        on_progress: OnProgress | None = None,
    ) -> Solution:
        """Answer as `Solver.solve` says.

        The first solutions counted are the greedy engine's rounds, which the seed
        steers; guided local search itself draws no random numbers.
        """
        refuse_by_name(self, problem)
        deadline = monotonic() + stop.time_limit_s
        arrays = Arrays(View(problem))
        rounds = OPENING_ROUNDS if warm_start is None else WARM_ROUNDS
        if stop.solutions is not None:
            rounds = min(rounds, stop.solutions)
        plan = construct(arrays, warm_start)
        search = improve(Ruin(arrays, plan, seed), rounds, deadline)
        limit = None if stop.solutions is None else stop.solutions - search.done
        wanted = search.stopped_by is StoppedBy.SOLUTIONS and limit != 0
        if wanted and not is_open(arrays.view):
            search = replace(search, stopped_by=StoppedBy.EXHAUSTED)
        elif wanted:
            search = _Guided(arrays, search, deadline, limit, on_progress).run()
        provenance = Provenance(
            engine=self.name,
            engine_version=self.version,
            seed=seed,
            solutions=search.done,
            stopped_by=search.stopped_by,
            trace=search.trace,
        )
        return state_plan(arrays, search.plan, provenance)


class _Guided:
    """One search from a plan to a better one."""

    def __init__(
        self,
        arrays: Arrays,
        opening: Search,
        deadline: float,
        limit: int | None,
        on_progress: OnProgress | None,
    ) -> None:
        self.plan = opening.plan
        self.view = arrays.view
        self.deadline = deadline
        self.began = monotonic()
        self.limit = limit
        self.on_progress = on_progress
        self.before = opening.done
        self.seen = 0
        self.checks = 0
        self.trace = list(opening.trace)
        self.model = _Model(arrays)

    def run(self) -> Search:
        """Search until a limit; the better of the old and the found plan is kept."""
        model = self.model
        left_s = max(1.0, self.deadline - monotonic())
        parameters = _parameters(left_s)
        if len(model.day.jobs) <= SMALL_DAY_JOBS:
            model.routing.AddSearchMonitor(model.solver.CustomLimit(self._is_stale))
        model.routing.CloseModelWithParameters(parameters)
        model.routing.AddAtSolutionCallback(self._seen_one)
        start = model.routing.ReadAssignmentFromRoutes(
            model.nodes_of(self.plan), ignore_inactive_indices=True
        )
        found = (
            model.routing.SolveFromAssignmentWithParameters(start, parameters)
            if start is not None
            else model.routing.SolveWithParameters(parameters)
        )
        plan = model.read(found, self.plan) if found is not None else self.plan
        if plan.cost_milli(self.view) >= self.plan.cost_milli(self.view):
            plan = self.plan
        done = self.before + self.seen
        return Search(plan, done, self._stopped_by(), tuple(self.trace))

    def _stopped_by(self) -> StoppedBy:
        if self.limit is not None and self.seen >= self.limit:
            return StoppedBy.SOLUTIONS
        if monotonic() >= self.deadline - 0.05:
            return StoppedBy.TIME
        return StoppedBy.EXHAUSTED

    def _is_stale(self) -> bool:
        """End a small search that finds no more; checks are the same in every run."""
        self.checks += 1
        return self.checks > STALE_CHECKS

    def _seen_one(self) -> None:
        self.seen += 1
        self.checks = 0
        cost_milli = self.model.routing.CostVar().Min() + self.model.day.constant_milli
        count = self.before + self.seen
        if self.seen == self.limit:
            self.model.solver.FinishCurrentSearch()
        if cost_milli < self.trace[-1].cost_milli:
            self.trace.append(Improvement(solutions=count, cost_milli=cost_milli))
        if self.on_progress is not None and self.seen % 20 == 1:
            spent = (monotonic() - self.began) / max(0.1, self.deadline - self.began)
            if self.limit is not None:
                spent = max(spent, self.seen / self.limit)
            self.on_progress(
                Progress(
                    percent=min(99, int(100 * spent)),
                    solutions=count,
                    best_cost_milli=self.trace[-1].cost_milli,
                )
            )


def _parameters(left_s: float) -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = (
        routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    )
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    parameters.time_limit.FromMilliseconds(int(1000 * left_s))
    operators = parameters.local_search_operators
    for operator in operators.DESCRIPTOR.fields:
        # Measured: without these a search sees four times as many solutions, and
        # they alone would cut a step short by the clock.
        if "lns" in operator.name:
            setattr(operators, operator.name, BOOL_FALSE)
    return parameters


class _Model:
    """The routing model of an open day."""

    def __init__(self, arrays: Arrays) -> None:
        self.view = arrays.view
        self.day = day = OpenDay(arrays)
        self.manager = pywrapcp.RoutingIndexManager(
            day.size, len(day.cars), day.starts, day.ends
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.solver = self.routing.solver()
        self._matrices: dict[bytes, int] = {}
        self._add_costs()
        self.time = self._add_time()
        self._add_loads()
        for job in day.jobs:
            self._add_job(job)
        self._add_releases()
        self.rests = [self._add_rests(car) for car in range(len(day.cars))]

    def nodes_of(self, plan: Plan) -> list[list[int]]:
        """Give a plan's open parts as routes of nodes."""
        return [
            [self.day.node[job] for job in sequence if job in self.day.node]
            for sequence in (
                plan.routes[one.number].sequence for one in self.day.openings
            )
        ]

    def read(self, found: Any, before: Plan) -> Plan:
        """Read an assignment as a plan; cars not in the model keep their routes."""
        routes = list(before.routes)
        for car, opening in enumerate(self.day.openings):
            routes[opening.number] = self._read_route(found, car, opening)
        served = {job for route in routes for job in route.sequence}
        return Plan(routes, [job for job in self.day.jobs if job not in served])

    def _read_route(self, found: Any, car: int, opening: Opening) -> RouteState:
        """Time a found route by our rules, or with the breaks where they were found."""
        index = self.routing.Start(car)
        finishes_s = [found.Min(self.time.CumulVar(index))]
        index = found.Value(self.routing.NextVar(index))
        jobs: list[int] = []
        while not self.routing.IsEnd(index):
            jobs.append(self.day.jobs[self.manager.IndexToNode(index)])
            service_s = self.day.cars[car].services_s[jobs[-1]]
            finishes_s.append(found.Min(self.time.CumulVar(index)) + service_s)
            index = found.Value(self.routing.NextVar(index))
        end_s = found.Min(self.time.CumulVar(index))
        slots = [
            slot_of(rest, found.StartMin(interval), end_s, finishes_s)
            for (_, rest), interval in zip(opening.rests, self.rests[car], strict=True)
        ]
        depart_s = finishes_s[0] + self.day.origin_s
        return opening.close(self.view, jobs, slots, depart_s)

    def _matrix(self, rows: Integers) -> int:
        """Register a matrix once, so that like cars are seen to be alike."""
        key = rows.tobytes()
        if key not in self._matrices:
            self._matrices[key] = self.routing.RegisterTransitMatrix(rows.tolist())
        return self._matrices[key]

    def _add_costs(self) -> None:
        for car, opening in enumerate(self.day.openings):
            vehicle = self.day.cars[car].vehicle
            matrix = self._matrix(self.day.arcs_milli(car))
            self.routing.SetArcCostEvaluatorOfVehicle(matrix, car)
            if opening.settled or self.day.cars[car].locked:
                self.routing.SetVehicleUsedWhenEmpty(True, car)
            else:
                self.routing.SetFixedCostOfVehicle(vehicle.fixed_cost_milli, car)

    def _add_time(self) -> Any:
        """Count seconds: service before travel, waiting paid like the rest."""
        day, weight = self.day, self.view.problem.objective.duration_weight
        transits = [self._matrix(day.transit_s(car)) for car in range(len(day.cars))]
        span_s = day.horizon_s - day.origin_s
        self.routing.AddDimensionWithVehicleTransits(
            transits, span_s, span_s, False, "time"
        )
        time = self.routing.GetDimensionOrDie("time")
        for car, opening in enumerate(day.openings):
            vehicle = day.cars[car].vehicle
            start = time.CumulVar(self.routing.Start(car))
            end = time.CumulVar(self.routing.End(car))
            free_s = opening.free_s - day.origin_s
            closes_s = day.cars[car].closes_s - day.origin_s
            is_bound = day.cars[car].goes_at_once
            start.SetRange(free_s, free_s if is_bound else closes_s)
            end.SetMax(closes_s)
            time.SetSlackCostCoefficientForVehicle(
                vehicle.cost_per_s_milli * weight, car
            )
            if vehicle.max_overtime_s:
                time.SetCumulVarSoftUpperBound(
                    self.routing.End(car),
                    vehicle.end_s - day.origin_s,
                    vehicle.overtime_cost_per_s_milli * weight,
                )
        return time

    def _add_loads(self) -> None:
        for dimension, name in enumerate(self.view.problem.dimensions):
            demands = [self.view.jobs[job].demands[dimension] for job in self.day.jobs]
            unary = self.routing.RegisterUnaryTransitVector(
                demands + [0] * (self.day.size - len(demands))
            )
            room = [one.spare[dimension] for one in self.day.openings]
            self.routing.AddDimensionWithVehicleCapacity(
                unary, 0, room, True, f"load {name}"
            )

    def _add_job(self, job: int) -> None:
        """Make a job optional, keep it to its windows and to the cars that may."""
        index = self.manager.NodeToIndex(self.day.node[job])
        self.routing.AddDisjunction([index], self.day.penalty_milli(job))
        able = [
            car
            for car, opening in enumerate(self.day.openings)
            if self.view.may_serve[opening.number][job]
        ]
        if len(able) < len(self.day.openings):
            self.routing.VehicleVar(index).SetValues([-1, *able])
        origin_s, latest_s = self.day.origin_s, self.day.horizon_s
        windows = [
            (max(first, origin_s) - origin_s, min(last, latest_s) - origin_s)
            for first, last in self.view.windows[job]
            if last >= origin_s and first < latest_s
        ]
        begin = self.time.CumulVar(index)
        if windows:
            begin.SetRange(windows[0][0], windows[-1][1])
            for (_, last), (first, _) in pairwise(windows):
                begin.RemoveInterval(last + 1, first - 1)
        elif self.view.windows[job]:
            self.routing.VehicleVar(index).SetValues([-1])

    def _add_releases(self) -> None:
        """Keep a car at its start until all that it carries is there."""
        for job in self.day.jobs:
            release_s = self.view.jobs[job].release_s
            index = self.manager.NodeToIndex(self.day.node[job])
            for car, opening in enumerate(self.day.openings):
                if release_s is None or release_s <= opening.free_s:
                    continue
                taken = self.solver.IsEqualCstVar(self.routing.VehicleVar(index), car)
                start = self.time.CumulVar(self.routing.Start(car))
                self.solver.Add(start >= taken * (release_s - self.day.origin_s))

    def _add_rests(self, car: int) -> list[Any]:
        """Keep a car's breaks off its services; `Opening.close` moves them off travel."""
        opening = self.day.openings[car]
        rests = [
            self.solver.FixedDurationIntervalVar(
                max(rest.earliest_s, opening.free_s) - self.day.origin_s,
                latest_rest_s(self.view, opening, position) - self.day.origin_s,
                rest.duration_s,
                False,
                f"break {position} of {car}",
            )
            for position, rest in opening.rests
        ]
        if rests:
            services_s = self.day.services_s(car)
            self.time.SetBreakIntervalsOfVehicle(
                rests,
                car,
                [
                    services_s[self.manager.IndexToNode(index)]
                    for index in range(self.manager.GetNumberOfIndices())
                ],
            )
        return rests
