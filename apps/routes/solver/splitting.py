"""A large day cut by place into parts that an engine can do, each with its own cars.

Engines take time and memory that grow with the square of the jobs, parts in proportion.
Jobs are told apart by place alone, so that no travel times of the whole day are needed.
The day is halved again and again where few jobs lie at the cut; each half gets cars by
its work: service, ways between neighbours, a share of the way to and fro, and loads.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import ceil, cos, pi, sin
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.view import merged_windows, vehicle_fits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.problem import Job, Problem, Vehicle

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

JOBS_A_PART = 300
"""About as many as an engine improves well within seconds (our measurement)."""
CROW_M_PER_S = 6.0
"""Metres of the straight line that a van makes in a second, roughly; only ratios count."""
DIRECTIONS = tuple((cos(pi * k / 8), sin(pi * k / 8)) for k in range(8))
"""In which a day is looked at for a cut."""
CROWDED = 1.05
"""How full a depot's cars may seem before jobs go to the next one."""
SHIFTED = 0.04
"""How far a cut may be moved to a thinner place, as a share of the work."""


@dataclass(frozen=True, slots=True)
class Part:
    """Cars and jobs that are planned together, as their numbers in the problem."""

    vehicles: tuple[int, ...]
    jobs: tuple[int, ...]


def split(
    problem: Problem,
    places: Floats,
    *,
    jobs_a_part: int = JOBS_A_PART,
    drivers: Mapping[str, str] | None = None,
) -> tuple[Part, ...]:
    """Cut a day into parts; every car and every job is in exactly one of them.

    `places` are metres east and north by location, on any plane. Jobs that only certain
    cars may serve are in a part with one of these; one that no car may serve is in any.
    `drivers` are the vehicles of jobs in a plan to start from: it is parted between cars.
    """
    if not problem.vehicles or len(problem.jobs) <= jobs_a_part:
        return (_whole(problem),)
    ground = _Ground(problem, places, jobs_a_part, drivers or {})
    parts = ground.by_holders() if ground.is_held else list(ground.by_zones())
    return tuple(part for part in ground.rehomed(parts) if part.vehicles or part.jobs)


def _whole(problem: Problem) -> Part:
    return Part(tuple(range(len(problem.vehicles))), tuple(range(len(problem.jobs))))


