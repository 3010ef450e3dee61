"""Tells intervals one after the other, in the order of time; learns from what came by then."""

import heapq
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from apps.routes.conformal import RULES, Calibration, Group, next_day
from apps.routes.sketches import Scored, Sketches, fold, table
from apps.routes.tellings import Telling, learn_arrival, scores_of
from tests.bench._eta_outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Case:
    """One telling to be made: told and expected in seconds since 1970, and when it came."""

    told_s: float
    expected_s: float
    spread_s: float
    came_s: float
    zone: str
    hour: int


@dataclass(slots=True)
class Online:
    """Knows what has come so far; folds it into the margins every `fold_s` seconds."""

    fold_s: float
    new_day_s: float = 86_400.0
    calibration: Calibration = field(default_factory=lambda: Calibration(rules=RULES))
    sketches: Sketches = field(default_factory=dict)
    seen: list[Scored] = field(default_factory=list)
    folded: int = 0
    told: int = 0
    waiting: list[tuple[float, int, Outcome]] = field(default_factory=list)

    def tell(self, case: Case) -> Outcome:
        """Learn all that came before it was told, then tell it."""
        while self.waiting and self.waiting[0][0] <= case.told_s:
            self._learn(heapq.heappop(self.waiting)[2])
        self._fold(case.told_s)
        outcome = Outcome(
            day=datetime.fromtimestamp(case.told_s, UTC).date(),
            zone=case.zone,
            telling=self._telling(case),
            arrived_s=case.came_s,
        )
        self.told += 1
        heapq.heappush(self.waiting, (case.came_s, self.told, outcome))
        return outcome

    def _telling(self, case: Case) -> Telling:
        ahead_s = case.expected_s - case.told_s
        today = self.calibration.now(ahead_s)
        group = Group(case.zone, case.hour)
        reach = self.calibration.reach(ahead_s, case.spread_s, group, None)
        return Telling(
            arrives_s=case.expected_s,
            spread_s=case.spread_s,
            ahead_s=ahead_s,
            shift=today.shift,
            stretch=today.stretch,
            low_s=max(case.told_s, case.expected_s + reach.low_s),
            high_s=case.expected_s + reach.high_s,
            hour=case.hour,
            is_one_sided=reach.is_one_sided,
        )

    def _learn(self, outcome: Outcome) -> None:
        at = datetime.fromtimestamp(outcome.arrived_s, UTC)
        told = [outcome.telling]
        self.seen += scores_of(self.calibration, outcome.zone, told, at)
        self.calibration = learn_arrival(self.calibration, outcome.zone, told, at)

    def _fold(self, now_s: float) -> None:
        number = int(now_s // self.fold_s)
        if number == self.folded:
            return
        self.sketches = fold(self.sketches, self.seen)
        is_new_day = (
            now_s // self.new_day_s > self.folded * self.fold_s // self.new_day_s
        )
        today = self.calibration.today
        self.folded, self.seen = number, []
        self.calibration = replace(
            self.calibration,
            version=self.calibration.version + 1,
            margins=table(self.sketches),
            today=tuple(map(next_day, today)) if is_new_day else today,
        )
