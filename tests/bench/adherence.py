"""`bench adherence`: plans that expect how they will be followed, beside naive plans.

A composed town whose drivers leave the planned sequence more or less often, by zone. The
house's learner sees the first days; later days are planned as if they were followed, and
with what was learned, with the same engine, seed and time. Both are then driven with the
same luck. Drivers do not deviate quite as plans expect it: of those who leave the
sequence three in ten take any open stop, not the nearest; roads and doors are noisy.
"""

import argparse
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apps.learning.learners import adherence
from apps.learning.learners.sketch import grown
from apps.routes.followed import Followed, percent_of
from apps.routes.parameters import DEFAULTS
from apps.routes.solver.deviating import Roads
from apps.routes.solver.expecting import plan_expecting
from apps.routes.solver.port import Stop, open_engine
from apps.routes.solver.problem import Job, Problem
from apps.routes.solver.solution import RoutePlan, Solution
from apps.routes.solver.validate import validate
from tests.bench._learning_judge import Tallies, means
from tests.bench._sequence_score import paired_difference
from tests.bench._sequence_town import (
    ENGINE,
    SEED,
    START_S,
    ZONES,
    Drop,
    drops_of,
    fact_of,
    problem_of,
    sequences,
)

ORDERS, VANS, ROUNDS = 60, 2, 80
WINDOWS = 0.5
DRIVES = 5
"""Each plan of a day is driven so often."""

WAITS_S = 900
"""Nobody leaves the sequence for a stop where he would wait longer."""

FARTHER = 0.3
"""Of those who leave the sequence, so many take any stop, not the nearest."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a plan of a day came to, in the mean of its drives."""

    cost_minor: float
    late_min: float
    driving_minor: float


class _Town:
    """One town: how surely the stops of each zone are gone to, and days by number."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        chance = self._chance("habits")
        self.follows = {zone: chance.uniform(0.75, 0.99) for zone in ZONES}

    def day(self, number: int) -> tuple[list[Drop], Problem]:
        """Return a day's orders, and the problem as it is planned without learning."""
        drops = drops_of(self._chance("day", number), ORDERS, windows=WINDOWS)
        return drops, problem_of(drops, VANS)

    def roads(self, problem: Problem, *what: int) -> Roads:
        """Return what travel and services really take on a drive."""
        noise = np.random.default_rng([self.seed, *what])
        told = problem.matrices[0].durations_s
        real = np.rint(told * noise.lognormal(0, 0.12, told.shape)).astype(np.int32)
        services_s = {
            job.id: round(job.service_s * noise.lognormal(0, 0.3))
            for job in problem.jobs
        }
        return Roads((real,), services_s)

    def driven(
        self, planned: Sequence[int], drops: Sequence[Drop], problem: Problem, *at: int
    ) -> list[int]:
        """Return the sequence that a driver makes of a planned one."""
        told, left, found, here = problem.matrices[0].durations_s, [*planned], [], 0
        now_s = START_S
        while left:
            luck = self._chance("luck", *at, left[0], len(left))
            place = 0
            others = [
                place
                for place in range(1, len(left))
                if _is_open(
                    drops[left[place] - 1], now_s + int(told[here, left[place]])
                )
            ]
            if others and luck.random() > self.follows[drops[left[0] - 1].zone]:
                place = min(others, key=lambda one: int(told[here, left[one]]))
                if luck.random() < FARTHER:
                    place = luck.choice(others)
            stop = left.pop(place)
            drop = drops[stop - 1]
            now_s += int(told[here, stop])
            now_s = max(now_s, drop.window.start_s if drop.window else 0)
            now_s += drop.service_s
            here = stop
            found.append(stop)
        return found

    def _chance(self, *what: object) -> random.Random:
        return random.Random(f"{self.seed} {what}")  # noqa: S311 (a repeatable town)


def _is_open(drop: Drop, arrives_s: int) -> bool:
    """Tell whether nobody would wait there for long."""
    return drop.window is None or arrives_s >= drop.window.start_s - WAITS_S


def main(argv: list[str]) -> dict[str, Any]:
    """Learn, plan later days both ways, drive both; return the paired differences."""
    parser = argparse.ArgumentParser(prog="bench adherence")
    parser.add_argument("--teaching", type=int, default=15)
    parser.add_argument("--days", type=int, default=15)
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument("--towns", type=int, default=4)
    given = parser.parse_args(argv)
    naive: list[Day] = []
    ours: list[Day] = []
    errors: list[float] = []
    for seed in range(given.seed, given.seed + given.towns):
        town = _Town(seed)
        shares = taught(town, given.teaching)
        errors += [
            abs(percent_of(shares, zone) - 100 * share)
            for zone, share in town.follows.items()
        ]
        for number in range(given.teaching, given.teaching + given.days):
            one, other = both(town, number, shares)
            naive.append(one)
            ours.append(other)
        sys.stderr.write(f"town {seed}: {shares_in_words(shares)}\n")
    return {
        "days": len(naive),
        "share_error_points": round(sum(errors) / len(errors), 1),
        **figures(naive, ours),
    }


