"""Insertions of several stops at once: a pickup with its delivery, a job with a reload.

Prices are estimates that put single insertions together; `compound_sequences` lists
the sequences behind them for whoever builds routes, the most promising first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.pricing import begin_times, gap_prices
from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.routestate import NEVER, find_gaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from apps.routes.solver.pricing import Arrays
    from apps.routes.solver.problem import Entries
    from apps.routes.solver.routestate import Gaps, RouteState

    Integers = NDArray[np.int64]
    Sequences = list[tuple[int, ...]]
    Offers = list[tuple[int, tuple[int, ...]]]

COMPOUND = -1
"""In place of a leg: the insertion takes more than one stop."""

TRIED = 8
"""Sequences that are tried for one compound insertion."""


def price_compounds(
    arrays: Arrays, route: RouteState, jobs: Integers, costs: Integers, legs: Integers
) -> None:
    """Fill in the prices of pickups, and of jobs that fit only with a reload."""
    view = arrays.view
    ways = _Ways(arrays, route)
    able = arrays.may_serve[route.number, jobs]
    rows = np.arange(len(jobs))
    if view.delivery_of:
        shipped = np.array(
            [view.partner(job) is not None for job in jobs.tolist()], dtype=bool
        )
        costs[shipped] = NEVER
        for row in np.flatnonzero(able & shipped).tolist():
            offers = ways.shipped(int(jobs[row]))
            if offers:
                costs[row], legs[row] = offers[0][0], COMPOUND
        able &= ~shipped
    rows = np.flatnonzero(able & (costs >= NEVER))
    if ways.can_reload and len(rows):
        prices = ways.reload_prices(jobs[rows])
        found = prices < NEVER
        costs[rows[found]], legs[rows[found]] = prices[found], COMPOUND


def compound_sequences(arrays: Arrays, route: RouteState, job: int) -> Sequences:
    """List a route's sequences with a job, and what must go with it, put in."""
    ways = _Ways(arrays, route)
    if arrays.view.partner(job) is not None:
        return [sequence for _, sequence in ways.shipped(job)]
    return ways.reloading(job)


