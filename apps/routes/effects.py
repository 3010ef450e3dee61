"""What conditions of the road do to a day before it is solved. Pure.

They slow the matrix (see `conditions`). A closure also moves the windows of the orders
inside it: nobody visits them while it lasts. A parcel that is on board is never taken
off for a closure: it is brought when the road is open again, or stays where it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from apps.routes.conditions import RoadCondition, Slice, slowed
from apps.routes.dayinputs import DayInput, Interval, OrderInput, ShiftInput
from apps.routes.gateways.base import TravelMatrix
from apps.routes.places import distances_m

LOOK_AHEAD = timedelta(hours=2)
"""How far a running day's matrix looks: what comes later is planned again by then."""


def under_conditions(
    day: DayInput, matrix: TravelMatrix
) -> tuple[DayInput, TravelMatrix]:
    """Return the day and its matrix (in the order of `day.points()`) as the road is."""
    if not day.conditions or not day.shifts:
        return day, matrix
    durations_s, distances = slowed(
        matrix.durations_s,
        matrix.distances_m,
        day.points(),
        day.conditions,
        time_looked_at(day),
    )
    slower = replace(matrix, durations_s=durations_s, distances_m=distances)
    return around_closures(day), slower


def time_looked_at(day: DayInput) -> Slice:
    """Return the time that a day's matrix stands for: all of it, or the next hours."""
    ends_at = _end_of(day.shifts)
    if any(shift.departed for shift in day.shifts):
        ends_at = min(ends_at, day.origin_at + LOOK_AHEAD)
    return Slice(day.origin_at, max(ends_at, day.origin_at))


def closures_over(day: DayInput) -> Mapping[UUID, tuple[RoadCondition, ...]]:
    """Return the closures that orders lie inside of, by order."""
    points = [order.point for order in day.orders]
    found: dict[UUID, tuple[RoadCondition, ...]] = {}
    for condition in day.conditions:
        if not condition.is_closure or condition.place is None or not points:
            continue
        away_m = distances_m(condition.place, points)
        for order, metres in zip(day.orders, away_m, strict=True):
            if metres <= 0:
                found[order.order_id] = (*found.get(order.order_id, ()), condition)
    return found


def around_closures(day: DayInput) -> DayInput:
    """Return the day with the windows that closures leave to the orders inside them."""
    closed = closures_over(day)
    if not closed:
        return day
    holders: dict[UUID | None, ShiftInput] = {s.shift_id: s for s in day.shifts}
    orders = tuple(
        _around(order, closures, day, holders.get(order.shift_id))
        if (closures := closed.get(order.order_id))
        else order
        for order in day.orders
    )
    return replace(day, orders=orders)


@dataclass(frozen=True, slots=True)
class _Gap:
    """A time in which nobody gets through."""

    from_at: datetime
    until_at: datetime


def _around(
    order: OrderInput,
    closures: Sequence[RoadCondition],
    day: DayInput,
    holder: ShiftInput | None,
) -> OrderInput:
    """Return the order with what is left of its windows."""
    end_at = _end_of(day.shifts)
    gaps = sorted(
        (
            _Gap(*interval)
            for closure in closures
            for interval in closure.intervals(day.origin_at, end_at)
        ),
        key=lambda gap: gap.from_at,
    )
    if not gaps:
        return order
    wanted = order.windows or (Interval(day.origin_at, end_at),)
    left = tuple(part for window in wanted for part in _without(window, gaps))
    left = tuple(part for part in left if part.closes_at > day.origin_at)
    if holder is None or not holder.departed or order.is_pickup:
        never = end_at + timedelta(days=1)
        off = (Interval(never, never + timedelta(seconds=1)),)
        return replace(order, windows=left or off)
    latest = _end_of([holder])
    if left and left[0].opens_at < latest:
        return replace(order, windows=left)
    opens_at = max(gap.until_at for gap in gaps)
    if opens_at >= latest:
        return order
    return replace(order, windows=(Interval(opens_at, latest),))


def _without(window: Interval, gaps: Iterable[_Gap]) -> list[Interval]:
    """Return what gaps, in the order of their begin, leave of a window."""
    parts, from_at = [], window.opens_at
    for gap in gaps:
        if gap.from_at > from_at:
            parts.append(Interval(from_at, min(gap.from_at, window.closes_at)))
        from_at = max(from_at, gap.until_at)
        if from_at >= window.closes_at:
            break
    if from_at < window.closes_at:
        parts.append(Interval(from_at, window.closes_at))
    return [part for part in parts if part.opens_at < part.closes_at]


def _end_of(shifts: Sequence[ShiftInput]) -> datetime:
    return max(
        shift.ends_at + timedelta(seconds=shift.max_overtime_s) for shift in shifts
    )
