"""The two answers to an event of a running day: mended at once, then searched.

The first mends the present plan where it broke; it takes milliseconds and no search. The
second searches the part of the day that the event touches, half of the time from the
present plan and half from nothing, and holds only where it is worth the unrest. Neither
reads a table nor writes one.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.conf import settings

from apps.routes.chain import Budget, Failure, NoAnswer, Try, solve_by_chain
from apps.routes.dayinputs import DayInput
from apps.routes.dayversions import by_rules as the_rules_alone
from apps.routes.dayversions import left_version
from apps.routes.drafting import Thought, ledger_draft, orders_left_out
from apps.routes.effects import under_conditions
from apps.routes.gateways.base import TravelMatrix
from apps.routes.legs import legs_of
from apps.routes.planning import (
    build_problem,
    late_rather_than_never,
    must_not_be_left_out,
)
from apps.routes.replanning import (
    Touched,
    loose_orders,
    part_of,
    places_left_out,
    with_holders,
)
from apps.routes.services.fitting import Answer
from apps.routes.solver.port import MENDER, RULES, Stop
from apps.routes.solver.problem import Problem
from apps.routes.solving import (
    present_sequence,
    progress_in_words,
    travel_times_of,
)
from apps.routes.told import told_times

if TYPE_CHECKING:
    from apps.routes.solver.solution import Solution

WIDEST_STOPS = 2_000
"""Among so many stops an order is to find a place that found none among the nearest."""

Tell = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Roads:
    """A part of the day with its travel times: as they are, and as on a clear road."""

    day: DayInput
    matrix: TravelMatrix
    clear: TravelMatrix

    def problem(self) -> Problem:
        """Return the engines' problem of it."""
        return build_problem(
            self.day,
            durations_s=self.matrix.durations_s,
            distances_m=self.matrix.distances_m,
        )


def mended_answer(
    day: DayInput, touched: Touched, *, plan_id: uuid.UUID, on_progress: Tell
) -> Answer:
    """Mend the present plan: where an order finds no place nearby, look at all drivers.

    Raises:
        NoAnswer: no engine gave an answer that the validator passes.
    """
    touched = with_holders(day, touched)
    near = part_of(day, touched, most_stops=day.parameters.repair_stops)
    on_progress(1, "Mending the plan")
    answer = _mend_part(day, near, plan_id)
    known = loose_orders(day) - touched.order_ids
    is_new = any(item.order_id not in known for item in answer.left_out)
    if is_new and len(near.shifts) < len(day.shifts):
        on_progress(50, "Looking for places further away")
        far = part_of(day, touched, most_stops=WIDEST_STOPS)
        answer = _mend_part(day, far, plan_id)
    return answer


def _mend_part(day: DayInput, part: DayInput, plan_id: uuid.UUID) -> Answer:
    roads, best, late, failures = _mended(on_the_roads(part))
    thought = Thought(
        best, None, tuple(failures), late, roads.matrix.in_words(), searched=False
    )
    return _answer(day, roads, thought, plan_id)


def searched_answer(
    day: DayInput,
    touched: Touched,
    *,
    plan_id: uuid.UUID,
    on_progress: Tell,
    by_rules: bool = False,
) -> tuple[Answer, bool]:
    """Search the touched part; tell whether what was found is worth the unrest.

    `by_rules` asks no engine but the rules. Where it is not, the answer is the present plan as it stands.

    Raises:
        NoAnswer: no engine gave an answer that the validator passes.
    """
    budget = Budget.of_task(settings.TASK_TIMEOUT_S)
    part = part_of(
        day,
        with_holders(day, touched),
        most_stops=day.parameters.search_stops,
        # What is left out costs more than all detours: its neighbours come first.
        about=places_left_out(day, touched),
    )
    if by_rules:
        part = the_rules_alone(part)
    on_progress(1, "Fetching travel times")
    roads, present, late, failures = _mended(on_the_roads(part))
    found = _search(roads, present, budget, failures, on_progress)
    best = min([present, *found], key=lambda one: one.solution.cost.total_milli)
    gain = present.solution.cost.total_milli - best.solution.cost.total_milli
    is_better = gain >= max(1, day.parameters.min_gain_minor * 1000)
    thought = Thought(
        best if is_better else present,
        present,
        tuple(failures),
        late,
        roads.matrix.in_words(),
        searched=any(one.request.engine != RULES for one in found),
    )
    return _answer(day, roads, thought, plan_id), is_better


