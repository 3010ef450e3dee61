"""First answers to events: how long they take, and whether they drop an order in vain."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.management import CommandError

from apps.routes.solver.live import LivePlan
from apps.routes.solver.repair import answer_event
from apps.routes.solver.validate import validate
from tests.bench._replanned import avoidable_drops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench._running import RunningDay

PASSES = 5
"""So many times each event is answered; the middle time counts as its own."""


@dataclass(frozen=True, slots=True)
class Mend:
    """The seconds of answers to one event; how many orders they drop, and how many in vain.

    `in_vain` is None where that was not looked for.
    """

    answers_s: list[float]
    lay_out_s: float
    judge_s: float
    in_vain: int | None
    left: int

    @property
    def answer_s(self) -> float:
        """The middle one of the answers."""
        return statistics.median(self.answers_s)


def mend_often(running: RunningDay, *, check_drops: bool) -> Mend:
    """Answer an event `PASSES` times, each time on a plan laid out anew.

    Seconds are those of one core: what else the machine does is not counted, but for
    what it takes of caches and memory, which is why there are several.

    Raises:
        CommandError: an answer breaks a rule.
    """
    answers, layings, judgings = [], [], []
    for _ in range(PASSES):
        began = time.process_time()
        live = LivePlan(running.problem, running.plan)
        laid = time.process_time()
        answer = answer_event(live, running.event)
        done = time.process_time()
        violations = validate(live.problem, answer)
        judgings.append(time.process_time() - done)
        layings.append(laid - began)
        answers.append(done - laid)
        if violations:
            raise CommandError(f"{running.name}: {violations[0]}")
    return Mend(
        answers_s=answers,
        lay_out_s=statistics.median(layings),
        judge_s=statistics.median(judgings),
        in_vain=avoidable_drops(live) if check_drops else None,
        left=len(answer.unserved),
    )


def mending_figures(mends: Sequence[Mend]) -> dict[str, Any]:
    """Return percentiles in milliseconds, and drops; `once` is each single answer."""
    in_vain = [mend.in_vain for mend in mends if mend.in_vain is not None]
    laid_s = statistics.median(mend.lay_out_s for mend in mends)
    return {
        "repair_p99_ms": _p99_ms([mend.answer_s for mend in mends]),
        "repair_p99_nothing_dropped_ms": _p99_ms(
            [mend.answer_s for mend in mends if not mend.left]
        ),
        "repair_once_p99_ms": _p99_ms([s for mend in mends for s in mend.answers_s]),
        "repair_median_ms": round(
            1000 * statistics.median(mend.answer_s for mend in mends), 2
        ),
        "repair_judged_p99_ms": _p99_ms([one.answer_s + one.judge_s for one in mends]),
        "lay_out_median_ms": round(1000 * laid_s, 1),
        "avoidable_drops": sum(in_vain) if in_vain else None,
        "drops": sum(mend.left for mend in mends),
    }


def _p99_ms(seconds: Sequence[float]) -> float:
    return round(1000 * percentile(seconds or [0.0], 99), 2)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the least value that so many per cent of the values do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]
