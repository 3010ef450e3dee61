"""A live route laid out with all its gaps, and what one more visit there costs. Pure.

A route is timed by the same judge that times it for every engine, with its breaks,
closures and commitments; what customers were told and prefer has no price here. What is
held of it stands in it like a stop.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from apps.core.units import Point
from apps.routes.dayinputs import DayInput, Interval, OrderInput
from apps.routes.dayversions import present_jobs
from apps.routes.effects import under_conditions
from apps.routes.gateways.base import TravelMatrix, TravelTimes
from apps.routes.planning import build_problem
from apps.routes.solver.pricing import Arrays, price_places
from apps.routes.solver.problem import UNREACHABLE, Job, Objective
from apps.routes.solver.routestate import RouteState, build_route, find_gaps
from apps.routes.solver.view import View

Integers = NDArray[np.int64]

MOST_RESTS = 2
"""Breaks that may follow in one gap; a route with more of them in one is taken as full."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps of one route as parallel arrays; seconds after the route's own origin.

    The van can leave place `before` at `ready_s` and must be at `after` (-1: nowhere) by
    `latest_s`; `direct_s` and `direct_m` lead there. `waits_before_s` and
    `waits_after_s` are what it waits until there, and from there on. By `slips_before_s`
    and `slips_after_s` all of the route up to there, or from there on, may begin later
    if nothing waited. `rests_from_s` and `rests_s` are the breaks after the visit.
    """

    ready_s: Integers
    latest_s: Integers
    before: Integers
    after: Integers
    legs: Integers
    direct_s: Integers
    direct_m: Integers
    waits_before_s: Integers
    waits_after_s: Integers
    slips_before_s: Integers
    slips_after_s: Integers
    rests_from_s: Integers
    rests_s: Integers


@dataclass(frozen=True, slots=True)
class Standing:
    """One live route as it stands; `gaps` None where it cannot take anything."""

    route_id: UUID
    day: DayInput
    held: tuple[OrderInput, ...]
    points: tuple[Point, ...]
    hour: int
    gaps: Gaps | None
    room: tuple[int, ...]
    travel_percent: int
    second_milli: int
    metre_milli: int
    overtime_milli: int
    lasts_s: int
    """How long the route takes now, from its latest departure."""
    departs_s: int
    """When it leaves at the earliest; one that is out has left."""
    ends_s: int
    """When the route is over then."""
    vehicle_type: str
    shift_ends_s: int
    """When its shift is, overtime aside."""
    jobs: Mapping[str, Job]
    """Its jobs as the judge has them, to be taken again while the route is as it is."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What is possible at the door."""
        return frozenset(self.day.shifts[0].capabilities)

    @property
    def departed(self) -> bool:
        """Tell whether the parcels are on board."""
        return self.day.shifts[0].departed


@dataclass(frozen=True, slots=True)
class Price:
    """What one more visit adds to a route: the difference of two timed routes."""

    travel_s: int
    distance_m: int
    duration_s: int
    cost_milli: int
    starts_at: datetime
    """When service would begin."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A route compiled and timed; `asked` are the jobs that have no place in it yet."""

    view: View
    state: RouteState
    asked: tuple[int, ...]
    is_plain: bool
    """Whether all its windows are those of the orders: none was opened for a late van."""


def stand(
    route_id: UUID,
    day: DayInput,
    held: Sequence[OrderInput],
    travel: TravelTimes,
    *,
    vehicle_type: str,
) -> Standing:
    """Lay a route out, with what is held of it; `day` has its shift and orders alone."""
    laid = lay(day, held, (), travel)
    vehicle = laid.view.cars[0].vehicle if laid else None
    return Standing(
        route_id=route_id,
        day=day,
        held=tuple(held),
        points=tuple(_with(day, held).points()),
        hour=day.local_hour,
        gaps=_gaps(laid) if laid else None,
        room=_room(laid) if laid else (),
        travel_percent=vehicle.travel_percent if vehicle else 100,
        second_milli=vehicle.cost_per_s_milli if vehicle else 0,
        metre_milli=vehicle.cost_per_m_milli if vehicle else 0,
        overtime_milli=vehicle.overtime_cost_per_s_milli if vehicle else 0,
        lasts_s=_duration_s(laid.state) if laid else 0,
        departs_s=laid.state.times.departure_s if laid else 0,
        ends_s=laid.state.times.end_s if laid else 0,
        vehicle_type=vehicle_type,
        shift_ends_s=int((day.shifts[0].ends_at - day.origin_at).total_seconds()),
        jobs={job.id: job for job in laid.view.jobs} if laid and laid.is_plain else {},
    )


