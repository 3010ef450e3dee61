"""`bench eta`: does the 90 % interval hold, by zone and by hour, in a surge, on real days?

Online throughout: an interval is told with what had come by then, and judged later. The
first days teach only. Peers in the same run: one quantile of all past errors (split
conformal, `global`), the normal distribution's interval that stood before (`normal`), and,
for the width, the one quantile that covers as much as ours, chosen afterwards. One width
for all can be narrow by missing what is far ahead nearly always: so coverage is told by
horizon, and judged is the interval score, beside the best that one quantile can have.

In the simulation an interval counts as it stood when the driver came, and as it stood up
to 80 minutes before. What was told hours before is given apart (`told_first`): at seven
nobody knows of a surge at half past nine.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.routes.tellings import FIRST_IS_KEPT
from tests.bench._eta_outcomes import Outcome, figures
from tests.bench._eta_real import pickups_of, tell_pickups, tell_trips, trips_of
from tests.bench._surge_days import Driven, Weeks, working_days

TRIPS = "trips/nyc_tlc_9692_trips.csv"
PICKUPS = "orders/lade_pickup_5cities_6190.csv"


def main(argv: list[str]) -> dict[str, Any]:
    """Drive the weeks and tell the real trips; return the figures."""
    parser = argparse.ArgumentParser(prog="bench eta")
    parser.add_argument("--days", type=int, default=48)
    parser.add_argument("--teaching", type=int, default=12)
    parser.add_argument("--drivers", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--data", type=Path, default=Path(settings.BASE_DIR).parent / "shared" / "data"
    )
    given = parser.parse_args(argv)
    weeks = Weeks(days=given.days, drivers=given.drivers, seed=given.seed)
    return {
        "simulation": simulation(weeks, given.teaching),
        "nyc": _nyc(given.data / TRIPS),
        "lade": _lade(given.data / PICKUPS),
    }


def simulation(weeks: Weeks, teaching: int) -> dict[str, Any]:
    """Return the figures of simulated weeks with their surges."""
    outcomes = list(Driven(weeks, learns=True).outcomes())
    first = working_days(teaching + 1)[-1]
    live = [each for each in outcomes if each.telling.band != FIRST_IS_KEPT]
    early = [each for each in outcomes if each.telling.band == FIRST_IS_KEPT]
    found = _figures("simulation", live, sum(each.day < first for each in live))
    surge = [each for each in live if each.is_surge]
    of_surge = figures(surge, live[:1])
    told_first = figures([each for each in early if each.day >= first], early[:1])
    quiet = [each for each in early if each.day >= first and not each.is_surge]
    return found | {
        "surge_n": len(surge),
        "surge_pct": of_surge["coverage_pct"],
        "surge_by_zone": of_surge["by_zone"],
        "surge_by_hour": of_surge["by_hour"],
        "surge_mean_width_s": of_surge["mean_width_s"],
        "surge_normal_pct": of_surge["normal_coverage_pct"],
        "told_first": {
            "n": told_first["n"],
            "coverage_pct": told_first["coverage_pct"],
            "quiet_pct": figures(quiet, early[:1])["coverage_pct"],
            "mean_width_s": told_first["mean_width_s"],
        },
    }


def _nyc(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"skipped": "The file of trips is not there."}
    return _figures("nyc", *tell_trips(trips_of(path), warm_days=3))


def _lade(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"skipped": "The file of pickups is not there."}
    return _figures("lade", *tell_pickups(pickups_of(path)))


def _figures(name: str, outcomes: Sequence[Outcome], warm: int) -> dict[str, Any]:
    found = figures(outcomes[warm:], outcomes[:warm])
    sys.stderr.write(
        f"{name}: {found['coverage_pct']} % of {found['n']}, {found['mean_width_s']} s"
        f" wide, score {found['interval_score_s']}; one quantile:"
        f" {found['global_coverage_pct']} %, {found['global_width_s']} s at the same"
        f" coverage, score {found['global_interval_score_s']} at best; normal:"
        f" {found['normal_coverage_pct']} %, {found['normal_mean_width_s']} s\n"
    )
    return found
