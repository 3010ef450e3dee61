"""Pricing insertions: all jobs into all gaps of a route at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.routestate import NEVER, find_gaps
from apps.routes.solver.steps import AT_DEPOT
from apps.routes.solver.view import FIRST
from apps.routes.solver.wishes import onward_costs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.problem import Entries
    from apps.routes.solver.routestate import Gaps, RouteState
    from apps.routes.solver.view import View

    Integers = NDArray[np.int64]


NOBODY = -3
"""In place of a job's predecessor or successor: none is known."""


class Arrays:
    """The parts of a view that pricing needs, as numpy arrays by car and job.

    `demands` are those of whole trips: what is shipped has none.
    """

    def __init__(self, view: View) -> None:
        """Lay out a view's jobs and matrices."""
        self.view = view
        jobs, cars = view.jobs, view.cars
        widest = max((len(windows) for windows in view.windows), default=0)
        self.firsts_s = np.full((len(jobs), max(1, widest)), -NEVER, dtype=np.int64)
        self.lasts_s = np.full_like(self.firsts_s, NEVER)
        for job, windows in enumerate(view.windows[: len(jobs)]):
            for column in range(widest if windows else 0):
                first_s, last_s = windows[min(column, len(windows) - 1)]
                self.firsts_s[job, column] = first_s
                self.lasts_s[job, column] = last_s
        self.locations = np.array(view.locations[: len(jobs)], dtype=np.int64)
        self.demands = _table(
            [job.demands for job in jobs], len(jobs), len(view.problem.dimensions)
        )
        shipped = [*view.delivery_of, *view.pickup_of]
        self.demands[shipped] = 0
        self.releases_s = np.array(
            [-NEVER if job.release_s is None else job.release_s for job in jobs],
            dtype=np.int64,
        )
        self.services_s = _table(
            [car.services_s[: len(jobs)] for car in cars], len(cars), len(jobs)
        )
        self.may_serve = np.array(view.may_serve, dtype=bool).reshape(
            len(cars), len(jobs)
        )
        self.prizes = np.array(
            [view.prize_milli(job) for job in range(len(jobs))], dtype=np.int64
        )
        self.disruptions = _table(
            [
                [view.disruption_milli(job, car) for job in range(len(jobs))]
                for car in range(len(cars))
            ],
            len(cars),
            len(jobs),
        )
        self.previous = np.array(
            [NOBODY if one is None else one for one in view.previous], dtype=np.int64
        )
        self.wished_s = np.array(
            [softs[0][0] if softs else -NEVER for softs in view.softs[: len(jobs)]],
            dtype=np.int64,
        )
        self._softs = _soft_columns(view)
        self.durations_s = [car.travel_s for car in cars]
        self.distances_m = [car.travel_m for car in cars]

    def soft_costs(self, jobs: Integers, starts_s: Integers) -> Integers:
        """Price starts of jobs (rows) by the soft window that each misses least."""
        rows = jobs[:, None]
        costs = np.full(starts_s.shape, NEVER, dtype=np.int64)
        for first_s, last_s, early, late in self._softs:
            cost = early[rows] * np.maximum(0, first_s[rows] - starts_s)
            cost += late[rows] * np.maximum(0, starts_s - last_s[rows])
            costs = np.minimum(costs, cost)
        return costs


def _soft_columns(view: View) -> list[tuple[Integers, ...]]:
    """Lay soft windows out as columns; who has fewer has the first one again."""
    softs = view.softs[: view.job_count]
    columns: list[tuple[Integers, ...]] = []
    for column in range(max((len(one) for one in softs), default=0)):
        rows = [
            (one[column] if column < len(one) else one[0]) if one else (0, 0, 0, 0)
            for one in softs
        ]
        columns.append(tuple(np.array(rows, dtype=np.int64).T))
    return columns


def _table(rows: Sequence[Sequence[int]], height: int, width: int) -> Integers:
    return np.array(rows, dtype=np.int64).reshape(height, width)


@dataclass(frozen=True, slots=True)
class Standing:
    """The durations of a plan's used routes: the longest but for one, all, how many."""

    longest_s: int
    total_s: int
    used: int


