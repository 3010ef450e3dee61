"""A small question to engines that have failed: do they answer again?

Runs in a task, outside any transaction: it reads no table and writes none.
"""

from dataclasses import replace

import numpy as np

from apps.routes.chain import Budget, solve_by_chain
from apps.routes.parameters import Parameters
from apps.routes.solver.port import RULES, Stop
from apps.routes.solver.problem import Job, Matrix, Problem, Vehicle

PLACES = 12
TRIAL = Stop(solutions=20, time_limit_s=15)
BUDGET_S = 40.0
"""With its grace, each of two engines can be waited for, and the task still ends."""


def failure_of_engines(parameters: Parameters) -> str:
    """Ask the chain's engines; return how they failed, or nothing where one answers."""
    engines = [engine for engine in parameters.chain if engine != RULES]
    if not engines:
        return "No engine but the rules is named in the parameters."
    answer = solve_by_chain(
        _question(),
        engines=engines,
        stops={engine: replace(TRIAL) for engine in engines},
        seed=parameters.seed,
        budget=Budget(BUDGET_S),
    )
    if answer.found is not None:
        return ""
    return " ".join(failure.text for failure in answer.failures)


def _question() -> Problem:
    """Return places on a line, 100 s and 1000 m apart, for one van."""
    steps = np.abs(np.subtract.outer(np.arange(PLACES), np.arange(PLACES)))
    return Problem(
        origin_at="2026-01-05T00:00:00+00:00",
        location_count=PLACES,
        matrices=(Matrix(durations_s=100 * steps, distances_m=1000 * steps),),
        vehicles=(
            Vehicle(
                id="van", start_location=0, end_location=0, start_s=0, end_s=36_000
            ),
        ),
        jobs=tuple(
            Job(id=str(place), location=place, service_s=60)
            for place in range(1, PLACES)
        ),
    )
