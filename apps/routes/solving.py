"""From a day's input to a validated answer: travel times, engine, judge.

Runs in a task, outside any transaction: it reads no table and writes none.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings

from apps.routes.chain import (
    GRACE_S,
    Budget,
    Failure,
    NoAnswer,
    Try,
    solve_by_chain,
)
from apps.routes.dayinputs import DayInput
from apps.routes.dayversions import present_jobs
from apps.routes.drafting import Thought, ledger_draft, orders_left_out
from apps.routes.effects import under_conditions
from apps.routes.gateways.base import TravelMatrix, TravelTimes
from apps.routes.gateways.choice import travel_times
from apps.routes.largedays import Asked, answer_large_day, is_large
from apps.routes.legs import legs_of
from apps.routes.parameters import Parameters
from apps.routes.pieces import replay_in_parts
from apps.routes.planning import (
    build_problem,
    late_rather_than_never,
    must_not_be_left_out,
)
from apps.routes.services.fitting import Answer
from apps.routes.solver.codec import SplitRequest, decode_inputs, encode_solution
from apps.routes.solver.deviating import expected_milli, is_uncertain
from apps.routes.solver.port import RULES, Progress
from apps.routes.solver.problem import Problem
from apps.routes.solver.process import solve_in_process
from apps.routes.solver.solution import (
    CostBreakdown,
    RouteCost,
    RoutePlan,
    Solution,
    StoppedBy,
    Visit,
)
from apps.routes.told import told_times

REPLAY_LIMIT_S = 600


def travel_times_of(parameters: Parameters) -> TravelTimes:
    """Return the travel-time gateway of a depot."""
    return travel_times(parameters)


def answer_day(
    day: DayInput,
    *,
    plan_id: uuid.UUID,
    kind: str,
    on_progress: Callable[[int, str], None],
) -> Answer:
    """Solve a day with the first engine of the depot's chain that gives an answer.

    The rules' answer comes first: it repairs the present sequence, starts the search,
    and stands if every search fails or gains less than unrest is worth. All together
    take less than a task may, so that the answer can still be stored.

    Raises:
        NoAnswer: no engine gave an answer that the validator passes.
    """
    asking = _Asking(Budget.of_task(settings.TASK_TIMEOUT_S), on_progress)
    on_progress(1, "Fetching travel times")
    hour = day.local_hour if kind == "replan" else None
    if is_large(day):
        asked = Asked(
            plan_id=plan_id,
            kind=kind,
            source=travel_times_of(day.parameters),
            hour=hour,
            start=present_sequence(day),
            budget=asking.budget,
            tell=on_progress,
        )
        return answer_large_day(day, asked)
    return _answer_at_once(day, plan_id, kind, asking, hour)


@dataclass(slots=True)
class _Asking:
    """What one answer may still spend, and how its engines fared so far."""

    budget: Budget
    tell: Callable[[int, str], None]
    failures: list[Failure] = field(default_factory=list)
    searched: bool = False

    def hopeful(self, chain: Sequence[str]) -> tuple[str, ...]:
        """Take the engines that have not failed before in this answer."""
        failed = {failure.engine for failure in self.failures}
        return tuple(name for name in chain if name not in failed)


def _answer_at_once(
    day: DayInput, plan_id: uuid.UUID, kind: str, asking: _Asking, hour: int | None
) -> Answer:
    """Solve a day in one piece, as `answer_day` says."""
    matrix = travel_times_of(day.parameters).matrix(day.points(), departs_hour=hour)
    clear, (day, matrix) = matrix, under_conditions(day, matrix)
    best, rules = _think(day, kind, matrix, asking)
    late = must_not_be_left_out(day, best.solution)
    if late:
        asking.tell(50, f"{len(late)} on board will be late")
        day = late_rather_than_never(day, late)
        best, rules = _think(day, kind, matrix, asking)
    left_out = orders_left_out(day, best.solution)
    thought = Thought(
        best,
        rules,
        tuple(asking.failures),
        len(late),
        matrix.in_words(),
        searched=asking.searched,
    )
    draft = ledger_draft(
        day, plan_id=plan_id, kind=kind, thought=thought, left_out=left_out
    )
    legs = legs_of(day, best.solution, clear, hour)
    return Answer(
        day,
        best.solution,
        draft,
        left_out,
        legs=legs,
        told=told_times(day, best.solution, legs),
        travel_quality=matrix.quality,
        failures=thought.failures,
    )


def _think(
    day: DayInput, kind: str, matrix: TravelMatrix, asking: _Asking
) -> tuple[Try, Try | None]:
    """Return the better answer, and the rules' own where they had one."""
    problem = build_problem(
        day, durations_s=matrix.durations_s, distances_m=matrix.distances_m
    )
    asking.tell(3, "First answer by insertion")
    rules = _ask(problem, (RULES,), day, kind, asking, present_sequence(day))
    best = rules
    engines = asking.hopeful([name for name in day.parameters.chain if name != RULES])
    if problem.jobs and problem.vehicles and engines:
        warm = rules.solution if rules else present_sequence(day)
        found = _ask(problem, engines, day, kind, asking, warm)
        asking.searched = found is not None
        best = _better(rules, found, day.parameters, kind, problem)
    else:
        asking.searched = False
    if best is None:
        raise NoAnswer(" ".join(failure.text for failure in asking.failures))
    return best, rules


