"""A planted order of zones: steps against it take minutes that no map shows.

The town's streets are such that going on from a zone to one that comes before it takes
long (a level crossing, one-way streets); planning does not know it. Of the drivers 45 in
100 do, and put a planned route into that order where it gains; 20 follow a habit of their
own, whatever it costs, and 35 drive as planned. Verdicts are given where the difference is beyond
the noise, and three in ten are never given.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean
from typing import Any

import numpy as np

from apps.learning.learners import zone_order
from apps.learning.learners.sketch import grown
from apps.routes.parameters import DEFAULTS
from apps.routes.solver.problem import Problem
from apps.routes.zoneorder import Before, steps_of
from apps.tuning.sequencing import LEAST_SURE
from tests.bench._learning_judge import Tallies, means
from tests.bench._sequence_score import Difference, paired_difference, score
from tests.bench._sequence_town import (
    ZONES,
    Drop,
    drops_of,
    fact_of,
    problem_of,
    sequences,
    solved,
)

ORDERS, VANS, ROUNDS = 42, 2, 60
HIDDEN_S = 600
"""What a step against the planted order takes beyond what the map says."""

NOISE = 0.08
LEAST_GAIN_S = 120


class _Town:
    """One town: its planted order, and days by number."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.order = random.Random(f"order {seed}").sample(ZONES, len(ZONES))  # noqa: S311
        self.habit = random.Random(f"habit {seed}").sample(ZONES, len(ZONES))  # noqa: S311

    def day(self, number: int) -> tuple[list[Drop], Problem]:
        """Return a day's orders, and the problem as it is planned without learning."""
        drops = drops_of(self._chance("day", number), ORDERS)
        return drops, problem_of(drops, VANS)

    def real_s(self, drops: Sequence[Drop], problem: Problem, number: int) -> Any:
        """Return what travel really takes on a day, from place to place."""
        noise = np.random.default_rng([self.seed, number])
        told = problem.matrices[0].durations_s
        real = told * noise.lognormal(0, NOISE, told.shape)
        rank = [self.order.index(drop.zone) for drop in drops]
        after = np.array([[b < a for b in rank] for a in rank])
        real[1:, 1:] += HIDDEN_S * after
        return real

    def driven(
        self, planned: list[int], drops: Sequence[Drop], real: Any, *at: object
    ) -> list[int]:
        """Return what a driver makes of a planned route."""
        chance = self._chance("driver", *at)
        by_order = self._put(planned, drops, self.order)
        kind = chance.random()
        if kind < 0.20:
            return self._put(planned, drops, self.habit)
        if kind < 0.55:
            return planned
        return by_order if taken_s(by_order, real) < taken_s(planned, real) else planned

    @staticmethod
    def _put(planned: list[int], drops: Sequence[Drop], order: list[str]) -> list[int]:
        return sorted(planned, key=lambda stop: order.index(drops[stop - 1].zone))

    def verdict(self, gain_s: float, *at: object) -> str:
        """Say who was right, where somebody says it."""
        if self._chance("verdict", *at).random() < 0.3:
            return ""
        if abs(gain_s) < LEAST_GAIN_S:
            return "undecidable"
        return "right" if gain_s > 0 else "wrong"

    def _chance(self, *what: object) -> random.Random:
        return random.Random(f"{self.seed} {what}")  # noqa: S311 (a repeatable town)


def taken_s(sequence: Sequence[int], real: Any) -> float:
    """Return the driving of a route, from the depot and back to it."""
    return float(sum(real[a, b] for a, b in pairwise([0, *sequence, 0])))


