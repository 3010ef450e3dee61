"""The learned order of zones: read, priced, planned by, judged, and made again."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routes.parameters import DEFAULTS, with_overrides
from apps.routes.solver.codec import (
    decode_solution,
    encode_solution,
)
from apps.routes.solver.explaining.placing import why_here
from apps.routes.solver.explaining.standing import stand
from apps.routes.solver.port import Feature, Stop, features_of, open_engine
from apps.routes.solver.problem import Objective, Problem, ZoneStep
from apps.routes.solver.solution import Solution
from apps.routes.solver.validate import validate
from apps.routes.why.names import Names, teller
from apps.routes.why.placing import here_answer
from apps.routes.zoneorder import (
    BadZoneOrder,
    Before,
    order_from,
    steps_of,
    stored,
    zone_walk,
)
from tests.routes.solver.instances import job, line_problem, van
from tests.routes.solver.rich import rich_problem

ENGINES = ("greedy", "pyvrp", "ortools")


def solved(engine: str, problem: Problem) -> Solution:
    found = open_engine(engine).solve(problem, stop=Stop(solutions=80), seed=7)
    assert validate(problem, found) == ()
    return found


def in_zones(*steps: ZoneStep, leave_milli: int = 0) -> Problem:
    """Four stops on a line, near ones in the north, far ones in the south."""
    places = ((1, "north"), (2, "north"), (3, "south"), (4, "south"))
    problem = line_problem(
        jobs=tuple(
            replace(job(f"{zone}{at}", at), zone=zone, service_s=60)
            for at, zone in places
        ),
        vehicles=(van(),),
    )
    return replace(
        problem, zone_steps=steps, objective=Objective(zone_leave_milli=leave_milli)
    )


def zones_of(problem: Problem, solution: Solution) -> list[str]:
    return [a for a, _ in zone_walk(problem, solution)[1:]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("first", "then"), [("south", "north"), ("north", "south")])
def test_plan_drives_zones_in_the_order_that_has_no_price(
    engine: str, first: str, then: str
) -> None:
    order = {f"{first}>{then}": Before(0.95)}
    steps = steps_of(order, {"north", "south"}, 5_000_000)

    found = solved(engine, in_zones(*steps))

    assert zones_of(in_zones(), found) == [first, then]
    assert found.cost.zone_order_milli == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_step_against_the_order_is_stated_apart_from_money(engine: str) -> None:
    both = (
        ZoneStep(from_zone="north", to_zone="south", price_milli=40),
        ZoneStep(from_zone="south", to_zone="north", price_milli=40),
    )
    plain, priced = solved(engine, in_zones()), solved(engine, in_zones(*both))

    assert priced.cost.zone_order_milli == 40
    assert sum(one.cost.zone_order_milli for one in priced.routes) == 40
    money = priced.cost.total_milli - priced.cost.zone_order_milli
    assert money == plain.cost.total_milli


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000_000), engine=st.sampled_from(["greedy", "pyvrp"]))
def test_price_of_nought_gives_the_same_plan(seed: int, engine: str) -> None:
    problem = rich_problem(seed, 10, 2)
    plain = replace(
        problem,
        jobs=tuple(replace(one, zone=None) for one in problem.jobs),
        zone_steps=(),
        objective=replace(problem.objective, zone_leave_milli=0),
    )
    nought = replace(
        plain,
        jobs=problem.jobs,
        zone_steps=tuple(replace(one, price_milli=0) for one in problem.zone_steps),
    )

    one, other = (
        encode_solution(
            open_engine(engine).solve(each, stop=Stop(solutions=30), seed=5)
        )
        for each in (plain, nought)
    )

    assert one == other


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000_000), engine=st.sampled_from(["greedy", "pyvrp"]))
def test_plan_with_prices_is_made_again_byte_by_byte(seed: int, engine: str) -> None:
    problem = rich_problem(seed, 10, 2)
    one, other = (
        encode_solution(
            open_engine(engine).solve(problem, stop=Stop(solutions=30), seed=5)
        )
        for _ in range(2)
    )

    assert one == other
    assert encode_solution(decode_solution(one)) == one


def test_what_was_answered_before_there_were_zones_is_written_as_then() -> None:
    found = solved("greedy", in_zones())

    assert b"zone_order" not in encode_solution(found)


def test_validator_finds_a_misstated_preference() -> None:
    step = ZoneStep(from_zone="north", to_zone="south", price_milli=40)
    back = ZoneStep(from_zone="south", to_zone="north", price_milli=40)
    problem = in_zones(step, back)
    found = solved("greedy", problem)
    [route] = found.routes
    hidden = replace(route, cost=replace(route.cost, zone_order_milli=0))
    lying = replace(
        found, routes=(hidden,), cost=replace(found.cost, zone_order_milli=0)
    )

    codes = {one.code for one in validate(problem, lying)}

    assert codes == {"route_cost_misstated"}


@pytest.mark.parametrize("engine", ENGINES)
def test_leaving_a_zone_has_a_price_of_its_own(engine: str) -> None:
    found = solved(engine, in_zones(leave_milli=1000))

    assert found.cost.zone_order_milli == 1000
    assert Feature.ZONE_STEPS in features_of(in_zones(leave_milli=1000))


def test_why_here_says_what_the_order_of_zones_counts() -> None:
    both = (
        ZoneStep(from_zone="north", to_zone="south", price_milli=40_000),
        ZoneStep(from_zone="south", to_zone="north", price_milli=90_000),
    )
    problem = in_zones(*both)
    found = solved("greedy", problem)
    standing = stand(problem, found)
    tell = teller(found, Names(orders={}, drivers={}))
    second = found.routes[0].visits[1].job_id
    place = why_here(standing, standing.job(second))

    facts = " ".join(here_answer(place, standing, tell).facts)

    assert "It is in the zone" in facts
    assert "against it, and is no money" in facts


def test_parameters_have_no_order_of_zones_at_first() -> None:
    assert dict(DEFAULTS.zone_order) == {}
    assert DEFAULTS.zone_leave_minor == 0
    assert steps_of(DEFAULTS.zone_order, {"a", "b"}, 10_000) == ()


def test_order_comes_back_as_it_was_stored() -> None:
    order = {"a>b": Before(0.8, 12, "2026-03-17")}

    assert with_overrides({"zone_order": stored(order)}).zone_order == order


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"a": 0.7},
        {"a>a": 0.7},
        {"a>b": 0.4},
        {"a>b": 1.1},
        {"a>b": True},
        {"a>b": 0.7, "b>a": 0.7},
        {"a>b": {"share": 0.7, "n": -1}},
        {"a>b": {"share": 0.7, "as_of": "soon"}},
        {"a>b": {"share": 0.7, "what": 1}},
    ],
)
def test_order_that_cannot_be_planned_with_is_refused(wrong: object) -> None:
    with pytest.raises(BadZoneOrder):
        order_from(wrong)
