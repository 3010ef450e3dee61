"""`bench replan`: events of running days, answered at once and then searched.

Two fifths of each day are done, the vehicles are at the stop that they are committed to;
five orders come, two are cancelled, a driver is late by 25 of 600 minutes. Measured are
the first valid plan, the time until the search of the touched part is near what a long
search of the whole day finds, and how much of the drivers' plan that leaves as it was.
The peers start from nothing: the same engine, and OR-Tools, on the whole of what is left.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import CommandError

from apps.routes.parameters import DEFAULTS
from apps.routes.solver.live import LivePlan
from apps.routes.solver.port import Stop, open_engine
from apps.routes.solver.problem import Problem
from apps.routes.solver.solution import Solution
from tests.bench._curve import draw_curve
from tests.bench._mending import mend_often, mending_figures, percentile
from tests.bench._plain_pyvrp import planned_routes
from tests.bench._replanned import (
    Part,
    changed_arcs_pct,
    mended,
    own_cost_milli,
    priced,
    touched_part,
)
from tests.bench._running import (
    DATA,
    SETS,
    Instance,
    RunningDay,
    instance_files,
    read_instance,
    read_routes,
    running_day,
    whole_problem,
)
from tests.routes.solver.sequences import plan_of

SEARCH_S = {"100": 1, "400": 2, "1000": 3}
"""Seconds of each half of a search: from the mended plan, and from none."""

CURVE_SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Prices of a changed arc on the curve, as shares of the mean arc."""

CURVE_LIMIT_S = 120
"""Far more than the rounds of a point on the curve take."""

SHARE = DEFAULTS.resequence_percent / 100
PEERS = ("pyvrp", "ortools")


