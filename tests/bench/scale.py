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
import threading
from collections.abc import Iterator
from math import log
from pathlib import Path
from statistics import linear_regression
from typing import Any

from django.conf import settings
from django.core.management import CommandError

GROWTH = (1000, 2000, 5000, 10_000, 20_000)
SAMPLED_EVERY_S = 0.1
ORDERS_A_DEPOT = 2500
"""So many orders a depot has where `--depots` names no number."""
GROWING = ("seconds", "processor_s", "peak_mb")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


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


class Watch:
    """Samples the memory of a process and all below it, as Linux tells it.

    Pages that processes share are counted for each: it is the most it can be.
    """

    def __init__(self, pid: int) -> None:
        """Begin to look."""
        self._pid = pid
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> int:
        """Return the most megabytes that were seen."""
        self._over.set()
        self._thread.join()
        return round(self._peak / 1e6)

    def _run(self) -> None:
        while not self._over.wait(SAMPLED_EVERY_S):
            self.look()

    def look(self) -> None:
        """Take a sample now."""
        self._peak = max(self._peak, sum(map(resident, family(self._pid))))


def family(pid: int) -> set[int]:
    """Return a process and all that descend from it."""
    parents = dict(parents_by_process())
    found = {pid}
    while True:
        more = {one for one, parent in parents.items() if parent in found} | found
        if more == found:
            return found
        found = more


def parents_by_process() -> Iterator[tuple[int, int]]:
    """Yield process and parent, of all that there are."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since
        yield int(path.parent.name), int(after_name[1])


def processor_s(pid: int) -> float:
    """Return the seconds of a core that a process and all that descend from it took.

    Those that have ended are counted with whoever waited for them.
    """
    return sum(map(ticks, family(pid))) / TICKS_A_SECOND


def ticks(pid: int) -> int:
    """Return what a process took, with its ended children; 0 where it is gone."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, after_name[11:15]))


def resident(pid: int) -> int:
    """Return the bytes of memory that a process has; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0
