"""What opens up on the routes when one stop leaves one of them, as arrays of all cases.

An array's axes are the route, the stop that leaves it, and the gap, a gap being the
place before a stop or before the end. Where a stop leaves, the gaps before and behind it
become one, its seat, which stands at the gap before it. Shorter routes are padded.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.driving import begin, earliest_on, latest_back
from apps.routes.solver.gaps import (
    OPEN,
    Gap,
    fits,
    latest_arrivals_s,
    plain_gaps,
)
from apps.routes.solver.offers import Offer
from apps.routes.solver.routestate import NEVER
from apps.routes.solver.shifting import Shifting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.live import LivePlan
    from apps.routes.solver.problem import Entries

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Rows = Integers | slice
    Ways = tuple[Integers, Integers, Integers, Integers]


class Vacancies:
    """A live plan's routes, each without each of its open stops.

    Breaks are left out of account: whoever uses a gap times the route anew.
    """

    def __init__(self, live: LivePlan) -> None:
        """Lay out the routes as they are now."""
        self.view = live.view
        self.cars = [
            route.number
            for route, places in zip(live.routes, live.places, strict=True)
            if places.gaps and len(route.sequence) > places.gaps[0].leg
        ]
        rows = [_plain(live, number) for number in self.cars]
        self.firsts = [gaps[0].leg for gaps in rows]
        self.car = np.array(self.cars, dtype=np.int64)
        self.first = np.array(self.firsts, dtype=np.int64)
        self.sequences = [live.routes[number].sequence for number in self.cars]
        self.stops = [
            sequence[first:]
            for sequence, first in zip(self.sequences, self.firsts, strict=True)
        ]
        self.deepest = max((len(stops) for stops in self.stops), default=0)
        self._restless: Flags | None = None
        self._shifting: dict[tuple[int, int], Shifting | None] = {}
        if not self.deepest:
            return
        self._lay_gaps(live, rows)
        self._lay_stops(live)
        self._lay_seats()
        self._run()

    def _lay_gaps(self, live: LivePlan, rows: Sequence[Sequence[Gap]]) -> None:
        sizes = np.array([len(gaps) for gaps in rows], dtype=np.int64)
        self.is_gap = np.arange(self.deepest + 1) < sizes[:, None]
        self.is_stop = self.is_gap[:, 1:]
        table = np.zeros((len(Gap._fields), *self.is_gap.shape), dtype=np.int64)
        flat = chain.from_iterable(chain.from_iterable(rows))
        table[:, self.is_gap] = np.fromiter(flat, np.int64).reshape(-1, len(table)).T
        ready_s, latest_s, before, after, _, direct_s, direct_m, pays = table
        self.ready_s, self.latest_s = ready_s, latest_s
        self.before, self.after = before, np.maximum(after, 0)
        self.closed = (after != OPEN).astype(np.int64)
        self.direct_s, self.direct_m, self.pays = direct_s, direct_m, pays
        places = [live.places[number] for number in self.cars]
        cars = [live.view.cars[number] for number in self.cars]
        self.rooms = [one.room for one in places]
        self.departures_s = [one.departure_s for one in places]
        self.closes_s = [car.closes_s for car in cars]
        self.rates = np.array([one.rates for one in places], dtype=np.int64)
        kinds: dict[tuple[int, int], list[int]] = {}
        for row, car in enumerate(cars):
            kinds.setdefault((id(car.travel_s), id(car.travel_m)), []).append(row)
        self.kinds: list[tuple[Entries, Entries, Rows]] = [
            (
                cars[rows[0]].travel_s,
                cars[rows[0]].travel_m,
                np.array(rows) if len(kinds) > 1 else slice(None),
            )
            for rows in kinds.values()
        ]

    def _lay_stops(self, live: LivePlan) -> None:
        """Lay out the stops themselves: windows, services, and what they take."""
        columns, is_stop = live.columns, self.is_stop
        at = np.zeros(is_stop.shape, dtype=np.int64)
        at[is_stop] = [job for stops in self.stops for job in stops]
        cars = [live.view.cars[number] for number in self.cars]
        percents = [car.vehicle.service_percent for car in cars]
        if len({*percents}) == 1:
            services_s = columns.services_s[percents[0]][at]
        else:
            services_s = np.array(
                [columns.services_s[one][at[row]] for row, one in enumerate(percents)]
            )
        self.job, self.services_s = at, services_s * is_stop
        self.firsts_s = np.where(is_stop, columns.firsts_s[:, at], -NEVER)
        self.lasts_s = np.where(is_stop, columns.lasts_s[:, at], NEVER)
        self.room = columns.demands[:, at] * is_stop
        self.room += np.array(self.rooms, dtype=np.int64).T[:, :, None]

    def _lay_seats(self) -> None:
        """Reckon the ways past each stop, and what its leaving saves."""
        there, on = self.before[:, :-1], self.after[:, 1:]
        closed = self.closed[:, 1:]
        self.past_s = np.zeros_like(there)
        self.past_m = np.zeros_like(there)
        for travel_s, travel_m, rows in self.kinds:
            self.past_s[rows] = travel_s[there[rows], on[rows]]
            self.past_m[rows] = travel_m[there[rows], on[rows]]
        self.past_s *= closed * self.is_stop
        self.past_m *= closed * self.is_stop
        saved_s = self.direct_s[:, :-1] + self.direct_s[:, 1:] - self.past_s
        saved_m = self.direct_m[:, :-1] + self.direct_m[:, 1:] - self.past_m
        second, metre = self.rates[:, 0, None], self.rates[:, 2, None]
        self.saving = (saved_s + self.services_s) * second + saved_m * metre

    def _run(self) -> None:
        """Drive every route without each of its stops: earliest on, latest back.

        The stop that has left takes no time, and any time suits it.
        """
        count, depth = len(self.cars), self.deepest
        stops = np.arange(depth)
        whole = (depth, count, depth)
        hops_s = _spread(self.direct_s, depth)
        hops_s[stops, :, stops] = 0
        hops_s[stops[1:], :, stops[:-1]] = self.past_s[:, :-1].T
        services_s = _spread(self.services_s, depth)
        services_s[stops, :, stops] = 0
        firsts_s = np.empty((len(self.firsts_s), *whole), dtype=np.int64)
        firsts_s[:] = np.moveaxis(self.firsts_s, 2, 1)[:, :, :, None]
        firsts_s[:, stops, :, stops] = -NEVER
        lasts_s = np.empty_like(firsts_s)
        lasts_s[:] = np.moveaxis(self.lasts_s, 2, 1)[:, :, :, None]
        lasts_s[:, stops, :, stops] = NEVER
        self.earliest_s = earliest_on(
            self.ready_s[:, :1], hops_s, services_s, firsts_s, lasts_s
        )
        backs_s = _spread(self.direct_s[:, 1:] + self.services_s, depth)
        past_s = self.past_s[:, 1:] + self.services_s[:, :-1]
        backs_s[stops[:-1], :, stops[1:]] = past_s.T
        backs_s[stops, :, stops] = 0
        closes_s = np.array(self.closes_s, dtype=np.int64)[:, None]
        self.last_s = latest_back(closes_s, backs_s, firsts_s, lasts_s)
        self._mark(stops)

    def _mark(self, stops: Integers) -> None:
        """Mark the cases that are, those that gain something, and each stop's seat."""
        gaps = np.arange(self.deepest + 1)[:, None]
        is_case = self.is_gap.T[:, :, None] & self.is_stop[None]
        self.is_open = is_case & (gaps != stops + 1)[:, None, :]
        gains = self.earliest_s < self.ready_s.T[:, :, None]
        gains |= self.last_s > self.latest_s.T[:, :, None]
        gains[stops, :, stops] = True
        self.gains = gains & self.is_open
        self.seat_ready_s = self.earliest_s.diagonal(0, 0, 2)
        self.seat_last_s = self.last_s.diagonal(0, 0, 2)

    def offers(self, job: int) -> list[Offer]:
        """List the gaps that a job could have if another left, the cheapest first."""
        if not self.deepest:
            return []
        able, full = self._rooms(job)
        ways = self._ways(self.view.locations[job])
        there_s, back_s = ways[:2]
        service_s = self._service_s(job)
        open_to = self.gains & able
        if full.any():
            open_to |= self.is_open & (able & full[:, None])
        begin_s = _begin_one(
            self.earliest_s + there_s.T[:, :, None], self.view.windows[job]
        )
        stops = np.arange(self.deepest)
        back = _spread(back_s, self.deepest)
        back[stops, :, stops] = back_s[:, 1:].T
        open_to &= begin_s + service_s[:, None] + back <= self.last_s
        gaps, rows, outs = np.nonzero(open_to)
        if not len(gaps):
            return []
        wait_s = begin_s[gaps, rows, outs] - self.earliest_s[gaps, rows, outs]
        wait_s -= there_s[rows, gaps]
        return self._stated(job, ways, wait_s, rows, outs, gaps)

    def seats(self, job: int, home: int) -> list[Offer]:
        """List the seats of others that a job could take on other routes than its own."""
        able, _ = self._rooms(job)
        able[[number == home for number in self.cars]] = False
        ways = self._ways(self.view.locations[job])
        there_s, back_s = ways[:2]
        arrive_s = self.seat_ready_s + there_s[:, :-1]
        begin_s = _begin_one(arrive_s, self.view.windows[job])
        until_s = begin_s + self._service_s(job)[:, None] + back_s[:, 1:]
        able &= until_s <= self.seat_last_s
        rows, outs = np.nonzero(able)
        if not len(rows):
            return []
        wait_s = (begin_s - arrive_s)[rows, outs]
        return self._stated(job, ways, wait_s, rows, outs, outs)

    def shifting(self, number: int, out: int) -> Shifting | None:
        """Say where else on its own route a stop may stand; None if that is nowhere."""
        if (number, out) in self._shifting:
            return self._shifting[number, out]
        if self._restless is None:
            self._restless = self._find_restless()
        row = self.cars.index(number)
        first, stop = self.firsts[row], out - self.firsts[row]
        legs = np.flatnonzero(self._restless[:, row, stop]) + first
        found = None
        if len(legs):
            found = Shifting(
                number,
                self.sequences[row],
                out,
                tuple(legs.tolist()),
                self.earliest_s[:, row, stop].tolist(),
                self.last_s[:, row, stop].tolist(),
            )
        self._shifting[number, out] = found
        return found

    def _find_restless(self) -> Flags:
        places = np.array(self.view.locations, dtype=np.int64)[self.job]
        there_s = np.empty_like(self.earliest_s)
        back_s = np.empty_like(self.earliest_s)
        for travel_s, _, rows in self.kinds:
            before, after = self.before[rows].T[:, :, None], self.after[rows].T
            there_s[:, rows] = travel_s[before, places[rows]]
            back_s[:, rows] = travel_s[places[rows], after[:, :, None]]
        back_s *= self.closed.T[:, :, None]
        begin_s = begin(
            self.earliest_s + there_s,
            self.firsts_s[:, None, :, :],
            self.lasts_s[:, None, :, :],
        )
        able = begin_s + self.services_s + back_s <= self.last_s
        gaps = np.arange(self.deepest + 1)[:, None]
        found: Flags = able & self.is_open
        found &= (gaps != np.arange(self.deepest))[:, None, :]
        return found

    def _rooms(self, job: int) -> tuple[Flags, Flags]:
        """Say where a job fits if a stop leaves, and which routes lack the room now."""
        view = self.view
        demands, release_s = view.jobs[job].demands, view.releases_s[job]
        able = self.is_stop & np.array(
            [
                view.may_serve[number][job] and release_s <= departure_s
                for number, departure_s in zip(
                    self.cars, self.departures_s, strict=True
                )
            ],
            dtype=bool,
        ).reshape(-1, 1)
        for room, demand in zip(self.room, demands, strict=True):
            able &= room >= demand
        full = np.array([not fits(demands, room) for room in self.rooms], dtype=bool)
        return able, full

    def _service_s(self, job: int) -> Integers:
        cars = self.view.cars
        return np.array(
            [cars[number].services_s[job] for number in self.cars], dtype=np.int64
        )

    def _ways(self, place: int) -> Ways:
        """Give seconds to a place and on from it by gap, and the metres of both."""
        shape = self.before.shape
        there_s, back_s = np.empty(shape, np.int64), np.empty(shape, np.int64)
        there_m, back_m = np.empty(shape, np.int64), np.empty(shape, np.int64)
        for travel_s, travel_m, rows in self.kinds:
            before, after = self.before[rows], self.after[rows]
            there_s[rows] = travel_s[:, place].take(before)
            there_m[rows] = travel_m[:, place].take(before)
            back_s[rows] = travel_s[place].take(after)
            back_m[rows] = travel_m[place].take(after)
        return there_s, back_s * self.closed, there_m, back_m * self.closed

    def _stated(  # noqa: PLR0917  (parallel arrays)
        self,
        job: int,
        ways: Ways,
        wait_s: Integers,
        rows: Integers,
        outs: Integers,
        gaps: Integers,
    ) -> list[Offer]:
        """Price a job where others leave for it, the cheapest first."""
        there_s, back_s, there_m, back_m = ways
        in_seat = gaps == outs
        here = rows * (self.deepest + 1) + gaps
        on, seat = here + in_seat, rows * self.deepest + outs
        direct_s = np.where(in_seat, self.past_s.take(seat), self.direct_s.take(here))
        direct_m = np.where(in_seat, self.past_m.take(seat), self.direct_m.take(here))
        added_s = there_s.take(here) + back_s.take(on) + self._service_s(job).take(rows)
        added_s += (wait_s >> 1) * self.pays.take(here) - direct_s
        added_m = there_m.take(here) + back_m.take(on) - direct_m
        second, overtime, metre, in_time_s, _ = self.rates[rows].T
        costs = added_s * second + added_m * metre - self.saving.take(seat)
        costs += np.maximum(added_s - in_time_s, 0) * overtime
        if self.view.problem.objective.disruption_milli:
            prices = [self.view.disruption_milli(job, one) for one in self.cars]
            costs += np.array(prices, dtype=np.int64)[rows]
        order = np.lexsort((gaps, outs, rows, costs))
        rows, first = rows[order], self.first[rows[order]]
        columns = costs[order], self.car[rows], first + outs[order], first + gaps[order]
        new = tuple.__new__
        lists = (column.tolist() for column in columns)
        return [new(Offer, row) for row in zip(*lists, strict=True)]


def _plain(live: LivePlan, number: int) -> list[Gap]:
    """List the gaps of a route, its breaks left out of account."""
    view, route = live.view, live.routes[number]
    car = view.cars[number]
    if not car.rests:
        return live.places[number].gaps
    return plain_gaps(view, route, latest_arrivals_s(view, car, route.sequence))


def _spread(rows: Integers, cases: int) -> Integers:
    """Turn routes (rows) and stops round, and give every case the same."""
    spread = np.empty((*rows.shape[::-1], cases), dtype=np.int64)
    spread[:] = rows.T[:, :, None]
    return spread


def _begin_one(arrive_s: Integers, windows: Sequence[tuple[int, int]]) -> Integers:
    """Say when one job's service begins; NEVER where its last window has passed."""
    if not windows:
        return arrive_s
    begin_s: Integers = np.full_like(arrive_s, NEVER)
    for first_s, last_s in reversed(windows):
        begin_s = np.where(arrive_s <= last_s, np.maximum(arrive_s, first_s), begin_s)
    return begin_s
