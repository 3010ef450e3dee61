"""From a day's input to a validated answer: travel times, engine, judge.

Runs in a task, outside any transaction: it reads no table and writes none.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace

import structlog

from apps.routes.drafting import (
    FALLBACK,
    Thought,
    Try,
    ledger_draft,
    orders_left_out,
)
from apps.routes.effects import under_conditions
from apps.routes.gateways.base import TravelMatrix, TravelTimes
from apps.routes.gateways.choice import travel_times
from apps.routes.legs import legs_of
from apps.routes.parameters import Parameters
from apps.routes.planning import (
    DayInput,
    build_problem,
    late_rather_than_never,
    on_board_left_out,
)
from apps.routes.services.fitting import Answer
from apps.routes.solver.codec import (
    SolveRequest,
    decode_request,
    encode_solution,
)
from apps.routes.solver.port import EngineRefused, Progress, Stop, open_engine
from apps.routes.solver.problem import Problem
from apps.routes.solver.process import SolverFailed, SolverTimeout, solve_in_process
from apps.routes.solver.solution import (
    CostBreakdown,
    RouteCost,
    RoutePlan,
    Solution,
    StoppedBy,
    Visit,
)
from apps.routes.solver.validate import validate

log = structlog.get_logger(__name__)

REPLAY_LIMIT_S = 600
GRACE_S = 8
"""What a child process may take beyond its engine's cap: start, encode, decode."""


class NoAnswer(RuntimeError):
    """Every engine failed; the message says how each did."""


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
    """Solve a day with the first engine, or with the rules when that one fails.

    The rules' answer comes first: it repairs the present sequence, starts the search,
    and stands if the search fails or gains less than unrest is worth.

    Raises:
        NoAnswer: no engine gave an answer that the validator passes.
    """
    on_progress(1, "Fetching travel times")
    hour = day.origin_at.hour if kind == "replan" else None
    matrix = travel_times_of(day.parameters).matrix(day.points(), departs_hour=hour)
    clear, (day, matrix) = matrix, under_conditions(day, matrix)
    failures: list[str] = []
    best, rules = _think(day, kind, matrix, on_progress, failures)
    late = on_board_left_out(day, best.solution)
    if late:
        on_progress(50, f"{len(late)} on board will be late")
        day = late_rather_than_never(day, late)
        best, rules = _think(day, kind, matrix, on_progress, failures)
    left_out = orders_left_out(day, best.solution)
    thought = Thought(best, rules, tuple(failures), len(late), matrix.in_words())
    draft = ledger_draft(
        day, plan_id=plan_id, kind=kind, thought=thought, left_out=left_out
    )
    legs = legs_of(day, best.solution, clear, hour)
    return Answer(
        day, best.solution, draft, left_out, legs=legs, travel_quality=matrix.quality
    )


def _think(
    day: DayInput,
    kind: str,
    matrix: TravelMatrix,
    on_progress: Callable[[int, str], None],
    failures: list[str],
) -> tuple[Try, Try | None]:
    """Return the better answer, and the rules' own where they had one."""
    problem = build_problem(
        day, durations_s=matrix.durations_s, distances_m=matrix.distances_m
    )
    on_progress(3, "First answer by insertion")
    rules = _try(problem, FALLBACK, day, kind, present_sequence(day), None, failures)
    best = rules
    if day.parameters.engine != FALLBACK and problem.jobs and problem.vehicles:
        warm = rules.solution if rules else None
        found = _try(
            problem, day.parameters.engine, day, kind, warm, on_progress, failures
        )
        best = _better(rules, found, day.parameters, kind)
    if best is None:
        raise NoAnswer("; ".join(failures))
    return best, rules


