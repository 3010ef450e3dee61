"""One problem, through a chain of engines: the first answer that the judge passes.

An engine that refuses, throws, dies, hangs, or answers with a plan that breaks a rule is
replaced by the next. All of them together stay within a budget of time, so that the task
that asks can store the answer before its own timeout.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from apps.routes.solver.codec import SolveRequest, SplitRequest
from apps.routes.solver.deviating import certain
from apps.routes.solver.expecting import plan_expecting
from apps.routes.solver.port import (
    MENDER,
    RULES,
    EngineRefused,
    OnProgress,
    Stop,
    engine_names,
    open_engine,
    refused_features,
)
from apps.routes.solver.problem import Problem
from apps.routes.solver.process import (
    Brood,
    SolverFailed,
    SolverTimeout,
    solve_in_process,
)
from apps.routes.solver.solution import Solution, StoppedBy
from apps.routes.solver.validate import validate

log = structlog.get_logger(__name__)

GRACE_S = 8
"""What a child process may take beyond its engine's cap: start, encode, decode."""

LEAST_S = 5
"""A search that has less than this is not begun while it would take another's time."""

ANSWER_SHARE = 5 / 6
"""The share of a task's timeout in which it must have its answer; then it is stored."""

WORDS_SHOWN = 200
"""Of an engine's last word, so many characters are shown; the log has them all."""

ENGINE_NAMES: Mapping[str, str] = {
    "pyvrp": "PyVRP",
    "ortools": "OR-Tools",
    "greedy": "Insertion by rules",
    "repair": "Mending by rules",
}


class NoAnswer(RuntimeError):
    """Every engine failed; the message says how each did."""


@dataclass(frozen=True, slots=True)
class Crew:
    """A child among others: all of them are killed together.

    `grace_s` is what it may take beyond its limit.
    """

    brood: Brood
    grace_s: float


