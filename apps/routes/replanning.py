"""Which part of a running day an event touches. Pure.

An event touches drivers and orders; what can be gained by it lies with those drivers and
the ones nearest to them. A search of that part alone is quicker, and leaves all the
others as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.places import METRES_A_DEGREE
from apps.routes.planning import present_jobs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from numpy.typing import NDArray

    from apps.core.units import Point
    from apps.routes.planning import DayInput, ShiftInput
    from apps.routes.solver.solution import Solution

    Metres = NDArray[np.float64]


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
        order.shift_id
        for order in day.orders
        if order.shift_id is not None and order.order_id in touched.order_ids
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


def part_of(day: DayInput, touched: Touched, *, most_stops: int) -> DayInput:
    """Return the part of a day that is touched, with the nearest drivers' stops.

    Drivers are added, the nearest first, while all their stops together are at most
    `most_stops`; those that are touched belong to it in any case, and so does every
    order without a driver. Where nothing is touched, the middle of the day is.
    """
    if len(day.orders) <= most_stops:
        return day
    seeds = _seeds(day, touched) or [order.point for order in day.orders]
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
    return _only(day, chosen)


def _only(day: DayInput, shift_ids: Collection[UUID]) -> DayInput:
    """Leave the other shifts and what they hold out of a day."""
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


def _nearest(day: DayInput, seeds: Sequence[Point]) -> list[ShiftInput]:
    """Order shifts by how far the seeds are, in the mean, from their nearest stop."""
    points_of: dict[UUID, list[Point]] = {
        shift.shift_id: [shift.start] for shift in day.shifts
    }
    for order in day.orders:
        if order.shift_id in points_of:
            points_of[order.shift_id].append(order.point)
    here = _plane(seeds, seeds[0])
    away = {
        shift_id: float(_apart_m(here, _plane(points, seeds[0])).min(axis=1).mean())
        for shift_id, points in points_of.items()
    }
    return sorted(day.shifts, key=lambda one: (away[one.shift_id], str(one.shift_id)))


def _plane(points: Sequence[Point], origin: Point) -> Metres:
    """Give metres east and north of an origin."""
    degrees = np.array([(point.lon, point.lat) for point in points], dtype=np.float64)
    across = math.cos(math.radians(origin.lat))
    plane: Metres = (degrees - (origin.lon, origin.lat)) * METRES_A_DEGREE
    plane[:, 0] *= across
    return plane


def _apart_m(some: Metres, others: Metres) -> Metres:
    """Give straight distances, a row for each of the first."""
    east = some[:, None, 0] - others[None, :, 0]
    north = some[:, None, 1] - others[None, :, 1]
    apart: Metres = np.hypot(east, north)
    return apart
