"""`bench drift`: is a planted drift found on its first day, and is a quiet day left alone?

Every night the day's figures are looked at beside the days before. Quiet days are a long
course without any drift: a false alarm is one with any figure beyond its limits. Each
planted drift begins on the day after a quiet course of its own. Peer, on the same days:
three standard deviations around the mean of the same reference days.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

import numpy as np

from apps.metrics.drift import LEAST_DAYS, REFERENCE_DAYS, SUMMED_DAYS, Day, drifted
from tests.bench._drift_days import DRIFTS, QUIET, SHAPES, SMALL_DRIFTS, Drift, day_of

LATER = 5
COURSE = REFERENCE_DAYS + SUMMED_DAYS

Figures = Mapping[str, Day]
Alarm = Callable[[Sequence[Figures]], set[str]]


def main(argv: list[str]) -> dict[str, Any]:
    """Simulate `--quiet` days and `--planted` drifts of each kind; return the figures."""
    parser = argparse.ArgumentParser(prog="bench drift")
    parser.add_argument("--quiet", type=int, default=600)
    parser.add_argument("--planted", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(argv)
    quiet = [
        day_of(np.random.default_rng((given.seed, 0, number)), QUIET)
        for number in range(given.quiet + COURSE)
    ]
    false, naive_false = (_false_alarms(quiet, each) for each in (ours, naive))
    found: dict[str, int] = {}
    naive_found: dict[str, int] = {}
    for kind, drift in enumerate(DRIFTS, 1):
        courses = [
            _planted(quiet, drift, (given.seed, kind, number))
            for number in range(given.planted)
        ]
        found[drift.name] = sum(bool(ours(course)) for course in courses)
        naive_found[drift.name] = sum(bool(naive(course)) for course in courses)
        sys.stderr.write(
            f"{drift.name:24} {found[drift.name]:4} of {given.planted},"
            f" 3 sigma {naive_found[drift.name]}\n"
        )
    planted = given.planted * len(DRIFTS)
    small = [
        _is_found_later(quiet, drift, (given.seed, 100 + kind, number))
        for kind, drift in enumerate(SMALL_DRIFTS)
        for number in range(given.planted)
    ]
    return {
        "planted": planted,
        "found_within_a_day_pct": _percent(sum(found.values()), planted),
        "quiet_days": given.quiet,
        "figures": len(SHAPES),
        "false_alarm_pct": _percent(false, given.quiet),
        "by_kind_pct": {
            name: _percent(count, given.planted) for name, count in found.items()
        },
        "small_planted": len(small),
        f"small_found_within_{LATER}_days_pct": _percent(sum(small), len(small)),
        "three_sigma": {
            "found_within_a_day_pct": _percent(sum(naive_found.values()), planted),
            "false_alarm_pct": _percent(naive_false, given.quiet),
        },
    }


def ours(course: Sequence[Figures]) -> set[str]:
    """Return the figures of the last day that our charts find drifted."""
    readings = drifted(
        {name: (shape, [day[name] for day in course]) for name, shape in SHAPES.items()}
    )
    return {name for name, reading in readings.items() if reading.is_drift}


def naive(course: Sequence[Figures]) -> set[str]:
    """Return the figures of the last day beyond three deviations of the days before."""
    found = set()
    for name in SHAPES:
        values = [day[name].value for day in course[-REFERENCE_DAYS - 1 :]]
        *past, today = values
        if len(past) >= LEAST_DAYS and abs(today - mean(past)) > 3 * stdev(past):
            found.add(name)
    return found


def _false_alarms(quiet: Sequence[Figures], alarm: Alarm) -> int:
    return sum(
        bool(alarm(quiet[at - COURSE + 1 : at + 1])) for at in range(COURSE, len(quiet))
    )


def _planted(
    quiet: Sequence[Figures], drift: Drift, seed: tuple[int, int, int]
) -> list[Figures]:
    """Return quiet days, another stretch of them each time, and the first of a drift."""
    dice = np.random.default_rng(seed)
    first = int(dice.integers(len(quiet) - COURSE))
    return [*quiet[first : first + COURSE - 1], day_of(dice, drift)]


def _is_found_later(
    quiet: Sequence[Figures], drift: Drift, seed: tuple[int, int, int]
) -> bool:
    """Tell whether a drift that lasts is found within some days."""
    course = _planted(quiet, drift, seed)
    dice = np.random.default_rng((*seed, 1))
    for _ in range(LATER):
        if ours(course):
            return True
        course.append(day_of(dice, drift))
    return False


def _percent(count: int, of: int) -> float:
    return round(100 * count / max(1, of), 1)
