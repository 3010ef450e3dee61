"""A large day planned in parts, some at a time, each in a child that can be killed.

First the parts of a split, then rounds of parts across their seams, as long as there is
time. Every answer is judged before it counts, and the whole at the end once more.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from apps.routes.chain import (
    GRACE_S,
    LEAST_S,
    Budget,
    Crew,
    Failure,
    NoAnswer,
    solve_by_chain,
)
from apps.routes.pieces import AT_A_TIME, stated
from apps.routes.solver.codec import PieceRequest, SolveRequest, SplitRequest
from apps.routes.solver.leftovers import leftover_problems
from apps.routes.solver.merging import (
    NOTHING,
    MatricesOf,
    Piece,
    piece_of,
    standing_solution,
    told_to,
)
from apps.routes.solver.port import RULES, Stop
from apps.routes.solver.problem import Problem
from apps.routes.solver.process import Brood
from apps.routes.solver.seams import Seams
from apps.routes.solver.solution import Solution
from apps.routes.solver.splitting import JOBS_A_PART, Part, split

START_S = 0.8
"""What a child takes beside its search: start, reading, writing (our measurement)."""
GRACE_A_JOB_S = 0.03
"""What a child may take more before it is killed: the first plan of a part is made
whatever the clock says."""
SEAM_SHARE = 0.35
"""The share of the time that is kept for the seams."""
MOST_ROUNDS = 6
GIVEN_UP_AFTER = 2
"""An engine that failed so often is not tried on further parts."""
POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a planning in parts may use.

    `engines` in order, with their `stops`; `wall_s` on the wall clock, of which a search
    takes `search_s_a_job` of one core where that is enough.
    """

    engines: tuple[str, ...]
    stops: Mapping[str, Stop]
    seed: int
    wall_s: float
    search_s_a_job: float
    jobs_a_part: int = JOBS_A_PART
    at_a_time: int = AT_A_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitAnswer:
    """The plan of a day in parts, what it was made of, and what went wrong on the way."""

    request: SplitRequest
    solution: Solution
    pieces: Mapping[str, Piece]
    failures: tuple[Failure, ...]
    by_clock: bool
    parts: int
    rounds: int


@dataclass(frozen=True, slots=True)
class _Step:
    """An answer to a piece."""

    piece: Piece
    request: SolveRequest
    solution: Solution
    by_clock: bool


@dataclass(slots=True)
class _Failures:
    """How engines failed, each way once, and which of them are given up."""

    known: dict[Failure, None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, failures: Sequence[Failure]) -> None:
        for failure in failures:
            self.known.setdefault(failure)
            count = self.counts.get(failure.engine, 0)
            self.counts[failure.engine] = count + (failure.code != "no_time")

    def hopeful(self, engines: Sequence[str]) -> tuple[str, ...]:
        return tuple(
            name for name in engines if self.counts.get(name, 0) < GIVEN_UP_AFTER
        )


