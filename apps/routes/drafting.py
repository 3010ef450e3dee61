"""What an answer says of itself: the ledger's draft, its reasons, what is left out."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.core.wording import local_time
from apps.recommendations.services import Draft
from apps.routes.chain import ENGINE_NAMES, Failure, Try
from apps.routes.conditions import RoadCondition
from apps.routes.dayinputs import DayInput
from apps.routes.effects import closures_over
from apps.routes.needs import refusal
from apps.routes.planning import waits_for_a_van
from apps.routes.servicefactors import ServiceFactor, counted, key_in_words
from apps.routes.services.fitting import LeftOut
from apps.routes.solver.codec import (
    SolveRequest,
    SplitRequest,
    encode_request,
    encode_solution,
)
from apps.routes.solver.port import MENDER, RULES
from apps.routes.solver.solution import CostBreakdown, Reason, Solution, StoppedBy
from apps.routes.zoneorder import WAVE, zone_walk

LASTS = timedelta(hours=24)
VANS_HAVE_LEFT = "vans_have_left"
CLOSED_ROAD = "closed_road"
TIME_REASONS = (Reason.NO_WINDOW_IN_ANY_SHIFT, Reason.NO_ROOM)
"""What a closed road can be behind: it takes time away from an order."""

UNSERVED_TEXTS: Mapping[str, str] = {
    VANS_HAVE_LEFT: (
        "Every van that could take it has left the depot: add a shift, or serve it on "
        "another day."
    ),
    Reason.NO_CAPABLE_VEHICLE: (
        "No vehicle and driver on shift can do this: check what the order requires."
    ),
    Reason.EXCEEDS_CAPACITY: "It is larger than any vehicle that could take it.",
    Reason.UNREACHABLE: "No way leads there: check the coordinates.",
    Reason.NO_WINDOW_IN_ANY_SHIFT: (
        "None of its windows can be reached within a shift: widen the window or add "
        "a shift."
    ),
    Reason.NO_ROOM: "All routes are full at its time: add a shift or a vehicle.",
    Reason.NOT_WORTH_IT: (
        "Serving it costs more than leaving it out: raise its priority to force it."
    ),
}


@dataclass(frozen=True, slots=True)
class Thought:
    """How an answer came about: the chosen one, the rules', and what went wrong.

    `searched` says that an optimizer gave a valid answer, though the rules' may stand.
    A large day is planned in `parts`; 0 stands for one search of the whole.
    """

    best: Try
    rules: Try | None
    failures: tuple[Failure, ...]
    late: int
    travel_source: str
    searched: bool = True
    parts: int = 0

    @property
    def gain_minor(self) -> int:
        """What the answer costs less than the rules' own, in minor units."""
        if self.rules is None:
            return 0
        rules, best = self.rules.solution.cost, self.best.solution.cost
        return round((rules.total_milli - best.total_milli) / 1000)


def ledger_draft(
    day: DayInput,
    *,
    plan_id: uuid.UUID,
    kind: str,
    thought: Thought,
    left_out: Sequence[LeftOut],
) -> Draft:
    """Write down an answer for the ledger: inputs, answer, costs, reasons, mode."""
    request, solution = thought.best.request, thought.best.solution
    return Draft(
        kind=kind,
        depot_id=day.depot_id,
        subject_type="plan",
        subject_id=str(plan_id),
        inputs=encode_request(request),
        answer=encode_solution(solution),
        engine=solution.engine,
        engine_version=solution.engine_version,
        seed=solution.seed,
        mode="optimizer" if thought.searched else "rules",
        parameters={
            "solutions": request.stop.solutions,
            "time_limit_s": request.stop.time_limit_s,
            "stopped_by": StoppedBy.TIME
            if thought.best.by_clock
            else solution.stopped_by,
            "travel_times": thought.travel_source,
        },
        alternatives=_alternatives(thought),
        costs=_minor(solution.cost),
        expected_gain={"minor": thought.gain_minor, "against": _against(thought)},
        reasons=[
            *_reasons(thought, left_out),
            *service_reasons(day),
            *zone_reasons(request, solution),
            *_expected_reasons(solution),
            *_road_reasons(day),
        ],
        data_used=_data_used(day, thought),
        expires_at=_expires_at(day),
    )


def _expires_at(day: DayInput) -> datetime | None:
    """Return from when nobody can drive by it any more: a day after its last shift."""
    ends = [shift.ends_at for shift in day.shifts]
    return max(ends) + LASTS if ends else None


