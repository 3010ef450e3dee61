"""`bench verdicts`: are verdicts right where there is something to see, and silent else?

People change planned routes of composed days; what that gained is known, since both ways
are driven by the town's truth (`_verdict_days`). The noise of a case is the spread of the
gain over days that would have looked the same. A true gain is decidable above the limit
of detection, `2 Z` spreads (Currie 1968: what is found 39 times in 40 by a rule that cries
at `Z`), and above half again of what is worth a verdict; it is inside the noise up to one
spread, or half of that worth. What lies between may be either, and is counted apart;
`without_grey_zone` has the same figures with the rule's own `Z` as the only border. Its
peer in the same run compares planned with actual duration, as is usually done.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from apps.training.town.generate import make_town
from apps.training.town.truth import TownTruth
from apps.verdicts.beyond import one_sided
from apps.verdicts.cases import judge_case
from apps.verdicts.replay import LEAST_S, Z
from apps.verdicts.ways import Judged, Ruling
from tests.bench._verdict_days import Planted, PlantedDays
from tests.bench._verdict_town import PRICES

FIRST_DAY = date(2026, 3, 2)
LEAST_MINOR = LEAST_S * PRICES.per_s_milli / 1000
BINS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One planted choice with its verdict, and that of the peer."""

    planted: Planted
    judged: Judged
    naive: Ruling

    @property
    def size(self) -> float:
        """How many spreads of noise the true gain is."""
        return abs(self.planted.gained_minor) / max(self.planted.noise_minor, 1e-9)

    @property
    def worth(self) -> float:
        """How many times the least that is worth a verdict the true gain is."""
        return abs(self.planted.gained_minor) / LEAST_MINOR

    @property
    def is_decidable(self) -> bool:
        """Tell whether the true gain lies above the limit of detection, and may be said.

        What no figure measures holds one side back: see `is_held_back`.
        """
        return self.size > 2 * Z and self.worth > 1.5 and not self.is_held_back

    @property
    def is_held_back(self) -> bool:
        """Tell whether the truth is on the side on which nothing may be said."""
        aside = self.planted.case.aside
        return one_sided(self.truth, aside)[0] == Ruling.UNDECIDABLE

    @property
    def is_inside(self) -> bool:
        """Tell whether the true gain lies inside the noise."""
        return (self.size <= 1 or self.worth <= 0.5) and not self.is_held_back

    @property
    def is_above_the_rule(self) -> bool:
        """Tell whether the true gain itself keeps the rule: no grey zone between."""
        return self.size > Z and self.worth > 1 and not self.is_held_back

    @property
    def truth(self) -> Ruling:
        """Who was truly right."""
        return Ruling.RIGHT if self.planted.gained_minor > 0 else Ruling.WRONG


def main(argv: list[str]) -> dict[str, Any]:
    """Judge the choices of `--days` days; return the figures."""
    parser = argparse.ArgumentParser(prog="bench verdicts")
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--orders", type=int, default=76)
    parser.add_argument("--drivers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(argv)
    started = time.perf_counter()
    found = list(outcomes(given.days, given.orders, given.drivers, given.seed))
    kinds = sorted({one.planted.kind for one in found})
    by_kind = {
        kind: kind_figures([one for one in found if one.planted.kind == kind])
        for kind in kinds
    }
    told = figures(found) | {"by_kind": by_kind}
    return told | {"seconds": round(time.perf_counter() - started, 1)}


def outcomes(days: int, orders: int, drivers: int, seed: int) -> Iterable[Outcome]:
    """Yield every planted choice of so many days with its verdict."""
    town = PlantedDays(TownTruth(make_town(seed)), orders=orders, drivers=drivers)
    for number in range(days):
        day = FIRST_DAY + timedelta(days=number)
        sys.stderr.write(f"{day}\n" if number % 10 == 0 else "")
        for planted in town.choices(day, seed):
            yield Outcome(planted, judge_case(planted.case).judged, naive(planted))


def naive(planted: Planted) -> Ruling:
    """Return the usual verdict: it was right if it took less than was planned."""
    return Ruling.RIGHT if planted.actual_s < planted.planned_s else Ruling.WRONG


def figures(found: Sequence[Outcome]) -> dict[str, Any]:
    """Return how often verdicts are right above the noise, and silent within it."""
    clear = [one for one in found if one.is_decidable]
    within = [one for one in found if one.is_inside and not one.is_decidable]
    held = [one for one in found if one.is_held_back]
    ruled = [one for one in found if one.judged.ruling != Ruling.UNDECIDABLE]
    return {
        "decidable": len(clear),
        "right_pct": _share(one.judged.ruling == one.truth for one in clear),
        "abstained_inside_noise_pct": _share(map(_abstained, within)),
        "between": len(found) - len(clear) - len(within) - len(held),
        "held_back": len(held),
        "held_back_undecided_pct": _share(map(_abstained, held)),
        "inside_noise": len(within),
        "judged": len(ruled),
        "judged_right_pct": _share(one.judged.ruling == one.truth for one in ruled),
        "opposite_pct": _share(
            one.judged.ruling not in {one.truth, Ruling.UNDECIDABLE} for one in clear
        ),
        "within_90_interval_pct": _share(
            abs(one.judged.gained_minor - one.planted.gained_minor)
            <= 1.645 * one.judged.sd_minor
            for one in found
        ),
        "truly_better_pct": _share(one.planted.gained_minor > 0 for one in found),
        "naive_right_pct": _share(one.naive == one.truth for one in clear),
        "naive_abstained_inside_noise_pct": _share(
            one.naive == Ruling.UNDECIDABLE for one in within
        ),
        "without_grey_zone": _without_grey_zone(found),
        "by_size": _by_size(found),
    }


def kind_figures(found: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures of one kind of choice."""
    told = figures(found)
    names = [
        *("decidable", "right_pct", "opposite_pct", "inside_noise"),
        *("abstained_inside_noise_pct", "held_back", "held_back_undecided_pct"),
        *("between", "within_90_interval_pct"),
    ]
    return {name: told[name] for name in names}


def _abstained(one: Outcome) -> bool:
    return one.judged.ruling == Ruling.UNDECIDABLE


def _without_grey_zone(found: Sequence[Outcome]) -> dict[str, Any]:
    """Return the same where whatever is not above the rule itself counts as noise."""
    above = [one for one in found if one.is_above_the_rule]
    below = [one for one in found if not one.is_above_the_rule]
    return {
        "decidable": len(above),
        "right_pct": _share(one.judged.ruling == one.truth for one in above),
        "inside_noise": len(below),
        "abstained_inside_noise_pct": _share(map(_abstained, below)),
    }


def _by_size(found: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return the figures by how many spreads of noise the true gain is."""
    rows = []
    for low, high in zip(BINS, [*BINS[1:], float("inf")], strict=True):
        part = [one for one in found if low <= one.size < high]
        rows.append(
            {
                "spreads_from": low,
                "cases": len(part),
                "right_pct": _share(one.judged.ruling == one.truth for one in part),
                "undecidable_pct": _share(map(_abstained, part)),
            }
        )
    return rows


def _share(truths: Iterable[bool]) -> float | None:
    found = list(truths)
    return round(100 * sum(found) / len(found), 1) if found else None