def price_insertions(
    arrays: Arrays, route: RouteState, jobs: Integers, standing: Standing | None = None
) -> tuple[Integers, Integers]:
    """Give each job's cheapest added cost in a route and the leg to put it at.

    The cost is an estimate (waiting counts half); NEVER where it does not fit. `standing`
    is needed where balance has a price.
    """
    costs = np.full(len(jobs), NEVER, dtype=np.int64)
    legs = np.zeros(len(jobs), dtype=np.int64)
    car = arrays.view.cars[route.number]
    fits = arrays.may_serve[route.number, jobs]
    if route.loads is None:
        room = np.array(car.spare, dtype=np.int64) - np.array(
            route.load, dtype=np.int64
        )
        fits &= np.all(arrays.demands[jobs] <= room, axis=1)
    departures_s = np.maximum(arrays.releases_s[jobs], route.times.departure_s)
    for depart_s in np.unique(departures_s[fits]).tolist():
        chosen = np.flatnonzero(fits & (departures_s == depart_s))
        gaps = find_gaps(arrays.view, route, depart_s)
        if gaps is not None:
            prices = gap_prices(arrays, route, gaps, jobs[chosen], standing)
            if route.loads is not None:
                prices[~_carries(arrays, route, gaps, jobs[chosen], depart_s)] = NEVER
            best = np.argmin(prices, axis=1)
            costs[chosen] = prices[np.arange(len(chosen)), best]
            legs[chosen] = gaps.legs[best]
    if route.loads is not None and route.loads.trips[-1]:
        _price_later_trips(arrays, route, jobs, standing, costs, legs)
    return costs, legs


def price_places(arrays: Arrays, route: RouteState, job: int) -> list[tuple[int, int]]:
    """List a job's places in a route, cheapest first, as (added cost, leg).

    The costs are the estimates of `price_insertions`; where it does not fit is left out.
    """
    car = arrays.view.cars[route.number]
    jobs = np.array([job], dtype=np.int64)
    room = np.array(car.spare, dtype=np.int64) - np.array(route.load, dtype=np.int64)
    if not arrays.may_serve[route.number, job]:
        return []
    if route.loads is None and (arrays.demands[job] > room).any():
        return []
    depart_s = max(int(arrays.releases_s[job]), route.times.departure_s)
    gaps = find_gaps(arrays.view, route, depart_s)
    if gaps is None:
        return []
    prices = gap_prices(arrays, route, gaps, jobs)
    if route.loads is not None:
        prices[~_carries(arrays, route, gaps, jobs, depart_s)] = NEVER
    best: dict[int, int] = {}
    for price, leg in zip(prices[0].tolist(), gaps.legs.tolist(), strict=True):
        if price < NEVER:
            best[leg] = min(price, best.get(leg, NEVER))
    return sorted((price, leg) for leg, price in best.items())


def _carries(
    arrays: Arrays, route: RouteState, gaps: Gaps, jobs: Integers, depart_s: int
) -> NDArray[np.bool_]:
    """Say which trips can take which jobs; commitments do not wait for a release."""
    loads = route.loads
    if loads is None:
        raise ValueError("a route is weighed as a whole")
    room = loads.room[gaps.legs]
    carried: NDArray[np.bool_] = np.all(
        arrays.demands[jobs][:, None, :] <= room[None, :, :], axis=2
    )
    if arrays.view.cars[route.number].locked and depart_s > route.times.departure_s:
        carried[:, loads.trips[gaps.legs] == 0] = False
    return carried


def _price_later_trips(  # noqa: PLR0917 (the answers of the caller)
    arrays: Arrays,
    route: RouteState,
    jobs: Integers,
    standing: Standing | None,
    costs: Integers,
    legs: Integers,
) -> None:
    """Offer jobs to trips that depart late enough for them as it is."""
    loads = route.loads
    departure_s = route.times.departure_s
    rows = np.flatnonzero(
        arrays.may_serve[route.number, jobs] & (arrays.releases_s[jobs] > departure_s)
    )
    gaps = find_gaps(arrays.view, route, departure_s)
    if loads is None or gaps is None or not len(rows):
        return
    left_s = np.full(int(loads.trips[-1]) + 1, -NEVER, dtype=np.int64)
    for leg, stop in enumerate(route.sequence):
        if stop >= arrays.view.job_count:
            left_s[loads.trips[leg + 1]] = route.times.finishes_s[leg]
    prices = gap_prices(arrays, route, gaps, jobs[rows], standing)
    prices[~_carries(arrays, route, gaps, jobs[rows], departure_s)] = NEVER
    in_time = (
        left_s[loads.trips[gaps.legs]][None, :]
        >= (arrays.releases_s[jobs[rows]][:, None])
    )
    prices[~in_time] = NEVER
    best = np.argmin(prices, axis=1)
    found = prices[np.arange(len(rows)), best]
    better = found < costs[rows]
    costs[rows[better]] = found[better]
    legs[rows[better]] = gaps.legs[best[better]]