def judge_town(
    *, seeds: Sequence[int], teaching: int, days: int, tell: Callable[[str], object]
) -> dict[str, Any]:
    """Teach on the first days of each town, plan the later ones both ways; pool all."""
    rows: list[tuple[float, float, float, float, float, float]] = []
    learned: dict[str, float] = {}
    for seed in seeds:
        town = _Town(seed)
        order = _taught(town, teaching)
        right = _right_pairs(town, order)
        learned[str(seed)] = right
        for number in range(teaching, teaching + days):
            rows.append(_day(town, number, order))
        tell(f"town {seed}: {len(order)} pairs learned, {100 * right:.0f} % right\n")
    plain_min, ours_min, plain_score, ours_score, plain_km, ours_km = (
        list(each) for each in zip(*rows, strict=True)
    )
    return {
        "days": len(rows),
        "pairs_right_pct": round(100 * fmean(learned.values()), 1),
        "driving_min_plain": round(fmean(plain_min), 1),
        "driving_min_ours": round(fmean(ours_min), 1),
        "driving_min_difference": _told(paired_difference(plain_min, ours_min), 1),
        "score_plain": round(fmean(plain_score), 4),
        "score_ours": round(fmean(ours_score), 4),
        "score_difference": _told(paired_difference(plain_score, ours_score), 4),
        "km_more_pct": round(100 * (sum(ours_km) / sum(plain_km) - 1), 2),
    }


def _told(each: Difference, digits: int) -> list[float]:
    return [round(value, digits) for value in (each.mean, each.low, each.high)]


def _taught(town: _Town, days: int) -> dict[str, Before]:
    """Let the house's learner see the first days: plain plans, and what drivers made of them."""
    tallies = Tallies()
    last = None
    for number in range(days):
        drops, problem = town.day(number)
        real = town.real_s(drops, problem, number)
        for van, planned in enumerate(sequences(solved(problem, ROUNDS))):
            driven = town.driven(planned, drops, real, number, van)
            verdict = ""
            if driven != planned:
                gain_s = taken_s(planned, real) - taken_s(driven, real)
                verdict = town.verdict(gain_s, number, van)
            fact = fact_of(f"van {van}", number, planned, driven, drops, verdict)
            last = fact.stops[-1].completed.occurred_at
            tallies.add(zone_order.observed(fact))
    if last is None:
        raise ValueError("nothing was driven to learn from")
    known = means(zone_order.figures(tallies.of(zone_order.KIND), grown(last)))
    return {
        key: Before(min(0.99, share))
        for key, share in known.items()
        if ">" in key and share >= LEAST_SURE
    }


def _right_pairs(town: _Town, order: dict[str, Before]) -> float:
    pairs = [key.split(">") for key in order]
    rank = town.order.index
    return fmean(rank(a) < rank(b) for a, b in pairs) if pairs else 0.0


def _day(
    town: _Town, number: int, order: dict[str, Before]
) -> tuple[float, float, float, float, float, float]:
    """Plan a later day both ways; return minutes, nearness and kilometres of each."""
    drops, plain = town.day(number)
    real = town.real_s(drops, plain, number)
    priced = replace(
        plain,
        jobs=tuple(
            replace(job, zone=drop.zone)
            for job, drop in zip(plain.jobs, drops, strict=True)
        ),
        zone_steps=steps_of(order, set(ZONES), DEFAULTS.zone_order_minor * 1000),
    )
    minutes, near, km = [], [], []
    for problem in (plain, priced):
        solution = solved(problem, ROUNDS)
        routes = sequences(solution)
        told = [
            (planned, town.driven(planned, drops, real, number, van))
            for van, planned in enumerate(routes)
        ]
        minutes.append(sum(taken_s(driven, real) for _, driven in told) / 60)
        near.append(fmean(_score(driven, planned, problem) for planned, driven in told))
        km.append(sum(route.distance_m for route in solution.routes) / 1000)
    return minutes[0], minutes[1], near[0], near[1], km[0], km[1]


def _score(driven: Sequence[int], planned: Sequence[int], problem: Problem) -> float:
    """Score a route by its own places, the depot as its start."""
    places = [0, *sorted(planned)]
    at = {place: number for number, place in enumerate(places)}
    rows = np.asarray(problem.matrices[0].durations_s, float)[np.ix_(places, places)]
    return score([at[one] for one in driven], [at[one] for one in planned], rows)
