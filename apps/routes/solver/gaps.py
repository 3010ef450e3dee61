"""All the places of a live plan where a visit may go, as one table of arrays.

A table has a column a place and prices many jobs in all places at once, so that the
answer to an event costs a few array operations whatever the number of routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.routestate import NEVER, find_gaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.insertion import Arrays
    from apps.routes.solver.problem import Entries
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.view import Car, Rest, View

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class Row(IntEnum):
    """The rows of a table; a column is one place for one more visit.

    The car is ready to leave location `BEFORE` at `READY_S` and must be at `AFTER` by
    `LATEST_S`; `CLOSED` is 0 where nothing comes after. A visit there replaces
    `DIRECT_S` seconds and `DIRECT_M` metres. `PAID_WAIT` is 0 where waiting is free,
    since the car may depart later. `OPENS_MILLI` is what using the car at all costs.
    The route ends at `ROUTE_END_S`, its overtime begins at `END_S`; a second costs
    `SECOND_MILLI`, one of overtime `OVERTIME_MILLI` more, a metre `METRE_MILLI`. Rooms
    of the load dimensions follow below.
    """

    READY_S = 0
    LATEST_S = 1
    BEFORE = 2
    AFTER = 3
    LEG = 4
    CAR = 5
    CLOSED = 6
    DIRECT_S = 7
    DIRECT_M = 8
    PAID_WAIT = 9
    OPENS_MILLI = 10
    END_S = 11
    DEPARTS_S = 12
    SECOND_MILLI = 13
    OVERTIME_MILLI = 14
    METRE_MILLI = 15
    ROUTE_END_S = 16


FIRST_ROOM = len(Row)


@dataclass(frozen=True, slots=True)
class Block:
    """The places of one route; `tails` are breaks that come after a new visit."""

    cells: Integers
    tails: tuple[tuple[int, tuple[Rest, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Several blocks side by side; `starts` says where each begins."""

    cells: Integers
    starts: Integers
    tails: tuple[tuple[int, tuple[Rest, ...]], ...]

    @staticmethod
    def of(blocks: Sequence[Block]) -> Table:
        """Lay blocks side by side; each has a column at least."""
        if len(blocks) == 1:
            return Table(blocks[0].cells, np.zeros(1, dtype=np.int64), blocks[0].tails)
        starts = [0, *accumulate(block.cells.shape[1] for block in blocks)]
        tails = tuple(
            (start + column, rests)
            for start, block in zip(starts, blocks, strict=False)
            for column, rests in block.tails
        )
        cells = np.concatenate([block.cells for block in blocks], axis=1)
        return Table(cells, np.array(starts[:-1], dtype=np.int64), tails)


def lay_block(arrays: Arrays, route: RouteState) -> Block:
    """List the places of a route as they are if it departs when it does."""
    view = arrays.view
    car, sequence = view.cars[route.number], route.sequence
    if car.rests:
        return _rested_block(arrays, route)
    latest_s = latest_arrivals_s(view, car, sequence)
    ready_s = [route.times.departure_s, *route.times.finishes_s]
    columns = _columns(view, car, sequence, ready_s, latest_s, _common(view, route))
    return Block(np.array(columns, dtype=np.int64).T)


def lay_without_each(arrays: Arrays, route: RouteState) -> tuple[Block, list[int]]:
    """List the places of a route without one job, for each job that may leave it.

    The second part says at which leg the job of each column stood. Breaks are left out
    of account: whoever uses a place times the route anew.
    """
    view = arrays.view
    car, sequence, times = view.cars[route.number], route.sequence, route.times
    latest_s = latest_arrivals_s(view, car, sequence)
    columns: list[list[int]] = []
    legs: list[int] = []
    for leg in range(len(car.locked), len(sequence)):
        rest = (*sequence[:leg], *sequence[leg + 1 :])
        ready_s = [times.departure_s, *times.finishes_s[:leg]]
        place = view.locations[rest[leg - 1]] if leg else car.vehicle.start_location
        for job in rest[leg:]:
            arrive_s = ready_s[-1] + car.durations_s[place][view.locations[job]]
            begin_s = view.next_start_s(job, arrive_s)
            begin_s = NEVER if begin_s is None else begin_s
            ready_s.append(begin_s + car.services_s[job])
            place = view.locations[job]
        after = latest_arrivals_s(view, car, rest, latest_s[leg + 1 :])
        common = _common(view, route)
        demands = view.jobs[sequence[leg]].demands
        common[-len(demands) :] = [
            room + demand
            for room, demand in zip(common[-len(demands) :], demands, strict=True)
        ]
        found = _columns(view, car, rest, ready_s, after, common)
        columns += found
        legs += [leg] * len(found)
    return Block(np.array(columns, dtype=np.int64).T), legs


