"""What may give way for a left-out job, and what came of trying it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.routes.solver.explaining.obstacles import Obstacle
    from apps.routes.solver.explaining.standing import Change
    from apps.routes.solver.problem import Problem, TimeWindow
    from apps.routes.solver.solution import Reason, Solution


class Kind(StrEnum):
    """What gives way, from the mildest on: the order in which they are tried."""

    AS_IT_IS = "as_it_is"
    REARRANGE = "rearrange"
    WIDEN_WINDOW = "widen_window"
    ALLOW_OVERTIME = "allow_overtime"
    LEND_CAPACITY = "lend_capacity"
    DROP_CAPABILITY = "drop_capability"
    UNPIN = "unpin"
    EXTRA_SHIFT = "extra_shift"
    EXCHANGE = "exchange"
    RAISE_PRIZE = "raise_prize"


class Outcome(StrEnum):
    """What trying it showed."""

    SERVES = "serves"
    COSTS_TOO_MUCH = "costs_too_much"
    DOES_NOT_HELP = "does_not_help"
    DOES_NOT_APPLY = "does_not_apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """One thing that may give, what came of trying it, and at what price.

    Which facts are set depends on the kind: `window` (as it is, as it would be) and
    `minutes`, `vehicle_id` and `minutes`, `lent` by dimension, `dropped` capabilities,
    `shift_s` (from, to), `other_job_id` moved to `other_vehicle_id` or left out, and
    `prize_milli` on top of the present one. `problem` is the changed problem, for
    which `solution` is a feasible plan; `change` compares it with the plan as it is.
    """

    kind: Kind
    outcome: Outcome
    vehicle_id: str | None = None
    minutes: int = 0
    window: tuple[TimeWindow, TimeWindow] | None = None
    lent: tuple[tuple[str, int], ...] = ()
    dropped: tuple[str, ...] = ()
    shift_s: tuple[int, int] | None = None
    other_job_id: str | None = None
    other_vehicle_id: str | None = None
    prize_milli: int = 0
    problem: Problem | None = None
    solution: Solution | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutWhy:
    """Why a job is left out, and what would serve it, the mildest first."""

    job_id: str
    reason: Reason
    obstacles: tuple[Obstacle, ...]
    relaxations: tuple[Relaxation, ...]

    @property
    def cheapest(self) -> Relaxation | None:
        """The relaxation that serves the job at the least cost; the milder of two."""
        serving = [one for one in self.relaxations if one.outcome == Outcome.SERVES]
        return min(
            serving,
            key=lambda one: one.change.total_milli if one.change else 0,
            default=None,
        )