def lay(
    day: DayInput,
    held: Sequence[OrderInput],
    asked: Sequence[OrderInput],
    travel: TravelTimes,
    known: Mapping[str, Job] = MappingProxyType({}),
) -> Laid | None:
    """Time a route as it stands; None where it does not fit its shift any more.

    What is `held` is put into it where it costs least; what is `asked` has a job in the
    problem, in this order, and no place yet. `known` are the jobs of the same route as
    it was laid out before.
    """
    whole = _with(day, [*held, *asked])
    matrix = travel.matrix(whole.points(), departs_hour=day.local_hour)
    slowed, matrix = under_conditions(whole, matrix)
    view, state = _timed(slowed, matrix, known)
    is_plain = state is not None
    if state is None:
        opened = _windows_open(slowed, {order.order_id for order in day.orders})
        view, state = _timed(opened, matrix)
        if state is None:
            return None
        view, state = _timed(_windows_open(slowed, _late(slowed, view, state)), matrix)
        if state is None:
            return None
    for order in held:
        state = _put(view, state, view.job_index[str(order.order_id)]) or state
    jobs = tuple(view.job_index[str(order.order_id)] for order in asked)
    return Laid(view, state, jobs, is_plain)


def _timed(
    day: DayInput, matrix: TravelMatrix, known: Mapping[str, Job] = MappingProxyType({})
) -> tuple[View, RouteState | None]:
    problem = build_problem(
        day,
        durations_s=matrix.durations_s,
        distances_m=matrix.distances_m,
        known=known,
    )
    view = View(replace(problem, objective=Objective()))
    jobs = present_jobs(day)[day.shifts[0].shift_id]
    return view, build_route(view, 0, [view.job_index[job] for job in jobs])


def _late(day: DayInput, view: View, state: RouteState) -> set[UUID]:
    """Return the orders whose windows are over when the van comes."""
    windows = {str(order.order_id): order.windows for order in day.orders}
    found = set()
    for job, start_s in zip(state.sequence, state.times.starts_s, strict=True):
        job_id = view.jobs[job].id
        at = day.origin_at + timedelta(seconds=start_s)
        if windows[job_id] and at >= max(one.closes_at for one in windows[job_id]):
            found.add(UUID(job_id))
    return found


def _windows_open(day: DayInput, order_ids: Collection[UUID]) -> DayInput:
    """Let stops that are late be late: their windows bind nobody any more."""
    end = day.shifts[0].ends_at + timedelta(days=1)
    orders = tuple(
        replace(order, windows=(Interval(order.windows[0].opens_at, end),))
        if order.windows and order.order_id in order_ids
        else order
        for order in day.orders
    )
    return replace(day, orders=orders)


def _put(view: View, state: RouteState, job: int) -> RouteState | None:
    tried = (
        build_route(view, 0, (*state.sequence[:leg], job, *state.sequence[leg:]))
        for _, leg in price_places(Arrays(view), state, job)
    )
    return min(
        (one for one in tried if one is not None),
        key=lambda one: one.cost_milli,
        default=None,
    )


def price_at(laid: Laid, job: int, leg: int, origin_at: datetime) -> Price | None:
    """Price a visit at a place of a route; None where the route cannot be driven so."""
    return _price(laid.view, laid.state, job, leg, origin_at)


def priced_between(
    view: View, sequence: Sequence[int], job: int, leg: int, origin_at: datetime
) -> Price | None:
    """Price a visit at a place of a route that is timed anew from its jobs."""
    state = build_route(view, 0, tuple(sequence))
    return None if state is None else _price(view, state, job, leg, origin_at)


def _price(
    view: View, state: RouteState, job: int, leg: int, origin_at: datetime
) -> Price | None:
    sequence = (*state.sequence[:leg], job, *state.sequence[leg:])
    after = build_route(view, 0, sequence)
    if after is None:
        return None
    added_s, added_m = detour(view, state.sequence, job, leg)
    return Price(
        travel_s=added_s,
        distance_m=added_m,
        duration_s=_duration_s(after) - _duration_s(state),
        cost_milli=after.cost_milli - state.cost_milli,
        starts_at=origin_at + timedelta(seconds=after.times.starts_s[leg]),
    )


