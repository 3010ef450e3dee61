"""A day too large for one search: planned in parts, and told like any other.

No table of travel times between all its places is ever made: each part asks for its own,
each finished route once more for its clear legs.
"""

import math
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from apps.core.units import Point
from apps.routes.chain import Budget, NoAnswer, Try
from apps.routes.conditions import slowed
from apps.routes.dayinputs import DayInput
from apps.routes.drafting import Thought, ledger_draft, orders_left_out
from apps.routes.effects import around_closures, time_looked_at
from apps.routes.gateways.base import ESTIMATED, TravelMatrix, TravelTimes
from apps.routes.inparts import Means, PlanningInParts, SplitAnswer
from apps.routes.legs import legs_of
from apps.routes.places import METRES_A_DEGREE
from apps.routes.planning import (
    build_problem,
    late_rather_than_never,
    must_not_be_left_out,
)
from apps.routes.services.fitting import Answer
from apps.routes.solver.port import RULES
from apps.routes.solver.problem import Matrix, Problem
from apps.routes.solver.solution import Solution
from apps.routes.solver.splitting import JOBS_A_PART
from apps.routes.solver.validate import validate_whole
from apps.routes.told import told_times

LARGE_ORDERS = 800
"""From so many orders on a day is planned in parts: time and memory of one search grow
with the square. The insertion alone takes 10 s at 1,000 and 36 s at 2,000, and 5,000
need 2 GB (measured, one core)."""
SEARCH_S_AN_ORDER = 0.018
"""Seconds of one core that the search of an order is worth, as far as time allows: from
there on we saw little gain."""
STORE_S_AN_ORDER = 0.0015
"""What storing an order's stop takes (measured, SQLite): it is kept off the budget."""


def is_large(day: DayInput) -> bool:
    """Tell whether a day is planned in parts."""
    return len(day.orders) >= LARGE_ORDERS and len(day.shifts) > 1


@dataclass(slots=True)
class _Roads:
    """Travel between some of a day's places, with the conditions of the whole day."""

    day: DayInput
    source: TravelTimes
    hour: int | None
    points: list[Point]
    heard: TravelMatrix | None = None
    """The answer that says where the times come from, the worst of all."""

    def matrices_of(self, locations: Sequence[int]) -> tuple[Matrix, ...]:
        """Return travel between locations, numbered as in the day's points."""
        points = [self.points[location] for location in locations]
        found = self.ask(points)
        durations_s, distances_m = found.durations_s, found.distances_m
        if self.day.conditions and self.day.shifts:
            durations_s, distances_m = slowed(
                durations_s,
                distances_m,
                points,
                self.day.conditions,
                time_looked_at(self.day),
            )
        return (Matrix(durations_s=durations_s, distances_m=distances_m),)

    def ask(self, points: Sequence[Point]) -> TravelMatrix:
        """Return clear travel between points."""
        found = self.source.matrix(points, departs_hour=self.hour)
        if self.heard is None or _badness(found) > _badness(self.heard):
            empty = np.zeros((0, 0), dtype=np.int32)
            self.heard = replace(found, durations_s=empty, distances_m=empty)
        return found


