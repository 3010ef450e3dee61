"""Which part of a running day an event touches. Pure.

An event touches drivers and orders; what can be gained by it lies with those drivers and
the ones nearest to them. A search of that part alone is quicker, and leaves all the
others as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from apps.routes.dayversions import present_jobs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from apps.core.units import Point
    from apps.routes.dayinputs import DayInput, ShiftInput
    from apps.routes.solver.solution import Solution


Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Touched:
    """The shifts and orders that events are about."""

    shift_ids: frozenset[UUID] = frozenset()
    order_ids: frozenset[UUID] = frozenset()

    def __or__(self, other: Touched) -> Touched:
        """Join what two events touch."""
        return Touched(
            self.shift_ids | other.shift_ids, self.order_ids | other.order_ids
        )


def loose_orders(day: DayInput) -> frozenset[UUID]:
    """Return the orders that no driver has."""
    return frozenset(order.order_id for order in day.orders if order.shift_id is None)


def with_holders(day: DayInput, touched: Touched) -> Touched:
    """Add the shifts that hold the touched orders; leave out what the day has not."""
    holders = {
        shift_id
        for order in day.orders
        if order.order_id in touched.order_ids
        for shift_id in (order.shift_id, order.pinned_shift)
        if shift_id is not None
    }
    known = {shift.shift_id for shift in day.shifts}
    return Touched((touched.shift_ids | holders) & known, touched.order_ids)


def changed_shifts(day: DayInput, solution: Solution) -> frozenset[UUID]:
    """Return the shifts whose sequence a solution changes."""
    planned = {
        route.vehicle_id: [visit.job_id for visit in route.visits]
        for route in solution.routes
    }
    return frozenset(
        shift_id
        for shift_id, jobs in present_jobs(day).items()
        if planned.get(str(shift_id), []) != jobs
    )


def places_left_out(day: DayInput, touched: Touched) -> list[Point]:
    """Return where the touched orders are that no driver has."""
    left_out = touched.order_ids & loose_orders(day)
    return [order.point for order in day.orders if order.order_id in left_out]


def part_of(
    day: DayInput, touched: Touched, *, most_stops: int, about: Sequence[Point] = ()
) -> DayInput:
    """Return the part of a day that is touched, with the nearest drivers' stops.

    Drivers are added, the nearest first, while all their stops together are at most
    `most_stops`; those that are touched belong to it in any case, and so does every
    order without a driver. Near is what lies `about` those places, or else about all
    that is touched. Where nothing is touched, the middle of the day is.
    """
    if len(day.orders) <= most_stops:
        return day
    seeds = about or _seeds(day, touched) or [order.point for order in day.orders]
    chosen = {
        shift.shift_id for shift in day.shifts if shift.shift_id in touched.shift_ids
    }
    loose = sum(order.shift_id is None for order in day.orders)
    size = loose + sum(
        len(shift.ahead) for shift in day.shifts if shift.shift_id in chosen
    )
    for shift in _nearest(day, seeds):
        if shift.shift_id in chosen:
            continue
        size += len(shift.ahead)
        if size > most_stops:
            break
        chosen.add(shift.shift_id)
    return only(day, chosen)


def only(day: DayInput, shift_ids: Collection[UUID]) -> DayInput:
    """Return a day with these shifts alone, what they hold, and what nobody does."""
    return replace(
        day,
        shifts=tuple(one for one in day.shifts if one.shift_id in shift_ids),
        orders=tuple(
            order
            for order in day.orders
            if order.shift_id is None or order.shift_id in shift_ids
        ),
    )


def _seeds(day: DayInput, touched: Touched) -> list[Point]:
    """Return the places that are touched: of orders, and of drivers and their stops."""
    orders = [
        order.point
        for order in day.orders
        if order.order_id in touched.order_ids or order.shift_id in touched.shift_ids
    ]
    starts = [one.start for one in day.shifts if one.shift_id in touched.shift_ids]
    return [*orders, *starts]


def nearest(
    places_of: Mapping[Key, Sequence[tuple[float, float]]],
    seeds: Sequence[tuple[float, float]],
) -> list[Key]:
    """Order drivers by how far the seeds are, in the mean, from their nearest place.

    Places are east and north on a plane; who has none comes last.
    """
    here = np.array(seeds, dtype=np.float64).reshape(-1, 2)

    def away(key: Key) -> float:
        there = np.array(places_of[key], dtype=np.float64).reshape(-1, 2)
        if not len(there) or not len(here):
            return math.inf
        apart = here[:, None, :] - there[None, :, :]
        return float(np.hypot(apart[..., 0], apart[..., 1]).min(axis=1).mean())

    return sorted(places_of, key=lambda key: (away(key), str(key)))


def _nearest(day: DayInput, seeds: Sequence[Point]) -> list[ShiftInput]:
    """Order the shifts of a day by how near they are to the seeds."""
    points_of: dict[UUID, list[Point]] = {
        shift.shift_id: [shift.start] for shift in day.shifts
    }
    for order in day.orders:
        if order.shift_id in points_of:
            points_of[order.shift_id].append(order.point)
    across = math.cos(math.radians(seeds[0].lat))

    def plane(points: Sequence[Point]) -> list[tuple[float, float]]:
        return [(point.lon * across, point.lat) for point in points]

    shifts = {shift.shift_id: shift for shift in day.shifts}
    ranked = nearest(
        {shift_id: plane(points) for shift_id, points in points_of.items()},
        plane(seeds),
    )
    return [shifts[shift_id] for shift_id in ranked]