class Budget:
    """The time that all engines of one answer have together."""

    def __init__(
        self, total_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin now; `clock` counts seconds."""
        self._clock = clock
        self._deadline_s = clock() + total_s

    @classmethod
    def of_task(
        cls, timeout_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> "Budget":
        """Take what a task of this timeout may spend before it stores the answer."""
        return cls(timeout_s * ANSWER_SHARE, clock=clock)

    def left_s(self) -> float:
        """Return the seconds that are left; none is 0."""
        return max(0.0, self._deadline_s - self._clock())

    def for_search(self, cap_s: int, *, engines_after: int = 0) -> int:
        """Return a search's limit in whole seconds; 0 says not to begin.

        However it ends, killed after its limit and the grace if need be, each of the
        engines after it can still try.
        """
        left_s = self.left_s() - GRACE_S
        kept_s = engines_after * (LEAST_S + GRACE_S)
        if left_s - kept_s >= LEAST_S:
            left_s -= kept_s
        limit_s = min(cap_s, int(left_s))
        return limit_s if limit_s >= min(cap_s, LEAST_S) else 0

    def for_rules(self, cap_s: int) -> int:
        """Return the rules' limit: half of what is left at most, and at least 1."""
        return max(1, min(cap_s, int(self.left_s() / 2)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an engine's answer was not had: a stable code, and the engine's own words."""

    engine: str
    code: str
    detail: str = ""

    @property
    def text(self) -> str:
        """Say it in plain words."""
        name = ENGINE_NAMES.get(self.engine, f"“{self.engine}”")
        return FAILURES[self.code].format(name=name, detail=self.detail)


FAILURES: Mapping[str, str] = {
    "unknown": "{name} is no engine: see the parameter “engine”.",
    "refused": "{name} was passed over: {detail}.",
    "late": "{name} gave no answer in time and was stopped ({detail}).",
    "died": "{name} ended without an answer ({detail}).",
    "infeasible": "{name} gave a plan that breaks a rule, which was thrown away ({detail}).",
    "no_time": "{name} was not tried: there was no time left.",
}
"""What is said of an engine that gave no answer, by code."""


@dataclass(frozen=True, slots=True)
class Try:
    """One engine's validated answer, and the request that it answers.

    `by_clock` says that time ended the search: on another machine it may end elsewhere.
    The request then names the count that it came to, by which it can be repeated.
    """

    request: SolveRequest | SplitRequest
    solution: Solution
    by_clock: bool = False


@dataclass(frozen=True, slots=True)
class ChainAnswer:
    """The first valid answer, None where every engine failed, and how those before did."""

    found: Try | None
    failures: tuple[Failure, ...] = ()


def solve_by_chain(
    problem: Problem,
    *,
    engines: Sequence[str],
    stops: Mapping[str, Stop],
    seed: int,
    budget: Budget,
    warm_start: Solution | None = None,
    on_progress: OnProgress | None = None,
    crew: Crew | None = None,
) -> ChainAnswer:
    """Ask the engines in turn until one answers with a plan that the judge passes.

    `stops` says by engine when its search ends; the budget may end it before. An
    engine that fails in whatever way is replaced by the next, never raised. In a
    `crew` the rules have a child too.
    """
    failures: list[Failure] = []
    for place, engine in enumerate(engines):
        others = sum(1 for name in engines[place + 1 :] if name != RULES)
        stop = _within(stops.get(engine, Stop()), engine, budget, others)
        if stop is None:
            failures.append(Failure(engine=engine, code="no_time"))
            continue
        request = SolveRequest(
            problem=problem, engine=engine, stop=stop, seed=seed, warm_start=warm_start
        )
        answer = _answer(request, on_progress, crew)
        if isinstance(answer, Try):
            return ChainAnswer(answer, tuple(failures))
        failures.append(answer)
    return ChainAnswer(None, tuple(failures))


def _within(stop: Stop, engine: str, budget: Budget, others: int) -> Stop | None:
    """Return the stop rule as the budget allows it, or None."""
    if engine in {RULES, MENDER}:
        return replace(stop, time_limit_s=budget.for_rules(stop.time_limit_s))
    limit_s = budget.for_search(stop.time_limit_s, engines_after=others)
    return replace(stop, time_limit_s=limit_s) if limit_s else None


def _answer(
    request: SolveRequest, on_progress: OnProgress | None, crew: Crew | None
) -> Try | Failure:
    """Ask one engine and judge its answer."""
    engine = request.engine
    if engine not in (*engine_names(), MENDER):
        return Failure(engine=engine, code="unknown")
    if refused := refused_features(engine, request.problem):
        return Failure(engine=engine, code="refused", detail=f"it cannot do {refused}")
    try:
        solution = _solve(request, on_progress, crew)
        violations = validate(request.problem, solution)
    except Exception as error:  # noqa: BLE001  whatever it throws, the next one is asked
        code, detail = _in_words(error)
        log.warning("engine_failed", engine=engine, code=code, error=str(error))
        return Failure(engine=engine, code=code, detail=detail)
    if not violations:
        return _tried(request, solution)
    first = violations[0]
    log.error("engine_infeasible", engine=engine, violations=len(violations))
    detail = f"{first.code}: {first.detail}" if first.detail else first.code
    return Failure(engine=engine, code="infeasible", detail=detail)


def _in_words(error: Exception) -> tuple[str, str]:
    """Return a failure's code and its detail, short enough for an office's page."""
    match error:
        case EngineRefused():
            return "refused", str(error)
        case SolverTimeout():
            return "late", str(error)
        case SolverFailed(code=int(code)) if code < 0:
            return "died", f"killed by signal {-code}"
        case SolverFailed(words=(*_, last)):
            return "died", last[:WORDS_SHOWN]
    return "died", f"{type(error).__name__}: {error}"[:WORDS_SHOWN]


def _tried(request: SolveRequest, solution: Solution) -> Try:
    if solution.stopped_by != StoppedBy.TIME:
        return Try(request, solution)
    # The count of solutions seen repeats the search where the clock would not.
    stop = replace(request.stop, solutions=solution.solutions)
    if solution.expected is None:
        request = replace(request, problem=certain(request.problem))
    solution = replace(solution, stopped_by=StoppedBy.SOLUTIONS)
    return Try(replace(request, stop=stop), solution, by_clock=True)


def _solve(
    request: SolveRequest, on_progress: OnProgress | None, crew: Crew | None
) -> Solution:
    """Solve in a child that can be killed; the rules need none, being Python with a cap."""
    if request.engine in {RULES, MENDER} and crew is None:
        return plan_expecting(
            open_engine(request.engine),
            request.problem,
            stop=request.stop,
            seed=request.seed,
            warm_start=request.warm_start,
            on_progress=on_progress,
        )
    return solve_in_process(
        request.problem,
        engine=request.engine,
        stop=request.stop,
        seed=request.seed,
        warm_start=request.warm_start,
        timeout_s=request.stop.time_limit_s + (crew.grace_s if crew else GRACE_S),
        on_progress=on_progress,
        brood=crew.brood if crew else None,
    )
