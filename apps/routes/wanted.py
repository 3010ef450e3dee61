"""The day as a change wants it: sequences driven as told, or a day to be mended. Pure."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from apps.routes.changes import GiveStop, MoveStop
from apps.routes.dayinputs import BreakRule, DayInput, OrderInput, ShiftInput
from apps.routes.dayversions import present_jobs
from apps.routes.refusals import sentence

Sequences = Mapping[uuid.UUID, tuple[str, ...]]
Cheapest = Callable[[DayInput, uuid.UUID, str], int | None]
"""Says where among what is ahead of a shift a job costs least: its place, from 0."""


class Unfit(ValueError):
    """The change does not fit the day; the message says what would.

    `code` and `figures` say the same in the terms of `refusals`.
    """

    def __init__(self, code: str, **figures: Any) -> None:
        """Keep the refusal's code and figures."""
        super().__init__(sentence(code, figures))
        self.code, self.figures = code, figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A change in the terms of planning; `lead` says it in a few words.

    `sequences` are the jobs of each shift that are driven as told; where it is None the
    `day` has changed otherwise, and its plan is mended. `home` is whose change it is.
    """

    day: DayInput
    lead: str
    home: frozenset[uuid.UUID]
    orders: frozenset[uuid.UUID] = frozenset()
    sequences: Sequences | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Live:
    """The running day with the numbers that drivers see of its stops."""

    day: DayInput
    numbers: Mapping[uuid.UUID, int]

    def order(self, stop_id: uuid.UUID) -> OrderInput:
        """Return the order of a stop.

        Raises:
            Unfit: it is not among what can be planned.
        """
        for order in self.day.orders:
            if order.stop_id == stop_id:
                return order
        raise Unfit("not_ahead")

    def shift(self, shift_id: uuid.UUID) -> ShiftInput:
        """Return a shift.

        Raises:
            Unfit: its time is over.
        """
        for shift in self.day.shifts:
            if shift.shift_id == shift_id:
                return shift
        raise Unfit("shift_time_over")

    def number(self, stop_id: uuid.UUID | None) -> int:
        """Return a stop's number on its route, 0 for one without a route."""
        return self.numbers.get(stop_id, 0) if stop_id else 0

    def jobs(self, shift_id: uuid.UUID) -> tuple[str, ...]:
        """Return what is ahead of a shift."""
        return tuple(present_jobs(self.day)[shift_id])


def moved(live: Live, change: MoveStop, stop_id: uuid.UUID) -> Wanted:
    """Put a stop at another place of its route.

    Raises:
        Unfit: the place is behind the driver, or the other stop is on another route.
    """
    order = live.order(stop_id)
    if order.shift_id is None:
        raise Unfit("nobody_has_it")
    jobs, job = live.jobs(order.shift_id), str(order.order_id)
    rest = [one for one in jobs if one != job]
    index = _index(live, change, order.shift_id, rest)
    return Wanted(
        day=live.day,
        lead=_moved_lead(live, order, rest, index),
        home=frozenset({order.shift_id}),
        orders=frozenset({order.order_id}),
        sequences={order.shift_id: (*rest[:index], job, *rest[index:])},
    )


def _index(
    live: Live, change: MoveStop, shift_id: uuid.UUID, rest: Sequence[str]
) -> int:
    if change.place is not None:
        return place_index(live, shift_id, change.place)
    other_id = _id(change.before_stop_id or change.after_stop_id)
    jobs = {one.stop_id: str(one.order_id) for one in live.day.orders}
    job = jobs.get(other_id, "")
    if job not in rest:
        raise Unfit("other_not_ahead")
    return rest.index(job) + bool(change.after_stop_id)


def place_index(live: Live, shift_id: uuid.UUID, place: int) -> int:
    """Return where a stop goes, among what is ahead, to get this number.

    Raises:
        Unfit: that number is behind the driver already.
    """
    shift = live.shift(shift_id)
    shown = [live.number(stop_id) for stop_id in shift.ahead]
    if shown and place < shown[0]:
        raise Unfit("place_behind", number=shown[0])
    return sum(number < place for number in shown)


def _moved_lead(live: Live, order: OrderInput, rest: Sequence[str], index: int) -> str:
    stops = {str(one.order_id): one.stop_id for one in live.day.orders}
    mine = live.number(order.stop_id)
    if index < len(rest):
        return f"{mine} before {live.number(stops[rest[index]])}"
    if not rest:
        return f"{mine} stays where it is"
    return f"{mine} after {live.number(stops[rest[-1]])}"


def given(
    live: Live, change: GiveStop, stop_id: uuid.UUID, cheapest: Cheapest
) -> Wanted:
    """Put a stop on another shift's route, where it is told or costs least.

    Raises:
        Unfit: the place is behind the driver.
    """
    order, taker = live.order(stop_id), live.shift(_id(change.shift_id))
    job, jobs = str(order.order_id), live.jobs(taker.shift_id)
    sequences: dict[uuid.UUID, tuple[str, ...]] = {}
    home = {taker.shift_id}
    if order.shift_id is not None:
        home.add(order.shift_id)
        mine = live.jobs(order.shift_id)
        sequences[order.shift_id] = tuple(one for one in mine if one != job)
    fresh = replace(order, pinned_shift=None)
    if change.is_handed_over or order.shift_id is None:
        fresh = replace(fresh, shift_id=taker.shift_id)
    day = with_order(live.day, fresh)
    index = (
        cheapest(day, taker.shift_id, job)
        if change.place is None
        else place_index(live, taker.shift_id, change.place)
    )
    if index is None:
        index = len(jobs)
    sequences[taker.shift_id] = (*jobs[:index], job, *jobs[index:])
    return Wanted(
        day=day,
        lead=f"{_stop(live, order)} to another driver",
        home=frozenset(home),
        orders=frozenset({order.order_id}),
        sequences=sequences,
    )