def present_sequence(day: DayInput) -> Solution | None:
    """Return today's sequences as a start for a search; only the order of visits counts."""
    job_of = {order.stop_id: str(order.order_id) for order in day.orders}
    routes = tuple(
        RoutePlan(
            vehicle_id=str(shift.shift_id),
            departure_s=0,
            end_s=0,
            duration_s=0,
            travel_s=0,
            distance_m=0,
            overtime_s=0,
            visits=tuple(
                Visit(job_id=job, arrival_s=0, wait_s=0, start_s=0, departure_s=0)
                for stop_id in shift.ahead
                if (job := job_of.get(stop_id)) is not None
            ),
            breaks=(),
            cost=RouteCost(
                fixed_milli=0, distance_milli=0, duration_milli=0, overtime_milli=0
            ),
        )
        for shift in day.shifts
    )
    if not any(route.visits for route in routes):
        return None
    return Solution(
        routes=tuple(route for route in routes if route.visits),
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


def _try(  # noqa: PLR0917
    problem: Problem,
    engine: str,
    day: DayInput,
    kind: str,
    warm_start: Solution | None,
    on_progress: Callable[[int, str], None] | None,
    failures: list[str],
) -> Try | None:
    parameters = day.parameters
    stop = _stop_rule(parameters, kind, engine)
    try:
        solution = _solve(
            problem, engine, stop, parameters.seed, warm_start, on_progress
        )
    except (SolverTimeout, SolverFailed, EngineRefused) as error:
        failures.append(f"{engine}: {error}")
        log.warning("engine_failed", engine=engine, error=type(error).__name__)
        return None
    if violations := validate(problem, solution):
        first = violations[0]
        failures.append(f"{engine}: infeasible ({first.code}: {first.detail})")
        log.error("engine_infeasible", engine=engine, violations=len(violations))
        return None
    if solution.stopped_by == StoppedBy.TIME:
        # The count of solutions seen repeats the search where the clock would not.
        stop = replace(stop, solutions=solution.solutions)
        solution = replace(solution, stopped_by=StoppedBy.SOLUTIONS)
    request = SolveRequest(
        problem=problem,
        engine=engine,
        stop=stop,
        seed=parameters.seed,
        warm_start=warm_start,
    )
    return Try(request, solution)


def _solve(  # noqa: PLR0917
    problem: Problem,
    engine: str,
    stop: Stop,
    seed: int,
    warm_start: Solution | None,
    on_progress: Callable[[int, str], None] | None,
) -> Solution:
    """Solve in a child that can be killed; the rules need none, being Python with a cap."""
    if engine == FALLBACK:
        return open_engine(engine).solve(
            problem, stop=stop, seed=seed, warm_start=warm_start
        )
    return solve_in_process(
        problem,
        engine=engine,
        stop=stop,
        seed=seed,
        warm_start=warm_start,
        timeout_s=stop.time_limit_s + GRACE_S,
        on_progress=_report(on_progress) if on_progress else None,
    )


def _stop_rule(parameters: Parameters, kind: str, engine: str) -> Stop:
    if engine == FALLBACK:
        return Stop(
            solutions=parameters.rules_replan_rounds
            if kind == "replan"
            else parameters.rules_day_rounds,
            time_limit_s=parameters.rules_time_limit_s,
        )
    if kind == "replan":
        return Stop(
            solutions=parameters.replan_solutions,
            time_limit_s=parameters.replan_time_limit_s,
        )
    return Stop(
        solutions=parameters.day_solutions, time_limit_s=parameters.day_time_limit_s
    )


def _report(tell: Callable[[int, str], None]) -> Callable[[Progress], None]:
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
    rules: Try | None, found: Try | None, parameters: Parameters, kind: str
) -> Try | None:
    if rules is None or found is None:
        return found or rules
    gain = rules.solution.cost.total_milli - found.solution.cost.total_milli
    wanted = parameters.min_gain_minor * 1000 if kind == "replan" else 0
    return found if gain >= wanted else rules


def replay(inputs: bytes) -> bytes:
    """Solve a stored request again and return the answer as canonical JSON.

    The stored count of solutions ends the search; the clock only guards it.
    """
    request = decode_request(inputs)
    solution = solve_in_process(
        request.problem,
        engine=request.engine,
        stop=replace(request.stop, time_limit_s=REPLAY_LIMIT_S),
        seed=request.seed,
        warm_start=request.warm_start,
        timeout_s=REPLAY_LIMIT_S + GRACE_S,
    )
    return encode_solution(solution)