def _ask(  # noqa: PLR0917
    problem: Problem,
    engines: Sequence[str],
    day: DayInput,
    kind: str,
    asking: _Asking,
    warm_start: Solution | None,
) -> Try | None:
    """Ask some engines in turn; how each failed is kept."""
    answer = solve_by_chain(
        problem,
        engines=engines,
        stops=day.parameters.stops(kind),
        seed=day.parameters.seed,
        budget=asking.budget,
        warm_start=warm_start,
        on_progress=None if RULES in engines else progress_in_words(asking.tell),
    )
    asking.failures += answer.failures
    return answer.found


def present_sequence(day: DayInput) -> Solution | None:
    """Return today's sequences as a start for a search; only the order of visits counts."""
    sequences = {str(one): jobs for one, jobs in present_jobs(day).items()}
    return as_start(sequences) if any(sequences.values()) else None


def as_start(sequences: Mapping[str, Sequence[str]]) -> Solution:
    """Return jobs by vehicle as a solution of which only the order of visits counts."""
    routes = tuple(
        RoutePlan(
            vehicle_id=vehicle_id,
            departure_s=0,
            end_s=0,
            duration_s=0,
            travel_s=0,
            distance_m=0,
            overtime_s=0,
            visits=tuple(
                Visit(job_id=job, arrival_s=0, wait_s=0, start_s=0, departure_s=0)
                for job in jobs
            ),
            breaks=(),
            cost=RouteCost(
                fixed_milli=0, distance_milli=0, duration_milli=0, overtime_milli=0
            ),
        )
        for vehicle_id, jobs in sequences.items()
        if jobs
    )
    return Solution(
        routes=routes,
        unserved=(),
        cost=CostBreakdown(
            fixed_milli=0,
            distance_milli=0,
            duration_milli=0,
            overtime_milli=0,
            unserved_milli=0,
            disruption_milli=0,
        ),
        engine="present",
        engine_version="1",
        seed=0,
        solutions=0,
        stopped_by=StoppedBy.EXHAUSTED,
    )


def progress_in_words(tell: Callable[[int, str], None]) -> Callable[[Progress], None]:
    """Pass a search's words on, once a second at the most."""
    last = [0.0]

    def on_progress(progress: Progress) -> None:
        if time.monotonic() - last[0] < 1:
            return
        last[0] = time.monotonic()
        best = progress.best_cost_milli
        text = f"{progress.solutions} solutions seen"
        if best is not None:
            text += f", best costs {best / 100_000:.2f}"
        tell(5 + round(progress.percent * 0.9), text)

    return on_progress


def _better(
    rules: Try | None,
    found: Try | None,
    parameters: Parameters,
    kind: str,
    problem: Problem,
) -> Try | None:
    """Choose by cost, or by what comes of it where drivers do not follow to the letter."""
    if rules is None or found is None:
        return found or rules
    one, other = rules.solution, found.solution
    gain = one.cost.total_milli - other.cost.total_milli
    if is_uncertain(problem):
        seed = parameters.seed
        gain = expected_milli(problem, one, seed) - expected_milli(problem, other, seed)
    wanted = parameters.min_gain_minor * 1000 if kind == "replan" else 0
    return found if gain >= wanted else rules


def replay(inputs: bytes) -> bytes:
    """Solve a stored request again and return the answer as canonical JSON.

    The stored count of solutions ends the search; the clock only guards it.
    """
    request = decode_inputs(inputs)
    if isinstance(request, SplitRequest):
        return encode_solution(replay_in_parts(request, limit_s=REPLAY_LIMIT_S))
    solution = solve_in_process(
        request.problem,
        engine=request.engine,
        stop=replace(request.stop, time_limit_s=REPLAY_LIMIT_S),
        seed=request.seed,
        warm_start=request.warm_start,
        timeout_s=REPLAY_LIMIT_S + GRACE_S,
    )
    return encode_solution(solution)
