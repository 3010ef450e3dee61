"""What tells one state of a day from another: hashes of what decides a plan. Pure."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from uuid import UUID

from apps.routes.dayinputs import DayInput, OrderInput
from apps.routes.solver.port import RULES
from apps.routes.solver.solution import Solution


def input_version(day: DayInput) -> str:
    """Return the hash of what decides a re-optimization: not the clock, but the state."""
    return _version(day, present_jobs(day), frozenset())


def by_rules(day: DayInput) -> DayInput:
    """Return a day for which no engine is asked but the rules."""
    return replace(day, parameters=replace(day.parameters, engine=RULES))


def searched_version(version: str) -> str:
    """Name the search of a state apart from its mending."""
    return hashlib.sha256(f"searched {version}".encode()).hexdigest()


def left_version(day: DayInput, part: DayInput, solution: Solution) -> str:
    """Return the hash of the state that a part's answer leaves behind in its day."""
    planned = {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in solution.routes
    }
    answered = frozenset(shift.shift_id for shift in part.shifts)
    sequences = present_jobs(day) | {
        shift_id: planned.get(str(shift_id), []) for shift_id in answered
    }
    return _version(day, sequences, answered)


def present_jobs(day: DayInput) -> dict[UUID, list[str]]:
    """Return the jobs ahead of each shift, in their present sequence."""
    job_of = {order.stop_id: str(order.order_id) for order in day.orders}
    return {
        shift.shift_id: [
            job for stop_id in shift.ahead if (job := job_of.get(stop_id)) is not None
        ]
        for shift in day.shifts
    }


def _version(
    day: DayInput, sequences: Mapping[UUID, Sequence[str]], in_time: Collection[UUID]
) -> str:
    """Hash a day with these sequences, where the shifts `in_time` run as planned."""
    state = {
        "shifts": [
            [
                str(s.shift_id),
                s.shift_version,
                s.departed,
                *map(str, s.frozen),
                "|",
                *sequences[s.shift_id],
                s.held,
            ]
            for s in day.shifts
        ],
        "orders": [
            [
                str(o.order_id),
                o.order_version,
                str(o.pinned_shift),
                *_pinned_time(o),
            ]
            for o in day.orders
        ],
        "parameters": asdict(day.parameters),
        "lateness": [
            0 if shift.shift_id in in_time else shift.late_steps for shift in day.shifts
        ],
        "conditions": [[str(c.condition_id), c.version] for c in day.conditions],
    }
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _pinned_time(order: OrderInput) -> list[str]:
    if not order.has_pinned_time:
        return []
    return [f"{one.opens_at}/{one.closes_at}" for one in order.windows]
