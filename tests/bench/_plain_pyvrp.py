"""The peer of `bench solver`: PyVRP as it comes, with its defaults, none of ours.

A process of its own: `python -m tests.bench._plain_pyvrp FILE SECONDS SEED` reads an
instance, solves it, and prints its routes, its seconds and its memory as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from pyvrp import (
    Client,
    Depot,
    Location,
    ProblemData,
    Result,
    VehicleType,
    solve,
)
from pyvrp.stop import MaxIterations, MaxRuntime

from apps.routes.solver.worker import peak_kb
from tests.bench._vrptw import TENTHS, Instance, read_instance


def main(path: str, seconds: str, seed: str) -> dict[str, Any]:
    """Solve an instance and return what there is to say of it."""
    data = problem_data(read_instance(Path(path)))
    began = time.monotonic()
    result = solve(
        data,
        stop=MaxRuntime(float(seconds)),
        seed=int(seed),
        collect_stats=False,
        display=False,
    )
    return {
        "routes": _routes(result) if result.best.is_feasible() else [],
        "rounds": result.num_iterations,
        "seconds": time.monotonic() - began,
        "peak_kb": peak_kb(),
    }


def planned_routes(path: Path, rounds: int, seed: int) -> list[list[int]]:
    """Return the routes of an instance after so many rounds, customers from 1 on.

    Raises:
        ValueError: the rounds did not do for a plan that keeps all rules.
    """
    result = solve(
        problem_data(read_instance(path)),
        stop=MaxIterations(rounds),
        seed=seed,
        collect_stats=False,
        display=False,
    )
    if not result.best.is_feasible():
        raise ValueError(f"{path.stem}: no plan after {rounds} rounds")
    return _routes(result)


def _routes(result: Result) -> list[list[int]]:
    return [
        [one.idx + 1 for one in route.schedule() if one.is_client()]
        for route in result.best.routes()
    ]


def problem_data(instance: Instance) -> ProblemData:
    """Translate an instance as PyVRP's own reader does: in tenths."""
    distances: Any = instance.distances()
    depot, *customers = instance.places

    def clock(value: float) -> int:
        return round(TENTHS * value)

    return ProblemData(
        locations=[Location(place.x, place.y) for place in instance.places],
        clients=[
            Client(
                location,
                delivery=[place.demand],
                service_duration=clock(place.service),
                tw_early=clock(place.ready),
                tw_late=clock(place.due),
            )
            for location, place in enumerate(customers, 1)
        ],
        depots=[Depot(0)],
        vehicle_types=[
            VehicleType(
                instance.vehicles,
                [instance.capacity],
                tw_early=clock(depot.ready),
                tw_late=clock(depot.due),
            )
        ],
        distance_matrices=[distances],
        duration_matrices=[distances],
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
