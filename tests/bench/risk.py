"""`bench risk`: is a route that is said to be at risk disrupted, and the other way round?

Composed days are planned by the estimates and driven by the town's truth, which no
planner knows (`_driven_days`). The first days teach: how long services take by part of
town, and from which probability on to warn. On the days after, each look at a route is
judged: precision and recall at that threshold, the area under the ROC curve, the Brier
score. Beside ours, in the same run and taught alike: the share of stops ahead whose slack
is under 10 minutes, and the base rate.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.routes.courses import course_of, spread_of
from apps.routes.eta import propagate
from apps.routes.risk import assess
from apps.training.town.generate import make_town
from apps.training.town.truth import TownTruth
from tests.bench._driven_days import LOOKS, Driven, Look, with_factors

FIRST_DAY = date(2026, 3, 2)
SLACK_S = 600
Numbers = NDArray[np.float64]


def main(argv: list[str]) -> dict[str, Any]:
    """Drive `--days` days after `--teaching` others; return the figures."""
    parser = argparse.ArgumentParser(prog="bench risk")
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--teaching", type=int, default=20)
    parser.add_argument("--orders", type=int, default=130)
    parser.add_argument("--drivers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--engine", default="greedy")
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args(argv)
    driven = Driven(
        TownTruth(make_town(given.seed)),
        orders=given.orders,
        drivers=given.drivers,
        engine=given.engine,
        rounds=given.rounds,
    )
    days = working_days(given.teaching + given.days)
    taught, judged = days[: given.teaching], days[given.teaching :]
    lessons = [look for day in taught for look in driven.looks(day, given.seed, {})]
    factors = driven.experience.factors()
    lessons = [with_factors(look, factors) for look in lessons]
    looks = [look for day in judged for look in driven.looks(day, given.seed, factors)]
    return judge(lessons, looks)


def working_days(count: int) -> list[date]:
    """Return so many days from Monday to Saturday."""
    days: list[date] = []
    day = FIRST_DAY
    while len(days) < count:
        if day.weekday() < 6:
            days.append(day)
        day += timedelta(days=1)
    return days


def judge(lessons: Sequence[Look], looks: Sequence[Look]) -> dict[str, Any]:
    """Return how good ours and the peers are on `looks`, taught by `lessons`."""
    wrong = np.array([look.went_wrong for look in looks])
    taught_wrong = np.array([look.went_wrong for look in lessons])
    started = time.perf_counter()
    risks = np.array([risk_of(look) for look in looks])
    ms_each = (time.perf_counter() - started) * 1000 / max(1, len(looks))
    taught = np.array([risk_of(look) for look in lessons])
    peer = np.array([tight_share(look) for look in looks])
    taught_peer = np.array([tight_share(look) for look in lessons])
    ours = figures(risks, wrong, best_threshold(taught, taught_wrong))
    tight = figures(peer, wrong, best_threshold(taught_peer, taught_wrong))
    rate = float(taught_wrong.mean())
    base = figures(np.full(len(looks), rate), wrong, 0.5)
    by_share = {
        f"{share:.0%}": figures(risks[at], wrong[at], ours["threshold"])
        for share in LOOKS
        if (at := np.array([look.share_done == share for look in looks])).any()
    }
    rows = {"ours": ours, "stops with slack < 10 min": tight, "base rate": base}
    rows |= {f"ours, {share} done": each for share, each in by_share.items()}
    sys.stderr.writelines([*table(rows), *calibration(risks, wrong)])
    return {
        "days": len({look.day for look in looks}),
        "routes": len({(look.day, look.route) for look in looks}),
        "looks": len(looks),
        "disrupted_share": round(float(wrong.mean()), 3),
        **ours,
        "ms_a_route": round(ms_each, 2),
        "peers": {"stops_with_slack_under_10_min": tight, "base_rate": base},
        "by_share_done": by_share,
    }


def risk_of(look: Look) -> float:
    """Return the probability that we give."""
    return assess(course_of(look.ahead), spread_of(look.ahead.law)).probability


def tight_share(look: Look) -> float:
    """Return the peer's word: which share of the stops ahead has little slack."""
    ahead = look.ahead
    expected = propagate(
        ahead.outset, ahead.visits, ahead.rests, ahead.conditions, ahead.law
    )
    tight = [
        bool(visit.windows)
        and (visit.windows[-1].closes_at - stop.eta_at).total_seconds() < SLACK_S
        for visit, stop in zip(ahead.visits, expected, strict=True)
    ]
    return sum(tight) / len(tight)


def best_threshold(scores: Numbers, wrong: NDArray[np.bool_]) -> float:
    """Return from where on a warning gives the best F1."""
    candidates = np.unique(scores)
    return float(max(candidates, key=lambda t: _f1(scores >= t, wrong)))


def _f1(warned: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> float:
    hits = int((warned & wrong).sum())
    return 2 * hits / max(1, int(warned.sum() + wrong.sum()))


def figures(
    scores: Numbers, wrong: NDArray[np.bool_], threshold: float
) -> dict[str, float]:
    """Return precision and recall at a threshold, AUC, and the Brier score."""
    warned = scores >= threshold
    hits = int((warned & wrong).sum())
    return {
        "precision": round(hits / max(1, int(warned.sum())), 3),
        "recall": round(hits / max(1, int(wrong.sum())), 3),
        "threshold": round(threshold, 3),
        "auc": round(auc(scores, wrong), 3),
        "brier": round(float(((scores - wrong) ** 2).mean()), 3),
    }


def auc(scores: Numbers, wrong: NDArray[np.bool_]) -> float:
    """Return how often a disrupted look scores above an undisturbed one; ties half."""
    bad, good = scores[wrong], scores[~wrong]
    if not len(bad) or not len(good):
        return 0.5
    above = (bad[:, None] > good[None, :]).mean()
    return float(above + (bad[:, None] == good[None, :]).mean() / 2)


def table(rows: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Yield the figures for people, a line a predictor."""
    names = list(next(iter(rows.values())))
    yield f"{'':28}" + "".join(f"{name:>11}" for name in names) + "\n"
    for title, row in rows.items():
        yield f"{title:28}" + "".join(f"{row[name]:>11.3f}" for name in names) + "\n"


def calibration(risks: Numbers, wrong: NDArray[np.bool_]) -> Iterator[str]:
    """Yield whether what is said comes true as often, a line a tenth."""
    yield "      said  came true    of\n"
    tenths = np.minimum(9, (risks * 10).astype(int))
    for tenth in np.unique(tenths):
        at = tenths == tenth
        said = f"{tenth * 10}–{tenth * 10 + 10} %"
        yield f"{said:>10}{wrong[at].mean():>11.0%}{at.sum():>6}\n"