def gap_prices(
    arrays: Arrays,
    route: RouteState,
    gaps: Gaps,
    jobs: Integers,
    standing: Standing | None = None,
) -> Integers:
    """Price jobs (rows) in gaps (columns), loads aside; NEVER where infeasible."""
    car = arrays.view.cars[route.number]
    vehicle, objective = car.vehicle, arrays.view.problem.objective
    places = arrays.locations[jobs][:, None]
    travel = arrays.durations_s[route.number]
    there_s = _pick(travel, gaps.previous[None, :], places)
    arrive_s = gaps.ready_s[None, :] + there_s
    begin_s = begin_times(arrays, jobs, arrive_s)
    service_s = arrays.services_s[route.number, jobs][:, None]
    onward_s = begin_s + service_s
    for column, rests in gaps.tails:
        for rest in rests:
            onward_s[:, column] = (
                np.maximum(onward_s[:, column], rest.earliest_s) + rest.duration_s
            )
    closed = (gaps.following >= 0)[None, :]
    back_s = np.where(closed, _pick(travel, places, gaps.following[None, :]), 0)
    feasible = (
        (onward_s + back_s <= gaps.latest_s[None, :])
        & (there_s < UNREACHABLE)
        & (back_s < UNREACHABLE)
    )
    direct_s, detour_m = _detour(arrays, route, gaps, places, closed)
    wait_s = (begin_s - arrive_s) // 2
    if not car.goes_at_once:
        wait_s[:, gaps.legs == 0] = 0
    added_s = there_s + back_s - direct_s + service_s + wait_s
    over_s = np.maximum(
        0, route.times.end_s + added_s - max(route.times.end_s, vehicle.end_s)
    )
    prices = (
        added_s * (vehicle.cost_per_s_milli * objective.duration_weight)
        + over_s * (vehicle.overtime_cost_per_s_milli * objective.duration_weight)
        + detour_m * (vehicle.cost_per_m_milli * objective.distance_weight)
        + arrays.disruptions[route.number, jobs][:, None]
        + (0 if route.sequence else vehicle.fixed_cost_milli)
    )
    view = arrays.view
    if view.has_softs:
        prices += _wishes(arrays, route, gaps, jobs, begin_s, onward_s, back_s)
    if view.has_previous:
        prices += _moves(arrays, route, gaps, jobs)
    if view.steps is not None:
        prices += _steps(arrays, route, gaps, jobs)
    if standing is not None:
        prices += _unevenness(arrays, route, added_s, standing)
    return np.where(feasible, prices, NEVER)


def begin_times(arrays: Arrays, jobs: Integers, arrive_s: Integers) -> Integers:
    """Say when services (rows) may begin after arrivals; NEVER where too late."""
    begin_s = np.full_like(arrive_s, NEVER)
    for column in range(arrays.firsts_s.shape[1] - 1, -1, -1):
        first_s = arrays.firsts_s[jobs, column][:, None]
        last_s = arrays.lasts_s[jobs, column][:, None]
        begin_s = np.where(arrive_s <= last_s, np.maximum(arrive_s, first_s), begin_s)
    return begin_s


def _wishes(  # noqa: PLR0917 (what the caller has at hand)
    arrays: Arrays,
    route: RouteState,
    gaps: Gaps,
    jobs: Integers,
    begin_s: Integers,
    onward_s: Integers,
    back_s: Integers,
) -> Integers:
    """Price wishes: the jobs' own, and what delay does to those after them.

    A job begins as early as it can, or as late as its first wish begins, if it can.
    """
    view = arrays.view
    if not route.onward:
        found = onward_costs(view, route.number, route.sequence, route.times)
        route.onward.extend(found)
    direct_s = gaps.ready_s.copy()
    closed = gaps.following >= 0
    direct_s[closed] += _pick(
        arrays.durations_s[route.number],
        gaps.previous[closed],
        gaps.following[closed],
    )
    last_s = begin_s + np.maximum(0, gaps.latest_s[None, :] - back_s - onward_s)
    wished_s = np.clip(arrays.wished_s[jobs][:, None], begin_s, last_s)
    early = arrays.soft_costs(jobs, begin_s)
    late = arrays.soft_costs(jobs, wished_s)
    after_s = onward_s + back_s
    later_s = after_s + wished_s - begin_s
    for column, leg in enumerate(gaps.legs.tolist()):
        costs = route.onward[leg]
        base = costs.at(direct_s[[column]])
        early[:, column] += costs.at(after_s[:, column]) - base
        late[:, column] += costs.at(later_s[:, column]) - base
    return np.minimum(early, late)