def latest_arrivals_s(
    view: View, car: Car, sequence: Sequence[int], tail: Sequence[int] = ()
) -> list[int]:
    """Say how late a car may arrive at each stop of a sequence and at its end.

    Breaks are left out of account; `tail` holds the last entries where they are known.
    Those of commitments mean nothing.
    """
    count = len(sequence)
    latest_s = [car.closes_s] * (count + 1)
    first = count
    if tail:
        first = count + 1 - len(tail)
        latest_s[first:] = tail
    after = view.locations[sequence[first]] if first < count else None
    if first == count:
        after = car.vehicle.end_location
    for leg in range(first - 1, len(car.locked) - 1, -1):
        job = sequence[leg]
        place = view.locations[job]
        bound_s = latest_s[leg + 1] - car.services_s[job]
        if after is not None:
            bound_s -= car.durations_s[place][after]
        windows = view.windows[job]
        if windows:
            bound_s = max(
                (min(last, bound_s) for begin, last in windows if begin <= bound_s),
                default=-NEVER,
            )
        latest_s[leg] = bound_s
        after = place
    return latest_s


def _columns(  # noqa: PLR0917
    view: View,
    car: Car,
    sequence: Sequence[int],
    ready_s: Sequence[int],
    latest_s: Sequence[int],
    common: list[int],
) -> list[list[int]]:
    """State the places of a sequence without breaks, one list a place."""
    first, end = len(car.locked), car.vehicle.end_location
    number = view.vehicle_index[car.vehicle.id]
    before = (
        view.locations[sequence[first - 1]] if first else car.vehicle.start_location
    )
    columns = []
    for leg in range(first, len(sequence) + 1):
        after = view.locations[sequence[leg]] if leg < len(sequence) else end
        closed = after is not None
        used = closed and bool(sequence)
        columns.append(
            [
                ready_s[leg],
                latest_s[leg],
                before,
                after or 0,
                leg,
                number,
                closed,
                car.durations_s[before][after or 0] if used else 0,
                car.distances_m[before][after or 0] if used else 0,
                int(leg > 0),
                *common,
            ]
        )
        before = after or 0
    return columns


def _common(view: View, route: RouteState) -> list[int]:
    """Give what is the same in all places of a route, from `OPENS_MILLI` on."""
    car, times, objective = view.cars[route.number], route.times, view.problem.objective
    vehicle, weight = car.vehicle, objective.duration_weight
    return [
        0 if route.sequence else vehicle.fixed_cost_milli,
        max(times.end_s, vehicle.end_s),
        times.departure_s,
        vehicle.cost_per_s_milli * weight,
        vehicle.overtime_cost_per_s_milli * weight,
        vehicle.cost_per_m_milli * objective.distance_weight,
        times.end_s,
        *(room - taken for room, taken in zip(car.spare, route.load, strict=True)),
    ]


def _rested_block(arrays: Arrays, route: RouteState) -> Block:
    """List the places of a route with breaks."""
    car = arrays.view.cars[route.number]
    gaps = find_gaps(arrays.view, route, route.times.departure_s)
    cells = np.zeros((FIRST_ROOM + len(car.spare), 1), dtype=np.int64)
    if gaps is None:
        cells[Row.LATEST_S], cells[Row.CAR] = -NEVER, route.number
        return Block(cells)
    cells = np.repeat(cells, len(gaps.legs), axis=1)
    closed = gaps.following >= 0
    after = np.maximum(gaps.following, 0)
    if car.vehicle.end_location is None:
        closed = closed & (gaps.legs < len(route.sequence))
    used = closed & bool(route.sequence)
    cells[Row.READY_S], cells[Row.LATEST_S] = gaps.ready_s, gaps.latest_s
    cells[Row.BEFORE], cells[Row.AFTER] = gaps.previous, after
    cells[Row.LEG], cells[Row.CAR], cells[Row.CLOSED] = gaps.legs, route.number, closed
    travel_s, travel_m = car.travel_s, car.travel_m
    cells[Row.DIRECT_S] = np.where(used, travel_s[gaps.previous, after], 0)
    cells[Row.DIRECT_M] = np.where(used, travel_m[gaps.previous, after], 0)
    cells[Row.PAID_WAIT] = (gaps.legs > 0) | car.goes_at_once
    common = np.array(_common(arrays.view, route), dtype=np.int64)
    cells[Row.OPENS_MILLI :] = common[:, None]
    return Block(cells, tuple(gaps.tails))


