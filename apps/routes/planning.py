"""From a day as the house knows it to a problem as the engines know it. Pure."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from uuid import UUID

from apps.core.units import Point
from apps.routes.dayinputs import DayInput, Interval, OrderInput, ShiftInput
from apps.routes.dayversions import present_jobs
from apps.routes.solver.problem import (
    UNREACHABLE,
    Break,
    Entries,
    Job,
    Matrix,
    Objective,
    Problem,
    SoftWindow,
    TimeWindow,
    Vehicle,
    ZoneStep,
)
from apps.routes.solver.solution import Solution
from apps.routes.zoneorder import steps_of

DIMENSIONS = ("g", "ml", "pieces")
PINNED_COUNTS = 20
"""How many orders a pinned one counts for, when one of them is to be left out."""
PRIORITY_PERCENT = {1: 25, 2: 50, 3: 100, 4: 200, 5: 400}
"""What leaving out an order costs, by priority, in per cent of the ordinary price."""


def build_problem(
    day: DayInput,
    *,
    durations_s: Entries,
    distances_m: Entries,
    known: Mapping[str, Job] = MappingProxyType({}),
) -> Problem:
    """Build the engines' problem; the matrices follow `day.points()`.

    Job ids are order ids, vehicle ids shift ids. `known` are jobs of an earlier problem
    of the same day, whose first orders are the same ones: they are taken as they are.
    """
    index = {point: number for number, point in enumerate(day.points())}
    vans = _vans(day)
    matrix = Matrix(durations_s=durations_s, distances_m=distances_m)
    return Problem(
        origin_at=day.origin_at.isoformat(),
        location_count=len(index),
        matrices=(matrix,),
        vehicles=tuple(
            _vehicle(shift, day, index, _locked(shift, day, index, matrix))
            for shift in day.shifts
        ),
        jobs=tuple(
            known.get(str(order.order_id)) or _job(order, day, index, vans)
            for order in day.orders
        ),
        dimensions=DIMENSIONS,
        objective=Objective(
            disruption_milli=day.parameters.disruption_minor * 1000,
            resequence_milli=_resequence_milli(day, index, matrix),
            zone_leave_milli=day.parameters.zone_leave_minor * 1000,
            late_milli_per_s=_late_milli_per_s(day),
        ),
        zone_steps=zone_steps(day),
    )


def _late_milli_per_s(day: DayInput) -> int:
    """Price lateness where the plan is chosen by how it will be followed; else 0."""
    if not day.parameters.followed:
        return 0
    return round(day.parameters.expected_late_minor_per_min * 1000 / 60)


def zone_steps(day: DayInput) -> tuple[ZoneStep, ...]:
    """Price the steps between a day's zones by the order that is in force."""
    names = (name for order in day.orders for name in (order.zone, order.wave))
    zones = {name for name in names if name}
    most_milli = day.parameters.zone_order_minor * 1000
    return steps_of(day.parameters.zone_order, zones, most_milli)


def _resequence_milli(day: DayInput, index: Mapping[Point, int], matrix: Matrix) -> int:
    """Price a changed sequence by what a leg of the running plan costs in the mean.

    Without a matrix, as for a large day that is cut into parts, it has no price.
    """
    if not len(matrix.durations_s) or not day.parameters.resequence_percent:
        return 0
    place_of = {str(order.order_id): index[order.point] for order in day.orders}
    sequences = present_jobs(day)
    costs_milli: list[int] = []
    for shift in day.shifts:
        per_s_milli, per_m_milli = _rates_milli(shift)
        places = [place_of[job] for job in sequences[shift.shift_id]]
        costs_milli += [
            int(matrix.durations_s[here, there]) * per_s_milli
            + int(matrix.distances_m[here, there]) * per_m_milli
            for here, there in pairwise([index[shift.start], *places])
            if matrix.durations_s[here, there] < UNREACHABLE
        ]
    if not costs_milli:
        return 0
    mean_milli = sum(costs_milli) / len(costs_milli)
    return round(mean_milli * day.parameters.resequence_percent / 100)


def _rates_milli(shift: ShiftInput) -> tuple[int, int]:
    """Give what a second and a metre of a shift cost."""
    return round(shift.cost_per_hour_minor * 1000 / 3600), shift.cost_per_km_minor


