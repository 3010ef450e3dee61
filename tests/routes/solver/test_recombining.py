"""The best of two plans, district by district."""

from random import Random

import numpy as np
import pytest
from pyvrp import (
    Client,
    CostEvaluator,
    Depot,
    Location,
    ProblemData,
    Route,
    Solution,
    VehicleType,
)

from apps.routes.solver.pyvrp_solver.recombining import Recombining

WEST, EAST = [0, 1, 2, 3], [4, 5, 6, 7]
PLACES = [
    (-90, 9),
    (-90, 8),
    (-90, -8),
    (-90, -9),
    (90, 9),
    (90, 8),
    (90, -8),
    (90, -9),
]
GOOD_WEST, BAD_WEST = [[0, 1], [2, 3]], [[0, 2], [1, 3]]
GOOD_EAST, BAD_EAST = [[4, 5], [6, 7]], [[4, 6], [5, 7]]
COSTS = CostEvaluator([1_000.0], 1_000.0, 0.0)


def towns(
    *,
    cars: int = 6,
    capacity: int = 3,
    heavy: int | None = None,
    optional: bool = False,
    parted: bool = False,
) -> ProblemData:
    """Two towns of four jobs, a depot between them; `parted`, rivers run through both."""
    points = np.array([*PLACES, (0, 0)])
    apart = points[:, None, :] - points[None, :, :]
    ways = np.hypot(apart[..., 0], apart[..., 1]).astype(np.int64)
    if parted:
        north = points[:, 1] > 0
        ways[:8, :8] += 1_000 * (north[:8, None] != north[None, :8])
    return ProblemData(
        locations=[Location(0, 0)] * len(points),
        clients=[
            Client(
                place,
                delivery=[2 if place == heavy else 1],
                prize=500 if optional else 0,
                required=not optional,
            )
            for place in range(len(PLACES))
        ],
        depots=[Depot(len(PLACES))],
        vehicle_types=[VehicleType(cars, [capacity])],
        distance_matrices=[ways],
        duration_matrices=[ways],
    )


def routes_of(plan: Solution) -> set[tuple[int, ...]]:
    return {
        tuple(one.idx for one in route.schedule() if one.is_client())
        for route in plan.routes()
    }


def as_set(*routes: list[int]) -> set[tuple[int, ...]]:
    return {tuple(one) for one in routes}


def test_combine_takes_each_district_from_the_cheaper_plan() -> None:
    data = towns()
    best = Solution(data, [*GOOD_WEST, *BAD_EAST])
    other = Solution(data, [*BAD_WEST, *GOOD_EAST])

    combined = Recombining(data).combine(best, other)

    assert combined is not None
    assert routes_of(combined) == as_set(*GOOD_WEST, *GOOD_EAST)
    assert COSTS.cost(combined) < min(COSTS.cost(best), COSTS.cost(other))


@pytest.mark.parametrize(
    "other", [[*GOOD_WEST, *BAD_EAST], [*BAD_WEST, *GOOD_EAST], [*BAD_WEST, *BAD_EAST]]
)
def test_combine_gives_none_where_nothing_is_cheaper(other: list[list[int]]) -> None:
    data = towns()
    best = Solution(data, [*GOOD_WEST, *GOOD_EAST])

    assert Recombining(data).combine(best, Solution(data, other)) is None


def test_combine_takes_the_same_stops_in_a_better_order() -> None:
    data = towns(capacity=4)
    best = Solution(data, [[0, 2, 1, 3], EAST])
    other = Solution(data, [WEST, EAST])

    combined = Recombining(data).combine(best, other)

    assert combined is not None
    assert routes_of(combined) == as_set(WEST, EAST)


def test_combine_leaves_districts_whose_routes_break_a_rule() -> None:
    data = towns(capacity=2, heavy=4)  # the good route of 4 and 5 is too heavy
    best = Solution(data, [*BAD_WEST, [4], [5], [6], [7]])
    other = Solution(data, [*GOOD_WEST, *GOOD_EAST])
    assert not other.is_feasible()

    combined = Recombining(data).combine(best, other)

    assert combined is not None
    assert combined.is_feasible()
    assert (0, 1) in routes_of(combined)
    assert {(4,), (5,)} <= routes_of(combined)


@pytest.mark.parametrize(("cars", "is_taken"), [(4, True), (3, False)])
def test_combine_leaves_districts_for_which_cars_are_lacking(
    cars: int, *, is_taken: bool
) -> None:
    data = towns(cars=cars, capacity=4, parted=True)
    best = Solution(data, [WEST, *GOOD_EAST])
    other = Solution(data, [*GOOD_WEST, EAST])

    combined = Recombining(data).combine(best, other)

    assert (combined is not None) is is_taken


def test_combine_leaves_districts_that_serve_other_stops() -> None:
    data = towns(capacity=4, optional=True)
    best = Solution(data, [[0, 1, 2], EAST])
    other = Solution(data, [[0, 1], EAST])  # shorter: it leaves one more out

    assert Recombining(data).combine(best, other) is None


@pytest.mark.parametrize("seed", range(5))
def test_combine_of_any_plans_is_feasible_and_cheaper(seed: int) -> None:
    random = Random(seed)  # noqa: S311 (repeatable)
    data = towns()
    recombining = Recombining(data)
    taken = 0
    for _ in range(40):
        best, other = (Solution(data, drawn_routes(random)) for _ in range(2))
        combined = recombining.combine(best, other)
        again = Recombining(data).combine(best, other)
        if combined is None:
            assert again is None
            continue
        taken += 1
        assert combined == again
        assert combined.is_feasible()
        assert combined.is_complete()
        assert COSTS.cost(combined) < COSTS.cost(best)
        assert {*combined_routes(combined)} <= {
            *combined_routes(best),
            *combined_routes(other),
        }
    assert taken


def combined_routes(plan: Solution) -> list[tuple[int, ...]]:
    return sorted(routes_of(plan))


def drawn_routes(random: Random) -> list[list[int]]:
    """Draw pairs within each town."""
    drawn = []
    for town in (WEST, EAST):
        jobs = random.sample(town, 4)
        drawn += [jobs[:2], jobs[2:]]
    return drawn


def test_only_routes_of_the_last_plans_stay_in_memory() -> None:
    """A route keeps its whole plan in memory."""
    data = towns()
    recombining = Recombining(data)
    best = Solution(data, [*GOOD_WEST, *BAD_EAST])
    last = Solution(data, [[0, 3], [1, 2], *GOOD_EAST])

    recombining.combine(best, Solution(data, [*BAD_WEST, *GOOD_EAST]))
    recombining.combine(best, last)

    present = [*best.routes(), *last.routes()]
    held = [read.route for read in recombining.known.values()]
    assert held
    assert all(any(one is known for known in present) for one in held)


def test_routes_are_told_apart_that_look_alike() -> None:
    """East mirrors west, so that its routes have the same length and load."""
    data = towns()
    best = Solution(data, [*GOOD_WEST, *BAD_EAST])
    assert best.routes()[0].distance() == Route(data, [4, 5], 0).distance()

    combined = Recombining(data).combine(best, Solution(data, [*GOOD_WEST, *GOOD_EAST]))

    assert combined is not None
    assert routes_of(combined) == as_set(*GOOD_WEST, *GOOD_EAST)
