"""When a plan's stops are told to be reached: each leg at its own hour. Pure, no solver.

Engines plan with one matrix, of the day's mean for a first plan and of the present hour
for a later one. What is told goes by the law of the ETAs for both, so that a stop whose
sequence stays is told no other time because the hour is another.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from apps.routes.eta import propagate
from apps.routes.etaparts import Outset, Rest, Visit, law_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from apps.routes.dayinputs import DayInput, Interval, OrderInput, ShiftInput
    from apps.routes.solver.solution import RoutePlan, Solution


def told_times(
    day: DayInput, solution: Solution, legs: Mapping[str, int]
) -> Mapping[str, datetime]:
    """Return when service begins at each order that is served, by its id.

    `legs` are the seconds to each order from the stop before it, as `legs_of` gives
    them; `day` is the day as its conditions leave it.
    """
    shifts = {str(shift.shift_id): shift for shift in day.shifts}
    orders = {str(order.order_id): order for order in day.orders}
    found: dict[str, datetime] = {}
    for route in solution.routes:
        visits = [
            _visit(
                orders[visit.job_id],
                day.origin_at + timedelta(seconds=visit.start_s),
                legs.get(visit.job_id),
            )
            for visit in route.visits
        ]
        shift = shifts[route.vehicle_id]
        expected = propagate(
            _outset(day, shift, route),
            visits,
            _rests(day, shift, route),
            day.conditions,
            law_of(day.parameters, speed_percent=shift.speed_percent, zone=day.zone),
        )
        found |= {
            visit.job_id: one.eta_at
            for visit, one in zip(route.visits, expected, strict=True)
        }
    return found


def _outset(day: DayInput, shift: ShiftInput, route: RoutePlan) -> Outset:
    departs_at = day.origin_at + timedelta(seconds=route.departure_s)
    at = max(departs_at, shift.free_at)
    return Outset(shift.start, at, idle_from=shift.free_at)


def _visit(order: OrderInput, starts_at: datetime, leg_s: int | None) -> Visit:
    return Visit(
        stop_id=order.order_id,
        point=order.point,
        service_s=order.service_s,
        windows=order.windows,
        leg_s=leg_s,
        preferred=_kept(order, starts_at),
    )


def _kept(order: OrderInput, starts_at: datetime) -> Interval | None:
    """Return the preferred window in which the engine has the order."""
    return next(
        (one for one in order.preferred if one.opens_at <= starts_at < one.closes_at),
        None,
    )


def _rests(day: DayInput, shift: ShiftInput, route: RoutePlan) -> list[Rest]:
    """Give the breaks that are still to be taken; the plan keeps the place of its own."""
    rules = [rule for rule in shift.breaks if rule.closes_at >= shift.free_at]
    planned = {
        placed.break_index: day.origin_at + timedelta(seconds=placed.start_s)
        for placed in route.breaks
    }
    return [
        Rest(rule.opens_at, rule.closes_at, rule.duration_s, planned.get(number))
        for number, rule in enumerate(rules)
    ]
