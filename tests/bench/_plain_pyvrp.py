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

from pyvrp import Client, Depot, Location, ProblemData, VehicleType, solve
from pyvrp.stop import MaxRuntime

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
    routes = [
        [one.idx + 1 for one in route.schedule() if one.is_client()]
        for route in result.best.routes()
    ]
    return {
        "routes": routes if result.best.is_feasible() else [],
        "rounds": result.num_iterations,
        "seconds": time.monotonic() - began,
        "peak_kb": peak_kb(),
    }


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
