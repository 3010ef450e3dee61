"""`bench learning`: what each learner foretells of days held back, beside the naive way.

Taught and asked are composed days with planted effects (`_learning_town`), pickups of a
real courier service and trips of real taxis (`_learning_real`). The naive ways are what
a shop does without us: the planned value, the mean of all, the plain mean of a key. The
best of them is named, whichever it is. Held back is by time, or by courier; nothing is
tuned on it.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, pairwise
from typing import Any

from apps.learning.learners import adherence, service, success, travel, zone_order
from apps.learning.learners.sketch import grown
from apps.routes.parameters import DEFAULTS
from apps.training.town.generate import make_town
from apps.training.town.truth import TownTruth
from tests.bench._learning_judge import (
    Judged,
    Medians,
    Raw,
    Tallies,
    brier,
    judged,
    means,
    pooled,
    wrong_share,
)
from tests.bench._learning_real import judge_lade, judge_nyc
from tests.bench._learning_town import Asked, LearningTown, TownRoute

FIRST_DAY = date(2026, 3, 2)
FEW = 3
"""With so few days behind it a learner is asked as well: that is when shrinking counts."""

C_S, P = DEFAULTS.travel_c_s, DEFAULTS.travel_p


def main(argv: list[str]) -> dict[str, Any]:
    """Teach on days with wrong reports, ask on later ones; return the figures."""
    parser = argparse.ArgumentParser(prog="bench learning")
    parser.add_argument("--teaching", type=int, default=40)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--drivers", type=int, default=6)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--towns", type=int, default=3)
    given = parser.parse_args(argv)
    towns = []
    for seed in range(given.seed, given.seed + given.towns):
        towns.append(_of_town(given, seed))
        sys.stderr.write(f"town {seed} is judged\n")
    found = {
        name: pooled([town[name] for town in towns]).figures() for name in towns[0]
    }
    for name, row in {**judge_lade(), **judge_nyc()}.items():
        found[name] = row.figures() if isinstance(row, Judged) else row
    sys.stderr.writelines(table(found))
    return {"learners": found}


def _of_town(given: argparse.Namespace, seed: int) -> dict[str, Judged]:
    """Teach and ask in one town: after all days of teaching, and after a few."""
    truth = TownTruth(make_town(seed))
    town = LearningTown(truth, orders=given.orders, drivers=given.drivers, seed=seed)
    days = [FIRST_DAY + timedelta(days=n) for n in range(given.teaching + given.days)]
    taught = [r for day in days[: given.teaching] for r in town.day(day, wrong=True)]
    asked = [r for day in days[given.teaching :] for r in town.day(day, wrong=False)]
    now = datetime.combine(days[given.teaching], time(), UTC)
    few = [r for r in taught if r.fact.route_id >= f"{days[given.teaching - FEW]}"]
    return judge_town(town, taught, asked, now) | {
        f"{name}_after_{FEW}_days": row
        for name, row in judge_town(town, few, asked, now).items()
    }


def judge_town(
    town: LearningTown,
    taught: Sequence[TownRoute],
    asked: Sequence[TownRoute],
    now: datetime,
) -> dict[str, Judged]:
    """Return how good ours and the naive ways are on the town's later days."""
    tallies, today = Tallies(), grown(now)
    for route in taught:
        tallies.add(service.observed(route.fact)[0])
        tallies.add(travel.observed(route.fact, c_s=C_S, p=P)[0])
        tallies.add(success.observed(route.fact))
        tallies.add(zone_order.observed(route.fact))
        tallies.add(adherence.observed(route.fact))
    told = [each for route in taught for each in route.asked]
    reported = [stop for route in taught for stop in route.fact.stops]
    visits = [each for route in asked for each in route.asked]
    return {
        "service": _services(tallies, today, reported, visits),
        "travel": _travels(tallies, today, taught, asked),
        "success": _successes(tallies, today, told, visits),
        "zone_order": _orders(tallies, today, taught, asked, town),
        "adherence": _adherences(tallies, today, taught, asked),
    }


