"""Problems for tests: tiny by hand, composed days, random ones, and Solomon's."""

from dataclasses import replace
from math import sqrt
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from apps.routes.solver.problem import (
    UNREACHABLE,
    Break,
    Entries,
    Job,
    Matrix,
    Objective,
    Problem,
    TimeWindow,
    Vehicle,
)

SOLOMON = Path(__file__).parents[4] / "shared" / "data" / "vrptw" / "solomon100"
HOUR = 3600


def line_problem(
    *,
    places: int = 6,
    jobs: tuple[Job, ...],
    vehicles: tuple[Vehicle, ...],
    **more: Any,
) -> Problem:
    """Places on a line, 100 s and 1000 m apart; place 0 is the depot."""
    steps = np.abs(np.subtract.outer(np.arange(places), np.arange(places)))
    matrix = Matrix(durations_s=100 * steps, distances_m=1000 * steps)
    return Problem(
        origin_at="2026-01-05T00:00:00+00:00",
        location_count=places,
        matrices=(matrix,),
        vehicles=vehicles,
        jobs=jobs,
        **more,
    )


def van(name: str = "van", **more: Any) -> Vehicle:
    values: dict[str, Any] = {
        "start_location": 0,
        "end_location": 0,
        "start_s": 0,
        "end_s": 10_000,
    }
    return Vehicle(id=name, **{**values, **more})


def job(name: str, location: int, **more: Any) -> Job:
    return Job(id=name, location=location, **{"service_s": 60, **more})


