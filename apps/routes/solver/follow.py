"""Sequences driven as they are told: what people want is timed, whatever it breaks.

It searches nothing. A sequence that can be driven is timed by the rules; where it cannot,
the rules that it breaks give way as little as need be, and the validator names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.routes.solver.assemble import Provenance, assemble
from apps.routes.solver.explaining.lateness import drive_anyhow
from apps.routes.solver.explaining.standing import CannotExplain
from apps.routes.solver.port import EngineRefused, refuse_by_name, refused_features
from apps.routes.solver.reasons import reason_alone
from apps.routes.solver.solution import Reason, StoppedBy, Unserved
from apps.routes.solver.versions import FOLLOW
from apps.routes.solver.view import View

if TYPE_CHECKING:
    from apps.routes.solver.port import OnProgress, Stop
    from apps.routes.solver.problem import Problem
    from apps.routes.solver.solution import Solution

PROVENANCE = Provenance(
    engine="follow",
    engine_version=FOLLOW,
    seed=0,
    solutions=0,
    stopped_by=StoppedBy.EXHAUSTED,
)


class FollowSolver:
    """The engine that drives the sequences of its warm start, and nothing else.

    Its answers may break rules: none is published before somebody has seen which.
    """

    name = "follow"
    version = FOLLOW

    def refuses(self, problem: Problem) -> str | None:
        """Name what the table of capabilities says that this engine refuses."""
        return refused_features(self.name, problem)

    def solve(
        self,
        problem: Problem,
        *,
        stop: Stop,
        seed: int,
        warm_start: Solution | None = None,
        on_progress: OnProgress | None = None,
    ) -> Solution:
        """Time the warm start's sequences; jobs in none of them are left out."""
        refuse_by_name(self, problem)
        del stop, seed, on_progress
        return follow(problem, warm_start)


def follow(problem: Problem, told: Solution | None) -> Solution:
    """Drive what is told on a problem, as early as it goes.

    Raises:
        InvalidProblem: the problem contradicts itself.
        EngineRefused: there is no way along a sequence.
    """
    view = View(problem)
    sequences = {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in (told.routes if told else ())
    }
    timed, served = [], set()
    for number, car in enumerate(view.cars):
        wanted = [
            view.job_index[job_id]
            for job_id in sequences.get(car.vehicle.id, ())
            if job_id in view.job_index
        ]
        served.update(wanted)
        try:
            timed.append(drive_anyhow(view, number, wanted).timed(view))
        except CannotExplain as error:
            raise EngineRefused(str(error)) from error
    left_out = {
        job: Unserved(
            job_id=view.jobs[job].id,
            reason=reason_alone(view, job) or Reason.NOT_WORTH_IT,
        )
        for job in range(view.job_count)
        if job not in served
    }
    return assemble(view, timed, left_out, PROVENANCE)
