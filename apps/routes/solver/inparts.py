"""A large day planned in parts, some at a time, each in a child that can be killed.

First the parts of a split, then rounds of parts across their seams, as long as there is
time. Every answer is judged before it counts, and the whole at the end once more.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING

from apps.routes.solver.codec import PieceRequest, SolveRequest, SplitRequest
from apps.routes.solver.leftovers import leftover_problems, with_true_reasons
from apps.routes.solver.merging import (
    NOTHING,
    Piece,
    merge,
    piece_of,
    standing_solution,
    told_to,
)
from apps.routes.solver.port import EngineRefused, Stop
from apps.routes.solver.process import (
    Brood,
    SolverFailed,
    SolverTimeout,
    solve_in_process,
)
from apps.routes.solver.seams import Seams
from apps.routes.solver.solution import Solution, StoppedBy
from apps.routes.solver.splitting import JOBS_A_PART, Part, split
from apps.routes.solver.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from apps.routes.solver.merging import MatricesOf
    from apps.routes.solver.problem import Problem

FALLBACK = "greedy"
AT_A_TIME = 2
START_S = 0.8
"""What a child takes beside its search: start, reading, writing (our measurement)."""
GRACE_S = 8.0
GRACE_A_JOB_S = 0.03
"""What a child may take beyond its limit before it is killed; the first plan of a part
is made whatever the clock says."""
SEAM_SHARE = 0.35
"""The share of the time that is kept for the seams."""
MOST_ROUNDS = 6
GIVEN_UP_AFTER = 2
"""An engine that failed so often is not tried on further parts."""
POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a planning in parts may use: engines in order, and seconds on the wall clock.

    `search_s_a_job` is what a search is worth, in seconds of one core, where the clock
    allows it.
    """

    engines: tuple[str, ...]
    seed: int
    wall_s: float
    search_s_a_job: float
    jobs_a_part: int = JOBS_A_PART
    at_a_time: int = AT_A_TIME


@dataclass(frozen=True, slots=True)
class SplitAnswer:
    """The plan of a day in parts, what it was made of, and what went wrong on the way."""

    request: SplitRequest
    solution: Solution
    pieces: Mapping[str, Piece]
    failures: tuple[str, ...]
    parts: int
    rounds: int


@dataclass(frozen=True, slots=True)
class _Step:
    piece: Piece
    request: SolveRequest
    solution: Solution


@dataclass(slots=True)
class _Failures:
    """How each engine failed, and which of them are given up."""

    words: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, engine: str, why: str) -> None:
        self.counts[engine] = self.counts.get(engine, 0) + 1
        if why not in self.words:
            self.words.append(why)

    def is_given_up(self, engine: str) -> bool:
        return self.counts.get(engine, 0) >= GIVEN_UP_AFTER


def solve_in_parts(
    problem: Problem,
    places: NDArray[np.float64],
    matrices_of: MatricesOf,
    means: Means,
    *,
    warm_start: Solution | None = None,
    tell: Callable[[int, str], None] = lambda percent, text: None,
) -> SplitAnswer:
    """Plan a day whose `problem` has no matrices, by those that `matrices_of` gives.

    `tell` hears how far it is, in this thread.

    Raises:
        SolverFailed: even the fallback gave no answer to a part.
    """
    return _Planning(problem, places, matrices_of, means, tell).run(warm_start)


