"""The one door to every routing engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apps.routes.solver.problem import Problem, Vehicle
    from apps.routes.solver.solution import Solution


class UnknownEngine(LookupError):
    """No engine has this name."""


class EngineRefused(ValueError):
    """The engine cannot do what the problem asks; the message names the feature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When a search ends: after `solutions` were seen, and at the cap of time anyway.

    A plan that must be repeatable names `solutions`; the cap then is a safety.
    """

    solutions: int | None = None
    time_limit_s: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A word from a running search; `best_cost_milli` None before a first plan."""

    percent: int
    solutions: int
    best_cost_milli: int | None


class Feature(StrEnum):
    """Something that a problem may ask, in words that a refusal can quote."""

    LEAVING_OUT = "jobs left out at a price"
    SEVERAL_WINDOWS = "several windows a job"
    SOFT_WINDOWS = "a soft window a job"
    SEVERAL_SOFT_WINDOWS = "several soft windows a job"
    PERCENTAGES = "travel and service times by driver"
    DIMENSIONS = "loads in several dimensions"
    INITIAL_LOADS = "loads that stay on board"
    CAPABILITIES = "capabilities"
    RESERVED_JOBS = "jobs for certain vehicles"
    PINS = "jobs pinned to their vehicle"
    COMMITMENTS = "locked jobs: a beginning of pinned places"
    BREAKS = "breaks"
    OVERTIME = "overtime"
    RELEASES = "release times"
    PLACES = "several places of start and end"
    OPEN_ENDS = "routes that end anywhere"
    PROFILES = "several travel profiles"
    DISRUPTION = "a price of changing the vehicle"
    RESEQUENCING = "a price of changing the sequence"
    ZONE_STEPS = "prices of steps between zones"
    BALANCE = "balance among routes"
    RELOADS = "reloads"
    SHIPMENTS = "pickups with deliveries"


class Level(StrEnum):
    """How well an engine does a feature.

    `EXACT`: its search minimizes the very cost that is stated. `COSTED`: its answers are
    feasible and their cost is stated, but the search does not see all of it. `REFUSES`:
    it gives no answer.
    """

    EXACT = "exact"
    COSTED = "costed"
    REFUSES = "refuses"


OnProgress = Callable[[Progress], None]


class Solver(Protocol):
    """An engine that turns a problem into a plan."""

    @property
    def name(self) -> str:
        """The engine's name in the registry."""
        ...

    @property
    def version(self) -> str:
        """What must be equal for a re-run to be comparable."""
        ...

    def refuses(self, problem: Problem) -> str | None:
        """Name a feature of the problem that this engine cannot do, or None."""
        ...

    def solve(
        self,
        problem: Problem,
        *,
        stop: Stop,
        seed: int,
        warm_start: Solution | None = None,
        on_progress: OnProgress | None = None,
    ) -> Solution:
        """Answer with a feasible plan; whatever does not fit is listed as unserved.

        `warm_start` may name jobs and vehicles that are gone and lack new ones.

        Raises:
            InvalidProblem: the problem contradicts itself.
            EngineRefused: `refuses` names a feature.
        """
        ...


_ENGINES = {
    "greedy": ("apps.routes.solver.greedy", "GreedySolver"),
    "pyvrp": ("apps.routes.solver.pyvrp_solver.engine", "PyVrpSolver"),
    "ortools": ("apps.routes.solver.ortools_solver", "OrToolsSolver"),
    "repair": ("apps.routes.solver.repair", "RepairSolver"),
    "follow": ("apps.routes.solver.follow", "FollowSolver"),
}

_LEVELS: Mapping[str, Mapping[Feature, Level]] = {
    "greedy": {},
    "pyvrp": {
        Feature.BREAKS: Level.COSTED,
        Feature.OVERTIME: Level.COSTED,
        Feature.SOFT_WINDOWS: Level.COSTED,
        Feature.SEVERAL_SOFT_WINDOWS: Level.COSTED,
        Feature.BALANCE: Level.COSTED,
        Feature.SHIPMENTS: Level.COSTED,
    },
    "ortools": {
        Feature.SOFT_WINDOWS: Level.COSTED,
        Feature.SEVERAL_SOFT_WINDOWS: Level.COSTED,
        Feature.RESEQUENCING: Level.COSTED,
        Feature.BALANCE: Level.COSTED,
        Feature.RELOADS: Level.REFUSES,
        Feature.SHIPMENTS: Level.REFUSES,
    },
    "repair": {
        Feature.SOFT_WINDOWS: Level.COSTED,
        Feature.SEVERAL_SOFT_WINDOWS: Level.COSTED,
        Feature.RESEQUENCING: Level.COSTED,
        Feature.ZONE_STEPS: Level.COSTED,
        Feature.BALANCE: Level.COSTED,
        Feature.RELOADS: Level.REFUSES,
        Feature.SHIPMENTS: Level.REFUSES,
    },
    "follow": {
        Feature.RELOADS: Level.REFUSES,
        Feature.SHIPMENTS: Level.REFUSES,
    },
}
"""What each engine does less than exactly; all the rest it does exactly."""


