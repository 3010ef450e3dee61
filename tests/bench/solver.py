"""`bench solver`: engines side by side on instances with best known solutions.

Each engine is asked as planning asks it: the problem is built, crosses to a process of
its own, is solved there for `--seconds`, and comes back; the judge passes the answer, and
it is packed as the ledger stores it. `pyvrp-plain` is the peer: PyVRP with its defaults,
without any of that.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import CommandError

from apps.routes.solver.births import ROOT
from apps.routes.solver.codec import SolveRequest, encode_request, encode_solution
from apps.routes.solver.port import Stop, engine_names
from apps.routes.solver.process import (
    Effort,
    SolverFailed,
    SolverTimeout,
    solve_in_process,
)
from apps.routes.solver.validate import validate
from tests.bench._vrptw import (
    Instance,
    Named,
    NotAnInstance,
    find_instances,
    judged_cost,
    read_instance,
)

PLAIN = "pyvrp-plain"
GRACE_S = 120
"""What a loaded machine may take beyond the seconds before a solve is given up."""


@dataclass(frozen=True, slots=True)
class Task:
    """One engine on one instance."""

    engine: str
    named: Named
    seconds: int
    seed: int


def main(argv: list[str]) -> dict[str, Any]:
    """Return the mean gap in per cent by engine, and all figures by instance."""
    given = _arguments(argv)
    engines = given.engines.split(",")
    if unknown := {*engines} - {*engine_names(), PLAIN}:
        raise CommandError(f"No such engine: {', '.join(sorted(unknown))}")
    try:
        named = list(_chosen(find_instances(given.instances), given))
    except NotAnInstance as error:
        raise CommandError(str(error)) from error
    tasks = [
        Task(engine, one, given.seconds, given.seed)
        for one in named
        for engine in engines
    ]
    rows: dict[str, dict[str, dict[str, Any]]] = {engine: {} for engine in engines}
    with ThreadPoolExecutor(given.jobs) as pool:
        for task, row in zip(tasks, pool.map(_told, tasks), strict=True):
            rows[task.engine][task.named.name] = row
    return {
        "seconds": given.seconds,
        "jobs": given.jobs,
        "rounding": "distances and travel times cut to one decimal (DIMACS 2021)",
        "engines": {engine: summary(found) for engine, found in rows.items()},
    }


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench solver")
    parser.add_argument("--instances", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seconds", type=int, default=5, help="For each solve.")
    parser.add_argument("--engines", default=f"pyvrp,{PLAIN}", metavar="A,B")
    parser.add_argument("--jobs", type=int, default=1, help="Solves at a time.")
    parser.add_argument("--limit", type=int, help="So many of the instances, spread.")
    parser.add_argument("--least", type=int, default=0, help="Customers at least.")
    parser.add_argument("--most", type=int, default=10**6, help="Customers at most.")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(argv)


def _chosen(found: Sequence[Named], given: argparse.Namespace) -> Iterator[Named]:
    """Take the instances of the wanted sizes, `--limit` of them evenly spread."""
    fit = [
        one
        for one in found
        if given.least <= read_instance(one.path).customers <= given.most
    ]
    if not fit:
        raise NotAnInstance("No instance has as many customers as are asked for.")
    wanted = min(given.limit or len(fit), len(fit))
    return (fit[number * len(fit) // wanted] for number in range(wanted))


def _told(task: Task) -> dict[str, Any]:
    """Solve, and say on stderr how it went."""
    row = solve(task)
    sys.stderr.write(f"{task.named.name} {task.engine} {json.dumps(row)}\n")
    return row


def solve(task: Task) -> dict[str, Any]:
    """Solve one instance by one engine; a failure is a row that says so."""
    instance = read_instance(task.named.path)
    row: dict[str, Any] = {
        "folder": task.named.folder,
        "customers": instance.customers,
        "best_known": task.named.best_known,
    }
    try:
        found = (
            _by_peer(task, instance)
            if task.engine == PLAIN
            else _by_port(task, instance)
        )
    except (
        SolverFailed,
        SolverTimeout,
        subprocess.SubprocessError,
        ValueError,
    ) as error:
        return {**row, "cost": None, "gap_pct": None, "problem": str(error)[-300:]}
    best = task.named.best_known
    gap = None if best is None else round(100 * (found["cost"] / best - 1), 4)
    return {**row, "gap_pct": gap, **found}


def _by_port(task: Task, instance: Instance) -> dict[str, Any]:
    """Go the whole way that a plan goes; time each part of it."""
    efforts: list[Effort] = []
    began, began_cpu = time.monotonic(), time.thread_time()
    problem = instance.problem()
    built = time.monotonic()
    stop = Stop(time_limit_s=task.seconds)
    solution = solve_in_process(
        problem,
        engine=task.engine,
        stop=stop,
        seed=task.seed,
        timeout_s=task.seconds + GRACE_S,
        on_effort=efforts.append,
    )
    solved = time.monotonic()
    if violations := validate(problem, solution):
        raise ValueError(f"infeasible: {violations[0]}")
    validated = time.monotonic()
    request = SolveRequest(
        problem=problem, engine=task.engine, stop=stop, seed=task.seed
    )
    for packed in (encode_request(request), encode_solution(solution)):
        zlib.compress(packed, 6)
    stored = time.monotonic()
    (effort,) = efforts
    if solution.unserved:
        raise ValueError(f"{len(solution.unserved)} customers left out")
    around_cpu_s = time.thread_time() - began_cpu
    routes = [
        [int(visit.job_id) for visit in route.visits] for route in solution.routes
    ]
    return {
        "cost": judged_cost(instance, routes),
        "routes": len(routes),
        "rounds": solution.solutions,
        "seconds": round(stored - began, 3),
        "build_s": round(built - began, 3),
        "engine_s": effort.engine_s,
        "engine_cpu_s": effort.engine_cpu_s,
        "process_start_ms": round(1000 * effort.start_s, 1),
        "cross_s": round(solved - built - effort.engine_s, 3),
        "validate_s": round(validated - solved, 3),
        "store_s": round(stored - validated, 3),
        "overhead_pct": round(
            100 * (stored - began - effort.engine_s) / task.seconds, 2
        ),
        "around_cpu_pct": round(100 * around_cpu_s / task.seconds, 2),
        "peak_mb": round(effort.peak_kb / 1024, 1),
    }


def _by_peer(task: Task, instance: Instance) -> dict[str, Any]:
    said = subprocess.run(
        [
            *(sys.executable, "-m", "tests.bench._plain_pyvrp"),
            *(str(task.named.path.resolve()), str(task.seconds), str(task.seed)),
        ],
        cwd=ROOT,
        capture_output=True,
        timeout=task.seconds + GRACE_S,
        check=True,
    )
    found = json.loads(said.stdout)
    return {
        "cost": judged_cost(instance, found["routes"]),
        "routes": len(found["routes"]),
        "rounds": found["rounds"],
        "seconds": round(found["seconds"], 3),
        "peak_mb": round(found["peak_kb"] / 1024, 1),
    }


def summary(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Sum up an engine's rows: over all, and over those of each size."""
    sizes = sorted({row["customers"] for row in rows.values()})
    return {
        **_means(list(rows.values())),
        "by_customers": {
            str(size): _means(
                [row for row in rows.values() if row["customers"] == size]
            )
            for size in sizes
        },
        "instances": rows,
    }