def _badness(matrix: TravelMatrix) -> tuple[bool, bool]:
    return bool(matrix.failure), matrix.quality == ESTIMATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: whose plan, what for, by which travel times, from which start."""

    plan_id: uuid.UUID
    kind: str
    source: TravelTimes
    hour: int | None
    start: Solution | None
    budget: Budget
    tell: Callable[[int, str], None] = field(repr=False)


def answer_large_day(day: DayInput, asked: Asked) -> Answer:
    """Plan a day in parts; the judge has the last word on the whole.

    Raises:
        NoAnswer: a part got no valid answer, or the judge refuses the whole.
    """
    roads = _Roads(day, asked.source, asked.hour, day.points())
    day = around_closures(day) if day.conditions and day.shifts else day
    planning = PlanningInParts(
        _bare_problem(day),
        plane(roads.points),
        roads.matrices_of,
        _means(day, asked),
        asked.tell,
    )
    planning.plan(asked.start)
    found = planning.answer()
    late = must_not_be_left_out(day, found.solution)
    if late:
        asked.tell(95, f"{len(late)} on board will be late")
        day = late_rather_than_never(day, late)
        planning.serve_late(_bare_problem(day), _bound(day, late))
        found = planning.answer()
    faults = validate_whole(found.request.whole, found.solution, found.pieces)
    if faults:
        raise NoAnswer(f"The parts do not add up ({faults[0].code}).")
    return _answer(day, asked, roads, found, len(late))


def _answer(
    day: DayInput, asked: Asked, roads: _Roads, found: SplitAnswer, late: int
) -> Answer:
    """Write an answer down as any other."""
    solution = found.solution
    left_out = orders_left_out(day, solution)
    legs = _clear_legs(day, roads, solution)
    heard = roads.heard
    thought = Thought(
        best=Try(found.request, solution, by_clock=found.by_clock),
        rules=None,
        failures=found.failures,
        late=late,
        travel_source=heard.in_words() if heard else "",
        searched=solution.engine != RULES,
        parts=found.parts,
    )
    draft = ledger_draft(
        day,
        plan_id=asked.plan_id,
        kind=asked.kind,
        thought=thought,
        left_out=left_out,
    )
    return Answer(
        day,
        solution,
        draft,
        left_out,
        legs=legs,
        told=told_times(day, solution, legs),
        travel_quality=heard.quality if heard else ESTIMATED,
        failures=found.failures,
    )


def _means(day: DayInput, asked: Asked) -> Means:
    """Share the task's time: what storing takes is kept, the rest may be searched."""
    parameters = day.parameters
    wall_s = asked.budget.left_s() - STORE_S_AN_ORDER * len(day.orders)
    if asked.kind == "replan":
        wall_s = min(wall_s, float(parameters.replan_time_limit_s))
    return Means(
        engines=parameters.chain,
        stops=parameters.stops(asked.kind),
        seed=parameters.seed,
        wall_s=max(1.0, wall_s),
        search_s_a_job=SEARCH_S_AN_ORDER,
        jobs_a_part=JOBS_A_PART,
    )


def _bare_problem(day: DayInput) -> Problem:
    """Build the day's problem without matrices."""
    nothing = np.zeros((0, 0), dtype=np.int32)
    problem = build_problem(day, durations_s=nothing, distances_m=nothing)
    return replace(problem, matrices=())


def _bound(day: DayInput, orders: Collection[uuid.UUID]) -> Mapping[str, str]:
    """Return the van that each of these parcels is in, or is pinned to."""
    return {
        str(order.order_id): str(order.bound_shift)
        for order in day.orders
        if order.order_id in orders
    }


def plane(points: Sequence[Point]) -> NDArray[np.float64]:
    """Return points as metres east and north of their middle."""
    spots = np.array([(point.lon, point.lat) for point in points], dtype=np.float64)
    if not len(spots):
        return np.zeros((0, 2))
    middle = spots.mean(axis=0)
    across = math.cos(math.radians(float(middle[1])))
    metres: NDArray[np.float64] = (spots - middle) * METRES_A_DEGREE * (across, 1.0)
    return metres


def _clear_legs(day: DayInput, roads: _Roads, solution: Solution) -> Mapping[str, int]:
    """Return the clear seconds of the legs that are driven, route by route."""
    orders = {str(order.order_id): order for order in day.orders}
    shifts = {str(shift.shift_id): shift for shift in day.shifts}
    legs: dict[str, int] = {}
    for route in solution.routes:
        small = replace(
            day,
            shifts=(shifts[route.vehicle_id],),
            orders=tuple(orders[visit.job_id] for visit in route.visits),
        )
        clear = roads.ask(small.points())
        driven = replace(solution, routes=(route,))
        legs |= legs_of(small, driven, clear, roads.hour)
    return legs