def detour(view: View, sequence: Sequence[int], job: int, leg: int) -> tuple[int, int]:
    """Return the seconds and metres of the way that a visit adds at a leg's begin."""
    car, end = view.cars[0], view.cars[0].vehicle.end_location
    here = view.locations[job]
    before = view.locations[sequence[leg - 1]] if leg else car.vehicle.start_location
    after = view.locations[sequence[leg]] if leg < len(sequence) else end
    seconds, metres = car.durations_s[before][here], car.distances_m[before][here]
    if after is None:
        return seconds, metres
    seconds += car.durations_s[here][after]
    metres += car.distances_m[here][after]
    if not sequence:
        return seconds, metres
    return (
        seconds - car.durations_s[before][after],
        metres - car.distances_m[before][after],
    )


def plain_day(day: DayInput) -> DayInput:
    """Return the day without what has a price but no cost: told ETAs, wishes, changes."""
    orders = tuple(replace(order, preferred=(), told_at=None) for order in day.orders)
    parameters = replace(
        day.parameters,
        resequence_percent=0,
        zone_order={},
        zone_leave_minor=0,
        followed={},
    )
    return replace(day, orders=orders, parameters=parameters)


def _with(day: DayInput, extra: Sequence[OrderInput]) -> DayInput:
    return replace(day, orders=(*day.orders, *extra))


def _room(laid: Laid) -> tuple[int, ...]:
    spare = laid.view.cars[0].spare
    return tuple(a - b for a, b in zip(spare, laid.state.load, strict=True))


def _gaps(laid: Laid) -> Gaps | None:
    view, state = laid.view, laid.state
    found = find_gaps(view, state, state.times.departure_s)
    if found is None:
        return None
    tails = [(column, rests) for column, rests in found.tails if rests]
    if any(len(rests) > MOST_RESTS for _, rests in tails):
        return None
    car, count = view.cars[0], len(found.ready_s)
    rests_from_s = np.full((MOST_RESTS, count), -UNREACHABLE, dtype=np.int64)
    rests_s = np.zeros((MOST_RESTS, count), dtype=np.int64)
    for column, rests in tails:
        for row, rest in enumerate(rests):
            rests_from_s[row, column] = rest.earliest_s
            rests_s[row, column] = rest.duration_s
    is_open = car.vehicle.end_location is None
    ends_open = (found.legs == len(state.sequence)) & is_open
    after = np.where(ends_open, -1, found.following)
    closed = (after >= 0) & bool(state.sequence)
    direct = (found.previous, np.maximum(after, 0))
    return Gaps(
        ready_s=found.ready_s,
        latest_s=found.latest_s,
        before=found.previous,
        after=after,
        legs=found.legs,
        direct_s=np.where(closed, car.travel_s[direct].astype(np.int64), 0),
        direct_m=np.where(closed, car.travel_m[direct].astype(np.int64), 0),
        waits_before_s=_summed(_waits(state))[found.legs],
        waits_after_s=_summed(_waits(state)[::-1])[::-1][found.legs],
        slips_before_s=_least(_slips(view, state))[found.legs],
        slips_after_s=_least(_slips(view, state)[::-1])[::-1][found.legs],
        rests_from_s=rests_from_s,
        rests_s=rests_s,
    )


def _duration_s(state: RouteState) -> int:
    return state.duration_s if state.sequence else 0


def _waits(state: RouteState) -> list[int]:
    times = state.times
    return [b - a for a, b in zip(times.arrivals_s, times.starts_s, strict=True)]


def _slips(view: View, state: RouteState) -> list[int]:
    """Return how much later each stop could be begun by a route that waits nowhere."""
    found, waited_s = [], 0
    for job, start_s, wait_s in zip(
        state.sequence, state.times.starts_s, _waits(state), strict=True
    ):
        waited_s += wait_s
        lasts = [last for _, last in view.windows[job] if start_s <= last]
        found.append(min(lasts, default=UNREACHABLE) - start_s + waited_s)
    return found


def _summed(waits_s: Sequence[int]) -> Integers:
    """Return what comes together before each gap."""
    return np.cumsum([0, *waits_s], dtype=np.int64)


def _least(slips_s: Sequence[int]) -> Integers:
    """Return the least before each gap."""
    every = np.array([UNREACHABLE, *slips_s], dtype=np.int64)
    return np.minimum.accumulate(every)