class PlanningInParts:
    """The planning of a day whose `problem` has no matrices, by those of `matrices_of`.

    `places` are metres east and north by location; `tell` hears how far it is.
    """

    def __init__(
        self,
        problem: Problem,
        places: NDArray[np.float64],
        matrices_of: MatricesOf,
        means: Means,
        tell: Callable[[int, str], None] = lambda percent, text: None,
    ) -> None:
        """Begin now."""
        self.problem = problem
        self.places = places
        self.matrices_of = matrices_of
        self.means = means
        self.tell = tell
        self.began = monotonic()
        self.wall_s = means.wall_s
        self.failures = _Failures()
        self.brood = Brood()
        self.steps: list[_Step] = []
        self.whole = NOTHING
        self.parts = self.rounds = 0

    def plan(self, warm_start: Solution | None = None) -> None:
        """Plan the whole day, from a start where there is one.

        Raises:
            NoAnswer: a part got no answer from any engine.
        """
        parts = self._split(warm_start)
        jobs, at_a_time = max(1, len(self.problem.jobs)), self.means.at_a_time
        wanted_s = self.means.search_s_a_job * jobs / at_a_time
        starts_s = START_S * len(parts) / at_a_time
        self.wall_s = min(self.wall_s, (wanted_s + starts_s) / (1 - SEAM_SHARE))
        search_s = max(0.0, self.wall_s * (1 - SEAM_SHARE) - starts_s)
        a_job_s = search_s * at_a_time / jobs
        self.parts = len(parts)
        with self._pool() as pool:
            self._solve_all(pool, parts, warm_start, a_job_s, "parts planned")
            if len(parts) > 1:
                self.rounds = self._mend_seams(pool, parts, a_job_s)

    def serve_late(self, problem: Problem, jobs: Mapping[str, str]) -> None:
        """Find places for jobs that were left out and may be late now.

        `problem` has their new windows, `jobs` the vehicle that each of them is bound to.
        """
        self.problem = problem
        index = {job.id: number for number, job in enumerate(problem.jobs)}
        numbers = {car.id: number for number, car in enumerate(problem.vehicles)}
        parts = []
        for car in sorted({*jobs.values()}):
            route = self.whole.routes.get(car)
            there = [visit.job_id for visit in route.visits] if route else []
            there += [job for job, bound in jobs.items() if bound == car]
            mine = tuple(sorted(index[job] for job in there))
            parts.append(Part((numbers[car],), mine))
        with self._pool() as pool:
            self._solve_all(pool, parts, None, 0.0, "vans with late parcels")

    def answer(self) -> SplitAnswer:
        """State what was found as one plan."""
        alone = leftover_problems(self.problem, self.whole, self.matrices_of)
        request = SplitRequest(
            whole=self.problem,
            pieces=tuple(
                PieceRequest(locations=one.piece.locations, request=one.request)
                for one in self.steps
            ),
            leftovers=alone,
            engine=self.means.engines[0],
            seed=self.means.seed,
            stop=Stop(time_limit_s=max(1, round(self.wall_s))),
        )
        return SplitAnswer(
            request=request,
            solution=stated(request, [one.solution for one in self.steps]),
            pieces=self.whole.pieces,
            failures=tuple(self.failures.known),
            by_clock=any(one.by_clock for one in self.steps),
            parts=self.parts,
            rounds=self.rounds,
        )

    @contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        """Give threads that wait for children; with an error, the children are killed."""
        self.brood = Brood()
        pool = ThreadPoolExecutor(self.means.at_a_time)
        try:
            yield pool
        finally:
            self.brood.kill()
            pool.shutdown(wait=True, cancel_futures=True)

    def _split(self, warm_start: Solution | None) -> tuple[Part, ...]:
        started = warm_start.routes if warm_start else ()
        return split(
            self.problem,
            self.places,
            jobs_a_part=self.means.jobs_a_part,
            drivers={
                visit.job_id: route.vehicle_id
                for route in started
                for visit in route.visits
            },
        )

    def _left_s(self) -> float:
        return self.began + self.wall_s - monotonic()

    def _mend_seams(
        self, pool: ThreadPoolExecutor, parts: Sequence[Part], a_job_s: float
    ) -> int:
        """Plan across the seams as long as there is time; return the rounds."""
        seams = Seams(self.problem, self.places, parts, self.means.jobs_a_part)
        for done in range(MOST_ROUNDS):
            groups = seams.next_round(self.whole)
            jobs = sum(len(group.jobs) for group in groups)
            cores = min(self.means.at_a_time, max(1, len(groups)))
            search_s = self._left_s() * cores - START_S * len(groups)
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
        waiting = sorted(parts, key=lambda part: len(part.jobs))
        running: set[Future[_Step]] = set()
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
                limit_s = max(1, round(a_job_s * len(part.jobs)))
                running.add(pool.submit(self._solve, piece, limit_s, warm))
            over, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for one in over:
                running.discard(one)
                self._take(one.result())
            done = len(parts) - len(waiting) - len(running)
            self._say(f"{done} of {len(parts)} {what}")

    def _say(self, text: str) -> None:
        share = 1 - self._left_s() / max(1.0, self.wall_s)
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

    def _solve(self, piece: Piece, limit_s: int, warm: Solution | None) -> _Step:
        """Solve a part by the first engine that can, in a child; runs in a thread."""
        engines = (*self.failures.hopeful(self.means.engines), RULES)
        crew = Crew(self.brood, GRACE_S + GRACE_A_JOB_S * len(piece.problem.jobs))
        if self._left_s() < limit_s:
            engines = (RULES,)  # late: what is left is planned by insertion alone
        step = self._ask(piece, dict.fromkeys(engines), limit_s, warm, crew)
        # Where not even a child can be had, the rules do without.
        step = step or self._ask(piece, (RULES,), limit_s, warm, None)
        if step is None:
            raise NoAnswer(" ".join(one.text for one in self.failures.known))
        return step

    def _ask(
        self,
        piece: Piece,
        engines: Iterable[str],
        limit_s: int,
        warm: Solution | None,
        crew: Crew | None,
    ) -> _Step | None:
        chain = tuple(engines)
        others_s = (len(chain) - 1) * (LEAST_S + GRACE_S)
        answer = solve_by_chain(
            piece.problem,
            engines=chain,
            stops={
                name: replace(self.means.stops.get(name, Stop()), time_limit_s=limit_s)
                for name in chain
            },
            seed=self.means.seed,
            # Half a second, so that whole seconds are the limit.
            budget=Budget(limit_s + GRACE_S + 0.5 + others_s),
            warm_start=warm,
            crew=crew,
        )
        self.failures.note(answer.failures)
        found = answer.found
        if found is None or not isinstance(found.request, SolveRequest):
            return None
        return _Step(piece, found.request, found.solution, found.by_clock)
