"""A town of zones for plans and the people who drive them: days, roads, and route facts."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from apps.learning.learners.facts import Clocks, RouteFact, StopFact
from apps.routes.solver.port import Stop, open_engine
from apps.routes.solver.problem import (
    Job,
    Matrix,
    Objective,
    Problem,
    TimeWindow,
    Vehicle,
)
from apps.routes.solver.solution import Solution
from apps.routes.solver.validate import validate

ZONES = ("Abbey", "Bridge", "Castle", "Docks", "East gate", "Fields")
RADIUS_M = 1500
SPEED_M_S = 7.0
START_S = 8 * 3600
SHIFT_S = 8 * 3600
ENGINE = "greedy"
SEED = 7


@dataclass(frozen=True, slots=True)
class Drop:
    """One order: where it is, in metres from the depot, and its zone."""

    x: float
    y: float
    zone: str
    service_s: int
    window: TimeWindow | None


def drops_of(chance: random.Random, count: int, *, windows: float = 0.0) -> list[Drop]:
    """Draw a day's orders; a share of them has a window of an hour."""
    found = []
    for number in range(count):
        at = number % len(ZONES)
        angle = 2 * math.pi * at / len(ZONES)
        window = None
        if chance.random() < windows:
            opens_s = START_S + 1800 * chance.randrange(1, 12)
            window = TimeWindow(start_s=opens_s, end_s=opens_s + 3600)
        found.append(
            Drop(
                RADIUS_M * math.cos(angle) + chance.gauss(0, 500),
                RADIUS_M * math.sin(angle) + chance.gauss(0, 500),
                ZONES[at],
                chance.choice((120, 180, 240)),
                window,
            )
        )
    return found


def problem_of(drops: Sequence[Drop], vans: int) -> Problem:
    """State a day as planning sees it: roads by the beeline, from and to the depot."""
    xy = np.array([(0.0, 0.0), *((drop.x, drop.y) for drop in drops)])
    metres = 1.3 * np.hypot(*(xy[:, None] - xy[None, :]).transpose(2, 0, 1))
    matrix = Matrix(
        durations_s=np.rint(metres / SPEED_M_S).astype(np.int32),
        distances_m=np.rint(metres).astype(np.int32),
    )
    return Problem(
        origin_at="2026-03-02T00:00:00+00:00",
        location_count=len(xy),
        matrices=(matrix,),
        vehicles=tuple(
            Vehicle(
                id=f"van {number}",
                start_location=0,
                end_location=0,
                start_s=START_S,
                end_s=START_S + SHIFT_S,
                max_overtime_s=3600,
            )
            for number in range(vans)
        ),
        jobs=tuple(
            Job(
                id=f"{at}",
                location=at,
                service_s=drop.service_s,
                windows=(drop.window,) if drop.window else (),
            )
            for at, drop in enumerate(drops, start=1)
        ),
        objective=Objective(),
    )


def solved(problem: Problem, rounds: int, engine: str = ENGINE) -> Solution:
    """Plan a day, and have the plan judged."""
    stop = Stop(solutions=rounds, time_limit_s=120)
    found = open_engine(engine).solve(problem, stop=stop, seed=SEED)
    faults = validate(problem, found)
    if faults:
        raise AssertionError(f"the plan breaks a rule: {faults[0]}")
    return found


def sequences(solution: Solution) -> list[list[int]]:
    """Return the places of each route, as planned."""
    return [[int(visit.job_id) for visit in route.visits] for route in solution.routes]


def fact_of(  # noqa: PLR0917 (a route in the words of the town)
    name: str,
    day: int,
    planned: Sequence[int],
    driven: Sequence[int],
    drops: Sequence[Drop],
    verdict: str = "",
) -> RouteFact:
    """Tell the learners of one route as it was planned and driven."""
    begins_at = datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(days=day)
    place = {stop: number for number, stop in enumerate(planned)}
    stops = []
    for number, stop in enumerate(driven):
        at = begins_at + timedelta(minutes=6 * number)
        before = place[stop] - 1
        stops.append(
            StopFact(
                stop_id=str(stop),
                zone=drops[stop - 1].zone,
                building="",
                address="",
                parcels=1,
                planned_s=drops[stop - 1].service_s,
                is_delivered=True,
                arrived=Clocks(at, at),
                completed=Clocks(at + timedelta(minutes=3), at + timedelta(minutes=3)),
                left_at=None,
                hour=at.hour,
                opens_at=None,
                planned_after=str(planned[before]) if before >= 0 else "",
                planned_at=begins_at + timedelta(minutes=6 * place[stop]),
                leg_km=1.0,
                leg_hour=at.hour,
            )
        )
    return RouteFact(
        route_id=f"{day} {name}",
        driver_class="van",
        speed=1.0,
        stops=tuple(stops),
        rests=(),
        verdict=verdict,
    )
