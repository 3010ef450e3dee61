"""Room for a job that fits nowhere: another leaves its place and finds one elsewhere.

Attempts, each wider than the one before: a job takes the very place of another; the
other leaves and the job goes anywhere on that route; the other moves on within it; the
other itself takes the place of a third, which moves on. All are counted, none is timed by the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.gaps import (
    FIRST_ROOM,
    Block,
    Row,
    Table,
    lay_block,
    lay_without_each,
)
from apps.routes.solver.routestate import NEVER, build_route

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from apps.routes.solver.live import LivePlan
    from apps.routes.solver.routestate import RouteState

    Integers = NDArray[np.int64]

TRIED = 12
"""So many of the cheapest exchanges are timed in full."""

CANDIDATES = 48
"""So many jobs are thought of as ejected, those first that make room cheapest."""

ROUTES_OPENED = 8
"""So many routes are rebuilt without each of their jobs in turn."""


@dataclass(slots=True)
class _Seats:
    """The places of the jobs that may be ejected, as a table; `jobs` by column."""

    table: Table
    jobs: Integers
    legs: Integers
    cars: Integers


class Ejection:
    """Makes room on a live plan for one job at a time."""

    def __init__(self, live: LivePlan) -> None:
        """Look at a plan; nothing is computed before it is needed."""
        self.live = live

    def make_room(self, job: int) -> bool:
        """Place a job at the expense of no other; tell whether that was possible."""
        if not self.live.routes:
            return False
        bare = self.live.bare_table
        if self.live.pricer.price(np.array([job]), bare).min() >= NEVER:
            return False
        seats = self._seats()
        if seats is None:
            return False
        return self._swap(job, seats) or self._reopen(job) or self._chain(job, seats)

    def _seats(self) -> _Seats | None:
        """Lay out what a job would find that takes the place of another."""
        live = self.live
        blocks: list[Block] = []
        jobs: list[int] = []
        legs: list[int] = []
        for route in live.routes:
            first = len(live.view.cars[route.number].locked)
            block = live.blocks[route.number]
            if len(route.sequence) > first and not _is_blocked(block):
                blocks.append(self._seats_of(route, block, first))
                jobs += route.sequence[first:]
                legs += range(first, len(route.sequence))
        if not blocks:
            return None
        table = Table.of(blocks)
        return _Seats(
            table,
            np.array(jobs, dtype=np.int64),
            np.array(legs, dtype=np.int64),
            table.cells[Row.CAR],
        )

    def _seats_of(self, route: RouteState, block: Block, first: int) -> Block:
        """Join the places before and after each job into one, breaks aside."""
        live, cells = self.live, block.cells
        count = len(route.sequence) - first
        legs = cells[Row.LEG]
        opening = np.searchsorted(legs, np.arange(first, first + count))
        closing = np.searchsorted(
            legs, np.arange(first + 1, first + count + 1), "right"
        )
        seats = cells[:, opening].copy()
        after = cells[:, closing - 1]
        jobs = np.array(route.sequence[first:], dtype=np.int64)
        for row in (Row.AFTER, Row.CLOSED, Row.LATEST_S):
            seats[row] = after[row]
        services_s = live.arrays.services_s[route.number, jobs]
        seats[Row.DIRECT_S] += after[Row.DIRECT_S] + services_s
        seats[Row.DIRECT_M] += after[Row.DIRECT_M]
        seats[FIRST_ROOM:] += live.arrays.demands[jobs].T
        return Block(seats)

    def _swap(self, job: int, seats: _Seats) -> bool:
        """Let a job take the place of another that finds one on another route."""
        prices = self.live.pricer.price(np.array([job]), seats.table)[0]
        chosen = _cheapest(prices, CANDIDATES)
        if not len(chosen):
            return False
        totals, columns = self._elsewhere(seats.jobs[chosen], seats.cars[chosen])
        totals = _plus(totals, prices[chosen])
        for index in _cheapest(totals, TRIED).tolist():
            seat = int(chosen[index])
            number, leg = int(seats.cars[seat]), int(seats.legs[seat])
            sequence = self.live.routes[number].sequence
            changed = (*sequence[:leg], job, *sequence[leg + 1 :])
            if self._commit(number, changed, sequence[leg], int(columns[index])):
                return True
        return False

    def _elsewhere(self, jobs: Integers, cars: Integers) -> tuple[Integers, Integers]:
        """Price jobs on other routes than their own; give price and column each."""
        table = self.live.table
        prices = self.live.pricer.price(jobs, table)
        prices[cars[:, None] == table.cells[Row.CAR]] = NEVER
        columns = prices.argmin(axis=1)
        return prices[np.arange(len(jobs)), columns], columns

    def _commit(
        self, number: int, changed: tuple[int, ...], ejected: int, column: int
    ) -> bool:
        """Make both routes of an exchange, or neither."""
        live = self.live
        cells = live.table.cells[:, column]
        other, leg = int(cells[Row.CAR]), int(cells[Row.LEG])
        first = build_route(live.view, number, changed)
        if first is None:
            return False
        there = live.routes[other].sequence
        second = build_route(live.view, other, (*there[:leg], ejected, *there[leg:]))
        if second is None:
            return False
        live.put(first)
        live.put(second)
        return True

    def _reopen(self, job: int) -> bool:
        """Take each job of the likeliest routes out, and look again at all places."""
        live = self.live
        opened = [
            lay_without_each(live.arrays, live.routes[number])
            for number in self._likely_routes(job)
        ]
        if not opened:
            return False
        table = Table.of([block for block, _ in opened])
        legs = np.array([leg for _, some in opened for leg in some], dtype=np.int64)
        cars = table.cells[Row.CAR]
        prices = live.pricer.price(np.array([job]), table)[0]
        able = np.flatnonzero(prices < NEVER)
        if not len(able):
            return False
        jobs = np.array(
            [
                live.routes[number].sequence[leg]
                for number, leg in zip(
                    cars[able].tolist(), legs[able].tolist(), strict=True
                )
            ]
        )
        unique, inverse = np.unique(jobs, return_inverse=True)
        homes = np.zeros(len(unique), dtype=np.int64)
        homes[inverse] = cars[able]
        moves, columns = self._elsewhere(unique, homes)
        totals = _plus(prices[able], moves[inverse])
        for index in _cheapest(totals, TRIED).tolist():
            place = int(able[index])
            number, leg = int(cars[place]), int(legs[place])
            at, sequence = (
                int(table.cells[Row.LEG, place]),
                live.routes[number].sequence,
            )
            rest = (*sequence[:leg], *sequence[leg + 1 :])
            changed = (*rest[:at], job, *rest[at:])
            column = int(columns[inverse[index]])
            if self._commit(number, changed, sequence[leg], column):
                return True
        return self._stay(job, table, legs, prices)

    def _stay(self, job: int, table: Table, legs: Integers, prices: Integers) -> bool:
        """Let a job go anywhere on a route that one of its own moves on for."""
        live = self.live
        for place in _cheapest(prices, CANDIDATES).tolist():
            number, at = (int(table.cells[row, place]) for row in (Row.CAR, Row.LEG))
            leg, sequence = int(legs[place]), live.routes[number].sequence
            rest = (*sequence[:leg], *sequence[leg + 1 :])
            route = build_route(live.view, number, (*rest[:at], job, *rest[at:]))
            if route is None:
                continue
            block = lay_block(live.arrays, route)
            moved = live.pricer.price(np.array([sequence[leg]]), Table.of([block]))[0]
            for column in _cheapest(moved, 1).tolist():
                at = int(block.cells[Row.LEG, column])
                longer = (*route.sequence[:at], sequence[leg], *route.sequence[at:])
                if live.try_sequence(number, longer):
                    return True
        return False

    def _likely_routes(self, job: int) -> list[int]:
        """Order the routes by what a job would cost there if time stood still."""
        live = self.live
        cells = live.table.cells.copy()
        cells[Row.LATEST_S], cells[Row.READY_S] = NEVER // 2, 0
        cells[FIRST_ROOM:] = NEVER
        timeless = Table(cells, live.table.starts, ())
        prices = live.pricer.price(np.array([job]), timeless)[0]
        nearest = np.minimum.reduceat(prices, timeless.starts)
        return [
            number
            for number in _cheapest(nearest, ROUTES_OPENED).tolist()
            if len(live.routes[number].sequence) > len(live.view.cars[number].locked)
        ]

    def _chain(self, job: int, seats: _Seats) -> bool:
        """Let a job take a second's place, that a third's, and the third move on."""
        live = self.live
        prices = live.pricer.price(np.array([job]), seats.table)[0]
        firsts = _cheapest(prices, CANDIDATES)
        if not len(firsts):
            return False
        steps = live.pricer.price(seats.jobs[firsts], seats.table)
        steps[seats.cars[firsts][:, None] == seats.cars] = NEVER
        thirds = np.flatnonzero(steps.min(axis=0) < NEVER)
        if not len(thirds):
            return False
        moves, _ = self._elsewhere(seats.jobs[thirds], seats.cars[thirds])
        totals = _plus(_plus(steps[:, thirds], moves), prices[firsts][:, None])
        flat = _cheapest(totals.ravel(), TRIED)
        for index in flat.tolist():
            first, third = divmod(index, len(thirds))
            if self._commit_chain(job, seats, int(firsts[first]), int(thirds[third])):
                return True
        return False

    def _commit_chain(self, job: int, seats: _Seats, first: int, third: int) -> bool:
        """Make the routes of a chain, or none of them."""
        live = self.live
        changed: dict[int, RouteState] = {}
        for seat, comes in ((first, job), (third, int(seats.jobs[first]))):
            number, leg = int(seats.cars[seat]), int(seats.legs[seat])
            sequence = live.routes[number].sequence
            route = build_route(
                live.view, number, (*sequence[:leg], comes, *sequence[leg + 1 :])
            )
            if route is None:
                return False
            changed[number] = route
        blocks = [
            lay_block(live.arrays, changed.get(number, route))
            if number in changed
            else live.blocks[number]
            for number, route in enumerate(live.routes)
        ]
        table = Table.of(blocks)
        moved = int(seats.jobs[third])
        prices = live.pricer.price(np.array([moved]), table)[0]
        for column in _cheapest(prices, 3).tolist():
            number, leg = (int(table.cells[row, column]) for row in (Row.CAR, Row.LEG))
            sequence = changed.get(number, live.routes[number]).sequence
            route = build_route(
                live.view, number, (*sequence[:leg], moved, *sequence[leg:])
            )
            if route is not None:
                for one in (changed | {number: route}).values():
                    live.put(one)
                return True
        return False


def _is_blocked(block: Block) -> bool:
    """Say whether a route may take nothing more at all."""
    return bool((block.cells[Row.LATEST_S] <= -NEVER).all())


def _plus(some: Integers, others: Integers) -> Integers:
    """Add prices; what is impossible stays so, though an exchange may price below 0."""
    possible = (some < NEVER) & (others < NEVER)
    return np.where(possible, some + others, NEVER)


def _cheapest(prices: Integers, most: int) -> Integers:
    """Return the indices of the cheapest that are possible, the cheapest first."""
    able = np.flatnonzero(prices < NEVER)
    order = np.argsort(prices[able], kind="stable")[:most]
    return able[order]
