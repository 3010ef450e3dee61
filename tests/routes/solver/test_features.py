"""The newer features, engine by engine: sound on random days, right on small ones."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.routes.solver.port import (
    EngineRefused,
    Feature,
    Level,
    Stop,
    engine_names,
    features_of,
    level_of,
    open_engine,
)
from apps.routes.solver.problem import (
    Objective,
    Problem,
    Shipment,
    SoftWindow,
    TimeWindow,
)
from apps.routes.solver.solution import Solution
from apps.routes.solver.validate import validate
from tests.routes.solver.instances import job, line_problem, van
from tests.routes.solver.rich import rich_problem


def doing(feature: Feature, *levels: Level) -> pytest.MarkDecorator:
    """Name the engines that do a feature, exactly unless levels are given."""
    wanted = levels or (Level.EXACT,)
    names = [name for name in engine_names() if level_of(name, feature) in wanted]
    return pytest.mark.parametrize("engine", names)


def solve(engine: str, problem: Problem, solutions: int = 60) -> Solution:
    stop = Stop(solutions=solutions, time_limit_s=20)
    solution = open_engine(engine).solve(problem, stop=stop, seed=7)
    assert validate(problem, solution) == ()
    return solution


def sequences(solution: Solution) -> dict[str, list[str]]:
    return {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in solution.routes
    }


def soft(start_s: int, end_s: int, early: int, late: int) -> SoftWindow:
    return SoftWindow(
        start_s=start_s, end_s=end_s, early_milli_per_s=early, late_milli_per_s=late
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1_000_000), jobs=st.integers(0, 16), cars=st.integers(0, 4))
@example(seed=1_000_000, jobs=8, cars=3)
def test_greedy_is_sound_on_any_rich_problem(seed: int, jobs: int, cars: int) -> None:
    problem = rich_problem(seed, jobs, cars)

    solution = solve("greedy", problem, 12)

    assert solution.cost.total_milli <= solution.trace[-1].cost_milli


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1_000_000), jobs=st.integers(2, 16), cars=st.integers(1, 4))
def test_pyvrp_is_sound_on_any_rich_problem(seed: int, jobs: int, cars: int) -> None:
    problem = rich_problem(seed, jobs, cars)
    begun = solve("greedy", problem, 0)

    after = open_engine("pyvrp").solve(
        problem, stop=Stop(solutions=40), seed=1, warm_start=begun
    )

    assert validate(problem, after) == ()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_greedy_repairs_a_rich_plan_for_a_changed_day(seed: int) -> None:
    problem = rich_problem(seed)
    before = solve("greedy", problem, 5)
    committed = {one for car in problem.vehicles for one in car.locked}
    shipped = {one.pickup_job for one in problem.shipments} | {
        one.delivery_job for one in problem.shipments
    }
    gone = next(
        (one.id for one in problem.jobs if one.id not in committed | shipped), None
    )
    jobs = tuple(one for one in problem.jobs if one.id != gone)
    added = job("new", 3, demands=(1, 1))
    changed = replace(problem, jobs=(*jobs, added))

    after = open_engine("greedy").solve(
        changed, stop=Stop(solutions=5), seed=1, warm_start=before
    )

    assert validate(changed, after) == ()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000_000))
@example(seed=32277).via("an insertion that seemed cheaper than it was")
def test_warm_start_keeps_a_rich_plan_that_still_holds(seed: int) -> None:
    problem = rich_problem(seed)
    before = solve("greedy", problem, 8)

    again = open_engine("greedy").solve(
        problem, stop=Stop(solutions=0), seed=1, warm_start=before
    )

    assert again.cost.total_milli <= before.cost.total_milli


@doing(Feature.SOFT_WINDOWS)
def test_solve_serves_when_the_customer_wishes(engine: str) -> None:
    problem = line_problem(
        jobs=(job("a", 1), job("b", 2, soft_windows=(soft(3000, 3600, 9000, 9000),))),
        vehicles=(van(),),
    )

    solution = solve(engine, problem)

    assert solution.cost.soft_milli == 0
    start_s = next(
        visit.start_s for visit in solution.routes[0].visits if visit.job_id == "b"
    )
    assert 3000 <= start_s <= 3600
    assert solution.routes[0].duration_s == 2 * 60 + 400


@doing(Feature.SOFT_WINDOWS)
@pytest.mark.parametrize(
    ("price", "order", "missed"),
    [(50, ["near", "far"], 60 * 50), (200, ["far", "near"], 860 * 10)],
)
def test_solve_breaks_the_cheaper_of_two_told_times(
    engine: str, price: int, order: list[str], missed: int
) -> None:
    """Both ways are as long: either far is late by 60 s, or near by 860 s."""
    problem = line_problem(
        jobs=(
            job("near", 1, soft_windows=(soft(100, 100, 1, 10),)),
            job("far", 5, soft_windows=(soft(500, 500, 1, price),)),
        ),
        vehicles=(van(),),
    )

    solution = solve(engine, problem)

    assert sequences(solution) == {"van": order}
    assert solution.cost.soft_milli == missed


@doing(Feature.SEVERAL_SOFT_WINDOWS, Level.EXACT, Level.COSTED)
def test_solve_takes_the_cheaper_of_two_wishes(engine: str) -> None:
    wishes = (soft(150, 160, 800, 800), soft(5000, 5100, 800, 800))
    problem = line_problem(
        jobs=(job("a", 1, soft_windows=wishes), job("b", 5)), vehicles=(van(),)
    )

    assert solve(engine, problem).cost.soft_milli == 0


@doing(Feature.RESEQUENCING)
def test_solve_keeps_a_known_sequence_for_its_price(engine: str) -> None:
    """The known way visits the far end first and comes back twice."""

    def day(price: int) -> Problem:
        return line_problem(
            jobs=(
                job("a", 5, previous_job=""),
                job("b", 1, previous_job="a"),
                job("c", 4, previous_job="b"),
            ),
            vehicles=(van(),),
            objective=Objective(resequence_milli=price),
        )

    calm = solve(engine, day(1_000_000))
    restless = solve(engine, day(1))

    assert sequences(calm) == {"van": ["a", "b", "c"]}
    assert calm.cost.resequence_milli == 0
    assert restless.routes[0].distance_m == 10_000
    assert restless.cost.resequence_milli > 0


@doing(Feature.BALANCE)
def test_solve_shares_the_work_for_the_price_of_balance(engine: str) -> None:
    """No van has time for all four; three and one cost as much as two and two."""
    problem = line_problem(
        jobs=tuple(job(f"j{one}", 1, service_s=600) for one in range(4)),
        vehicles=(van("one", end_s=2100), van("two", end_s=2100)),
        objective=Objective(balance_milli_per_s=5000),
    )

    solution = solve(engine, problem)

    assert [route.duration_s for route in solution.routes] == [1400, 1400]
    assert solution.cost.balance_milli == 0


@doing(Feature.RELOADS)
def test_solve_loads_again_where_the_load_demands_it(engine: str) -> None:
    problem = line_problem(
        jobs=tuple(job(f"j{one}", one, demands=(2,)) for one in (1, 2, 3, 4)),
        vehicles=(
            van(capacities=(4,), reload_locations=(0,), max_reloads=2, reload_s=90),
        ),
        dimensions=("pieces",),
    )
    once = replace(problem, vehicles=(replace(problem.vehicles[0], max_reloads=0),))

    solution = solve(engine, problem)

    assert solution.unserved == ()
    assert len(solution.routes[0].reloads) == 1
    assert solution.routes[0].distance_m == 12_000
    assert len(solve(engine, once).unserved) == 2


@doing(Feature.RELOADS)
def test_solve_fetches_what_is_released_later(engine: str) -> None:
    """The committed car cannot wait, so it comes back for what arrives at noon."""
    problem = line_problem(
        jobs=(job("a", 1), job("b", 2, release_s=5000)),
        vehicles=(
            van(locked=("a",), reload_locations=(0,), max_reloads=1, reload_s=90),
        ),
    )

    route = solve(engine, problem).routes[0]

    assert [visit.job_id for visit in route.visits] == ["a", "b"]
    assert route.reloads[0].after_visits == 1
    assert route.reloads[0].departure_s == 5000


@doing(Feature.RELOADS)
def test_solve_does_not_load_without_need(engine: str) -> None:
    problem = line_problem(
        jobs=(job("a", 1), job("b", 5)),
        vehicles=(van(reload_locations=(0, 3), max_reloads=3),),
    )

    assert solve(engine, problem).routes[0].reloads == ()


@doing(Feature.SHIPMENTS, Level.EXACT, Level.COSTED)
def test_solve_fetches_before_it_brings(engine: str) -> None:
    """Each van takes one parcel at a time beside its own load of one."""
    problem = line_problem(
        jobs=(
            job("own", 1, demands=(1,)),
            job("p", 4, demands=(1,)),
            job("d", 2),
            job("q", 3, demands=(1,)),
            job("e", 5, demands=(1,)),
        ),
        vehicles=(van(capacities=(2,)),),
        dimensions=("pieces",),
        shipments=(
            Shipment(pickup_job="p", delivery_job="d"),
            Shipment(pickup_job="q", delivery_job="e"),
        ),
    )
    jobs = tuple(replace(one, demands=one.demands or (0,)) for one in problem.jobs)

    solution = solve(engine, replace(problem, jobs=jobs))

    order = sequences(solution)["van"]
    assert solution.unserved == ()
    assert order.index("p") < order.index("d")
    assert order.index("q") < order.index("e")
    overlap = order.index("p") < order.index("e") and order.index("q") < order.index(
        "d"
    )
    assert not overlap


@doing(Feature.SHIPMENTS, Level.EXACT, Level.COSTED)
def test_solve_leaves_both_halves_of_a_shipment(engine: str) -> None:
    problem = line_problem(
        jobs=(
            job("p", 1, prize_milli=100_000_000),
            job("d", 2, prize_milli=0, allowed_vehicles=()),
            job("x", 1),
        ),
        vehicles=(van(),),
        shipments=(Shipment(pickup_job="p", delivery_job="d"),),
    )

    solution = solve(engine, problem)

    assert {one.job_id for one in solution.unserved} == {"p", "d"}


@doing(Feature.SHIPMENTS, Level.EXACT, Level.COSTED)
def test_solve_brings_what_is_already_promised(engine: str) -> None:
    problem = line_problem(
        jobs=(job("p", 1, demands=(2,)), job("d", 5, demands=(0,))),
        vehicles=(
            van("one", capacities=(2,), locked=("p",)),
            van("two", capacities=(2,)),
        ),
        dimensions=("pieces",),
        shipments=(Shipment(pickup_job="p", delivery_job="d"),),
    )
    late = replace(problem, vehicles=(replace(problem.vehicles[0], end_s=900),))

    assert sequences(solve(engine, problem)) == {"one": ["p", "d"]}
    assert sequences(solve(engine, late)) == {"one": ["p"]}


@pytest.mark.parametrize("engine", engine_names())
def test_engine_refuses_by_name(engine: str) -> None:
    problem = rich_problem(3, 6, 2)
    refused = [
        feature
        for feature in features_of(problem)
        if level_of(engine, feature) is Level.REFUSES
    ]
    solver = open_engine(engine)
    named = solver.refuses(problem)

    assert (named is None) == (not refused)
    for feature in refused:
        assert feature.value in (named or "")
    if refused:
        with pytest.raises(EngineRefused, match=f"{engine} cannot do"):
            solver.solve(problem, stop=Stop(solutions=1), seed=1)


@doing(Feature.SHIPMENTS, Level.EXACT, Level.COSTED)
def test_solve_ships_where_nothing_is_weighed(engine: str) -> None:
    problem = line_problem(
        jobs=(job("d", 1), job("p", 5)),
        vehicles=(van(),),
        shipments=(Shipment(pickup_job="p", delivery_job="d"),),
    )

    assert sequences(solve(engine, problem)) == {"van": ["p", "d"]}


@pytest.mark.parametrize("engine", ["greedy", "pyvrp", "ortools", "repair"])
def test_van_that_is_out_goes_on_at_once_and_waits_later(engine: str) -> None:
    at_any_time = [job(f"any {place}", place) for place in range(1, 5)]
    promised = job("promised", 5, windows=(TimeWindow(start_s=6000, end_s=7000),))
    problem = line_problem(
        jobs=(*at_any_time, promised), vehicles=(van(leaves_at_once=True),)
    )

    solution = solve(engine, problem)

    [route] = solution.routes
    assert len(route.visits) == 5
    assert route.departure_s == 0
    assert route.visits[0].arrival_s <= 500