def _data_used(day: DayInput, thought: Thought) -> list[dict[str, Any]]:
    """Say what the plan was made of, so that whoever reads it can object."""
    orders, shifts = len(day.orders), len(day.shifts)
    source = thought.travel_source
    used: list[dict[str, Any]] = [
        {
            "code": "orders",
            "count": orders,
            "text": f"{orders} orders: places, windows, weights, what they require.",
        },
        {
            "code": "shifts",
            "count": shifts,
            "text": f"{shifts} shifts: times, breaks, vehicles and skills.",
        },
        {
            "code": "travel_source",
            "source": source,
            "text": f"Travel times: {source}.",
        },
    ]
    if day.conditions:
        count = len(day.conditions)
        text = f"{count} reports of the road that are in force."
        used.append({"code": "conditions", "count": count, "text": text})
    return used


def _alternatives(thought: Thought) -> list[dict[str, Any]]:
    """State the plan by the rules, where it is another one than the answer."""
    if thought.rules is None:
        return []
    answer = _alternative(thought.best.solution)
    other = _alternative(thought.rules.solution)
    return [] if other["routes"] == answer["routes"] else [other]


def _alternative(solution: Solution) -> dict[str, Any]:
    """State another plan: what it costs, and its orders by shift, so that it can be taken."""
    routes = {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in solution.routes
    }
    return {"engine": solution.engine, **_minor(solution.cost), "routes": routes}


def _against(thought: Thought) -> str:
    """Name what an answer is compared with."""
    return thought.rules.solution.engine if thought.rules else RULES


def service_reasons(day: DayInput) -> list[dict[str, Any]]:
    """Say where services are planned other than their standard, and why."""
    factors = day.parameters.service_factors
    found = counted(order.service_because for order in day.orders)
    return [
        _service_reason(key, count, factors[key])
        for key, count in found.items()
        if key in factors
    ]


def _service_reason(key: str, count: int, known: ServiceFactor) -> dict[str, Any]:
    percent, place = round(known.factor * 100), key_in_words(key)
    text = (
        f"{count} services are planned at {percent} per cent of their standard: {place}"
    )
    reason = {"key": key, "count": count, "percent": percent, "place": place}
    if not known.n:
        return {"code": "service_set", **reason, "text": f"{text}, set by hand."}
    text += f", learned from {known.n} services until {known.as_of}."
    seen = {"n": known.n, "as_of": known.as_of}
    return {"code": "service_learned", **reason, **seen, "text": text}


def _expected_reasons(solution: Solution) -> list[dict[str, Any]]:
    """Say that the plan was chosen by how it will be followed, and what that is worth."""
    if solution.expected is None:
        return []
    mean, plain = solution.expected.milli, solution.expected.plain_milli
    told = {"amount": f"{mean / 100_000:.2f}", "plain": f"{plain / 100_000:.2f}"}
    text = (
        "Chosen by how it will be followed, as learned: in the mean it comes to"
        f" {told['amount']}, lateness included; the plan that is best on paper to {told['plain']}."
    )
    return [{"code": "expected", **told, "text": text}]


def zone_reasons(
    request: SolveRequest | SplitRequest, solution: Solution
) -> list[dict[str, Any]]:
    """Say that the order of zones counted, and how many steps go against it."""
    problem = request.whole if isinstance(request, SplitRequest) else request.problem
    walked = zone_walk(problem, solution)
    said: list[dict[str, Any]] = []
    pairs = sum(bool(one.from_zone and one.to_zone) for one in problem.zone_steps)
    if pairs:
        priced = {(one.from_zone, one.to_zone) for one in problem.zone_steps}
        against = sum(step in priced for step in walked if all(step))
        text = (
            "The order of zones counts, as learned from what drivers drove:"
            f" {pairs} pairs of this day's zones and hours; {against} steps go against it all the same."
        )
        code = {"code": "zone_order", "pairs": pairs, "against": against}
        said.append({**code, "text": text})
    if leave_milli := problem.objective.zone_leave_milli:
        count = sum(all(step) and not step[0].startswith(WAVE) for step in walked)
        amount = f"{leave_milli / 100_000:.2f}"
        text = f"{count} times a route goes on to another zone; each counts {amount}."
        said.append(
            {"code": "zone_leave", "count": count, "amount": amount, "text": text}
        )
    return said


def _road_reasons(day: DayInput) -> list[dict[str, Any]]:
    """Name the conditions of the road that the plan was made under."""
    return [
        {
            "code": "condition",
            "condition_id": str(condition.condition_id),
            "text": f"{condition.name}, until {_clock(condition)}"
            + ("" if condition.is_confirmed else ", reported by a driver"),
        }
        for condition in day.conditions
    ]


