"""A route that has become impossible gives up as little as it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.routes.solver.gaps import cheapest
from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.routestate import NEVER, build_route

if TYPE_CHECKING:
    from apps.routes.solver.live import LivePlan
    from apps.routes.solver.view import View

TRIED = 8
"""So many single removals are timed in full before two are thought of."""


def shed(live: LivePlan, number: int, sequence: tuple[int, ...]) -> list[int]:
    """Give a car its sequence less some jobs, and return those.

    One that alone makes the rest possible goes first, the one that costs least
    elsewhere; where no single one does, the first that cannot be reached goes, and so
    on.
    """
    view = live.view
    locked = view.cars[number].locked
    rest = list(sequence)
    gone: list[int] = []
    while rest:
        route = build_route(view, number, (*locked, *rest))
        if route is not None:
            live.put(route)
            return gone
        place = _shed_one(live, number, rest, locked)
        gone.append(rest.pop(place))
    return gone


def _shed_one(
    live: LivePlan, number: int, rest: list[int], locked: tuple[int, ...]
) -> int:
    """Choose the place in a sequence whose job is to go."""
    walk = _Walk(live.view, number, rest, locked)
    saving = [place for place in range(len(rest)) if walk.is_possible_without(place)]
    if saving:
        saving.sort(key=lambda place: _price_elsewhere(live, number, rest[place]))
        for place in saving[:TRIED]:
            without = (*locked, *rest[:place], *rest[place + 1 :])
            if build_route(live.view, number, without) is not None:
                return place
    return walk.failing_place()


def _price_elsewhere(live: LivePlan, number: int, job: int) -> int:
    """Price a job on the other routes; where there is no place, by what it is worth."""
    worth = live.view.prize_milli(job) + NEVER // 2
    elsewhere = [
        cheapest(live.view, places, job)
        for places in live.places
        if places.number != number
    ]
    return min([worth, *elsewhere])


class _Walk:
    """Earliest and latest times along a sequence, breaks aside; it fails somewhere."""

    def __init__(
        self, view: View, number: int, rest: list[int], locked: tuple[int, ...]
    ) -> None:
        self.view, self.car, self.rest = view, view.cars[number], rest
        self.ready_s: list[int] = []
        self.place: list[int] = []
        self.fails_at = len(rest)
        self._forward(locked)
        self.latest_s = self._latest()
        self.load = [
            sum(view.jobs[job].demands[d] for job in (*locked, *rest))
            for d in range(len(self.car.spare))
        ]

    def _forward(self, locked: tuple[int, ...]) -> None:
        view, car = self.view, self.car
        now_s, place = car.vehicle.start_s, car.vehicle.start_location
        for job in locked:
            arrival_s = now_s + car.durations_s[place][view.locations[job]]
            start_s = view.next_start_s(job, arrival_s)
            now_s = (arrival_s if start_s is None else start_s) + car.services_s[job]
            place = view.locations[job]
        self.ready_s.append(now_s)
        self.place.append(place)
        for index, job in enumerate(self.rest):
            start_s = view.next_start_s(
                job, now_s + car.durations_s[place][view.locations[job]]
            )
            if start_s is None:
                self.fails_at = index
                return
            now_s, place = start_s + car.services_s[job], view.locations[job]
            self.ready_s.append(now_s)
            self.place.append(place)

    def _latest(self) -> list[int]:
        """Give the latest arrival at each job, and at the end."""
        view, car = self.view, self.car
        latest_s = [car.closes_s] * (len(self.rest) + 1)
        following = car.vehicle.end_location
        for index in range(len(self.rest) - 1, -1, -1):
            job = self.rest[index]
            bound_s = latest_s[index + 1] - car.services_s[job]
            if following is not None:
                bound_s -= car.durations_s[view.locations[job]][following]
            windows = view.windows[job]
            if windows:
                bound_s = max(
                    (min(last, bound_s) for first, last in windows if first <= bound_s),
                    default=-NEVER,
                )
            latest_s[index] = bound_s
            following = view.locations[job]
        return latest_s

    def is_possible_without(self, place: int) -> bool:
        """Say whether the sequence works without the job at a place, as far as seen."""
        if place > self.fails_at or not self._carries_without(place):
            return False
        car, view = self.car, self.view
        following = (
            view.locations[self.rest[place + 1]]
            if place + 1 < len(self.rest)
            else car.vehicle.end_location
        )
        travel_s = (
            0 if following is None else car.durations_s[self.place[place]][following]
        )
        arrival_s = self.ready_s[place] + travel_s
        return travel_s < UNREACHABLE and arrival_s <= self.latest_s[place + 1]

    def _carries_without(self, place: int) -> bool:
        demands = self.view.jobs[self.rest[place]].demands
        return all(
            load - demand <= spare
            for load, demand, spare in zip(
                self.load, demands, self.car.spare, strict=True
            )
        )

    def failing_place(self) -> int:
        """Return the place of the first job that cannot be reached, or the last one."""
        return min(self.fails_at, len(self.rest) - 1)