def _moves(arrays: Arrays, route: RouteState, gaps: Gaps, jobs: Integers) -> Integers:
    """Price the sequences that insertions change: the job's own and the next one's."""
    view = arrays.view
    before, after = [FIRST], []
    for stop in route.sequence:
        before.append(stop if stop < view.job_count else before[-1])
    following = NOBODY
    for stop in (*route.sequence[::-1], NOBODY):
        after.append(following)
        if 0 <= stop < view.job_count:
            following = stop
    previous = np.array(before, dtype=np.int64)[gaps.legs]
    next_job = np.array(after[::-1], dtype=np.int64)[gaps.legs]
    wanted = arrays.previous[jobs][:, None]
    moved = (wanted != NOBODY) & (wanted != previous[None, :])
    next_wants = np.where(
        next_job >= 0, arrays.previous[np.maximum(next_job, 0)], NOBODY
    )
    parted = (next_wants != NOBODY) & (next_wants == previous)
    joined = (next_job >= 0)[None, :] & (next_wants[None, :] == jobs[:, None])
    count: Integers = moved.astype(np.int64) + parted[None, :] - joined
    return count * view.problem.objective.resequence_milli


def _steps(arrays: Arrays, route: RouteState, gaps: Gaps, jobs: Integers) -> Integers:
    """Price the steps between zones that insertions add, less those that they part."""
    view, steps = arrays.view, arrays.view.steps
    if steps is None:
        raise ValueError("no step between zones has a price")
    along = [view.zone_of[stop] for stop in route.sequence]
    is_open = view.cars[route.number].vehicle.end_location is None
    end = view.nowhere if is_open else AT_DEPOT
    before = np.array([AT_DEPOT, *along], dtype=np.int64)[gaps.legs]
    after = np.array([*along, end], dtype=np.int64)[gaps.legs]
    zones = np.array(view.zone_of, dtype=np.int64)[jobs]
    prices = steps.prices_milli
    added = prices[before[None, :], zones[:, None]]
    added += prices[zones[:, None], after[None, :]]
    priced: Integers = added - prices[before, after][None, :]
    return priced


def _unevenness(
    arrays: Arrays, route: RouteState, added_s: Integers, standing: Standing
) -> Integers:
    """Price what a longer route does to the balance."""
    rate = arrays.view.problem.objective.balance_milli_per_s
    before_s = route.duration_s if route.sequence else 0
    used = standing.used + (not route.sequence)
    total_s, longest_s = standing.total_s, max(standing.longest_s, before_s)
    now_s = longest_s - total_s // max(1, standing.used)
    after_s = np.maximum(longest_s, before_s + added_s) - (total_s + added_s) // used
    return rate * (after_s - now_s)


def _detour(
    arrays: Arrays,
    route: RouteState,
    gaps: Gaps,
    places: Integers,
    closed: NDArray[np.bool_],
) -> tuple[Integers, Integers]:
    """Give the time of each gap's direct way and the metres that a visit adds."""
    distances = arrays.distances_m[route.number]
    there_m = _pick(distances, gaps.previous[None, :], places)
    back_m = np.where(closed, _pick(distances, places, gaps.following[None, :]), 0)
    if not route.sequence:
        return np.zeros((1, 1), dtype=np.int64), there_m + back_m
    direct = (gaps.previous[None, :], gaps.following[None, :])
    direct_s = np.where(closed, _pick(arrays.durations_s[route.number], *direct), 0)
    direct_m = np.where(closed, _pick(distances, *direct), 0)
    return direct_s, there_m + back_m - direct_m


def _pick(entries: Entries, origins: Integers, targets: Integers) -> Integers:
    """Pick entries, wide enough to multiply with costs."""
    picked: Integers = entries[origins, targets].astype(np.int64)
    return picked
