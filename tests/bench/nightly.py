"""`bench nightly`: what a night's learning costs at 100,000 stops, and the night after.

Driven days are laid straight into the tables of DATABASE_URL (`_learning_days`). The
first night reads them all. Then 1,000 more stops are driven, and the second night reads
those: what it costs must follow what is new, not what was read before. With `--kills N`
the first night is killed N times on its way and goes on; in the end all is forgotten and
learned without a break, and must come to the same.
"""

import argparse
import resource
import subprocess
import sys
import time
from math import isclose
from typing import TYPE_CHECKING, Any

from tests.serving import ROOT

if TYPE_CHECKING:
    from tests.bench._learning_days import LearningDays

NEEDS_DATABASE = True

MOVED = 0.002
"""An estimate has a new version when it moved by this share: so close is the same."""


def main(argv: list[str]) -> dict[str, Any]:
    """Lay `--stops` out, learn, lay `--next` more out, learn again; return the figures."""
    from apps.core.actors import SYSTEM  # noqa: PLC0415  after Django is set up
    from apps.learning.models import Estimate, Tally  # noqa: PLC0415
    from apps.learning.services import learn  # noqa: PLC0415
    from tests.bench._learning_days import LearningDays  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="bench nightly")
    parser.add_argument("--stops", type=int, default=100_000)
    parser.add_argument("--next", type=int, default=1_000)
    parser.add_argument(
        "--kills", type=int, default=0, help="Kill the first night so often (SIGKILL)."
    )
    given = parser.parse_args(argv)
    days = LearningDays.new()
    days.lay_out(given.stops)
    sys.stderr.write(f"{given.stops} stops are laid out\n")
    kills = [_killed(days, n + 1, given.kills + 1) for n in range(given.kills)]
    before_mb = _peak_mb()
    started = time.perf_counter()
    first = learn(depot=days.depot, by=SYSTEM, now=days.now, told=_told)
    seconds = time.perf_counter() - started
    peak_mb = _peak_mb()
    days.lay_out(given.next)
    started = time.perf_counter()
    second = learn(depot=days.depot, by=SYSTEM, now=days.now, told=_told)
    next_s = time.perf_counter() - started
    started = time.perf_counter()
    third = learn(depot=days.depot, by=SYSTEM, now=days.now, told=_told)
    return {
        "stops": first.stops,
        "seconds": round(seconds, 1),
        "peak_mb": round(peak_mb),
        "before_mb": round(before_mb),
        "estimates": Estimate.objects.filter(depot=days.depot, until_at=None).count(),
        "tallies": Tally.objects.filter(depot=days.depot).count(),
        "next_night_stops": second.stops,
        "next_night_s": round(next_s, 2),
        "next_night_routes": second.changed,
        "again_changed": third.changed,
        "again_s": round(time.perf_counter() - started, 2),
        **(_compared(days, kills) if kills else {}),
    }


def _killed(days: "LearningDays", number: int, of: int) -> int:
    """Let a process of its own learn, kill it part of the way; return the routes counted."""
    from apps.learning.models import Counted  # noqa: PLC0415
    from apps.routes.models import Route  # noqa: PLC0415

    counted = Counted.objects.filter(depot=days.depot)
    goal = Route.objects.filter(depot=days.depot).count() * number // of
    command = [sys.executable, "manage.py", "learn", "--depot", days.depot.code]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while counted.count() < goal and process.poll() is None:
            time.sleep(0.05)
        process.kill()
    sys.stderr.write(f"killed with {counted.count()} routes counted\n")
    return counted.count()


def _compared(days: "LearningDays", kills: list[int]) -> dict[str, Any]:
    """Forget all and learn it without a break; tell whether it comes to the same."""
    from apps.core.actors import SYSTEM  # noqa: PLC0415
    from apps.learning.models import Counted, Estimate, Reading, Tally  # noqa: PLC0415
    from apps.learning.services import learn  # noqa: PLC0415

    def figures() -> dict[tuple[str, str], tuple[int, float, float]]:
        rows = Estimate.objects.filter(depot=days.depot, until_at=None)
        return {(r.kind, r.key): (r.n, r.mean, r.spread) for r in rows.iterator()}

    mine = figures()
    for model in (Estimate, Tally, Counted, Reading):
        model._default_manager.filter(depot=days.depot).delete()
    learn(depot=days.depot, by=SYSTEM, now=days.now, told=_told)
    whole = figures()
    off = [
        key
        for key in mine.keys() | whole.keys()
        if key not in mine
        or key not in whole
        or mine[key][0] != whole[key][0]
        or not isclose(mine[key][1], whole[key][1], rel_tol=MOVED, abs_tol=1e-9)
    ]
    return {
        "killed_at_routes": kills,
        "same_as_uninterrupted": not off,
        "estimates_that_differ": len(off),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _told(what: str, done: int, of: int) -> None:
    sys.stderr.write(f"\r{what}: {done} of {of}      ")