def plane_matrix(points: list[tuple[int, int]], seconds_per_km: int = 150) -> Matrix:
    """Points in metres; a detour of 30 % over the straight line."""
    metres = np.array(
        [
            [int(1.3 * sqrt((a - c) ** 2 + (b - d) ** 2)) for c, d in points]
            for a, b in points
        ]
    )
    return Matrix(durations_s=metres * seconds_per_km // 1000, distances_m=metres)


def composed_day(
    job_count: int = 400, vehicle_count: int = 12, seed: int = 1
) -> Problem:
    """A town of 12 km, one depot, shifts of 9 h with a lunch break, 2 h windows."""
    random = Random(seed)  # noqa: S311 (a repeatable instance)
    points = [(6000, 6000)] + [
        (random.randint(0, 12_000), random.randint(0, 12_000)) for _ in range(job_count)
    ]
    jobs = []
    for number in range(job_count):
        begin_s = random.randint(0, 7) * HOUR + 8 * HOUR
        windows = (
            (TimeWindow(start_s=begin_s, end_s=begin_s + 2 * HOUR),)
            if random.random() < 0.4
            else ()
        )
        jobs.append(
            Job(
                id=f"job-{number:04}",
                location=number + 1,
                service_s=random.randint(120, 360),
                windows=windows,
                demands=(random.randint(200, 20_000), random.randint(500, 60_000)),
                required_capabilities=("fridge",) if random.random() < 0.05 else (),
            )
        )
    vehicles = tuple(
        Vehicle(
            id=f"van-{number:02}",
            start_location=0,
            end_location=0,
            start_s=8 * HOUR,
            end_s=17 * HOUR,
            max_overtime_s=1800,
            capacities=(500_000, 2_000_000),
            capabilities=("fridge",) if number < 3 else (),
            breaks=(Break(earliest_s=11 * HOUR, latest_s=14 * HOUR, duration_s=1800),),
        )
        for number in range(vehicle_count)
    )
    return Problem(
        origin_at="2026-01-05T00:00:00+00:00",
        location_count=len(points),
        matrices=(plane_matrix(points),),
        vehicles=vehicles,
        jobs=tuple(jobs),
        dimensions=("g", "ml"),
    )


def random_problem(seed: int, job_count: int = 12, vehicle_count: int = 3) -> Problem:
    """A small instance that mixes every feature a problem can have."""
    random = Random(seed)  # noqa: S311 (a repeatable instance)
    points = [
        (random.randint(0, 6000), random.randint(0, 6000)) for _ in range(job_count + 3)
    ]
    matrix = plane_matrix(points)
    if random.random() < 0.3:
        lonely = random.randrange(len(points))
        matrix = _cut_off(matrix, lonely)
    jobs = tuple(_random_job(random, number) for number in range(job_count))
    loose = [one.id for one in jobs]
    random.shuffle(loose)
    vehicles = []
    for number in range(vehicle_count):
        vehicle = _random_vehicle(random, number)
        locked = loose[: random.choice([0, 0, 1, 3])]
        reachable = [one for one in locked if _reachable(matrix, jobs, one)]
        loose = loose[len(locked) :]
        ends = {vehicle.start_location, vehicle.end_location or 0}
        if any(matrix.durations_s[0][place] >= UNREACHABLE for place in ends):
            reachable = []
        if matrix.durations_s[1][0] >= UNREACHABLE:
            reachable = []
        vehicles.append(replace(vehicle, locked=tuple(reachable)))
    return Problem(
        origin_at="2026-01-05T00:00:00+00:00",
        location_count=len(points),
        matrices=(matrix,),
        vehicles=tuple(vehicles),
        jobs=jobs,
        dimensions=("g", "pieces"),
        objective=Objective(disruption_milli=random.choice([0, 50_000])),
    )


def _cut_off(matrix: Matrix, lonely: int) -> Matrix:
    def cut(entries: Entries) -> Entries:
        found = entries.copy()
        found[lonely, :] = found[:, lonely] = UNREACHABLE
        found[lonely, lonely] = entries[lonely, lonely]
        return found

    return Matrix(
        durations_s=cut(matrix.durations_s), distances_m=cut(matrix.distances_m)
    )


def _reachable(matrix: Matrix, jobs: tuple[Job, ...], job_id: str) -> bool:
    place = next(one.location for one in jobs if one.id == job_id)
    return int(matrix.durations_s[0, place]) < UNREACHABLE


def _random_job(random: Random, number: int) -> Job:
    windows: list[TimeWindow] = []
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        begin_s = random.randint(0, 7) * HOUR // 2 + 8 * HOUR
        length_s = random.choice([900, HOUR, 2 * HOUR])
        windows.append(TimeWindow(start_s=begin_s, end_s=begin_s + length_s))
    any_vehicle = random.random() < 0.85
    return Job(
        id=f"j{number}",
        location=number + 3,
        service_s=random.choice([0, 120, 600]),
        windows=tuple(windows),
        demands=(random.randint(0, 30), random.randint(1, 2)),
        required_capabilities=random.choice([(), (), (), ("fridge",)]),
        allowed_vehicles=None if any_vehicle else ("v0", "v1"),
        pinned_vehicle="v2" if random.random() < 0.08 else None,
        previous_vehicle=random.choice([None, "v0", "v1"]),
        prize_milli=random.choice([100_000_000, 100_000_000, 300_000]),
        release_s=random.choice([None, None, None, 9 * HOUR]),
    )


def _random_vehicle(random: Random, number: int) -> Vehicle:
    start_s = 8 * HOUR + random.choice([0, 0, 1800, HOUR])
    breaks = [
        Break(earliest_s=10 * HOUR, latest_s=11 * HOUR, duration_s=1800),
        Break(earliest_s=11 * HOUR, latest_s=12 * HOUR, duration_s=900),
    ]
    return Vehicle(
        id=f"v{number}",
        start_location=random.choice([0, 1]),
        end_location=random.choice([0, 2, None]),
        start_s=start_s,
        end_s=start_s + random.choice([2 * HOUR, 4 * HOUR, 6 * HOUR]),
        max_overtime_s=random.choice([0, 1200]),
        capacities=(120, random.choice([6, 12])),
        initial_load=random.choice([(), (10, 1)]),
        capabilities=random.choice([(), ("fridge",)]),
        breaks=tuple(breaks[: random.choice([0, 1, 1, 2])]),
        travel_percent=random.choice([100, 130]),
        service_percent=random.choice([100, 80]),
        fixed_cost_milli=random.choice([0, 500_000]),
    )


def solomon(name: str) -> Problem:
    """Read one of Solomon's instances: distance counts alone, tenths are units."""
    rows = [
        [int(word) for word in line.split()]
        for line in (SOLOMON / f"{name}.txt").read_text().splitlines()
        if line.split() and all(word.isdigit() for word in line.split())
    ]
    (fleet, capacity), customers = rows[0], rows[1:]
    tenths = [
        [int(10 * sqrt((a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)) for b in customers]
        for a in customers
    ]
    table = np.array(tenths, dtype=np.int32)
    depot = customers[0]
    return Problem(
        origin_at="1987-01-01T00:00:00+00:00",
        location_count=len(customers),
        matrices=(Matrix(durations_s=table, distances_m=table),),
        vehicles=tuple(
            Vehicle(
                id=f"v{number}",
                start_location=0,
                end_location=0,
                start_s=10 * depot[4],
                end_s=10 * depot[5],
                capacities=(capacity,),
                cost_per_m_milli=1,
                cost_per_s_milli=0,
            )
            for number in range(fleet)
        ),
        jobs=tuple(
            Job(
                id=str(row[0]),
                location=row[0],
                service_s=10 * row[6],
                windows=(TimeWindow(start_s=10 * row[4], end_s=10 * row[5] + 1),),
                demands=(row[3],),
                prize_milli=1_000_000,
            )
            for row in customers[1:]
        ),
        dimensions=("units",),
    )
