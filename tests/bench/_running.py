"""Running days made of published instances: a plan under way, and what befalls it.

The instances are Solomon's and Gehring and Homberger's in `../shared/data/vrptw`, read
by the DIMACS convention: distances are tenths, cut off. Two fifths of the visits are
done, every vehicle is at the stop that it is committed to, and no vehicle is idle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.live import Event
from apps.routes.solver.problem import Job, Matrix, Problem, TimeWindow, Vehicle
from tests.routes.solver.sequences import plan_of

if TYPE_CHECKING:
    from apps.routes.solver.solution import Solution

DATA = Path(__file__).parents[3] / "shared" / "data" / "vrptw"
SETS = {"100": "solomon100", "400": "gh400", "1000": "gh1000"}
DONE_SHARE = 0.4
NEW_ORDERS = 5
CANCELLED = 2
LATE_SHARE = 25 / 600
PRIZE_MILLI = 10_000_000


@dataclass(frozen=True)
class Instance:
    """A published instance; rows are x, y, demand, opens, closes, service, depot first."""

    name: str
    capacity: int
    fleet: int
    rows: list[tuple[int, int, int, int, int, int]]


@dataclass(frozen=True)
class RunningDay:
    """A day under way: the problem before the event, its plan, and the event."""

    name: str
    problem: Problem
    plan: Solution
    event: Event


def instance_files(size: str, data: Path = DATA) -> list[Path]:
    """List the instances of a size, in order of name; empty where there are none."""
    folder = data / SETS[size]
    return sorted([*folder.glob("*.txt"), *folder.glob("*.vrp")])


def read_instance(path: Path) -> Instance:
    """Read an instance of either format."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    if path.suffix == ".vrp":
        return _read_vrp(path, lines)
    numbers = [
        [int(float(word)) for word in words]
        for words in lines
        if all(word.replace(".", "").isdigit() for word in words)
    ]
    (fleet, capacity), customers = numbers[0], numbers[1:]
    rows = [(x, y, load, opens, due, s) for _, x, y, load, opens, due, s in customers]
    return Instance(path.stem, capacity, fleet, rows)


def _read_vrp(path: Path, lines: list[list[str]]) -> Instance:
    heads = {words[0].rstrip(":"): words[-1] for words in lines if ":" in words}
    tables: dict[str, list[list[int]]] = {}
    table: list[list[int]] = []
    for words in lines:
        if words[0].endswith("_SECTION"):
            table = tables.setdefault(words[0], [])
        elif words[0].lstrip("-").isdigit():
            table.append([int(float(word)) for word in words])
    service = int(heads["SERVICE_TIME"])
    rows = [
        (x, y, load, opens, due, service if number > 1 else 0)
        for (number, x, y), (_, load), (_, opens, due) in zip(
            tables["NODE_COORD_SECTION"],
            tables["DEMAND_SECTION"],
            tables["TIME_WINDOW_SECTION"],
            strict=True,
        )
    ]
    return Instance(path.stem, int(heads["CAPACITY"]), int(heads["VEHICLES"]), rows)


def read_routes(path: Path) -> list[list[int]] | None:
    """Read the best known routes beside an instance, or None where there are none."""
    solution = path.with_suffix(".sol")
    if not solution.exists():
        return None
    lines = solution.read_text().splitlines()
    return [
        [int(word) for word in line.partition(":")[2].split()]
        for line in lines
        if line.startswith("Route")
    ]


def whole_problem(instance: Instance) -> Problem:
    """State an instance as a problem: distance alone costs, tenths are units."""
    rows = instance.rows
    tenths = [
        [int(10 * sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)) for b in rows]
        for a in rows
    ]
    table = np.array(tenths, dtype=np.int32)
    return Problem(
        origin_at="2026-01-05T00:00:00+00:00",
        location_count=len(rows),
        matrices=(Matrix(durations_s=table, distances_m=table),),
        vehicles=tuple(
            Vehicle(
                id=f"v{number:03}",
                start_location=0,
                end_location=0,
                start_s=10 * rows[0][3],
                end_s=10 * rows[0][4],
                capacities=(instance.capacity,),
                cost_per_m_milli=1,
                cost_per_s_milli=0,
            )
            for number in range(instance.fleet)
        ),
        jobs=tuple(
            Job(
                id=f"{number:04}",
                location=number,
                service_s=10 * service,
                windows=(TimeWindow(start_s=10 * opens, end_s=10 * due + 1),),
                demands=(load,),
                prize_milli=PRIZE_MILLI,
            )
            for number, (_, _, load, opens, due, service) in enumerate(rows)
            if number
        ),
        dimensions=("units",),
    )


def running_day(problem: Problem, plan: Solution, seed: int, name: str) -> RunningDay:
    """Drive two fifths of a plan, and draw what happens then."""
    random = Random(seed)  # noqa: S311  a repeatable day
    starts = sorted(visit.start_s for route in plan.routes for visit in route.visits)
    now_s = starts[int(len(starts) * DONE_SHARE)]
    jobs = {job.id: job for job in problem.jobs}
    fleet = {vehicle.id: vehicle for vehicle in problem.vehicles}
    vehicles, ahead = [], {}
    for route in plan.routes:
        done = sum(visit.start_s <= now_s for visit in route.visits)
        committed = route.visits[: min(done + 1, len(route.visits))]
        last = committed[-1]
        load = sum(jobs[visit.job_id].demands[0] for visit in committed)
        vehicles.append(
            replace(
                fleet[route.vehicle_id],
                start_location=jobs[last.job_id].location,
                start_s=last.departure_s,
                initial_load=(load,),
            )
        )
        ahead[route.vehicle_id] = [v.job_id for v in route.visits[len(committed) :]]
    still = sorted(job_id for ids in ahead.values() for job_id in ids)
    new = set(random.sample(still, NEW_ORDERS))
    cancelled = random.sample(sorted(set(still) - new), CANCELLED)
    open_jobs = [jobs[job_id] for job_id in still if job_id not in new]
    live = replace(problem, vehicles=tuple(vehicles), jobs=tuple(open_jobs))
    present = plan_of(
        {
            key: [job_id for job_id in ids if job_id not in new]
            for key, ids in ahead.items()
        }
    )
    late = random.choice([v for v in vehicles if ahead[v.id]])
    late = replace(late, start_s=late.start_s + round(LATE_SHARE * late.end_s))
    event = Event(
        cancelled=tuple(cancelled),
        added=tuple(
            _moved_window(random, jobs[i], problem, now_s) for i in sorted(new)
        ),
        vehicles=(late,),
    )
    return RunningDay(name, live, present, event)


def _moved_window(random: Random, job: Job, problem: Problem, now_s: int) -> Job:
    """Give a new order a window of its own length somewhere in what is left of the day."""
    window = job.windows[0]
    end_s = problem.vehicles[0].end_s
    back_s = job.service_s + int(problem.matrices[0].durations_s[job.location, 0])
    length_s = min(window.end_s - window.start_s, end_s - back_s - now_s)
    earliest_s = now_s + int(problem.matrices[0].durations_s[0, job.location]) // 2
    latest_s = max(earliest_s, end_s - back_s - length_s)
    start_s = random.randint(min(earliest_s, latest_s), latest_s)
    return replace(
        job, windows=(TimeWindow(start_s=start_s, end_s=start_s + max(1, length_s)),)
    )