class _Planning:
    def __init__(
        self,
        problem: Problem,
        places: NDArray[np.float64],
        matrices_of: MatricesOf,
        means: Means,
        tell: Callable[[int, str], None],
    ) -> None:
        self.problem = problem
        self.places = places
        self.matrices_of = matrices_of
        self.means = means
        self.tell = tell
        self.began = monotonic()
        self.failures = _Failures()
        self.brood = Brood()
        self.steps: list[_Step] = []
        self.whole = NOTHING

    def run(self, warm_start: Solution | None) -> SplitAnswer:
        started = warm_start.routes if warm_start else ()
        parts = split(
            self.problem,
            self.places,
            jobs_a_part=self.means.jobs_a_part,
            drivers={
                visit.job_id: route.vehicle_id
                for route in started
                for visit in route.visits
            },
        )
        jobs = max(1, len(self.problem.jobs))
        wanted_s = self.means.search_s_a_job * jobs / self.means.at_a_time
        starts_s = START_S * len(parts) / self.means.at_a_time
        self.wall_s = min(self.means.wall_s, (wanted_s + starts_s) / (1 - SEAM_SHARE))
        a_job_s = (
            max(0.0, self.wall_s * (1 - SEAM_SHARE) - starts_s)
            * self.means.at_a_time
            / jobs
        )
        rounds = 0
        pool = ThreadPoolExecutor(self.means.at_a_time)
        try:
            self._solve_all(pool, parts, warm_start, a_job_s, "parts")
            if len(parts) > 1:
                rounds = self._mend_seams(pool, parts, a_job_s)
        finally:
            self.brood.kill()
            pool.shutdown(wait=True, cancel_futures=True)
        return self._answer(len(parts), rounds)

    def _mend_seams(
        self, pool: ThreadPoolExecutor, parts: Sequence[Part], a_job_s: float
    ) -> int:
        seams = Seams(self.problem, self.places, parts, self.means.jobs_a_part)
        for done in range(MOST_ROUNDS):
            left_s = self.began + self.wall_s - monotonic()
            groups = seams.next_round(self.whole)
            jobs = sum(len(group.jobs) for group in groups)
            cores = min(self.means.at_a_time, max(1, len(groups)))
            search_s = left_s * cores - START_S * len(groups)
            if not groups or search_s < len(groups):
                return done
            each_s = min(a_job_s, search_s / max(1, jobs))
            self._solve_all(pool, groups, None, each_s, f"seams, round {done + 1}")
        return MOST_ROUNDS

    def _solve_all(
        self,
        pool: ThreadPoolExecutor,
        parts: Sequence[Part],
        warm_start: Solution | None,
        a_job_s: float,
        what: str,
    ) -> None:
        """Solve parts, the largest first, and take over what is better than what is."""
        order = sorted(parts, key=lambda part: -len(part.jobs))
        running: set[Future[_Step]] = set()
        done = 0
        waiting = list(reversed(order))
        while waiting or running:
            # A part's matrices are made when its turn comes: no more are kept.
            while waiting and len(running) < self.means.at_a_time:
                part = waiting.pop()
                piece = piece_of(self.problem, part, self.matrices_of)
                warm = (
                    standing_solution(piece, self.whole)
                    if warm_start is None
                    else told_to(piece, warm_start)
                )
                stop = Stop(time_limit_s=max(1, round(a_job_s * len(part.jobs))))
                running.add(pool.submit(self._solve, piece, stop, warm))
            over, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for one in over:
                running.discard(one)
                self._take(one.result())
                done += 1
            self._say(f"{done} of {len(parts)} {what}")

    def _say(self, text: str) -> None:
        share = (monotonic() - self.began) / max(1.0, self.wall_s)
        self.tell(5 + round(90 * min(1.0, share)), text)

    def _take(self, step: _Step) -> None:
        before = standing_solution(step.piece, self.whole)
        if before is not None:
            cost, was = step.solution.cost, before.cost
            if cost.total_milli - cost.balance_milli >= (
                was.total_milli - was.balance_milli
            ):
                return
        self.steps.append(step)
        self.whole = self.whole.with_answer(step.piece, step.solution)

    def _solve(self, piece: Piece, stop: Stop, warm: Solution | None) -> _Step:
        """Solve a part by the first engine that can, in a child; runs in a thread."""
        for engine in dict.fromkeys((*self.means.engines, FALLBACK)):
            if engine != FALLBACK and self.failures.is_given_up(engine):
                continue
            step = self._try(piece, engine, stop, warm)
            if step is not None:
                return step
        raise SolverFailed("; ".join(self.failures.words))

    def _try(
        self, piece: Piece, engine: str, stop: Stop, warm: Solution | None
    ) -> _Step | None:
        problem = piece.problem
        try:
            solution = solve_in_process(
                problem,
                engine=engine,
                stop=stop,
                seed=self.means.seed,
                warm_start=warm,
                timeout_s=stop.time_limit_s
                + GRACE_S
                + GRACE_A_JOB_S * len(problem.jobs),
                brood=self.brood,
            )
        except (SolverTimeout, SolverFailed, EngineRefused) as error:
            self.failures.note(engine, f"{engine}: {error}")
            return None
        if violations := validate(problem, solution):
            first = violations[0]
            text = f"{engine}: infeasible ({first.code}: {first.detail})"
            self.failures.note(engine, text)
            return None
        if solution.stopped_by == StoppedBy.TIME:
            # The count of solutions seen repeats the search where the clock would not.
            stop = replace(stop, solutions=solution.solutions)
            solution = replace(solution, stopped_by=StoppedBy.SOLUTIONS)
        request = SolveRequest(
            problem=problem,
            engine=engine,
            stop=stop,
            seed=self.means.seed,
            warm_start=warm,
        )
        return _Step(piece, request, solution)

    def _answer(self, parts: int, rounds: int) -> SplitAnswer:
        alone = leftover_problems(self.problem, self.whole, self.matrices_of)
        steps = self.steps
        request = SplitRequest(
            whole=self.problem,
            pieces=tuple(
                PieceRequest(locations=one.piece.locations, request=one.request)
                for one in steps
            ),
            leftovers=alone,
            engine=self.means.engines[0] if self.means.engines else FALLBACK,
            seed=self.means.seed,
            stop=Stop(time_limit_s=max(1, round(self.wall_s))),
        )
        solution = _stated(request, [one.solution for one in steps])
        return SplitAnswer(
            request=request,
            solution=solution,
            pieces=self.whole.pieces,
            failures=tuple(self.failures.words),
            parts=parts,
            rounds=rounds,
        )


def _stated(request: SplitRequest, answers: Sequence[Solution]) -> Solution:
    """Put the answers of a request's pieces together, each in the place of what was."""
    whole = NOTHING
    for one, answer in zip(request.pieces, answers, strict=True):
        whole = whole.with_answer(Piece(one.request.problem, one.locations), answer)
    whole = with_true_reasons(whole, request.leftovers)
    return merge(request.whole, whole, answers)


def replay_in_parts(request: SplitRequest, *, limit_s: int) -> Solution:
    """Solve a stored request again; the counts of solutions end the searches.

    A search's start is part of what is stored, so that the order does not matter.

    Raises:
        SolverFailed: a part got no answer.
        SolverTimeout: a part took too long.
    """

    def again(one: PieceRequest) -> Solution:
        asked = one.request
        return solve_in_process(
            asked.problem,
            engine=asked.engine,
            stop=replace(asked.stop, time_limit_s=limit_s),
            seed=asked.seed,
            warm_start=asked.warm_start,
            timeout_s=limit_s + GRACE_S,
        )

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return _stated(request, list(pool.map(again, request.pieces)))
