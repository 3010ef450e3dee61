"""`bench scale`: a day of many orders over several depots, planned as the worker does it.

The days are laid into a database of their own, and each depot's plan is made by the
task's own function: read, planned in parts where it is large, judged, recorded, stored.
A process apart does it, so that its memory with all its children's can be watched. With
`--growth`, sizes from 1,000 to 20,000 follow each other, and the power of the orders by
which time and memory grow is fitted to them. The peer is one search of the whole day with
the same seconds of processor, at a size that it can do.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from math import log
from statistics import linear_regression
from typing import Any

from django.conf import settings
from django.core.management import CommandError

from tests.bench._family import Watch

GROWTH = (1000, 2000, 5000, 10_000, 20_000)
ORDERS_A_DEPOT = 2500
"""So many orders a depot has where `--depots` names no number."""
GROWING = ("seconds", "processor_s", "peak_mb")


def main(argv: list[str]) -> dict[str, Any]:
    """Plan a day of `--orders` over `--vehicles`; return seconds, memory, left out."""
    parser = argparse.ArgumentParser(prog="bench scale")
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--vehicles", type=int, default=100)
    parser.add_argument(
        "--depots", type=int, help="Default: one for every 2,500 orders."
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--growth", action="store_true", help="Sizes from 1,000 to 20,000."
    )
    parser.add_argument(
        "--sizes", default="", help="Other sizes for --growth, with commas."
    )
    parser.add_argument(
        "--peer-orders", type=int, default=600, help="The peer's size; 0: no peer."
    )
    given = parser.parse_args(argv)
    given.depots = given.depots or depots_of(given.orders)
    figures = planned(given.orders, given.vehicles, given.depots, given.seed)
    tell(figures)
    if given.growth:
        sizes = [int(word) for word in given.sizes.split(",") if word] or [*GROWTH]
        figures["growth"] = growth(sizes, given, {given.orders: dict(figures)})
        figures["exponents"] = exponents(figures["growth"])
    if given.peer_orders:
        figures["peer"] = run_apart(["peer", str(given.peer_orders), str(given.seed)])
    return figures


def growth(
    sizes: list[int], given: argparse.Namespace, known: dict[int, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Plan days of all sizes, vehicles and depots in proportion; `known` ones are taken."""
    rows = []
    for size in sizes:
        if size in known:
            rows.append(known[size])
            continue
        share = size / given.orders
        depots = max(1, round(given.depots * share))
        vehicles = max(2 * depots, round(given.vehicles * share))
        rows.append(planned(size, vehicles, depots, given.seed))
        tell(rows[-1])
    return rows


def depots_of(orders: int) -> int:
    """Return how many depots share a day where nobody says."""
    return max(1, round(orders / ORDERS_A_DEPOT))


def exponents(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Fit by which power of the orders time and memory grow; 1 is linear.

    The slope of the least squares through all rows, both axes as logarithms.
    """
    across = [log(row["orders"]) for row in rows]
    if len({*across}) < 2:
        return {}
    return {
        name: round(
            linear_regression(across, [log(row[name]) for row in rows]).slope, 2
        )
        for name in GROWING
    }


def planned(orders: int, vehicles: int, depots: int, seed: int) -> dict[str, Any]:
    """Plan one day in a process apart."""
    words = ["day", str(orders), str(vehicles), str(depots), str(seed)]
    return run_apart(words)


def tell(row: dict[str, Any]) -> None:
    """Print a row of the table for people, its head first."""
    names = ("orders", "vehicles", "depots", "seconds", "peak_mb", "unserved")
    parts = (
        *("plan_s", "store_s", "processor_s", "processor_ms_an_order"),
        *("own_processor_s", "cost_an_order"),
    )
    line = "".join(f"{row[name]!s:>22}" for name in (*names, *parts))
    head = "".join(f"{name:>22}" for name in (*names, *parts))
    sys.stderr.write(f"{head}\n{line}\n")


def run_apart(words: list[str]) -> dict[str, Any]:
    """Run `_scale_day` with a database of its own; watch its memory with its children's.

    Raises:
        CommandError: it failed; its last words say how.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder}/scale.sqlite3",
            "REDIS_URL": "",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "ERROR",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "tests.bench._scale_day", *words],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
        ) as child:
            watch = Watch(child.pid)
            answer, _ = child.communicate()
            peak_mb = watch.stop()
    if child.returncode:
        raise CommandError(f"The measured process ended with {child.returncode}.")
    figures: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return figures | {"peak_mb": peak_mb}
