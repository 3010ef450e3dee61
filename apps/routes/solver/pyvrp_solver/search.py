"""PyVRP's local search, led from plan to plan by our own loop.

The loop is Burke and Bykov's late acceptance (2017), as PyVRP has it; ours can stop and
go on between any two rounds, and depends on nothing but the data and the seed. Where it
gains nothing any more, a route or two of the best plan are torn up, and it goes on from
there: small steps hardly ever change how many routes there are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from pyvrp import Activity, CostEvaluator, RandomNumberGenerator, Solution
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyvrp import ProblemData, Route


LINKS = 15
"""Neighbours of a stop that say which routes lie beside its own."""

LEAST_TORN_AFTER, TORN_AFTER_A_JOB = 800, 8
"""Rounds without a gain, at the least and for each job, before routes are torn up."""

NEVER_SEEN = 1 << 62
"""Beyond the cost of every plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What steers a search; penalties are multiples of what a unit is worth.

    A round unsettles up to `perturbations` places of the plan, and up to `at_most` of
    them once `widen_after` rounds have gained nothing. The library's own 25 are many:
    with 10, a round takes half the time. Its 50 neighbours and its prices that change
    every 500 rounds are much as well: of 16 instances of 100 customers the mean gap
    after a second was 0.52 % where it had been 0.89 %. Its first penalties of 50,000
    take minutes to come down to where they are of use; plans settle between 5 and 50.

    `torn_after` rounds without a gain, up to `torn_routes` routes are torn up. Of eight
    instances on which searches stuck, the mean gap after 5 s fell from 0.8 to 0.2 %.
    """

    neighbours: int = 30
    wait_weight: float = 0.2
    perturbations: int = 10
    at_most: int = 25
    widen_after: int = 1_000
    history: int = 300
    torn_after: int = LEAST_TORN_AFTER
    torn_routes: int = 2
    update_every: int = 100
    feasible_share: float = 0.65
    first_penalty: float = 100.0
    least_penalty: float = 0.1
    greatest_penalty: float = 100_000.0


class _Penalties:
    """Prices of too much load and time, so that enough of the seen plans are feasible."""

    def __init__(
        self,
        tuning: Tuning,
        scales: tuple[float, ...],
        most: float,
        prices: Sequence[float] | None,
    ) -> None:
        self.tuning = tuning
        self.least = [tuning.least_penalty * scale for scale in scales]
        self.most = [max(most, tuning.greatest_penalty * scale) for scale in scales]
        first = [tuning.first_penalty * scale for scale in scales]
        self.prices = first if prices is None else list(prices)
        self.kept = [0] * len(self.prices)
        self.seen = 0
        self.evaluator = self._evaluator(self.prices)

    def register(self, solution: Solution) -> None:
        """Count a plan's violations; every so often, adjust the prices."""
        for index, load in enumerate(solution.excess_load()):
            self.kept[index] += not load
        self.kept[-1] += not solution.has_time_warp()
        self.seen += 1
        if self.seen == self.tuning.update_every:
            self.prices = [
                self._adjusted(index, kept / self.seen)
                for index, kept in enumerate(self.kept)
            ]
            self.kept, self.seen = [0] * len(self.prices), 0
            self.evaluator = self._evaluator(self.prices)

    def dearest(self) -> CostEvaluator:
        """Price violations as dear as they may become."""
        return self._evaluator(self.most)

    def _adjusted(self, index: int, share: float) -> float:
        price, lacking = self.prices[index], self.tuning.feasible_share - share
        if abs(lacking) < 0.05:
            return price
        price *= 1.5 if lacking > 0 else 0.9
        return min(self.most[index], max(self.least[index], price))

    @staticmethod
    def _evaluator(prices: list[float]) -> CostEvaluator:
        return CostEvaluator(prices[:-1], prices[-1], 0.0)


def _local_search(
    data: ProblemData,
    random: RandomNumberGenerator,
    neighbours: dict[Activity, list[Activity]],
    perturbations: int,
) -> LocalSearch:
    """Make a local search with every operator that the data gives a use."""
    local = LocalSearch(
        data,
        random,
        neighbours,
        PerturbationManager(PerturbationParams(1, perturbations)),
    )
    for operator in OPERATORS:
        if operator.supports(data):
            local.add_operator(operator(data))
    return local