def _locked(
    shift: ShiftInput, day: DayInput, index: Mapping[Point, int], matrix: Matrix
) -> tuple[str, ...]:
    """Return the jobs that keep their sequence, as far as they can be done in it.

    A closed road, or a van that cannot do what is pinned to it, undoes the pins behind.
    """
    if not shift.held:
        return ()
    orders = {order.stop_id: order for order in day.orders}
    held = [orders[one] for one in shift.ahead[: shift.held] if one in orders]
    locked: list[str] = []
    here, home = index[shift.start], index[shift.end]
    for order in held:
        there = index[order.point]
        if not {*order.requires} <= {*shift.capabilities}:
            break
        if len(matrix.durations_s) and (
            max(matrix.durations_s[here, there], matrix.durations_s[there, home])
            >= UNREACHABLE
        ):
            break
        locked.append(str(order.order_id))
        here = there
    return tuple(locked)


def _vehicle(
    shift: ShiftInput, day: DayInput, index: dict[Point, int], locked: tuple[str, ...]
) -> Vehicle:
    start_s = _seconds(day, shift.free_at)
    rules = [rule for rule in shift.breaks if rule.closes_at >= shift.free_at]
    per_s_milli, per_m_milli = _rates_milli(shift)
    return Vehicle(
        id=str(shift.shift_id),
        start_location=index[shift.start],
        end_location=index[shift.end],
        start_s=start_s,
        end_s=max(start_s, _seconds(day, shift.ends_at)),
        max_overtime_s=shift.max_overtime_s,
        capacities=shift.capacities,
        initial_load=shift.on_board,
        capabilities=tuple(sorted(shift.capabilities)),
        locked=locked,
        leaves_at_once=shift.departed,
        breaks=tuple(
            Break(
                earliest_s=max(start_s, _seconds(day, rule.opens_at)),
                latest_s=_seconds(day, rule.closes_at),
                duration_s=rule.duration_s,
            )
            for rule in rules
        ),
        travel_percent=max(1, round(10_000 / shift.speed_percent)),
        cost_per_m_milli=per_m_milli,
        cost_per_s_milli=per_s_milli,
        overtime_cost_per_s_milli=per_s_milli // 2,
    )


@dataclass(frozen=True, slots=True)
class _Vans:
    """A day's vans as its orders see them; ids as the engines know them."""

    by_shift: Mapping[UUID, ShiftInput]
    before: Mapping[str, str]
    """The job before each in its present sequence, "" for the first."""
    at_depot: tuple[str, ...] | None
    """Those that have not departed, None where that is all of them."""


def _vans(day: DayInput) -> _Vans:
    at_depot = tuple(str(one.shift_id) for one in day.shifts if not one.departed)
    return _Vans(
        by_shift={one.shift_id: one for one in day.shifts},
        before={
            job: before
            for jobs in present_jobs(day).values()
            for before, job in pairwise(["", *jobs])
        },
        at_depot=None if len(at_depot) == len(day.shifts) else at_depot,
    )


def _job(order: OrderInput, day: DayInput, index: dict[Point, int], vans: _Vans) -> Job:
    holder = vans.by_shift.get(order.shift_id) if order.shift_id else None
    return Job(
        id=str(order.order_id),
        location=index[order.point],
        service_s=order.service_s,
        windows=tuple(_windows(order.windows, day)),
        soft_windows=tuple(_wishes(order, day)),
        demands=order.demands,
        required_capabilities=tuple(sorted(order.requires)),
        allowed_vehicles=_allowed(order, holder, vans),
        pinned_vehicle=_pinned(order, vans),
        previous_vehicle=str(order.shift_id) if order.shift_id else None,
        previous_job=vans.before.get(str(order.order_id)),
        zone=order.zone or None,
        wave=order.wave or None,
        followed_percent=order.followed_percent,
        prize_milli=day.parameters.unserved_minor
        * 10
        * PRIORITY_PERCENT[order.priority]
        * (PINNED_COUNTS if order.is_pinned else 1),
    )


def _pinned(order: OrderInput, vans: _Vans) -> str | None:
    """Return the van that it is pinned to, where that van still is in the day."""
    pinned = order.pinned_shift
    return str(pinned) if pinned in vans.by_shift else None


