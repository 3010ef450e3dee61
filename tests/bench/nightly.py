"""`bench nightly`: what a night's learning costs at 100,000 stops, and the night after.

Driven days are laid straight into the tables of DATABASE_URL (`_learning_days`). The
first night reads them all. Then 1,000 more stops are driven, and the second night reads
those: what it costs must follow what is new, not what was read before.
"""

import argparse
import resource
import sys
import time
from typing import Any

NEEDS_DATABASE = True


def main(argv: list[str]) -> dict[str, Any]:
    """Lay `--stops` out, learn, lay `--next` more out, learn again; return the figures."""
    from apps.core.actors import SYSTEM  # noqa: PLC0415  after Django is set up
    from apps.learning.models import Estimate, Tally  # noqa: PLC0415
    from apps.learning.services import learn  # noqa: PLC0415
    from tests.bench._learning_days import LearningDays  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="bench nightly")
    parser.add_argument("--stops", type=int, default=100_000)
    parser.add_argument("--next", type=int, default=1_000)
    given = parser.parse_args(argv)
    days = LearningDays.new()
    days.lay_out(given.stops)
    sys.stderr.write(f"{given.stops} stops are laid out\n")
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
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _told(what: str, done: int, of: int) -> None:
    sys.stderr.write(f"\r{what}: {done} of {of}      ")
