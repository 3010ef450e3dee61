"""PyVRP begun cold: without a plan by insertion, and with one where hope is lost."""

import pytest

from apps.routes.solver.port import Stop
from apps.routes.solver.problem import Problem
from apps.routes.solver.pyvrp_solver import engine, turns
from apps.routes.solver.pyvrp_solver.engine import PyVrpSolver
from apps.routes.solver.solution import Solution
from apps.routes.solver.validate import validate
from tests.routes.solver.instances import composed_day, job, line_problem, van


@pytest.fixture(autouse=True)
def _cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "COLD_FROM_JOBS", 0)
    monkeypatch.setattr(turns, "HOPE_ROUNDS", 20)


def solve(problem: Problem, rounds: int) -> Solution:
    solution = PyVrpSolver().solve(
        problem, stop=Stop(solutions=rounds, time_limit_s=300), seed=5
    )
    assert validate(problem, solution) == ()
    return solution


@pytest.mark.parametrize("rounds", [0, 1, 20, 60])
def test_cold_search_is_sound_wherever_it_is_stopped(rounds: int) -> None:
    problem = composed_day(30, 3, seed=4)

    solution = solve(problem, rounds)

    assert solution.solutions == rounds
    assert solution == solve(problem, rounds)
    costs = [step.cost_milli for step in solution.trace]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize("rounds", [5, 20, 21, 60])
def test_cold_search_that_cannot_serve_all_leaves_out_what_it_must(
    rounds: int,
) -> None:
    jobs = tuple(job(f"j{number}", number, demands=(1, 1)) for number in range(1, 9))
    problem = line_problem(
        places=9,
        jobs=jobs,
        vehicles=(van(capacities=(3, 9)),),
        dimensions=("boxes", "kg"),
    )

    solution = solve(problem, rounds)

    assert len(solution.unserved) == 5
    assert {one.reason for one in solution.unserved} <= {"no_room", "not_worth_it"}


def test_cold_search_of_no_jobs_and_of_no_cars_ends_at_once() -> None:
    for problem in (
        line_problem(jobs=(), vehicles=(van(),)),
        line_problem(jobs=(job("a", 1),), vehicles=()),
    ):
        assert solve(problem, 50).solutions == 0
