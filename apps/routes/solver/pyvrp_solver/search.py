"""PyVRP's local search, led from plan to plan by our own loop.

The loop begins as PyVRP has it, with Burke and Bykov's late acceptance (2017), which is
quick to a good plan and then stands still. From there on it goes from plan to plan at a
steady heat: a dearer one is taken with the chance of simulated annealing (Kirkpatrick,
Gelatt and Vecchi 1983), but nothing cools down, so that a search is the same whatever
its limit is. What it comes by is gathered district by district (`recombining`). It can
stop and go on between any two rounds, and depends on nothing but the data and the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from pyvrp import CostEvaluator, RandomNumberGenerator, Solution
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from apps.routes.solver.pyvrp_solver.recombining import Recombining

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyvrp import Activity, ProblemData

    from apps.routes.solver.pyvrp_solver.worths import Worths


NONE_KEEPS = 4.0
"""The price of a rule that none of the last plans kept grows so many times. An order that
cannot be served is worth so much that the search tries to, until breaking rules is dearer:
at 200 jobs it gave up after 1,600 rounds, by 1.5 times a step; so it does after 700."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What steers a search; penalties are multiples of what a unit is worth.

    A round unsettles up to `perturbations` places of the plan, and up to `at_most` of
    them once `widen_after` rounds have gained nothing. The library's own 25 are many:
    with 10, a round takes half the time. Its 50 neighbours and its prices that change
    every 500 rounds are much as well: of 16 instances of 100 customers the mean gap
    after a second was 0.52 % where it had been 0.89 %. Its first penalties of 50,000
    take minutes to come down to where they are of use; plans settle between 5 and 50.

    After `hot_after` rounds without a gain, and as many for each job as `hot_after_a_job`
    says, `heat` is the mean of what a plan may be dearer than the one before it, in ways
    to a near stop; every `combine_every` rounds the best plan takes over what the present
    one does better.
    """

    neighbours: int = 30
    wait_weight: float = 0.2
    perturbations: int = 10
    at_most: int = 25
    widen_after: int = 1_000
    history: int = 300
    hot_after: int = 800
    hot_after_a_job: int = 8
    heat: float = 0.15
    combine_every: int = 20
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
        if lacking > 0:
            price *= 1.5 if share else NONE_KEEPS
        else:
            price *= 0.9
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
        worths: Worths,
        *,
        prices: Sequence[float] | None = None,
    ) -> None:
        """Begin at a plan, or at one of the library's own making.

        `prices` are those of too much load and time that a search of such a plan came to.
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
        self.penalties = _Penalties(tuning, worths.excesses_milli, most, prices)
        given = start or Solution.make_random(data, self.random)
        found = self.narrow(given, self.penalties.dearest(), exhaustive=True)
        self.first = self.current = found
        self.best = given if start is not None else found
        self.first_milli = self.best_milli = self._cost_milli(self.best)
        if found.is_feasible():
            self._is_best(found)
        self.history: list[Solution | None] = [None] * tuning.history
        self.heat_milli = tuning.heat * worths.near_milli
        stops = data.num_clients + data.num_shipments
        self.hot_after = max(tuning.hot_after, tuning.hot_after_a_job * stops)
        self.is_hot = False
        self.recombining = Recombining(data)
        self.stale = 0
        self.done = 0

    def step(self) -> None:
        """Perturb and improve the present plan once."""
        self.done += 1
        self.stale += 1
        evaluator = self.penalties.evaluator
        local = self.wide if self.stale > self.tuning.widen_after else self.narrow
        found = local(self.current, evaluator, exhaustive=False)
        self.penalties.register(found)
        if found.is_feasible() and self._is_best(found):
            found = self._polished(found, local)
        if not self.is_hot and self.stale >= self.hot_after:
            self.is_hot, self.history = True, []
        if self.is_hot:
            self._anneal(found, evaluator)
        else:
            self._accept(found, evaluator)
        if self.is_hot and self.done % self.tuning.combine_every == 0:
            self._combine(local)

    def _polished(self, found: Solution, local: LocalSearch) -> Solution:
        """Improve a new best plan everywhere; it may break rules then."""
        self.stale = 0
        polished = local(found, self.penalties.evaluator, exhaustive=True)
        if polished.is_feasible():
            self._is_best(polished)
        return polished

    def _accept(self, found: Solution, evaluator: CostEvaluator) -> None:
        """Go on from a plan that beats the present one, or that of a while ago."""
        place = self.done % len(self.history)
        late = self.history[place]
        found_milli = evaluator.penalised_cost(found)
        current_milli = evaluator.penalised_cost(self.current)
        late_milli = evaluator.penalised_cost(late or self.first)
        if found_milli < late_milli or found_milli < current_milli:
            self.current, current_milli = found, found_milli
        if late is None or current_milli < late_milli:
            self.history[place] = self.current

    def _anneal(self, found: Solution, evaluator: CostEvaluator) -> None:
        """Go on from a plan that is cheaper, or not much dearer, by chance."""
        most_milli = self.heat_milli * self.draw.expovariate(1)
        current_milli = evaluator.penalised_cost(self.current)
        if evaluator.penalised_cost(found) < current_milli + most_milli:
            self.current = found

    def _combine(self, local: LocalSearch) -> None:
        """Take over into the best plan what the present one does better in places."""
        if self.current is self.best or not self.best.is_feasible():
            return
        combined = self.recombining.combine(self.best, self.current)
        if combined is not None and combined.is_feasible() and self._is_best(combined):
            self._polished(combined, local)

    def _is_best(self, found: Solution) -> bool:
        cost_milli = self._cost_milli(found)
        if cost_milli >= self.best_milli:
            return False
        self.best, self.best_milli = found, cost_milli
        return True

    def _cost_milli(self, solution: Solution) -> int:
        return self.penalties.evaluator.cost(solution)