def _clock(condition: RoadCondition) -> str:
    return local_time(condition.until_at, condition.zone)


def _minor(cost: CostBreakdown) -> dict[str, int]:
    """Return the cost by part, in minor units, each rounded once."""
    parts = {
        "fixed": cost.fixed_milli,
        "distance": cost.distance_milli,
        "duration": cost.duration_milli,
        "overtime": cost.overtime_milli,
        "unserved": cost.unserved_milli,
        "disruption": cost.disruption_milli,
        "soft": cost.soft_milli,
        "resequence": cost.resequence_milli,
        "balance": cost.balance_milli,
        "zone_order": cost.zone_order_milli,
        "total": cost.total_milli,
    }
    return {f"{name}_minor": round(value / 1000) for name, value in parts.items()}


def _reasons(thought: Thought, left_out: Sequence[LeftOut]) -> list[dict[str, Any]]:
    solution, gain_minor = thought.best.solution, thought.gain_minor
    served = sum(len(route.visits) for route in solution.routes)
    counted = Counter((item.code, item.detail) for item in left_out)
    text = f"{served} stops on {len(solution.routes)} routes."
    reasons: list[dict[str, Any]] = [
        {
            "code": "served",
            "count": served,
            "routes": len(solution.routes),
            "text": text,
        }
    ]
    if thought.late:
        text = f"{thought.late} parcels on board come late rather than not at all."
        reasons.append({"code": "late", "count": thought.late, "text": text})
    reasons += [
        {"code": code, "count": count, "text": f"{count} × {detail}"}
        for (code, detail), count in sorted(counted.items())
    ]
    if gain_minor > 0:
        other = "present plan" if _against(thought) == MENDER else "plan by insertion"
        text = f"Costs {gain_minor / 100:.2f} less than the {other}."
        against = "present" if _against(thought) == MENDER else "insertion"
        reasons.append(
            {"code": "gain", "minor": gain_minor, "against": against, "text": text}
        )
    reasons += _how_made(thought)
    text = f"Travel times: {thought.travel_source}."
    source = {"code": "travel_times", "source": thought.travel_source, "text": text}
    return [*reasons, source]


def _how_made(thought: Thought) -> list[dict[str, Any]]:
    """Say who made the plan, who failed before, and whether the clock cut it short."""
    best, failed = thought.best.solution, thought.failures
    name = ENGINE_NAMES.get(best.engine, best.engine)
    text = f"Made by {name}."
    if best.engine == MENDER:
        text = "Mended at once by the rules; the search comes after."
        if thought.rules is not None:
            text = "The present plan stands: nothing better is worth the unrest."
    elif not thought.searched:
        text = "Made by the rules of insertion alone, without a search."
    elif best.engine == RULES:
        text = "The plan by insertion stands: the search gained too little over it."
    elif failed:
        instead = ENGINE_NAMES.get(failed[0].engine, failed[0].engine)
        text = f"Made by {name} in place of {instead}."
    said: list[dict[str, Any]] = [{"code": "made_by", "engine": name, "text": text}]
    if thought.parts:
        text = f"Planned in {thought.parts} parts by place, and mended where they meet."
        said.append({"code": "parts", "count": thought.parts, "text": text})
    said += [
        {
            "code": "engine_failed",
            "engine": failure.engine,
            "why": failure.code,
            "text": failure.text,
        }
        for failure in failed
    ]
    if thought.best.by_clock:
        text = (
            f"The clock ended the search after {best.solutions} rounds: made again by "
            "the clock it may come out otherwise; by that count it does not."
        )
        said.append({"code": "time_bounded", "rounds": best.solutions, "text": text})
    return said


def orders_left_out(day: DayInput, solution: Solution) -> tuple[LeftOut, ...]:
    """Say of each order that is left out why, as the office can act on it."""
    orders = {str(order.order_id): order for order in day.orders}
    closed = closures_over(day)
    found = []
    for item in solution.unserved:
        order, code = orders[item.job_id], str(item.reason)
        text = UNSERVED_TEXTS[code]
        if item.reason == Reason.NO_CAPABLE_VEHICLE:
            if waits_for_a_van(day, order):
                code, text = VANS_HAVE_LEFT, UNSERVED_TEXTS[VANS_HAVE_LEFT]
            else:
                able = [shift.capabilities for shift in day.shifts]
                text = refusal(order.requires, able)
        if order.order_id in closed and item.reason in TIME_REASONS:
            closure = closed[order.order_id][0]
            code, text = CLOSED_ROAD, f"{closure.name}: closed until {_clock(closure)}."
        found.append(LeftOut(order.order_id, code, text))
    return tuple(found)
