"""PyVRP begun cold: without a plan by insertion, and with one where hope is lost."""

from dataclasses import replace
from functools import partial

import pytest

from apps.routes.solver.greedy import construct
from apps.routes.solver.insertion import Arrays
from apps.routes.solver.port import Stop, open_engine
from apps.routes.solver.problem import Problem
from apps.routes.solver.pyvrp_solver import engine, partsearch, popmusic, turns
from apps.routes.solver.pyvrp_solver.engine import PyVrpSolver
from apps.routes.solver.pyvrp_solver.partsearch import PartSearch
from apps.routes.solver.pyvrp_solver.search import Tuning
from apps.routes.solver.pyvrp_solver.turns import Turns
from apps.routes.solver.routestate import build_route
from apps.routes.solver.solution import Solution
from apps.routes.solver.validate import validate
from apps.routes.solver.view import View
from apps.routes.solver.warmth import start_plan
from tests.routes.solver.instances import composed_day, job, line_problem, van
from tests.routes.solver.rich import rich_problem


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


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search piece by piece from the sixth round on, however small the day is."""
    monkeypatch.setattr(partsearch, "LARGE_JOBS", 3)
    monkeypatch.setattr(partsearch, "HOPE_ROUNDS", 5)
    monkeypatch.setattr(popmusic, "LEAST_JOBS", 4)
    monkeypatch.setattr(popmusic, "MOST_JOBS", 12)
    monkeypatch.setattr(popmusic, "ROUNDS_A_JOB", 2)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("seed", [0, 5, 6, 9])
def test_search_by_pieces_is_sound_on_a_rich_day(seed: int) -> None:
    problem = rich_problem(seed, 30, 7)
    begun = open_engine("greedy").solve(problem, stop=Stop(solutions=0), seed=1)

    found, again = (
        PyVrpSolver().solve(
            problem, stop=Stop(solutions=150), seed=seed, warm_start=begun
        )
        for _ in range(2)
    )

    assert validate(problem, found) == ()
    assert found == again


@pytest.mark.usefixtures("small_pieces")
def test_search_by_pieces_believes_what_is_true() -> None:
    day = composed_day(120, 5, seed=2)
    # The table of capabilities says what the search does not see: breaks, overtime.
    vans = tuple(replace(one, breaks=(), max_overtime_s=0) for one in day.vehicles)
    problem = replace(day, vehicles=vans)

    found = PyVrpSolver().solve(problem, stop=Stop(solutions=900), seed=3)

    assert found.trace[-1].cost_milli == found.cost.total_milli
    assert found.trace[-1].solutions > 20  # a piece has gained something


@pytest.mark.parametrize("seed", [0, 5])
def test_hot_search_that_combines_each_round_is_sound_and_comes_again(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(
        partsearch,
        "Tuning",
        partial(Tuning, hot_after=5, hot_after_a_job=0, combine_every=1, heat=1),
    )
    problem = rich_problem(seed, 10, 3)
    begun = open_engine("greedy").solve(problem, stop=Stop(solutions=0), seed=1)

    found, again = (
        PyVrpSolver().solve(
            problem, stop=Stop(solutions=40), seed=seed, warm_start=begun
        )
        for _ in range(2)
    )

    assert validate(problem, found) == ()
    assert found == again
    assert found.cost.total_milli <= begun.cost.total_milli


def test_search_takes_over_what_the_present_plan_does_better_in_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partsearch, "Tuning", partial(Tuning, combine_every=1))
    arrays = Arrays(View(composed_day(80, 8)))
    turns_ = Turns(arrays, construct(arrays), 3)
    search = turns_.searches[0]._whole
    begun = search.best
    for _ in range(100):
        search.step()
    found = search.best
    search.best, search.best_milli = begun, search._cost_milli(begun)

    search.current = found
    search._combine(search.narrow)

    assert search.best is not begun
    assert search.best.is_feasible()


@pytest.mark.parametrize(("heat", "is_dearer"), [(0.0, False), (1.0, True)])
def test_search_that_stands_still_goes_on_from_dearer_plans(
    monkeypatch: pytest.MonkeyPatch, heat: float, *, is_dearer: bool
) -> None:
    tuning = partial(Tuning, hot_after=10, hot_after_a_job=0, heat=heat)
    monkeypatch.setattr(partsearch, "Tuning", tuning)
    arrays = Arrays(View(composed_day(60, 3)))
    search = Turns(arrays, construct(arrays), 3).searches[0]._whole
    while not search.is_hot:
        assert search.stale < 10
        search.step()
    rises = 0

    for _ in range(60):
        evaluator = search.penalties.evaluator
        before = evaluator.penalised_cost(search.current)
        search.step()
        rises += evaluator.penalised_cost(search.current) > before

    assert search.is_hot
    assert bool(rises) is is_dearer


def test_search_drops_nothing_any_more_once_a_plan_serves_all() -> None:
    day = composed_day(30, 3, seed=4)
    problem = replace(
        day, vehicles=tuple(replace(one, breaks=()) for one in day.vehicles)
    )
    arrays = Arrays(View(problem))
    open_day = Turns(arrays, construct(arrays), 5)
    (part,) = open_day.parts
    nothing = start_plan(arrays.view)

    search = PartSearch(arrays, part, open_day.pauses, nothing, 5)
    costs = [search.best_milli]
    while search.model.left_out and search.done < 200:
        search.step()
        costs.append(search.best_milli)
    for _ in range(100):
        search.step()
        costs.append(search.best_milli)

    assert not search.model.left_out
    assert costs == sorted(costs, reverse=True)
    served = [stop for one in search.found().values() for stop in one.stops]
    assert sorted(served) == sorted(part.jobs)
    routes = [
        build_route(arrays.view, number, one.stops)
        for number, one in search.found().items()
    ]
    assert search.best_milli == sum(one.cost_milli for one in routes if one)


def test_search_may_drop_only_what_is_left_out_or_worth_less() -> None:
    worths = {"low": 4 * 10**8, "out": 5 * 10**8, "same": 5 * 10**8, "high": 6 * 10**8}
    problem = line_problem(
        places=5,
        jobs=tuple(
            job(name, place, demands=(1,), prize_milli=worth)
            for place, (name, worth) in enumerate(worths.items(), 1)
        ),
        vehicles=(van(capacities=(3,)),),
        dimensions=("boxes",),
    )
    arrays = Arrays(View(problem))
    start = start_plan(arrays.view)
    served = [0, 2, 3]
    route = build_route(arrays.view, 0, served)
    assert route is not None
    start.routes[0], start.unserved = route, [1]
    open_day = Turns(arrays, start, 5)

    search = PartSearch(arrays, open_day.parts[0], open_day.pauses, start, 5)

    required = [client.required for client in search.model.data.clients()]
    names = [one.id for one in problem.jobs]
    assert dict(zip(names, required, strict=True)) == {
        "low": False,
        "out": False,
        "same": True,
        "high": True,
    }
    for _ in range(50):
        search.step()
    (found,) = search.found().values()
    assert {names[stop] for stop in found.stops} == {"out", "same", "high"}


@pytest.mark.parametrize(("loads", "factor"), [((1, 1, 1, 1), 4.0), ((1, 1, 1), 0.9)])
def test_rule_that_no_plan_keeps_is_dear_soon(
    loads: tuple[int, ...], factor: float
) -> None:
    problem = line_problem(
        places=1 + len(loads),
        jobs=tuple(
            job(f"j{place}", place, demands=(load,), prize_milli=10**12)
            for place, load in enumerate(loads, 1)
        ),
        vehicles=(van(capacities=(3,)),),
        dimensions=("boxes",),
    )
    arrays = Arrays(View(problem))
    start = construct(arrays)
    assert len(start.unserved) == max(0, len(loads) - 3)
    (part,) = Turns(arrays, start, 5).parts
    search = PartSearch(arrays, part, Turns(arrays, start, 5).pauses, start, 5)
    first = search._whole.penalties.prices[0]

    for _ in range(Tuning().update_every):
        search.step()

    assert search._whole.penalties.prices[0] == pytest.approx(factor * first)


@pytest.mark.parametrize(("seed", "jobs", "cars"), [(905035, 15, 1), (413843, 5, 2)])
def test_search_begins_without_what_stays_on_board_at_a_reload(
    seed: int, jobs: int, cars: int
) -> None:
    """The rules carry a parcel from one trip into the next; PyVRP cannot say so."""
    problem = rich_problem(seed, jobs, cars)
    begun = open_engine("greedy").solve(problem, stop=Stop(solutions=0), seed=7)

    found = PyVrpSolver().solve(
        problem, stop=Stop(solutions=10), seed=1, warm_start=begun
    )

    assert validate(problem, found) == ()