class _Ways:
    """The ways to put jobs into one route together with other stops."""

    def __init__(self, arrays: Arrays, route: RouteState) -> None:
        self.arrays = arrays
        self.view = arrays.view
        self.route = route
        self.car = arrays.view.cars[route.number]
        self.first = len(self.car.locked)
        self.count = len(route.sequence) + 1
        taken = 0 if route.loads is None else int(route.loads.trips[-1])
        self.can_reload = bool(self.car.reloads) and (
            taken < self.car.vehicle.max_reloads
        )
        if self.can_reload:
            self.trips = [self._trip_of(leg) for leg in range(self.count)]
            self.detours = [self._detour(leg) for leg in range(self.count)]
            self.ahead, self.behind = self._halves()

    def _leg_prices(self, jobs: Integers, depart_s: int) -> Integers:
        """Price jobs (rows) in each leg, loads aside; NEVER where it cannot wait."""
        best = np.full((len(jobs), self.count), NEVER, dtype=np.int64)
        gaps = find_gaps(self.view, self.route, depart_s)
        if gaps is not None:
            prices = gap_prices(self.arrays, self.route, gaps, jobs)
            firsts = np.flatnonzero(np.diff(gaps.legs, prepend=-1))
            best[:, gaps.legs[firsts]] = np.minimum.reduceat(prices, firsts, axis=1)
        return best

    def shipped(self, pickup: int) -> Offers:
        """List where a pickup and its delivery go best, by estimated cost."""
        delivery = self.view.delivery_of[pickup]
        jobs = np.array([pickup, delivery], dtype=np.int64)
        departure_s = self.route.times.departure_s
        released_s = int(self.arrays.releases_s[jobs].max())
        depart_s = departure_s if self.first else max(departure_s, released_s)
        prices = self._leg_prices(jobs, depart_s)
        chain = self._chain(jobs)
        fits = self._fits_between(pickup)
        pairs = np.where(fits, prices[0][:, None] + prices[1][None, :], NEVER)
        np.fill_diagonal(pairs, np.where(np.diag(fits), chain, NEVER))
        sequence = self.route.sequence
        found: Offers = []
        for cell in np.argsort(pairs, axis=None, kind="stable")[:TRIED].tolist():
            at, to = divmod(cell, self.count)
            if pairs[at, to] < NEVER:
                shipped = (pickup, *sequence[at:to], delivery)
                offer = (*sequence[:at], *shipped, *sequence[to:])
                found.append((int(pairs[at, to]), offer))
        if self.can_reload:
            for leg in range(self.first, self.count):
                extra_milli, place = self.detours[leg]
                if max(extra_milli, int(chain[leg])) < NEVER:
                    offer = (*sequence[:leg], place, *jobs.tolist(), *sequence[leg:])
                    found.append((int(chain[leg]) + extra_milli, offer))
        return sorted(found, key=lambda one: one[0])[:TRIED]

    def _fits_between(self, pickup: int) -> NDArray[np.bool_]:
        """Say from which leg (row) to which (column) there is room for the parcel."""
        loads = self.route.loads
        allowed = np.triu(np.ones((self.count, self.count), dtype=bool))
        allowed[: self.first] = False
        if loads is None or not self.car.spare:
            return allowed
        demands = np.array(self.view.jobs[pickup].demands, dtype=np.int64)
        spare = np.array(self.car.spare, dtype=np.int64)
        full = np.any(loads.aboard + demands > spare, axis=1)
        over = np.concatenate(([0], np.cumsum(full)))
        allowed &= over[None, 1:] == over[:-1, None]
        return allowed

    def _chain(self, jobs: Integers) -> Integers:
        """Price a pickup and its delivery, one right after the other, in each leg."""
        costs = np.full(self.count, NEVER, dtype=np.int64)
        gaps = find_gaps(self.view, self.route, self.route.times.departure_s)
        here, there = (self.view.locations[job] for job in jobs.tolist())
        between_s = int(self.car.travel_s[here, there])
        if gaps is None or between_s >= UNREACHABLE:
            return costs
        services_s = [self.car.services_s[job] for job in jobs.tolist()]
        along = _Along(self.car.travel_s, gaps, here, there)
        begin_s = begin_times(
            self.arrays, jobs[:1], (gaps.ready_s + along.there)[None, :]
        )
        left_s = begin_s + services_s[0] + between_s
        begin_s = begin_times(self.arrays, jobs[1:], left_s)[0]
        feasible = begin_s + services_s[1] + along.back <= gaps.latest_s
        feasible &= np.maximum(along.there, along.back) < UNREACHABLE
        metres = _Along(self.car.travel_m, gaps, here, there)
        used = bool(self.route.sequence)
        vehicle, objective = self.car.vehicle, self.view.problem.objective
        second_milli = vehicle.cost_per_s_milli * objective.duration_weight
        metre_milli = vehicle.cost_per_m_milli * objective.distance_weight
        prices = (along.added(used) + sum(services_s)) * second_milli
        prices += metres.added(used) * metre_milli
        prices += int(self.arrays.disruptions[self.route.number, jobs].sum())
        prices += 0 if used else vehicle.fixed_cost_milli
        np.minimum.at(costs, gaps.legs, np.where(feasible, prices, NEVER))
        return costs

    def reload_prices(self, jobs: Integers) -> Integers:
        """Price jobs that need a reload at best, by job."""
        best = np.full(len(jobs), NEVER, dtype=np.int64)
        for _, _, prices, _ in self._partings(jobs):
            best = np.minimum(best, prices)
        return best

    def reloading(self, job: int) -> Sequences:
        """List the sequences with a reload and a job before or after it."""
        sequence = self.route.sequence
        offers: Offers = []
        found = (
            self._partings(np.array([job], dtype=np.int64)) if self.can_reload else ()
        )
        for leg, place, prices, at_legs in found:
            at = int(at_legs[0])
            if prices[0] >= NEVER:
                continue
            if place < 0:
                offer = (
                    *sequence[:at],
                    job,
                    *sequence[at:leg],
                    -place,
                    *sequence[leg:],
                )
            else:
                offer = (*sequence[:leg], place, *sequence[leg:at], job, *sequence[at:])
            offers.append((int(prices[0]), offer))
        offers.sort(key=lambda one: one[0])
        return [offer for _, offer in offers[:TRIED]]

    def _partings(
        self, jobs: Integers
    ) -> Iterator[tuple[int, int, Integers, Integers]]:
        """Part each leg by a reload: (leg, place to load at, prices, jobs' legs).

        The place is negative where the jobs go before it, into the earlier trip.
        """
        prices = self._leg_prices(jobs, self.route.times.departure_s)
        spare = np.array(self.car.spare, dtype=np.int64)
        wanted = self.arrays.demands[jobs]
        rows = np.arange(len(jobs))
        for leg in range(self.first, self.count):
            extra_milli, place = self.detours[leg]
            begin, end = self.trips[leg]
            if extra_milli >= NEVER:
                continue
            for side, low, high, load in (
                (-1, begin, leg + 1, self.ahead[leg]),
                (1, leg, end + 1, self.behind[leg]),
            ):
                if side < 0 and leg == self.count - 1:
                    continue
                at_legs = low + np.argmin(prices[:, low:high], axis=1)
                found = prices[rows, at_legs] + extra_milli
                found[~np.all(wanted + load <= spare, axis=1)] = NEVER
                yield leg, side * place, np.minimum(found, NEVER), at_legs

    def _trip_of(self, leg: int) -> tuple[int, int]:
        """Give the first leg, commitments aside, and the last of a leg's trip."""
        loads = self.route.loads
        if loads is None:
            return self.first, self.count - 1
        legs = np.flatnonzero(loads.trips == loads.trips[leg])
        return max(self.first, int(legs[0])), int(legs[-1])

    def _halves(self) -> tuple[Integers, Integers]:
        """Give for each leg what its trip holds before it, and after it."""
        demands = np.zeros((self.count, len(self.car.spare)), dtype=np.int64)
        for leg, stop in enumerate(self.route.sequence):
            if stop < self.view.job_count:
                demands[leg] = self.arrays.demands[stop]
        ahead, behind = np.zeros_like(demands), np.zeros_like(demands)
        for leg, (first, last) in enumerate(self.trips):
            begin = 0 if first == self.first else first
            ahead[leg] = demands[begin:leg].sum(axis=0)
            behind[leg] = demands[leg:last].sum(axis=0)
        return ahead, behind

    def _detour(self, leg: int) -> tuple[int, int]:
        """Price the cheapest way over a place to load at, in a leg: (cost, place)."""
        view, car, sequence = self.view, self.car, self.route.sequence
        vehicle, objective = car.vehicle, view.problem.objective
        origin = view.locations[sequence[leg - 1]] if leg else vehicle.start_location
        target = (
            view.locations[sequence[leg]]
            if leg < len(sequence)
            else vehicle.end_location
        )
        best = (NEVER, 0)
        for stop in car.reloads:
            place = view.locations[stop]
            onward_s = 0 if target is None else car.durations_s[place][target]
            if max(car.durations_s[origin][place], onward_s) >= UNREACHABLE:
                continue
            detour_s = car.durations_s[origin][place] + onward_s + car.services_s[stop]
            detour_m = car.distances_m[origin][place]
            if target is not None:
                detour_s -= car.durations_s[origin][target]
                detour_m += car.distances_m[place][target]
                detour_m -= car.distances_m[origin][target]
            cost = detour_s * vehicle.cost_per_s_milli * objective.duration_weight
            cost += detour_m * vehicle.cost_per_m_milli * objective.distance_weight
            best = min(best, (cost, stop))
        return best


class _Along:
    """The way over two places in each gap, in seconds or metres."""

    def __init__(self, entries: Entries, gaps: Gaps, here: int, there: int) -> None:
        closed = gaps.following >= 0
        self.there = entries[gaps.previous, here].astype(np.int64)
        self.between = int(entries[here, there])
        self.back = np.where(closed, entries[there, gaps.following], 0).astype(np.int64)
        self.direct = np.where(closed, entries[gaps.previous, gaps.following], 0)

    def added(self, used: bool) -> Integers:
        """Give what it adds to a route; one without stops has no direct way."""
        total: Integers = self.there + self.between + self.back
        return total - self.direct if used else total