class Pricer:
    """Prices jobs in the places of a table, with what that needs of the view at hand."""

    def __init__(self, arrays: Arrays) -> None:
        """Look at the cars: what they share is not looked up place by place."""
        self.arrays = arrays
        view = arrays.view
        self.side = view.problem.location_count
        self.travel: list[tuple[Entries, Entries]] = []
        kinds: dict[tuple[int, int], int] = {}
        kind_of = []
        for car in view.cars:
            key = (id(car.travel_s), id(car.travel_m))
            if key not in kinds:
                kinds[key] = len(self.travel)
                self.travel.append((car.travel_s.ravel(), car.travel_m.ravel()))
            kind_of.append(kinds[key])
        self.kind_of = np.array(kind_of, dtype=np.int64)
        self.disrupts = bool(view.problem.objective.disruption_milli)
        self.is_picky = not arrays.may_serve.all()
        self.has_releases = bool((arrays.releases_s > -NEVER).any())
        services_s = arrays.services_s
        self.same_service = bool((services_s == services_s[:1]).all())

    def price(self, jobs: Integers, table: Table) -> Integers:
        """Price jobs (rows) in places (columns); NEVER where one cannot go.

        The price is the added cost: waiting counts half where it is paid. A job that is
        not there yet when the route departs has no price.
        """
        arrays, cells = self.arrays, table.cells
        there_s, back_s, added_m = self._ways(arrays.locations[jobs][:, None], cells)
        arrive_s = cells[Row.READY_S] + there_s
        begin_s = self._begin(jobs, arrive_s)
        service_s = (
            arrays.services_s[0, jobs][:, None]
            if self.same_service
            else arrays.services_s[cells[Row.CAR], jobs[:, None]]
        )
        onward_s = begin_s + service_s
        for column, rests in table.tails:
            for rest in rests:
                onward_s[:, column] = (
                    np.maximum(onward_s[:, column], rest.earliest_s) + rest.duration_s
                )
        feasible = onward_s + back_s <= cells[Row.LATEST_S]
        feasible &= np.maximum(there_s, back_s) < UNREACHABLE
        self._check_fitness(feasible, jobs, cells)
        wait_s = ((begin_s - arrive_s) >> 1) * cells[Row.PAID_WAIT]
        added_s = there_s + back_s + service_s + wait_s - cells[Row.DIRECT_S]
        prices: Integers = added_s * cells[Row.SECOND_MILLI]
        prices += (added_m - cells[Row.DIRECT_M]) * cells[Row.METRE_MILLI]
        late_s = np.maximum(added_s + (cells[Row.ROUTE_END_S] - cells[Row.END_S]), 0)
        prices += late_s * cells[Row.OVERTIME_MILLI] + cells[Row.OPENS_MILLI]
        if self.disrupts:
            prices += arrays.disruptions[cells[Row.CAR], jobs[:, None]]
        prices[~feasible] = NEVER
        return prices

    def _ways(
        self, places: Integers, cells: Integers
    ) -> tuple[Integers, Integers, Integers]:
        """Give seconds to a job and on from it, and the metres of both."""
        closed = cells[Row.CLOSED]
        there = cells[Row.BEFORE] * self.side + places
        back = places * self.side + cells[Row.AFTER]
        parts = [
            (
                travel_s.take(there).astype(np.int64),
                travel_s.take(back) * closed,
                travel_m.take(there) + travel_m.take(back) * closed,
            )
            for travel_s, travel_m in self.travel
        ]
        there_s, back_s, metres = parts[0]
        kinds = self.kind_of[cells[Row.CAR]] if len(parts) > 1 else None
        for kind, part in enumerate(parts[1:], 1):
            there_s = np.where(kinds == kind, part[0], there_s)
            back_s = np.where(kinds == kind, part[1], back_s)
            metres = np.where(kinds == kind, part[2], metres)
        return there_s, back_s, metres

    def _begin(self, jobs: Integers, arrive_s: Integers) -> Integers:
        """Say when service begins; NEVER where the last window has passed."""
        firsts_s, lasts_s = self.arrays.firsts_s[jobs], self.arrays.lasts_s[jobs]
        begin_s: Integers | int = NEVER
        for column in range(firsts_s.shape[1] - 1, -1, -1):
            first_s, last_s = firsts_s[:, column, None], lasts_s[:, column, None]
            begin_s = np.where(
                arrive_s <= last_s, np.maximum(arrive_s, first_s), begin_s
            )
        begun: Integers = np.asarray(begin_s)
        return begun

    def _check_fitness(self, feasible: Flags, jobs: Integers, cells: Integers) -> None:
        """Strike out where load, fitness, or a release stand against it."""
        arrays = self.arrays
        for dimension in range(cells.shape[0] - FIRST_ROOM):
            demand = arrays.demands[jobs, dimension][:, None]
            feasible &= demand <= cells[FIRST_ROOM + dimension]
        if self.is_picky:
            feasible &= arrays.may_serve[cells[Row.CAR], jobs[:, None]]
        if self.has_releases:
            feasible &= arrays.releases_s[jobs][:, None] <= cells[Row.DEPARTS_S]
