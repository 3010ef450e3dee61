"""Random problems with all that a problem can ask: wishes, trips, shipments, calm."""

from dataclasses import replace
from random import Random

from apps.routes.solver.problem import (
    Job,
    Objective,
    Problem,
    Shipment,
    SoftWindow,
    Vehicle,
    ZoneStep,
)
from tests.routes.solver.instances import HOUR, random_problem

QUIET = Objective()


def rich_problem(
    seed: int,
    job_count: int = 12,
    vehicle_count: int = 3,
    *,
    reloads: bool = True,
    shipments: bool = True,
) -> Problem:
    """A small instance like `random_problem`, with the newer features on top."""
    random = Random(seed + 1)  # noqa: S311 (a repeatable instance)
    problem = random_problem(seed, job_count, vehicle_count)
    jobs = tuple(_wish(random, problem, job) for job in problem.jobs)
    vehicles = tuple(
        _reloading(random, car) if reloads else car for car in problem.vehicles
    )
    gone = Random(seed + 2)  # noqa: S311 (a repeatable instance)
    vehicles = tuple(
        replace(car, leaves_at_once=gone.choice([False, True])) for car in vehicles
    )
    problem = replace(
        problem,
        jobs=jobs,
        vehicles=vehicles,
        objective=replace(
            problem.objective,
            resequence_milli=random.choice([0, 20_000, 200_000]),
            balance_milli_per_s=random.choice([0, 0, 100, 1000]),
        ),
    )
    problem = _in_zones(Random(seed + 3), problem)  # noqa: S311 (a repeatable instance)
    return _shipping(random, problem) if shipments else problem


def _in_zones(random: Random, problem: Problem) -> Problem:
    """Put jobs in zones, and prices on some of the steps between them."""
    zones = ["", "north", "south", "west"]
    steps = tuple(
        ZoneStep(from_zone=a, to_zone=b, price_milli=random.choice([0, 9_000, 150_000]))
        for a in zones
        for b in zones
        if a != b and random.random() < 0.6
    )
    waves = (ZoneStep(from_zone="late", to_zone="early", price_milli=70_000),)
    jobs = tuple(
        replace(
            job,
            zone=random.choice([None, *zones]),
            wave=random.choice([None, "early", "late"]),
        )
        for job in problem.jobs
    )
    leave_milli = random.choice([0, 0, 30_000])
    objective = replace(problem.objective, zone_leave_milli=leave_milli)
    steps = random.choice([(), steps, steps + waves])
    return replace(problem, jobs=jobs, zone_steps=steps, objective=objective)


def _wish(random: Random, problem: Problem, job: Job) -> Job:
    softs = []
    for _ in range(random.choice([0, 0, 1, 2])):
        start_s = 8 * HOUR + random.randint(0, 6 * HOUR)
        softs.append(
            SoftWindow(
                start_s=start_s,
                end_s=start_s + random.choice([0, 1800]),
                early_milli_per_s=random.choice([0, 100, 2000]),
                late_milli_per_s=random.choice([50, 900]),
            )
        )
    others = [one.id for one in problem.jobs if one.id != job.id]
    previous = random.choice([None, "", "gone", *others[:3]])
    return replace(job, soft_windows=tuple(softs), previous_job=previous)


def _reloading(random: Random, car: Vehicle) -> Vehicle:
    return replace(
        car,
        capacities=(random.choice([40, 120]), random.choice([3, 6])),
        reload_locations=random.choice([(0,), (1, 2)]),
        max_reloads=random.choice([0, 1, 2]),
        reload_s=random.choice([0, 300]),
    )


def _shipping(random: Random, problem: Problem) -> Problem:
    """Make shipments of some jobs, where commitments allow it."""
    loose = [job.id for job in problem.jobs]
    random.shuffle(loose)
    pairs = list(zip(loose[0::2], loose[1::2], strict=False))[: random.randint(0, 4)]
    holders = {
        job_id: (car.id, order)
        for car in problem.vehicles
        for order, job_id in enumerate(car.locked)
    }
    kept = []
    for pickup, delivery in pairs:
        held = holders.get(delivery)
        first = holders.get(pickup)
        if held is None or (
            first is not None and first[0] == held[0] and first[1] < held[1]
        ):
            kept.append(Shipment(pickup_job=pickup, delivery_job=delivery))
    brought = {one.delivery_job: one.pickup_job for one in kept}
    demands = {job.id: job.demands for job in problem.jobs}
    jobs = []
    for job in problem.jobs:
        if job.id in brought:
            same = random.choice([True, False])
            loads = demands[brought[job.id]] if same else (0,) * len(job.demands)
            jobs.append(replace(job, demands=loads))
        else:
            jobs.append(job)
    return replace(problem, jobs=tuple(jobs), shipments=tuple(kept))
