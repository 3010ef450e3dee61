"""`bench engines`: each engine is killed or stopped while it plans; who answers instead.

On a database of its own beside that of `DATABASE_URL`, with a worker of its own. A day is
planned again and again by the worker's task; the solving processes that it begins are
struck from outside: killed, or stopped so that they hang. Each plan must serve all orders
all the same, else it ends with an error; what came when, who made it, in which mode, and
why, is told step by step. `struck` counts the blows that met a process still at work.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import CommandError

from tests.bench._live_day import Office, open_office, told
from tests.bench._scratch import Scratch, scratch_anywhere
from tests.bench.event import working
from tests.bench.sockets import said
from tests.processes import pids_of

SOLVES = "solving"
"""How a solving process calls itself."""

RUNS_S = 0.3
"""A solving process is struck when it has been at work for so long."""

LOOKS_S = 0.05
WAIT_S = 300.0

KILLED, STOPPED = signal.SIGKILL, signal.SIGSTOP
CASES: Final[Mapping[str, Sequence[signal.Signals]]] = {
    "nothing happens": (),
    "PyVRP is killed": (KILLED,),
    "PyVRP hangs": (STOPPED,),
    "PyVRP and OR-Tools are killed": (KILLED, KILLED),
    "PyVRP hangs, OR-Tools is killed": (STOPPED, KILLED),
}
"""What happens to the first, the second… solving process of a plan."""

Step = tuple[float, str]
"""Milliseconds since the plan was asked for, and what was then."""


def main(argv: list[str]) -> dict[str, Any]:
    """Strike in each way; return who answered, after how long, with what left out."""
    parser = argparse.ArgumentParser(prog="bench engines", description=__doc__)
    parser.add_argument("--drivers", type=int, default=4)
    parser.add_argument("--orders", type=int, default=120)
    given = parser.parse_args(argv)
    with scratch_anywhere() as place:
        cases = asyncio.run(strike_all(place, given))
    if lost := [name for name, case in cases.items() if case["served"] < given.orders]:
        raise CommandError(f"Orders were left out: {', '.join(lost)}. {cases}")
    return {
        "database": "sqlite" if settings.IS_SQLITE else "postgresql",
        **vars(given),
        "cases": cases,
    }


async def strike_all(place: Scratch, given: argparse.Namespace) -> dict[str, Any]:
    """Plan the day once a case; return each case's figures."""
    found = {}
    module = "tests.bench._engines_day"
    with open_office(module, place.environment, given.drivers, given.orders) as office:
        json.loads(await said(office))
        with working(place):
            for name, blows in CASES.items():
                steps, plan = await strike(office, place, blows)
                sys.stderr.write(f"{name}\n")
                sys.stderr.writelines(f"  {ms:8.0f} ms  {what}\n" for ms, what in steps)
                found[name] = {
                    "seconds": round(steps[-1][0] / 1000, 1),
                    "struck": sum(" gets SIG" in what for _, what in steps),
                    "status": plan["status"],
                    "engine": plan["engine"],
                    "mode": plan["mode"],
                    "served": plan["totals"].get("served", 0),
                    "unserved": plan["totals"].get("unserved", given.orders),
                    "cost_minor": plan["totals"].get("cost_minor"),
                    "reasons": plan["reasons"],
                }
    return found


async def strike(
    office: Office, place: Scratch, blows: Sequence[signal.Signals]
) -> tuple[list[Step], dict[str, Any]]:
    """Ask for a plan, strike its solving processes in turn; return what was when.

    Raises:
        TimeoutError: the plan has not ended.
    """
    began = time.time()
    number = await told(office, "plan 0")
    data_dir = Path(place.environment["DATA_DIR"])
    steps, left, seen = [(0.0, f"plan {number} is asked for")], list(blows), set[int]()
    while time.time() - began < WAIT_S:
        for pid in pids_of(data_dir, SOLVES) - seen:
            seen.add(pid)
            steps.append((_ms(began), f"solving process {len(seen)} begins"))
            if left:
                await asyncio.sleep(RUNS_S)
                steps.append((_ms(began), _struck(pid, left.pop(0), len(seen))))
        plan = json.loads(await told(office, f"look {number}"))
        if plan["has_ended"]:
            steps += _of_the_journal(plan, began)
            return sorted(steps, key=lambda step: step[0]), plan
        await asyncio.sleep(LOOKS_S)
    raise TimeoutError(f"Plan {number} has not ended.")


def _struck(pid: int, blow: signal.Signals, number: int) -> str:
    try:
        os.kill(pid, blow)
    except ProcessLookupError:
        return f"solving process {number} had ended before it was struck"
    return f"solving process {number} gets {blow.name}"


def _of_the_journal(plan: dict[str, Any], began: float) -> list[Step]:
    found = []
    for entry in plan["entries"]:
        what = f"journal: {entry['kind']} {entry['text']}".rstrip()
        if entry["kind"] == "plan.ready":
            what += f" by {plan['engine']}, mode {plan['mode']}: " + " ".join(
                plan["reasons"]
            )
        found.append((entry["ms"] - began * 1000, what))
    return found


def _ms(began: float) -> float:
    return (time.time() - began) * 1000