def _services(
    tallies: Tallies, today: float, reported: Sequence[Any], visits: Sequence[Asked]
) -> Judged:
    known = means(service.figures(tallies.of("service"), today))
    ours = [
        each.stop.planned_s
        * service.factor_at(
            known,
            [f"building:{each.stop.building}", f"zone:{each.stop.zone}"],
            ["class:van", f"parcels:{service.parcels_of(each.stop.parcels)}"],
        )
        for each in visits
    ]
    served = [stop for stop in reported if stop.is_delivered]
    rows = [(stop, _took_s(stop)) for stop in served if 0 < _took_s(stop) < 7200]
    by_zone = Raw([(stop.zone, took, stop.planned_s) for stop, took in rows])
    by_door = Raw([(stop.building, took, stop.planned_s) for stop, took in rows])
    planned = [each.stop.planned_s for each in visits]
    middles = Medians([(stop.zone, took / stop.planned_s) for stop, took in rows])
    naive: dict[str, Sequence[float]] = {
        "planned": planned,
        "planned × median": [p * middles() for p in planned],
        "planned × median of zone": [
            p * middles(each.stop.zone) for p, each in zip(planned, visits, strict=True)
        ],
        "planned × mean": [p * by_zone() for p in planned],
        "planned × mean of zone": [
            p * by_zone(each.stop.zone) for p, each in zip(planned, visits, strict=True)
        ],
        "planned × mean of door": [
            p * by_door(each.stop.building)
            for p, each in zip(planned, visits, strict=True)
        ],
    }
    return judged([each.service_s for each in visits], ours, naive, unit="s")


def _took_s(stop: Any) -> float:
    took: timedelta = stop.completed.occurred_at - stop.arrived.occurred_at
    return took.total_seconds()


def _travels(
    tallies: Tallies,
    today: float,
    taught: Sequence[TownRoute],
    asked: Sequence[TownRoute],
) -> Judged:
    known = means(travel.figures(tallies.of("travel"), today))
    lessons, questions = _legs(taught), _legs(asked)

    def law_s(leg: tuple[str, str, int, float, float]) -> float:
        return float(C_S * leg[3] ** P)

    rows = [(leg, leg[4], law_s(leg)) for leg in lessons]
    by_hour = Raw([(str(leg[2]), took, told) for leg, took, told in rows])
    by_pair = Raw([(f"{leg[0]}>{leg[1]}", took, told) for leg, took, told in rows])
    by_both = Raw([(f"{leg[:3]}", took, told) for leg, took, told in rows])
    naive = {
        "law": [law_s(leg) for leg in questions],
        "law × mean": [law_s(leg) * by_hour() for leg in questions],
        "law × mean of hour": [law_s(g) * by_hour(str(g[2])) for g in questions],
        "law × mean of pair": [law_s(g) * by_pair(f"{g[0]}>{g[1]}") for g in questions],
        "law × mean of pair and hour": [
            law_s(g) * by_both(f"{g[:3]}") for g in questions
        ],
    }
    ours = [law_s(leg) * travel.factor_at(known, *leg[:3]) for leg in questions]
    return judged([leg[4] for leg in questions], ours, naive, unit="s")


def _legs(routes: Sequence[TownRoute]) -> list[tuple[str, str, int, float, float]]:
    """Return from zone, to zone, hour, kilometres and true seconds of each leg."""
    return [
        (
            before.stop.zone,
            after.stop.zone,
            after.stop.leg_hour,
            after.stop.leg_km,
            after.leg_s,
        )
        for route in routes
        for before, after in pairwise(route.asked)
        if after.stop.leg_km >= travel.LEAST_KM
    ]