RULES = "greedy"
"""The engine that needs nothing but Python, does everything, and stands in for all."""

MENDER = "repair"
"""Answers an event in a plan under way; it searches nothing, so no day is left to it."""


FOLLOWER = "follow"
"""Drives the sequences that people want, whatever they break: it plans no day either."""


def engine_names() -> tuple[str, ...]:
    """Name every engine that can plan a day, the fallback first."""
    return tuple(name for name in _ENGINES if name not in {MENDER, FOLLOWER})


def open_engine(name: str) -> Solver:
    """Load an engine by name; its library is imported only now.

    Raises:
        UnknownEngine: no engine has this name.
    """
    try:
        module, solver = _ENGINES[name]
    except KeyError as error:
        message = f"{name!r} is none of {', '.join(_ENGINES)}"
        raise UnknownEngine(message) from error
    return cast("Solver", getattr(import_module(module), solver)())


def level_of(engine: str, feature: Feature) -> Level:
    """Say how well an engine does a feature."""
    return _LEVELS[engine].get(feature, Level.EXACT)


def capability_rows() -> tuple[tuple[str, ...], ...]:
    """Render the table of features by engine: a row of headings, then the features."""
    names = (*engine_names(), MENDER)
    rows = [
        (feature.value, *(level_of(name, feature).value for name in names))
        for feature in Feature
    ]
    return (("feature", *names), *rows)


def refused_features(engine: str, problem: Problem) -> str | None:
    """Name what a problem asks and an engine refuses, or None; for `Solver.refuses`."""
    refused = [
        feature.value
        for feature in Feature
        if level_of(engine, feature) is Level.REFUSES
        and feature in features_of(problem)
    ]
    return ", ".join(refused) or None


def refuse_by_name(solver: Solver, problem: Problem) -> None:
    """End a solve that an engine refuses.

    Raises:
        EngineRefused: the problem asks what the engine refuses.
    """
    refused = solver.refuses(problem)
    if refused is not None:
        raise EngineRefused(f"{solver.name} cannot do {refused}")


def features_of(problem: Problem) -> frozenset[Feature]:
    """List the features that a problem uses."""
    jobs, objective = problem.jobs, problem.objective
    served = {job_id for vehicle in problem.vehicles for job_id in vehicle.locked}
    asked = {
        Feature.LEAVING_OUT: any(job.id not in served for job in jobs),
        Feature.SEVERAL_WINDOWS: any(len(job.windows) > 1 for job in jobs),
        Feature.SOFT_WINDOWS: any(job.soft_windows for job in jobs),
        Feature.SEVERAL_SOFT_WINDOWS: any(len(job.soft_windows) > 1 for job in jobs),
        Feature.DIMENSIONS: len(problem.dimensions) > 1,
        Feature.CAPABILITIES: any(job.required_capabilities for job in jobs),
        Feature.RESERVED_JOBS: any(job.allowed_vehicles is not None for job in jobs),
        Feature.PINS: any(job.pinned_vehicle is not None for job in jobs),
        Feature.RELEASES: any(job.release_s is not None for job in jobs),
        Feature.PROFILES: len(problem.matrices) > 1,
        Feature.DISRUPTION: objective.disruption_milli > 0
        and any(job.previous_vehicle is not None for job in jobs),
        Feature.RESEQUENCING: objective.resequence_milli > 0
        and any(job.previous_job is not None for job in jobs),
        Feature.BALANCE: objective.balance_milli_per_s > 0,
        Feature.SHIPMENTS: bool(problem.shipments),
        Feature.ZONE_STEPS: any(job.zone or job.wave for job in jobs)
        and (
            objective.zone_leave_milli > 0
            or any(step.price_milli for step in problem.zone_steps)
        ),
    }
    return frozenset(
        {feature for feature, is_asked in asked.items() if is_asked}
        | _vehicle_features(problem.vehicles)
    )


def _vehicle_features(vehicles: Sequence[Vehicle]) -> set[Feature]:
    asked = {
        Feature.PERCENTAGES: any(
            (one.travel_percent, one.service_percent) != (100, 100) for one in vehicles
        ),
        Feature.INITIAL_LOADS: any(any(one.initial_load) for one in vehicles),
        Feature.COMMITMENTS: any(one.locked for one in vehicles),
        Feature.BREAKS: any(one.breaks for one in vehicles),
        Feature.OVERTIME: any(one.max_overtime_s for one in vehicles),
        Feature.PLACES: len(
            {
                place
                for one in vehicles
                for place in (one.start_location, one.end_location)
                if place is not None
            }
        )
        > 1,
        Feature.OPEN_ENDS: any(one.end_location is None for one in vehicles),
        Feature.RELOADS: any(
            one.max_reloads and one.reload_locations for one in vehicles
        ),
    }
    return {feature for feature, is_asked in asked.items() if is_asked}
