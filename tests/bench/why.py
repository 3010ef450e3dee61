"""`bench why`: explanations of a composed day, each question timed, beside its peer.

The peer is what one would do without them: solve the whole changed problem again.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from random import Random
from typing import Any

from apps.routes.solver.explaining.costing import cost_table
from apps.routes.solver.explaining.forcing import Follow, PutBeside, force
from apps.routes.solver.explaining.placing import why_here
from apps.routes.solver.explaining.relaxations import why_left_out
from apps.routes.solver.explaining.standing import CannotExplain, Standing, stand
from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import Stop
from tests.routes.solver.instances import composed_day

VEHICLES_A_100 = 2
"""Too few on purpose: some orders must be left out."""


def main(argv: list[str]) -> dict[str, Any]:
    """Ask every kind of question of a day of `--orders`; return milliseconds of one core."""
    parser = argparse.ArgumentParser(prog="bench why")
    parser.add_argument("--orders", type=int, default=400)
    parser.add_argument("--asked", type=int, default=20, help="Questions of a kind.")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(argv)
    vehicles = max(1, given.orders * VEHICLES_A_100 // 100)
    problem = composed_day(given.orders, vehicles, seed=given.seed)
    started = time.process_time()
    solution = GreedySolver().solve(problem, stop=Stop(solutions=30), seed=given.seed)
    solve_s = time.process_time() - started
    started = time.process_time()
    standing = stand(problem, solution)
    stand_ms = 1000 * (time.process_time() - started)
    random = Random(given.seed)  # noqa: S311  a repeatable choice
    left_out = random.sample(
        standing.unserved, min(given.asked, len(standing.unserved))
    )
    served = [job for route in standing.routes for job in route.sequence]
    asked = random.sample(served, min(given.asked, len(served)))
    return {
        "orders": given.orders,
        "unserved": len(standing.unserved),
        "solve_again_ms": round(1000 * solve_s, 1),
        "lay_out_ms": round(stand_ms, 1),
        "why_left_out_ms": _timed(lambda job: why_left_out(standing, job), left_out),
        "why_here_ms": _timed(lambda job: why_here(standing, job), asked),
        "another_order_ms": _timed(lambda job: _earlier(standing, job), asked),
        "drivers_sequence_ms": _timed(
            lambda number: _reversed(standing, number), range(len(standing.routes))
        ),
        "cost_by_part_ms": _timed(lambda _: cost_table(solution), range(3)),
    }


def _earlier(standing: Standing, job: int) -> None:
    home = standing.home(job)
    if home is None or home[1] == 0:
        return
    other = standing.routes[home[0]].sequence[home[1] // 2]
    names = standing.view.jobs
    force(standing, PutBeside(job_id=names[job].id, other_id=names[other].id))


def _reversed(standing: Standing, number: int) -> None:
    car, sequence = standing.view.cars[number], standing.routes[number].sequence
    told = (*car.locked, *reversed(sequence[len(car.locked) :]))
    names = standing.view.jobs
    force(
        standing,
        Follow(vehicle_id=car.vehicle.id, job_ids=tuple(names[j].id for j in told)),
    )


def _timed(ask: Callable[[int], object], items: Any) -> dict[str, float] | None:
    """Return median and worst in milliseconds of one core; None where there was nothing to ask."""
    spent = []
    for item in items:
        started = time.process_time()
        try:
            ask(item)
        except CannotExplain:
            continue
        spent.append(1000 * (time.process_time() - started))
    if not spent:
        return None
    return {"median": round(statistics.median(spent), 1), "worst": round(max(spent), 1)}