def _successes(
    tallies: Tallies, today: float, told: Sequence[Asked], visits: Sequence[Asked]
) -> Judged:
    """Judge against the planted probability of a zone's hour: what happens is luck.

    It is the mean over all visits there; what differs from door to door, no figure of a
    zone can know.
    """
    known = means(success.figures(tallies.of("success"), today))
    ours = [success.probability_at(known, v.stop.zone, v.stop.hour) for v in visits]
    rows = [(f"{v.stop.zone} {v.stop.hour}", v.stop) for v in told]
    by_cell = Raw([(key, float(stop.is_delivered), 1.0) for key, stop in rows])
    by_zone = Raw([(s.zone, float(s.is_delivered), 1.0) for _, s in rows])
    naive = {
        "mean": [by_cell() for _ in visits],
        "mean of zone": [by_zone(v.stop.zone) for v in visits],
        "mean of zone and hour": [
            by_cell(f"{v.stop.zone} {v.stop.hour}") for v in visits
        ],
    }
    planted = Raw(
        [(f"{v.stop.zone} {v.stop.hour}", v.success, 1.0) for v in [*told, *visits]]
    )
    true = [100 * planted(f"{v.stop.zone} {v.stop.hour}") for v in visits]
    unit = "points"
    return judged(
        true,
        [100 * p for p in ours],
        {name: [100 * p for p in each] for name, each in naive.items()},
        unit=unit,
        digits=2,
    )


def _orders(
    tallies: Tallies,
    today: float,
    taught: Sequence[TownRoute],
    asked: Sequence[TownRoute],
    town: LearningTown,
) -> Judged:
    """Judge which of two zones of a route is better driven first.

    The naive way counts what was driven; ours weighs it by who was right.
    """
    known = means(zone_order.figures(tallies.of("zone_order"), today))
    lessons = [pair for route in taught for pair in _pairs(route)]
    raw = Raw([(f"{one}>{other}", first, 1.0) for one, other, first, _ in lessons])
    pairs = [pair for route in asked for pair in _pairs(route)]
    naive = {
        "as planned": [planned for *_, planned in pairs],
        "mean of pair": [raw(f"{one}>{other}") for one, other, *_ in pairs],
    }
    ours = [known.get(f"{one}>{other}", 0.5) for one, other, *_ in pairs]
    true = [float(town.better(one) < town.better(other)) for one, other, *_ in pairs]
    return judged(
        true, ours, naive, unit="share of pairs wrong", digits=4, error=wrong_share
    )


def _pairs(route: TownRoute) -> list[tuple[str, str, float, float]]:
    """Return two zones, and whether the first was driven, and planned, first."""
    driven = list(dict.fromkeys(each.stop.zone for each in route.asked))
    place = {zone: at for at, zone in enumerate(route.planned_zones)}
    return [
        (
            one,
            other,
            float(driven.index(one) < driven.index(other)),
            float(place[one] < place[other]),
        )
        for one, other in combinations(sorted(driven), 2)
    ]


def _adherences(
    tallies: Tallies,
    today: float,
    taught: Sequence[TownRoute],
    asked: Sequence[TownRoute],
) -> Judged:
    """Judge against what later days' sequences came to, zone by zone."""
    known = means(adherence.figures(tallies.of("adherence"), today))
    raw = Raw([(zone, kept, 1.0) for zone, kept in _kept(taught)])
    later = _kept(asked)
    overall = known.get("kind:sequence", known["depot"])
    ours = [known.get(f"kind:sequence@{zone}", overall) for zone, _ in later]
    naive = {
        "always followed": [1.0] * len(later),
        "mean": [raw()] * len(later),
        "mean of zone": [raw(zone) for zone, _ in later],
    }
    true = [kept for _, kept in later]
    return judged(true, ours, naive, unit="Brier score", digits=4, error=brier)


def _kept(routes: Sequence[TownRoute]) -> list[tuple[str, float]]:
    """Return by zone whether a stop came after the one that the plan had before it."""
    return [
        (after.stop.zone, float(after.stop.planned_after == before.stop.stop_id))
        for route in routes
        for before, after in pairwise(route.asked)
        if after.stop.planned_after
    ]


def table(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the figures for people, a line a learner."""
    lines = [f"{'':26}{'ours':>10}{'naive':>10}{'better':>9}{'n':>8}  unit, naive\n"]
    for name, row in found.items():
        if "skipped" in row:
            lines.append(f"{name:26}{row['skipped']}\n")
            continue
        lines.append(
            f"{name:26}{row['ours']:>10}{row['naive']:>10}{row['better_pct']!s:>8} %"
            f"{row['n']:>8}  {row['unit']}, {row['naive_is']}\n"
        )
    return lines