def _starts(rows: list[dict[str, Any]]) -> dict[str, float] | None:
    """Return how long the first solve's process took to begin, and how the others'.

    What bears them is begun with the first that this process asks for.
    """
    starts = [row["process_start_ms"] for row in rows if "process_start_ms" in row]
    if not starts:
        return None
    first, others = starts[0], sorted(starts[1:] or starts)
    return {
        "first": first,
        "p50": others[len(others) // 2],
        "p95": others[len(others) * 95 // 100],
        "worst": others[-1],
    }


def _means(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the mean gap of what was solved, the worst memory, what the port cost."""
    gaps = [row["gap_pct"] for row in rows if row["gap_pct"] is not None]
    peaks = [row["peak_mb"] for row in rows if "peak_mb" in row]
    overheads = [row["overhead_pct"] for row in rows if "overhead_pct" in row]
    return {
        "mean_gap_pct": round(statistics.fmean(gaps), 3) if gaps else None,
        "worst_gap_pct": round(max(gaps), 3) if gaps else None,
        "solved": len(rows) - sum(row["cost"] is None for row in rows),
        "failed": sum(row["cost"] is None for row in rows),
        "peak_mb": max(peaks, default=None),
        "overhead_pct": round(statistics.fmean(overheads), 2) if overheads else None,
        "process_start_ms": _starts(rows),
    }