def left_out(live: Live, stop_id: uuid.UUID, lead: str) -> Wanted:
    """Take a stop off its route."""
    order = live.order(stop_id)
    sequences: dict[uuid.UUID, tuple[str, ...]] = {}
    if order.shift_id is not None:
        mine = live.jobs(order.shift_id)
        sequences[order.shift_id] = tuple(
            one for one in mine if one != str(order.order_id)
        )
    return Wanted(
        day=live.day,
        lead=f"{_stop(live, order)} {lead}",
        home=frozenset(sequences),
        orders=frozenset({order.order_id}),
        sequences=sequences,
    )


def rewindowed(
    live: Live, fresh: OrderInput, lead: str, cheapest: Cheapest, *, at_place: bool
) -> Wanted:
    """Give an order other windows: it goes where on its route it then costs least.

    With `at_place` it stays where it is. Where it fits nowhere on its route the plan is
    mended: it may go to another driver, or another stop may make room.
    """
    order = replace(fresh, told_at=None)
    day, shift_id = with_order(live.day, order), order.shift_id
    sequences: dict[uuid.UUID, tuple[str, ...]] | None = None
    if shift_id is not None:
        jobs, job = live.jobs(shift_id), str(order.order_id)
        rest = [one for one in jobs if one != job]
        index = jobs.index(job) if at_place else cheapest(day, shift_id, job)
        if index is not None:
            sequences = {shift_id: (*rest[:index], job, *rest[index:])}
    return Wanted(
        day=day,
        lead=f"{_stop(live, order)} {lead}",
        home=frozenset({shift_id} if shift_id is not None else ()),
        orders=frozenset({order.order_id}),
        sequences=sequences,
    )


def unmoved(live: Live, home: Collection[uuid.UUID], lead: str) -> Wanted:
    """Change nothing that is driven."""
    return Wanted(day=live.day, lead=lead, home=frozenset(home))


def reshifted(live: Live, fresh: ShiftInput, lead: str) -> Wanted:
    """Give a shift other times, breaks or another vehicle; the plan is mended."""
    live.shift(fresh.shift_id)
    shifts = tuple(
        fresh if one.shift_id == fresh.shift_id else one for one in live.day.shifts
    )
    return Wanted(
        day=replace(live.day, shifts=shifts),
        lead=lead,
        home=frozenset({fresh.shift_id}),
        sequences=None,
    )


def ended_early(shift: ShiftInput, ends_at: datetime) -> ShiftInput:
    """Return a shift that ends at an instant, without overtime."""
    return replace(shift, ends_at=max(ends_at, shift.free_at), max_overtime_s=0)


def rested(shift: ShiftInput, rest: BreakRule) -> ShiftInput:
    """Return a shift with one more break."""
    breaks = sorted((*shift.breaks, rest), key=lambda one: one.opens_at)
    return replace(shift, breaks=tuple(breaks))


def alternative(live: Live, routes: Mapping[str, Sequence[str]], lead: str) -> Wanted:
    """Drive the sequences of another plan, as far as the day has not moved on.

    A parcel stays in the van that has left with it; what the other plan does not know
    comes last.

    Raises:
        Unfit: that is how it is driven anyway.
    """
    orders = {str(order.order_id): order for order in live.day.orders}
    present = {one.shift_id: live.jobs(one.shift_id) for one in live.day.shifts}
    departed = {one.shift_id for one in live.day.shifts if one.departed}
    taken: dict[uuid.UUID, list[str]] = {shift_id: [] for shift_id in present}
    for shift_id, jobs in ((_id(key), jobs) for key, jobs in routes.items()):
        for job in jobs:
            order = orders.get(job)
            if order is None or order.shift_id is None or shift_id not in taken:
                continue
            bound = order.shift_id in departed or shift_id in departed
            is_loose = order.is_pickup or not bound
            taken[shift_id if is_loose else order.shift_id].append(job)
    placed = {job for jobs in taken.values() for job in jobs}
    sequences = {
        shift_id: (*taken[shift_id], *(job for job in jobs if job not in placed))
        for shift_id, jobs in present.items()
    }
    changed = {
        shift_id: jobs
        for shift_id, jobs in sequences.items()
        if jobs != present[shift_id]
    }
    if not changed:
        raise Unfit("same_plan")
    return Wanted(
        day=live.day,
        lead=lead,
        home=frozenset(changed),
        sequences=changed,
    )


def with_order(day: DayInput, fresh: OrderInput) -> DayInput:
    """Return a day with one order changed."""
    orders = tuple(
        fresh if one.order_id == fresh.order_id else one for one in day.orders
    )
    return replace(day, orders=orders)


def _stop(live: Live, order: OrderInput) -> str:
    number = live.number(order.stop_id)
    return f"Stop {number}" if number else "The stop"


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Unfit("unknown") from error
