"""Plans that expect how they will be followed: of several, the best in expectation.

Any engine may stand behind it. It plans the day as it is, and again with windows that
close earlier, which leaves room for what drivers do otherwise. Each plan is then stated
on the day as it is and driven in thought (`deviating`); the one that comes to least is
the answer. Where nobody deviates, the engine's own plan is, untouched.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from apps.routes.solver.deviating import expected_milli, is_uncertain
from apps.routes.solver.greedy import GreedySolver
from apps.routes.solver.port import Stop, engine_names
from apps.routes.solver.solution import Expected, StoppedBy

if TYPE_CHECKING:
    from apps.routes.solver.port import OnProgress, Solver
    from apps.routes.solver.problem import Job, Problem, TimeWindow
    from apps.routes.solver.solution import Solution

MARGINS_S = (600, 1200, 2400)
"""So much earlier windows close in the plans that are tried besides."""

LEAST_OPEN = 0.25
"""At least this share of a window stays."""

FIRST_SHARE = 0.5
"""The plan as it is has this share of the time; the others' searches have a quarter of
its count each, from where it ended."""

RESTATED = Stop(solutions=0, time_limit_s=10)


def plan_expecting(
    solver: Solver,
    problem: Problem,
    *,
    stop: Stop,
    seed: int,
    warm_start: Solution | None = None,
    on_progress: OnProgress | None = None,
) -> Solution:
    """Answer as `Solver.solve` does, with the plan that comes to least in expectation.

    Where the clock ends any of the searches, the engine's own plan is the answer, and
    `expected` is None: what other plans would have come to is not known.
    """
    if not is_uncertain(problem) or solver.name not in engine_names():
        return solver.solve(
            problem,
            stop=stop,
            seed=seed,
            warm_start=warm_start,
            on_progress=on_progress,
        )
    deadline = monotonic() + stop.time_limit_s
    first_s = max(1, round(stop.time_limit_s * FIRST_SHARE))
    plain = solver.solve(
        problem,
        stop=replace(stop, time_limit_s=first_s),
        seed=seed,
        warm_start=warm_start,
        on_progress=on_progress,
    )
    if plain.stopped_by is StoppedBy.TIME:
        return plain
    plain_milli = expected_milli(problem, plain, seed)
    found, least_milli = plain, plain_milli
    rounds = None if stop.solutions is None else max(1, plain.solutions // 4)
    for margin_s in MARGINS_S:
        left_s = int(deadline - monotonic())
        if left_s < 1:
            return _by_clock(plain)
        tried = solver.solve(
            with_margin(problem, margin_s),
            stop=Stop(solutions=rounds, time_limit_s=left_s),
            seed=seed,
            warm_start=plain,
        )
        if tried.stopped_by is StoppedBy.TIME:
            return _by_clock(plain)
        other = _on_the_day(problem, tried, plain, seed)
        milli = expected_milli(problem, other, seed)
        if milli < least_milli:
            found, least_milli = other, milli
    expected = Expected(milli=least_milli, plain_milli=plain_milli)
    return replace(found, expected=expected)


def _by_clock(plain: Solution) -> Solution:
    return replace(plain, stopped_by=StoppedBy.TIME)


def with_margin(problem: Problem, margin_s: int) -> Problem:
    """Return a day whose windows close earlier where drivers may come otherwise."""
    committed = {one for car in problem.vehicles for one in car.locked}
    jobs = tuple(
        job if job.id in committed else _narrowed(job, margin_s) for job in problem.jobs
    )
    return replace(problem, jobs=jobs)


def _narrowed(job: Job, margin_s: int) -> Job:
    return replace(
        job, windows=tuple(_earlier(window, margin_s) for window in job.windows)
    )


def _earlier(window: TimeWindow, margin_s: int) -> TimeWindow:
    least_s = max(1, round((window.end_s - window.start_s) * LEAST_OPEN))
    end_s = max(window.start_s + least_s, window.end_s - margin_s)
    return replace(window, end_s=min(window.end_s, end_s))


def _on_the_day(
    problem: Problem, tried: Solution, plain: Solution, seed: int
) -> Solution:
    """State a plan of narrower windows on the day as it is; what it left out goes in."""
    stated = GreedySolver().solve(problem, stop=RESTATED, seed=seed, warm_start=tried)
    return replace(
        stated,
        engine=plain.engine,
        engine_version=plain.engine_version,
        seed=plain.seed,
        solutions=plain.solutions,
        stopped_by=plain.stopped_by,
        trace=plain.trace,
    )
