"""A job goes on a route for which another of its stops moves on within the route.

Breaks are left out of account: whoever takes a sequence from here times it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.routes.solver.gaps import latest_start_s
from apps.routes.solver.routestate import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apps.routes.solver.view import View


@dataclass(frozen=True, slots=True)
class Shifting:
    """A route without the stop at leg `out`, and the legs where that stop may stand.

    From the first open leg on, `earliest_s` is when the car may leave for a gap, and
    `last_s` when it must be behind it.
    """

    number: int
    sequence: tuple[int, ...]
    out: int
    legs: tuple[int, ...]
    earliest_s: Sequence[int]
    last_s: Sequence[int]

    def with_job(self, view: View, job: int, at: int) -> Iterator[tuple[int, ...]]:
        """Give the sequences with a job at a leg and the stop at another one in time."""
        moved = self.sequence[self.out]
        for leg in self._legs_behind(view, job, at):
            yield self._joined((at, job), (leg, moved))
        for leg in self._legs_before(view, job, at):
            yield self._joined((leg, moved), (at, job))

    def _joined(
        self, first: tuple[int, int], second: tuple[int, int]
    ) -> tuple[int, ...]:
        """Put two jobs at their legs, the first of them before the second."""
        (low, one), (high, other), out = first, second, self.out
        parts = []
        for begin, end in ((0, low), (low, high), (high, len(self.sequence))):
            inside = begin <= out < end
            parts.append(
                (*self.sequence[begin:out], *self.sequence[out + 1 : end])
                if inside
                else self.sequence[begin:end]
            )
        return (*parts[0], one, *parts[1], other, *parts[2])

    def _legs_behind(self, view: View, job: int, at: int) -> Iterator[int]:
        """Give the legs behind a job, at `at`, where the stop is in time.

        The job is driven to, and then on stop by stop while there is time. Once the
        car is late for the stop where it stands, it is late for it anywhere behind.
        """
        car, sequence, out = view.cars[self.number], self.sequence, self.out
        rows_s, services_s, locations = car.durations_s, car.services_s, view.locations
        first, end, moved = len(car.locked), car.vehicle.end_location, sequence[out]
        farthest = self.legs[-1]
        if farthest < at:
            return
        place = locations[sequence[at - 1]] if at else car.vehicle.start_location
        ready_s, stop, here = self.earliest_s[at - first], job, locations[moved]
        windows = view.windows[moved]
        closes_s = windows[-1][1] if windows else NEVER
        for leg in range(at, farthest + 1):
            if leg == at or leg - 1 != out:
                begin_s = view.next_start_s(
                    stop, ready_s + rows_s[place][locations[stop]]
                )
                if begin_s is None:
                    return
                ready_s, place = begin_s + services_s[stop], locations[stop]
                if ready_s > closes_s:
                    return
            if leg in self.legs:
                begin_s = view.next_start_s(moved, ready_s + rows_s[place][here])
                after = locations[sequence[leg]] if leg < len(sequence) else end
                if begin_s is not None:
                    done_s = begin_s + services_s[moved]
                    done_s += 0 if after is None else rows_s[here][after]
                    if done_s <= self.last_s[leg - first]:
                        yield leg
            if leg < len(sequence):
                stop = sequence[leg]

    def _legs_before(self, view: View, job: int, at: int) -> Iterator[int]:
        """Give the legs before a job, at `at`, where the stop is in time.

        From the job back, each stop says how late the one before it may be done. Once
        that is before the stop's own window opens, it is so anywhere before.
        """
        car, sequence, out = view.cars[self.number], self.sequence, self.out
        rows_s, services_s, locations = car.durations_s, car.services_s, view.locations
        first, moved = len(car.locked), sequence[out]
        if self.legs[0] > at:
            return
        here, windows = locations[moved], view.windows[moved]
        done_s = services_s[moved] + (windows[0][0] if windows else -NEVER)
        following = at + (at == out)
        after = car.vehicle.end_location
        if following < len(sequence):
            after = locations[sequence[following]]
        bound_s, stop = self.last_s[at - first], job
        for leg in range(at, self.legs[0] - 1, -1):
            if leg < at:
                stop = sequence[leg]
                if leg == out:
                    continue
            place = locations[stop]
            bound_s -= services_s[stop] + (0 if after is None else rows_s[place][after])
            if view.windows[stop]:
                bound_s = latest_start_s(view.windows[stop], bound_s)
            ready_s, after = self.earliest_s[leg - first], place
            if ready_s > bound_s or done_s > bound_s:
                return
            if leg in self.legs:
                before = (
                    locations[sequence[leg - 1]] if leg else car.vehicle.start_location
                )
                begin_s = view.next_start_s(moved, ready_s + rows_s[before][here])
                if begin_s is not None and (
                    begin_s + services_s[moved] + rows_s[here][after] <= bound_s
                ):
                    yield leg