def _search(
    roads: Roads,
    present: Try,
    budget: Budget,
    failures: list[Failure],
    on_progress: Tell,
) -> list[Try]:
    """Search from the present plan and, where one could be caught there, from none.

    Each has half of the rounds. The rules begin with the present plan in any case.
    """
    problem, parameters = roads.problem(), roads.day.parameters
    if not problem.jobs or not problem.vehicles:
        return []
    stops, found = parameters.stops("replan"), []
    starts: list[Solution | None] = [present.solution]
    if len(problem.jobs) >= parameters.cold_start_stops:
        starts.append(None)
        stops = {engine: _half(stop) for engine, stop in stops.items()}
    for start in starts:
        failed = {failure.engine for failure in failures}
        answer = solve_by_chain(
            problem,
            engines=[
                engine
                for engine in parameters.chain
                if engine not in failed and (start is not None or engine != RULES)
            ],
            stops=stops,
            seed=parameters.seed,
            budget=budget,
            warm_start=start,
            on_progress=progress_in_words(on_progress),
        )
        failures += answer.failures
        found += [answer.found] if answer.found else []
    return found


def _half(stop: Stop) -> Stop:
    solutions = None if stop.solutions is None else max(1, stop.solutions // 2)
    return Stop(solutions=solutions, time_limit_s=max(1, stop.time_limit_s // 2))


def on_the_roads(part: DayInput) -> Roads:
    """Fetch the travel times of a part, as its conditions leave them."""
    clear = travel_times_of(part.parameters).matrix(
        part.points(), departs_hour=part.local_hour
    )
    slowed, matrix = under_conditions(part, clear)
    return Roads(slowed, matrix, clear)


def _mended(roads: Roads) -> tuple[Roads, Try, int, list[Failure]]:
    """Mend the present plan; what is on board comes late rather than not at all."""
    failures: list[Failure] = []
    mended = _mend(roads, failures)
    late = must_not_be_left_out(roads.day, mended.solution)
    if late:
        roads = replace(roads, day=late_rather_than_never(roads.day, late))
        mended = _mend(roads, failures)
    return roads, mended, len(late), failures


def _mend(roads: Roads, failures: list[Failure]) -> Try:
    """Mend by the engine made for it, or by insertion where that one fails."""
    parameters = roads.day.parameters
    failed = {failure.engine for failure in failures}
    answer = solve_by_chain(
        roads.problem(),
        engines=[engine for engine in (MENDER, RULES) if engine not in failed],
        stops=parameters.stops("replan"),
        seed=parameters.seed,
        budget=Budget.of_task(settings.TASK_TIMEOUT_S),
        warm_start=present_sequence(roads.day),
    )
    failures += answer.failures
    if answer.found is None:
        raise NoAnswer(" ".join(failure.text for failure in failures))
    return answer.found


def _answer(
    day: DayInput, roads: Roads, thought: Thought, plan_id: uuid.UUID
) -> Answer:
    """State an answer for the part of `day` that it is about."""
    part, solution = roads.day, thought.best.solution
    left_out = orders_left_out(part, solution)
    draft = ledger_draft(
        part, plan_id=plan_id, kind="replan", thought=thought, left_out=left_out
    )
    legs = legs_of(part, solution, roads.clear, part.local_hour)
    return Answer(
        part,
        solution,
        draft,
        left_out,
        legs=legs,
        told=told_times(part, solution, legs),
        travel_quality=roads.matrix.quality,
        failures=thought.failures,
        leaves=left_version(day, part, solution),
    )