@dataclass(frozen=True, slots=True)
class Day:
    """A running day with its event, and where its places lie."""

    running: RunningDay
    places: dict[int, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Searched:
    """One event, searched: whole costs by seconds, and the plan that came of it."""

    steps: list[tuple[float, int]]
    best: Solution
    part: Part

    def seconds_to(self, most_milli: float) -> float | None:
        """Return when a plan that costs at most so much was there."""
        return next((s for s, milli in self.steps if milli <= most_milli), None)

    @property
    def whole_milli(self) -> int:
        """What the whole day costs with the best plan of the part."""
        return self.part.rest_milli + self.best.cost.total_milli


def main(argv: list[str]) -> dict[str, Any]:
    """Return the figures of each size, and the curve of cost against disruption."""
    given = _arguments(argv)
    sizes = given.sizes.split(",")
    if unknown := {*sizes} - {*SETS}:
        raise CommandError(f"No such size: {', '.join(sorted(unknown))}")
    found = {size: _measure(size, given) for size in sizes}
    curve_size = given.curve_size or sizes[min(1, len(sizes) - 1)]
    curve = _curve(curve_size, given) if given.curve_events else []
    if given.draw and curve:
        draw_curve(curve, given.draw, title=f"{curve_size} stops")
    return {
        "sizes": found,
        "curve_size": curve_size,
        "curve": curve,
        "events": given.events,
        "repairs": given.repairs,
        "reference_seconds": given.reference_seconds,
    }


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench replan")
    parser.add_argument("--sizes", default="100,400,1000", metavar="A,B")
    parser.add_argument("--events", type=int, default=20, help="Searched, a size.")
    parser.add_argument("--repairs", type=int, default=300, help="Mended, a size.")
    parser.add_argument("--instances", type=Path, default=DATA, metavar="DIR")
    parser.add_argument("--reference-seconds", type=int, default=30)
    parser.add_argument(
        "--plan-rounds",
        type=int,
        default=10_000,
        help="Of the peer, for a day's plan where none is known.",
    )
    parser.add_argument("--peer-seconds", type=int, help="Default: as long as ours.")
    parser.add_argument("--curve-size", choices=sorted(SETS))
    parser.add_argument("--curve-events", type=int, default=6, help="0: no curve.")
    parser.add_argument(
        "--no-check-drops",
        dest="check_drops",
        action="store_false",
        help="Do not try every exchange for an order that is left out: none is told.",
    )
    parser.add_argument("--draw", type=Path, metavar="FILE.svg")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(argv)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _days(size: str, count: int, given: argparse.Namespace) -> Iterator[Day]:
    """Drive the instances of a size in turn, each round with another event."""
    files = instance_files(size, given.instances)
    if not files:
        raise CommandError(f"No instance of {size} stops: see --instances.")
    plans: dict[Path, tuple[Instance, Problem, Solution]] = {}
    for number in range(count):
        path = files[number % len(files)]
        if path not in plans:
            plans[path] = _planned(path, given)
        instance, problem, plan = plans[path]
        seed = given.seed + number // len(files)
        running = running_day(problem, plan, seed, f"{instance.name}/{seed}")
        places = {
            n: (float(row[0]), float(row[1])) for n, row in enumerate(instance.rows)
        }
        yield Day(running, places)


def _planned(
    path: Path, given: argparse.Namespace
) -> tuple[Instance, Problem, Solution]:
    """Take the best known routes as the day's plan, or let the peer make one.

    The peer by a count of rounds: days are the same whatever becomes of our search.
    """
    instance = read_instance(path)
    problem, routes = whole_problem(instance), read_routes(path)
    if routes is None:
        routes = planned_routes(path, given.plan_rounds, seed=given.seed)
    names = [vehicle.id for vehicle in problem.vehicles]
    visits = {
        name: [f"{number:04}" for number in route]
        for name, route in zip(names, routes, strict=False)
    }
    return instance, problem, mended(problem, plan_of(visits))


def _solve(
    engine: str, problem: Problem, seconds: int, start: Solution | None, seed: int = 7
) -> Solution:
    return open_engine(engine).solve(
        problem, stop=Stop(time_limit_s=seconds), seed=seed, warm_start=start
    )


def _measure(size: str, given: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of one size."""
    mends = [
        mend_often(day.running, check_drops=given.check_drops)
        for day in _days(size, given.repairs, given)
    ]
    _say(f"{size}: {len(mends)} mended")
    search_s = SEARCH_S[size]
    rows = [_event(day, search_s, given) for day in _days(size, given.events, given)]
    return {
        **mending_figures(mends),
        "drops_after_search": sum(row["left"][0] for row in rows),
        "drops_of_reference": sum(row["left"][1] for row in rows),
        "mended_gap_pct": _middle([row["mended_gap"] for row in rows]),
        "within_1pct_p95_s": _worst([row["within_1"] for row in rows]),
        "within_2pct_p95_s": _worst([row["within_2"] for row in rows]),
        "searched_gap_pct": _middle([row["searched_gap"] for row in rows]),
        "worse_than_mended": sum(row["is_worse"] for row in rows),
        "part_stops": round(statistics.mean(row["part_stops"] for row in rows)),
        "changed_arcs_pct": _mean([row["changed_arcs"] for row in rows]),
        "cost_pct": _mean([row["cost"] for row in rows]),
        "peers": {
            engine: {
                "gap_pct": _middle([row["peers"][engine][0] for row in rows]),
                "changed_arcs_pct": _mean([row["peers"][engine][1] for row in rows]),
            }
            for engine in PEERS
        },
    }


def _event(day: Day, search_s: int, given: argparse.Namespace) -> dict[str, Any]:
    """Answer one event in both steps, and compare with a long search and the peers."""
    running = day.running
    whole = _after(day, SHARE)
    present = mended(whole, running.plan)
    reference = _solve("pyvrp", whole, given.reference_seconds, present)
    best_milli = reference.cost.total_milli
    part = _part(day, whole, present)
    found = _search(part, search_s)
    free_whole = _after(day, 0.0)
    free_present = mended(free_whole, running.plan)
    free = _search(_part(day, free_whole, free_present), search_s)
    peers = {}
    for engine in PEERS:
        seconds = given.peer_seconds or 2 * search_s
        plan = _solve(engine, whole, seconds, None)
        peers[engine] = (
            _gap(plan.cost.total_milli, best_milli),
            changed_arcs_pct(running.plan, plan),
        )
    row = {
        "left": (len(found.best.unserved), len(reference.unserved)),
        "mended_gap": _gap(present.cost.total_milli, best_milli),
        "searched_gap": _gap(found.whole_milli, best_milli),
        "within_1": found.seconds_to(best_milli * 1.01),
        "within_2": found.seconds_to(best_milli * 1.02),
        "is_worse": found.best.cost.total_milli > part.present.cost.total_milli,
        "part_stops": len(part.problem.jobs),
        "changed_arcs": changed_arcs_pct(part.known, found.best),
        "cost": _gap(own_cost_milli(found.best), own_cost_milli(free.best)),
        "peers": peers,
    }
    _say(f"{running.name} {row}")
    return row


def _after(day: Day, share: float) -> Problem:
    """Return the day after its event, with the prices of leaving the drivers' plan."""
    live = LivePlan(day.running.problem, day.running.plan)
    live.take_in(day.running.event)
    return priced(live.problem, day.running.plan, share)


def _part(day: Day, whole: Problem, present: Solution) -> Part:
    running = day.running
    return touched_part(
        whole,
        running.plan,
        present,
        running.event,
        day.places,
        DEFAULTS.search_stops,
    )


def _search(part: Part, seconds: int) -> Searched:
    """Search a part from its plan and, as the product does, from nothing as well.

    The halves share the time: what one of them finds after a second took two.
    """
    problem, rest = part.problem, part.rest_milli
    starts: list[Solution | None] = [part.present]
    if len(problem.jobs) >= DEFAULTS.cold_start_stops:
        starts.append(None)
    steps = [(0.0, rest + part.present.cost.total_milli)]
    best = part.present
    for start in starts:
        began = time.process_time()
        open_engine("pyvrp").solve(
            problem, stop=Stop(solutions=1), seed=DEFAULTS.seed, warm_start=start
        )
        ready = time.process_time()
        found = _solve("pyvrp", problem, seconds, start, DEFAULTS.seed)
        first_s = ready - began
        round_s = (time.process_time() - ready - first_s) / max(1, found.solutions)
        steps += [
            (len(starts) * (first_s + step.solutions * round_s), rest + step.cost_milli)
            for step in found.trace
        ]
        best = min([best, found], key=lambda one: one.cost.total_milli)
    return Searched(sorted(steps), best, part)


def _best_by_count(part: Part, rounds: int) -> Solution:
    """Search a part by so many rounds from its plan and as many from nothing.

    A count repeats: what is left of differences is that of the prices, not the machine's.
    """
    found = [
        open_engine("pyvrp").solve(
            part.problem,
            stop=Stop(solutions=rounds, time_limit_s=CURVE_LIMIT_S),
            seed=DEFAULTS.seed,
            warm_start=start,
        )
        for start in (part.present, None)
    ]
    return min([part.present, *found], key=lambda one: one.cost.total_milli)


def _curve(size: str, given: argparse.Namespace) -> list[dict[str, float]]:
    """Return cost against changed arcs, by the price of a changed arc."""
    found: dict[float, list[tuple[float, int]]] = {share: [] for share in CURVE_SHARES}
    for day in _days(size, given.curve_events, given):
        for share in CURVE_SHARES:
            whole = _after(day, share)
            part = _part(day, whole, mended(whole, day.running.plan))
            best = _best_by_count(part, DEFAULTS.replan_rounds)
            found[share].append(
                (changed_arcs_pct(part.known, best), own_cost_milli(best))
            )
        _say(f"curve: {day.running.name}")
    free = [milli for _, milli in found[0.0]]
    rows = [
        {
            "price_of_mean_arc": share,
            "changed_arcs_pct": _mean([arcs for arcs, _ in found[share]]),
            "cost_pct": _mean(
                [
                    _gap(milli, least)
                    for (_, milli), least in zip(found[share], free, strict=True)
                ]
            ),
        }
        for share in CURVE_SHARES
    ]
    for row in rows:
        _say(
            f"price {row['price_of_mean_arc']:4.2f} of the mean arc: "
            f"{row['changed_arcs_pct']:5.1f} % of the arcs changed, "
            f"cost {row['cost_pct']:+.2f} %"
        )
    return rows


def _gap(milli: int, least_milli: int) -> float:
    return 100 * (milli / max(1, least_milli) - 1)


def _mean(values: Sequence[float]) -> float:
    return round(statistics.mean(values), 3)


def _middle(values: Sequence[float]) -> float:
    """Return the median: one order left out costs as much as a thousand detours."""
    return round(statistics.median(values), 3)


def _worst(values: Sequence[float | None]) -> float | None:
    """Return the 95th percentile of seconds; None where it was not reached."""
    never = float("inf")
    found = percentile([never if one is None else one for one in values], 95)
    return None if found == never else round(found, 3)