def _allowed(
    order: OrderInput, holder: ShiftInput | None, vans: _Vans
) -> tuple[str, ...] | None:
    """A parcel on board stays there; one at the depot waits for a van still there.

    What is pinned to a van that is not looked at now waits for it.
    """
    if order.pinned_shift is not None and order.pinned_shift not in vans.by_shift:
        return ()
    if order.is_pickup:
        return None
    if holder is not None and holder.departed:
        return (str(holder.shift_id),)
    return vans.at_depot


def waits_for_a_van(day: DayInput, order: OrderInput) -> bool:
    """Tell whether an order is left out because the vans that could take it have left."""
    if order.is_pickup:
        return False
    able = [s for s in day.shifts if {*order.requires} <= {*s.capabilities}]
    return bool(able) and all(shift.departed for shift in able)


def must_not_be_left_out(day: DayInput, solution: Solution) -> frozenset[UUID]:
    """Return what an answer leaves out although it comes late rather than not at all.

    These are deliveries that are in a van on the road, and what people have pinned.
    """
    on_road = {shift.shift_id for shift in day.shifts if shift.departed}
    unserved = {item.job_id for item in solution.unserved}
    return frozenset(
        order.order_id
        for order in day.orders
        if str(order.order_id) in unserved
        and order.windows
        and (
            (order.is_pinned and order.bound_shift is not None)
            or (order.shift_id in on_road and not order.is_pickup)
        )
    )


def late_rather_than_never(day: DayInput, orders: Collection[UUID]) -> DayInput:
    """Return the day with the windows of `orders` open to the end.

    A parcel in the van whose window cannot be met any more is brought late; it would
    come back in the evening otherwise, and its customer would hear nothing.
    """
    end = max(shift.ends_at for shift in day.shifts) + timedelta(days=1)
    return replace(
        day,
        orders=tuple(
            replace(order, windows=(Interval(order.windows[0].opens_at, end),))
            if order.order_id in orders
            else order
            for order in day.orders
        ),
    )


def preferences_kept(day: DayInput, solution: Solution) -> tuple[int, int]:
    """Return how many served orders have a preference, and how many starts keep it."""
    wanted = {str(order.order_id): order.preferred for order in day.orders}
    starts = [
        (day.origin_at + timedelta(seconds=visit.start_s), wanted[visit.job_id])
        for route in solution.routes
        for visit in route.visits
        if wanted.get(visit.job_id)
    ]
    kept = sum(
        any(window.opens_at <= at < window.closes_at for window in windows)
        for at, windows in starts
    )
    return len(starts), kept


def _windows(windows: Iterable[Interval], day: DayInput) -> Iterable[TimeWindow]:
    for window in windows:
        start_s, end_s = _seconds(day, window.opens_at), _seconds(day, window.closes_at)
        yield TimeWindow(start_s=start_s, end_s=max(start_s + 1, end_s))


def _wishes(order: OrderInput, day: DayInput) -> Iterable[SoftWindow]:
    """Price what an order's customer was told, or where that is kept what he prefers."""
    price = round(day.parameters.told_late_minor_per_min * 1000 / 60)
    keeps = order.told_at is not None and any(
        one.opens_at <= order.told_at < one.closes_at for one in order.preferred
    )
    if order.told_at is None or keeps or not price:
        yield from _preferences(order.preferred, day)
        return
    latest_s = _seconds(day, order.told_at) + day.parameters.eta_moved_s
    yield SoftWindow(
        start_s=min(0, latest_s),
        end_s=latest_s,
        early_milli_per_s=0,
        late_milli_per_s=price,
    )


def _preferences(preferred: Iterable[Interval], day: DayInput) -> Iterable[SoftWindow]:
    """Price each second outside of what a customer prefers."""
    price = round(day.parameters.preference_minor_per_min * 1000 / 60)
    for window in preferred:
        start_s, end_s = _seconds(day, window.opens_at), _seconds(day, window.closes_at)
        yield SoftWindow(
            start_s=start_s,
            end_s=max(start_s, end_s - 1),
            early_milli_per_s=price,
            late_milli_per_s=price,
        )


def _seconds(day: DayInput, instant: datetime) -> int:
    return math.floor((instant - day.origin_at).total_seconds())
