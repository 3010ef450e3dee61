"""The cost by part: in money, and adding up to the unit."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.solver.explaining.costing import (
    TIMES,
    change_minor,
    cost_table,
    shares,
)
from apps.routes.solver.explaining.standing import cost_parts
from apps.routes.solver.problem import Break
from tests.routes.solver.explaining.test_relaxations import standing_of
from tests.routes.solver.instances import job, line_problem, random_problem, van


@given(seed=st.integers(0, 100_000))
@settings(max_examples=40, deadline=None)
def test_rows_and_columns_add_up_to_the_rounded_cost(seed: int) -> None:
    solution = standing_of(random_problem(seed, job_count=9)).solution
    table = cost_table(solution)
    assert table.total_minor == round(solution.cost.total_milli / 1000)
    assert table.total_minor == sum(table.totals)
    assert sum(table.totals) == sum(map(sum, table.routes)) + sum(table.plan)
    whole = cost_parts(solution.cost)
    for name, minor in zip(table.parts, table.totals, strict=True):
        if name not in TIMES:
            assert abs(1000 * minor - whole[name]) < 1000
    told = sum(
        minor
        for name, minor in zip(table.parts, table.totals, strict=True)
        if name in TIMES
    )
    assert abs(1000 * told - whole["duration"]) < 4000


def test_time_is_told_apart_by_what_it_was_spent_on() -> None:
    rest = Break(earliest_s=0, latest_s=300, duration_s=300)
    problem = line_problem(
        jobs=(job("a", 2, service_s=100),),
        vehicles=(
            van(
                cost_per_s_milli=1000,
                cost_per_m_milli=0,
                fixed_cost_milli=7000,
                breaks=(rest,),
                end_s=900,
                start_s=100,
            ),
        ),
    )
    solution = standing_of(problem).solution
    table = cost_table(solution)
    found = dict(zip(table.parts, table.totals, strict=True))
    assert found["fixed"] == 7
    assert found["driving"] == 400
    assert found["service"] == 100
    taken = sum(one.end_s - one.start_s for one in solution.routes[0].breaks)
    assert found["breaks"] == taken
    assert found["waiting"] == solution.routes[0].duration_s - 500 - taken


def test_what_is_on_no_route_stands_in_the_plans_row() -> None:
    problem = line_problem(
        jobs=(job("a", 1), job("b", 1, prize_milli=1500, required_capabilities=("x",))),
        vehicles=(van(),),
    )
    table = cost_table(standing_of(problem).solution)
    column = table.parts.index("unserved")
    assert table.plan[column] == 2
    assert all(row[column] == 0 for row in table.routes)


@given(st.lists(st.integers(-10_000_000, 10_000_000), max_size=12))
def test_shares_add_up_and_none_is_off_by_a_unit(parts: list[int]) -> None:
    whole = round(sum(parts) / 1000)
    found = shares(parts, whole)
    assert sum(found) == whole
    assert all(abs(1000 * a - b) < 1000 for a, b in zip(found, parts, strict=True))


def test_nothing_stays_nothing_and_differences_add_up() -> None:
    assert shares([0, 499, 499, 0], 1) == (0, 1, 0, 0)
    parts = (("distance", -1499), ("duration", 2498), ("fixed", 0))
    found = dict(change_minor(parts))
    assert sum(found.values()) == 1
    assert found["fixed"] == 0


def test_a_part_that_comes_later_is_told_without_a_change_here() -> None:
    solution = standing_of(
        line_problem(jobs=(job("a", 1),), vehicles=(van(),))
    ).solution
    [route] = solution.routes
    dearer = replace(route, cost=replace(route.cost, soft_milli=5000))
    table = cost_table(
        replace(
            solution, routes=(dearer,), cost=replace(solution.cost, soft_milli=5000)
        )
    )
    assert dict(zip(table.parts, table.routes[0], strict=True))["soft"] == 5