class IteratedSearch:
    """A search that goes on by `step`; `best` is the cheapest feasible plan seen."""

    def __init__(
        self,
        data: ProblemData,
        start: Solution | None,
        seed: int,
        tuning: Tuning,
        scales: tuple[float, ...],
        *,
        prices: Sequence[float] | None = None,
    ) -> None:
        """Begin at a plan, or at one of the library's own making.

        `scales` say what a unit of each load and a second are worth; `prices` are those
        of too much of them that a search of such a plan came to.
        """
        self.tuning = tuning
        self.data = data
        self.random = RandomNumberGenerator(seed)
        self.draw = Random(seed)  # noqa: S311  repeatable
        neighbourhood = NeighbourhoodParams(
            tuning.wait_weight, tuning.neighbours, symmetric_proximity=True
        )
        self.neighbours = neighbours = compute_neighbours(data, neighbourhood)
        self.narrow, self.wide = (
            _local_search(data, self.random, neighbours, most)
            for most in (tuning.perturbations, tuning.at_most)
        )
        prizes = [client.prize for client in data.clients()]
        prizes += [shipment.prize for shipment in data.shipments()]
        most = max(prizes, default=0)
        self.penalties = _Penalties(tuning, scales, most, prices)
        given = start or Solution.make_random(data, self.random)
        found = self.narrow(given, self.penalties.dearest(), exhaustive=True)
        self.first = self.current = found
        self.best = given if start is not None else found
        self.first_milli = self.best_milli = self._cost_milli(self.best)
        if found.is_feasible():
            self._is_best(found)
        self.history: list[Solution | None] = [None] * tuning.history
        self.position = 0
        self.stale = 0
        self.idle = 0
        """Rounds since the plan that was last torn up, or begun with, has gained."""
        self.lowest_milli = NEVER_SEEN
        self.done = 0

    def step(self) -> None:
        """Perturb and improve the present plan once."""
        self.done += 1
        if self.idle >= self.tuning.torn_after:
            self._tear_up()
        evaluator = self.penalties.evaluator
        local = self.wide if self.stale > self.tuning.widen_after else self.narrow
        found = local(self.current, evaluator, exhaustive=False)
        self.penalties.register(found)
        self.stale += 1
        self.idle += 1
        if found.is_feasible():
            self._note(found)
        if found.is_feasible() and self._is_best(found):
            self.stale = 0
            found = local(found, evaluator, exhaustive=True)
            if found.is_feasible():
                self._is_best(found)
        self._accept(found, evaluator)

    def _note(self, found: Solution) -> None:
        """Count on while plans gain on what has been found since the last tearing."""
        cost_milli = self._cost_milli(found)
        if cost_milli < self.lowest_milli:
            self.lowest_milli, self.idle = cost_milli, 0

    def _tear_up(self) -> None:
        """Go on from the best plan without some routes that lie side by side."""
        routes = self.best.routes()
        if len(routes) > 1:
            torn = self._side_by_side(routes)
            kept = [one for place, one in enumerate(routes) if place not in torn]
            given = Solution(self.data, kept)
            self.current = self.narrow(given, self.penalties.evaluator, exhaustive=True)
        self.first = self.current
        self.history = [None] * self.tuning.history
        self.position = self.idle = 0
        self.lowest_milli = NEVER_SEEN

    def _side_by_side(self, routes: Sequence[Route]) -> set[int]:
        """Draw a route, and of the others those with most neighbours of its stops."""
        count = self.draw.randint(1, min(self.tuning.torn_routes, len(routes) - 1))
        first = self.draw.randrange(len(routes))
        route_of = {
            stop: place for place, route in enumerate(routes) for stop in _stops(route)
        }
        links = Counter(
            route_of[other]
            for stop in _stops(routes[first])
            for other in self.neighbours.get(stop, ())[:LINKS]
            if route_of.get(other, first) != first
        )
        near = sorted(links, key=lambda place: (-links[place], place))
        return {first, *near[: count - 1]}

    def _is_best(self, found: Solution) -> bool:
        cost_milli = self._cost_milli(found)
        if cost_milli >= self.best_milli:
            return False
        self.best, self.best_milli = found, cost_milli
        return True

    def _cost_milli(self, solution: Solution) -> int:
        return self.penalties.evaluator.cost(solution)

    def _accept(self, found: Solution, evaluator: CostEvaluator) -> None:
        """Go on from a plan that beats the present one, or that of a while ago."""
        place = self.position % len(self.history)
        late = self.history[place]
        found_milli = evaluator.penalised_cost(found)
        current_milli = evaluator.penalised_cost(self.current)
        late_milli = evaluator.penalised_cost(late or self.first)
        if found_milli < late_milli or found_milli < current_milli:
            self.current, current_milli = found, found_milli
        if late is None or current_milli < late_milli:
            self.history[place] = self.current
        self.position += 1


def _stops(route: Route) -> list[Activity]:
    """Give what a route does between its ends and its reloads."""
    return [
        Activity(one.type, one.idx) for one in route.schedule() if not one.is_depot()
    ]


def tuning_for(job_count: int) -> Tuning:
    """Choose how to search a part of so many jobs."""
    return Tuning(torn_after=max(LEAST_TORN_AFTER, TORN_AFTER_A_JOB * job_count))