class _Ground:
    """A problem on the plane: where jobs are, what they take, who may serve them."""

    def __init__(
        self, problem: Problem, places: Floats, most: int, drivers: Mapping[str, str]
    ) -> None:
        self.problem = problem
        self.most = most
        self.at = places[[job.location for job in problem.jobs]]
        self.homes = places[[car.start_location for car in problem.vehicles]]
        self.able = able_cars(problem)
        self.holder = _holders(problem, drivers)
        held = self.holder >= 0
        self.is_held = bool(held.mean() > 0.5)
        self.hop_m = _hops_m(self.at)

    def by_zones(self) -> Iterator[Part]:
        """Share the jobs out among the places that cars start from, and halve each."""
        groups: dict[tuple[float, float], list[int]] = defaultdict(list)
        for car, (x, y) in enumerate(self.homes.tolist()):
            groups[x, y].append(car)
        cars = list(groups.values())
        for number, jobs in enumerate(self._by_depot(cars)):
            work = self._work(jobs, cars[number])
            count = ceil(len(jobs) / self.most)
            yield from self._divided(jobs, work, self._by_kind(cars[number]), count)

    def by_holders(self) -> list[Part]:
        """Put the cars of a day under way together by where their jobs lie."""
        middles = {
            car: self.at[self.holder == car].mean(axis=0)
            for car in np.unique(self.holder[self.holder >= 0]).tolist()
        }
        counts = {car: int((self.holder == car).sum()) for car in middles}
        groups = list(self._grouped(sorted(middles), middles, counts))
        group_of = np.full(len(self.problem.vehicles), -1)
        for number, group in enumerate(groups):
            group_of[group] = number
        centres = np.array(
            [np.mean([middles[c] for c in group], axis=0) for group in groups]
        )
        for car in np.flatnonzero(group_of < 0).tolist():
            group_of[car] = _nearest(centres, self.homes[car])
        homes = np.array(
            [
                group_of[holder] if holder >= 0 else _nearest(centres, self.at[job])
                for job, holder in enumerate(self.holder.tolist())
            ]
        )
        return [
            _part(np.flatnonzero(group_of == number), np.flatnonzero(homes == number))
            for number in range(len(groups))
        ]

    def rehomed(self, parts: Sequence[Part]) -> Iterator[Part]:
        """Move each job that no car of its part may serve to the nearest that may."""
        home = np.zeros(len(self.at), dtype=np.int64)
        middles = np.zeros((len(parts), 2))
        for number, part in enumerate(parts):
            home[list(part.jobs)] = number
            spots = (
                self.at[list(part.jobs)] if part.jobs else self.homes[[*part.vehicles]]
            )
            middles[number] = spots.mean(axis=0)
        served = np.zeros((len(parts), len(self.at)), dtype=bool)
        for number, part in enumerate(parts):
            served[number] = self.able[list(part.vehicles)].any(axis=0)
        stray = np.flatnonzero(~served[home, np.arange(len(self.at))])
        for job in stray[np.flatnonzero(served[:, stray].any(axis=0))].tolist():
            away_m = np.hypot(*(middles - self.at[job]).T)
            home[job] = int(np.argmin(np.where(served[:, job], away_m, np.inf)))
        self._join_shipments(home, served)
        for number, part in enumerate(parts):
            yield _part(np.array(part.vehicles), np.flatnonzero(home == number))

    def _join_shipments(self, home: Numbers, served: Flags) -> None:
        """Put both ends of a shipment into one part that may serve both."""
        index = {job.id: number for number, job in enumerate(self.problem.jobs)}
        for one in self.problem.shipments:
            pair = index[one.pickup_job], index[one.delivery_job]
            both: Flags = np.asarray(served[:, list(pair)].all(axis=1))
            choice = [part for part in home[list(pair)].tolist() if both[part]]
            choice += np.flatnonzero(both).tolist()
            home[list(pair)] = (choice or [home[pair[0]]])[0]

    def _by_depot(self, cars: Sequence[Sequence[int]]) -> list[Numbers]:
        """Share the jobs out among places of start: the nearest that has room for them.

        Those that lose most elsewhere choose first.
        """
        if len(cars) == 1:
            return [np.arange(len(self.at))]
        starts = np.array([self.homes[group[0]] for group in cars])
        away_m = np.stack([np.hypot(*(self.at - one).T) for one in starts])
        for number, group in enumerate(cars):
            away_m[number, ~self.able[list(group)].any(axis=0)] += 1e9
        ranked = np.sort(away_m, axis=0)
        every = range(len(self.problem.vehicles))
        work = self._work(np.arange(len(self.at)), every)
        full = max(1.0, float(work.sum())) * CROWDED / _capacity(self.problem, every)
        room = [full * _capacity(self.problem, group) for group in cars]
        chosen: list[list[int]] = [[] for _ in cars]
        order = np.argsort(away_m, axis=0)
        for job in np.argsort(ranked[0] - ranked[1], kind="stable").tolist():
            able = [n for n in order[:, job].tolist() if room[n] > 0]
            number = able[0] if able else int(order[0, job])
            room[number] -= float(work[job])
            chosen[number].append(job)
        return [np.array(sorted(jobs), dtype=np.int64) for jobs in chosen]

    def _work(self, jobs: Numbers, cars: Sequence[int]) -> Floats:
        """Say what share of some cars' time and room each job takes."""
        chosen = [self.problem.jobs[job] for job in jobs.tolist()]
        if not chosen:
            return np.zeros(0)
        starts = np.unique(self.homes[list(cars)], axis=0)
        stem_m = np.min([np.hypot(*(self.at[jobs] - one).T) for one in starts], axis=0)
        jobs_a_car = max(1.0, len(chosen) / len(cars))
        seconds = np.array([float(job.service_s) for job in chosen])
        seconds += (self.hop_m[jobs] + 2 * stem_m / jobs_a_car) / CROW_M_PER_S
        shares = [seconds / max(1.0, _capacity(self.problem, cars))]
        for dimension in range(len(self.problem.dimensions)):
            room = sum(_spare(self.problem.vehicles[car])[dimension] for car in cars)
            loads = np.array([float(job.demands[dimension]) for job in chosen])
            shares.append(loads / max(1.0, room))
        # What is scarcest counts most.
        weights = [float(share.sum()) ** 4 for share in shares]
        total: Floats = np.sum(
            [weight * share for weight, share in zip(weights, shares, strict=True)],
            axis=0,
        )
        return total / max(1e-12, sum(weights)) + 1e-12

    def _divided(
        self, jobs: Numbers, work: Floats, cars: Sequence[int], count: int
    ) -> Iterator[Part]:
        """Cut jobs and cars into so many parts of about the same work, by halves."""
        count = min(count, len(cars))
        if count < 2 or len(jobs) < 2:
            yield _part(np.array(cars), jobs)
            return
        first, second = _dealt(cars, round(len(cars) * (count // 2) / count))
        share = _capacity(self.problem, first) / _capacity(self.problem, cars)
        inside = self._cut(jobs, work, share)
        yield from self._divided(jobs[inside], work[inside], first, count // 2)
        yield from self._divided(
            jobs[~inside], work[~inside], second, count - count // 2
        )

    def _cut(self, jobs: Numbers, work: Floats, share: float) -> Flags:
        """Find the straight cut with the fewest jobs at it that parts the work so."""
        band_m = 2 * float(self.hop_m[jobs].mean()) + 1.0
        best: tuple[float, Flags] | None = None
        for direction in DIRECTIONS:
            along = self.at[jobs] @ np.array(direction)
            order = np.argsort(along, kind="stable")
            done = np.cumsum(work[order]) / work.sum()
            low = int(np.searchsorted(done, share - SHIFTED))
            high = int(np.searchsorted(done, share + SHIFTED))
            cuts = np.unique(np.clip(np.linspace(low, high, 9), 1, len(jobs) - 1))
            for cut in cuts.astype(np.int64).tolist():
                line_m = (along[order[cut - 1]] + along[order[cut]]) / 2
                near = float((np.abs(along - line_m) < band_m).sum())
                near += 1e-6 * abs(float(done[cut - 1]) - share)
                if best is None or near < best[0]:
                    inside = np.zeros(len(jobs), dtype=bool)
                    inside[order[:cut]] = True
                    best = near, inside
        if best is None:
            raise ValueError("a part without jobs has no cut")
        return best[1]

    def _by_kind(self, cars: Sequence[int]) -> list[int]:
        """Sort cars so that like ones stand together."""

        def kind(number: int) -> tuple[object, ...]:
            car = self.problem.vehicles[number]
            return (car.capabilities, car.start_s, car.end_s, car.capacities, number)

        return sorted(cars, key=kind)

    def _grouped(
        self,
        cars: list[int],
        middles: dict[int, Floats],
        counts: dict[int, int],
    ) -> Iterator[list[int]]:
        """Halve cars by where their jobs lie until a group's jobs are few enough."""
        if sum(counts[car] for car in cars) <= self.most or len(cars) < 2:
            yield cars
            return
        spots = np.array([middles[car] for car in cars])
        wide = int(np.argmax(np.ptp(spots, axis=0)))
        order = [cars[k] for k in np.argsort(spots[:, wide], kind="stable").tolist()]
        held = np.cumsum([counts[car] for car in order])
        cut = min(max(1, int(np.searchsorted(held, held[-1] / 2)) + 1), len(order) - 1)
        yield from self._grouped(order[:cut], middles, counts)
        yield from self._grouped(order[cut:], middles, counts)


def _part(vehicles: Numbers, jobs: Numbers) -> Part:
    return Part(tuple(sorted(vehicles.tolist())), tuple(sorted(jobs.tolist())))


def _nearest(centres: Floats, at: Floats) -> int:
    return int(np.argmin(np.hypot(*(centres - at).T)))


def _dealt(cars: Sequence[int], count: int) -> tuple[list[int], list[int]]:
    """Deal `count` of sorted cars, so that each side gets its share of every kind."""
    count = min(max(1, count), len(cars) - 1)
    chosen = {(2 * k + 1) * len(cars) // (2 * count) for k in range(count)}
    return (
        [car for place, car in enumerate(cars) if place in chosen],
        [car for place, car in enumerate(cars) if place not in chosen],
    )


def _capacity(problem: Problem, cars: Sequence[int]) -> float:
    """Add up the seconds in which cars can work."""
    chosen = [problem.vehicles[car] for car in cars]
    return float(
        sum(
            max(60, car.end_s - car.start_s - sum(one.duration_s for one in car.breaks))
            for car in chosen
        )
    )


def _spare(car: Vehicle) -> tuple[int, ...]:
    initial = car.initial_load or (0,) * len(car.capacities)
    return tuple(
        max(0, room - load) for room, load in zip(car.capacities, initial, strict=True)
    )


def _holders(problem: Problem, drivers: Mapping[str, str]) -> Numbers:
    """Give the car that has each job, by commitment, reservation or plan; -1 for none."""
    index = {car.id: number for number, car in enumerate(problem.vehicles)}
    committed = {
        job: number for number, car in enumerate(problem.vehicles) for job in car.locked
    }

    def holder(job: Job) -> int:
        if job.id in committed:
            return committed[job.id]
        allowed = job.allowed_vehicles or ()
        only = job.pinned_vehicle or (allowed[0] if len(allowed) == 1 else None)
        known = only or drivers.get(job.id) or job.previous_vehicle
        return index.get(known or "", -1)

    return np.array([holder(job) for job in problem.jobs], dtype=np.int64)


def able_cars(problem: Problem) -> Flags:
    """Say by car and job who may and could serve what, were it alone.

    Where no car could, those that may are given.
    """
    jobs, cars = problem.jobs, problem.vehicles
    able = _fitting(problem)
    could = able.copy()
    ends_s = np.array([car.end_s + car.max_overtime_s for car in cars])
    begins_s = np.array([car.start_s for car in cars])
    meets = np.zeros_like(able)
    for number, job in enumerate(jobs):
        windows = merged_windows(job)
        if not windows:
            meets[:, number] = True
        for first_s, last_s in windows:
            meets[:, number] |= (first_s <= ends_s) & (last_s >= begins_s)
    could &= meets
    demands = np.array([job.demands for job in jobs], dtype=np.int64)
    for number, car in enumerate(cars):
        fits = (demands <= np.array(_spare(car), dtype=np.int64)).all(axis=1)
        could[number] &= fits
    committed = {job for car in cars for job in car.locked}
    kept = np.array([job.id in committed for job in jobs])
    hopeless = kept | ~could.any(axis=0)
    could[:, hopeless] = able[:, hopeless]
    return could


def _fitting(problem: Problem) -> Flags:
    """Say by car and job who may serve what; alike jobs are looked at once."""
    index = {job.id: number for number, job in enumerate(problem.jobs)}
    kinds: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for number, job in enumerate(problem.jobs):
        wish = (job.required_capabilities, job.allowed_vehicles, job.pinned_vehicle)
        kinds[wish].append(number)
    able = np.zeros((len(problem.vehicles), len(problem.jobs)), dtype=bool)
    for numbers in kinds.values():
        job = problem.jobs[numbers[0]]
        column = np.array([vehicle_fits(job, car) for car in problem.vehicles])
        able[:, numbers] = column[:, None]
    for number, car in enumerate(problem.vehicles):
        locked = [index[job] for job in car.locked]
        able[:, locked] = False
        able[number, locked] = True
    return able


def curve_order(at: Floats, shift: float = 0.0) -> Numbers:
    """Sort places along a curve on which neighbours mostly are neighbours.

    The curve is Morton's: it goes through squares in the order of their halvings;
    `shift` moves these by a share of the whole.
    """
    if not len(at):
        return np.zeros(0, dtype=np.int64)
    low, span = at.min(axis=0), max(1.0, float(np.ptp(at, axis=0).max()))
    cells = (((at - low) / span + shift) / (1 + shift) * 0xFFFF).astype(np.int64)
    code = _spread(cells[:, 0]) | (_spread(cells[:, 1]) << 1)
    order: Numbers = np.argsort(code, kind="stable")
    return order


def _hops_m(at: Floats) -> Floats:
    """Guess how far each job is from its neighbours, by a curve that visits all."""
    if len(at) < 2:
        return np.zeros(len(at))
    order = curve_order(at)
    steps_m = np.hypot(*np.diff(at[order], axis=0).T)
    # A curve leaps now and then where a driver would not.
    steps_m = np.minimum(steps_m, np.quantile(steps_m, 0.9))
    hops_m = np.empty(len(at))
    before, after = np.insert(steps_m, 0, steps_m[0]), np.append(steps_m, steps_m[-1])
    hops_m[order] = (before + after) / 2
    return hops_m


def _spread(values: Numbers) -> Numbers:
    """Put a zero between the 16 bits of each value."""
    for shift, mask in (
        (8, 0x00FF00FF),
        (4, 0x0F0F0F0F),
        (2, 0x33333333),
        (1, 0x55555555),
    ):
        values = (values | (values << shift)) & mask
    return values