def figures(naive: Sequence[Day], ours: Sequence[Day]) -> dict[str, Any]:
    """Return each figure of both ways, and the mean difference with its 95 % interval."""
    found: dict[str, Any] = {}
    for name in Day.__slots__:
        one, other = ([getattr(day, name) for day in days] for days in (naive, ours))
        off = paired_difference(one, other)
        found[name] = {
            "naive": round(sum(one) / len(one), 1),
            "ours": round(sum(other) / len(other), 1),
            "difference": [round(each, 1) for each in (off.mean, off.low, off.high)],
        }
    cost = found["cost_minor"]
    found["better_pct"] = round(100 * (1 - cost["ours"] / cost["naive"]), 2)
    return found


def shares_in_words(shares: Mapping[str, Followed]) -> str:
    """Say what was learned."""
    return ", ".join(f"{key} {100 * each.share:.0f} %" for key, each in shares.items())


def taught(town: _Town, days: int) -> dict[str, Followed]:
    """Let the house's learner see the first days; return the parameter that it makes."""
    tallies = Tallies()
    last = None
    for number in range(days):
        drops, problem = town.day(number)
        plan = solve(problem)
        for van, planned in enumerate(sequences(plan)):
            driven = town.driven(planned, drops, problem, number, 0, van)
            fact = fact_of(f"van {van}", number, planned, driven, drops)
            last = fact.stops[-1].completed.occurred_at
            tallies.add(adherence.observed(fact))
    if last is None:
        raise ValueError("nothing was driven to learn from")
    known = means(adherence.figures(tallies.of(adherence.KIND), grown(last)))
    begins = f"kind:{adherence.NEXT}@"
    return {
        f"zone:{key.removeprefix(begins)}": Followed(share)
        for key, share in sorted(known.items())
        if key.startswith(begins)
    }


def both(town: _Town, number: int, shares: Mapping[str, Followed]) -> tuple[Day, Day]:
    """Plan a later day both ways with the same number of rounds, and drive both."""
    drops, plain = town.day(number)
    late = round(DEFAULTS.expected_late_minor_per_min * 1000 / 60)
    expecting = replace(
        plain,
        jobs=tuple(
            replace(job, followed_percent=percent_of(shares, drop.zone))
            for job, drop in zip(plain.jobs, drops, strict=True)
        ),
        objective=replace(plain.objective, late_milli_per_s=late),
    )
    # The expecting plan searches three times a quarter more: the naive one as much.
    naive = solve(plain, ROUNDS * 7 // 4)
    ours = solve(expecting)
    return (
        drive_both_ways(town, number, drops, plain, naive),
        drive_both_ways(town, number, drops, plain, ours),
    )


def solve(problem: Problem, rounds: int = ROUNDS) -> Solution:
    """Plan a day as the house does, by how it will be followed where that is known."""
    stop = Stop(solutions=rounds, time_limit_s=300)
    found = plan_expecting(open_engine(ENGINE), problem, stop=stop, seed=SEED)
    faults = validate(problem, found)
    if faults:
        raise AssertionError(f"the plan breaks a rule: {faults[0]}")
    return found


def drive_both_ways(
    town: _Town,
    number: int,
    drops: Sequence[Drop],
    problem: Problem,
    solution: Solution,
) -> Day:
    """Drive a day's plan some times; lateness costs what the parameter says."""
    jobs = {job.id: job for job in problem.jobs}
    late_s = cost_milli = 0
    for again in range(DRIVES):
        roads = town.roads(problem, number, again)
        for route in solution.routes:
            van = int(route.vehicle_id.split()[1])
            planned = [int(visit.job_id) for visit in route.visits]
            driven = town.driven(planned, drops, problem, number, again, van)
            late, cost = _driven_route(problem, jobs, route, driven, roads)
            late_s, cost_milli = late_s + late, cost_milli + cost
    left = solution.cost.unserved_milli
    driving = (cost_milli / DRIVES + left) / 1000
    late_min = late_s / DRIVES / 60
    price = DEFAULTS.expected_late_minor_per_min
    return Day(driving + late_min * price, late_min, driving)


def _driven_route(
    problem: Problem,
    jobs: Mapping[str, Job],
    route: RoutePlan,
    driven: Sequence[int],
    roads: Roads,
) -> tuple[int, int]:
    """Return the lateness of a driven route in seconds, and its cost in milli."""
    [real], metres = roads.durations_s, problem.matrices[0].distances_m
    car = next(one for one in problem.vehicles if one.id == route.vehicle_id)
    now_s, here, late_s, along_m = route.departure_s, 0, 0, 0
    for stop in driven:
        now_s += int(real[here, stop])
        along_m += int(metres[here, stop])
        for window in jobs[str(stop)].windows:
            now_s = max(now_s, window.start_s)
            late_s += max(0, now_s - window.end_s + 1)
        now_s += roads.services_s[str(stop)]
        here = stop
    now_s += int(real[here, 0])
    along_m += int(metres[here, 0])
    over_s = max(0, now_s - car.end_s)
    cost_milli = (
        (now_s - route.departure_s) * car.cost_per_s_milli
        + along_m * car.cost_per_m_milli
        + over_s * car.overtime_cost_per_s_milli
    )
    return late_s, cost_milli
