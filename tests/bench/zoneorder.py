"""`bench zoneorder`: plans by the learned order of zones beside plain plans.

On real sequences held back (`_zoneorder_real`, and over all routes by nested
cross-validation, `_zoneorder_crossed`): how near each plan is to what couriers drove, by
the score of the last-mile challenge. On a composed town with a planted order
(`_zoneorder_town`): what days come to when each plan is driven, and how near it is. On
both, the plain plan has the same engine, seed and rounds; what is chosen is chosen on
earlier days.
"""

import argparse
import sys
from typing import Any

from tests.bench._zoneorder_crossed import judge_crossed
from tests.bench._zoneorder_real import judge_real
from tests.bench._zoneorder_town import judge_town


def main(argv: list[str]) -> dict[str, Any]:
    """Judge on real and on composed days; return the figures of both."""
    parser = argparse.ArgumentParser(prog="bench zoneorder")
    parser.add_argument("--teaching", type=int, default=20)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--seed", type=int, default=51)
    parser.add_argument("--towns", type=int, default=3)
    given = parser.parse_args(argv)
    crossed = judge_crossed(sys.stderr.write)
    real = judge_real(sys.stderr.write)
    planted = judge_town(
        seeds=range(given.seed, given.seed + given.towns),
        teaching=given.teaching,
        days=given.days,
        tell=sys.stderr.write,
    )
    return {"real": real, "crossed": crossed, "planted": planted}
