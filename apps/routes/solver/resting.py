"""Where a route's breaks go: a quick rule for a sequence of visits.

A break's slot says where it is taken: `2 * leg` before the travel of a leg (leg 0 leads
to the first visit, leg n to the end), `2 * leg + 1` on arrival, before the service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.routes.solver.problem import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.routes.solver.view import View

BEFORE_DEPARTURE = -1
AFTER_END = 1 << 30


def lazy_slots(
    view: View, number: int, sequence: Sequence[int]
) -> tuple[int, ...] | None:
    """Take each break where waiting absorbs it, else as late as its window lets.

    None says that the rule finds no place; another place may still exist.
    """
    return _Walk(view, number, sequence).slots()


class _Walk:
    """A walk along the route that settles pending breaks leg by leg."""

    def __init__(self, view: View, number: int, sequence: Sequence[int]) -> None:
        self.view = view
        self.number = number
        self.car = view.cars[number]
        self.sequence = sequence
        self.locked_count = len(self.car.locked)
        self.now_s = self.car.vehicle.start_s
        self.release_s = self.now_s
        if not self.locked_count:
            self.release_s = max(self.now_s, view.trip_release_s(sequence, 0))
        if self.car.vehicle.leaves_at_once:
            self.now_s = self.release_s
        self.taken: list[int] = []
        self.prefix_end_s: int | None = None

    def slots(self) -> tuple[int, ...] | None:
        """Give one slot a rest, or None."""
        rests = self.car.rests
        end = self.car.vehicle.end_location
        place = self.car.vehicle.start_location
        stops = [self.view.locations[job] for job in self.sequence]
        if end is not None:
            stops.append(end)
        for leg, target in enumerate(stops):
            if self.locked_count and leg == self.locked_count:
                self.prefix_end_s = self.now_s
            travel_s = self.car.durations_s[place][target]
            if travel_s >= UNREACHABLE or not self._leg(leg, travel_s):
                return None
            place = target
        missing = len(rests) - len(self.taken)
        return (*self.taken, *([AFTER_END] * missing))

    def _leg(self, leg: int, travel_s: int) -> bool:
        """Settle the breaks of one leg and move to its far side."""
        arrived = False
        while True:
            arrival_s = self.now_s if arrived else self._leave(leg) + travel_s
            start_s = self._start(leg, arrival_s)
            if start_s is None:
                return False
            finish_s = start_s + self._service(leg)
            if len(self.taken) == len(self.car.rests):
                break
            choice = self._choose(leg, travel_s, arrived, arrival_s)
            if not self._is_free(choice, start_s) and self._can_wait(leg, finish_s):
                break
            if choice is None:
                return False
            arrived = choice[1]
            self._take(leg, choice)
        self.now_s = finish_s
        return True

    def _choose(
        self, leg: int, travel_s: int, arrived: bool, arrival_s: int
    ) -> tuple[int, bool, int] | None:
        """Pick before or after the travel: (resulting start, on arrival, rest end)."""
        rest = self.car.rests[len(self.taken)]
        latest_s = self._latest_s()
        choices: list[tuple[int, bool, int]] = []
        if not arrived:
            begin_s = max(self.now_s, rest.earliest_s)
            over_s = begin_s + rest.duration_s
            start_s = self._start(leg, self._leave(leg, over_s) + travel_s)
            if begin_s <= latest_s and start_s is not None:
                choices.append((start_s, False, over_s))
        if leg < len(self.sequence):
            begin_s = max(arrival_s, rest.earliest_s)
            over_s = begin_s + rest.duration_s
            start_s = self._start(leg, over_s)
            if begin_s <= latest_s and start_s is not None:
                choices.append((start_s, True, over_s))
        return min(choices, default=None)

    def _is_free(self, choice: tuple[int, bool, int] | None, start_s: int) -> bool:
        return choice is not None and choice[0] == start_s

    def _can_wait(self, leg: int, finish_s: int) -> bool:
        if leg < self.locked_count:
            return True
        rest = self.car.rests[len(self.taken)]
        if leg == len(self.sequence):
            return finish_s <= self._latest_s()
        return max(finish_s, rest.earliest_s) <= self._latest_s()

    def _take(self, leg: int, choice: tuple[int, bool, int]) -> None:
        _, on_arrival, over_s = choice
        if on_arrival:
            self.taken.append(2 * leg + 1)
        elif leg == 0 and not self.car.goes_at_once:
            self.taken.append(BEFORE_DEPARTURE)
        else:
            self.taken.append(2 * leg)
        self.now_s = over_s

    def _leave(self, leg: int, ready_s: int | None = None) -> int:
        ready_s = self.now_s if ready_s is None else ready_s
        return max(ready_s, self.release_s) if leg == 0 else ready_s

    def _start(self, leg: int, ready_s: int) -> int | None:
        if leg == len(self.sequence):
            return ready_s
        if self.sequence[leg] >= self.view.job_count:
            opens_s = self.view.reload_start_s(self.number, self.sequence, leg)
            return max(ready_s, opens_s)
        start_s = self.view.next_start_s(self.sequence[leg], ready_s)
        if start_s is None and leg < self.locked_count:
            return ready_s
        return start_s

    def _service(self, leg: int) -> int:
        if leg == len(self.sequence):
            return 0
        return self.car.services_s[self.sequence[leg]]

    def _latest_s(self) -> int:
        """Give the pending rest's last start; commitments may put it off."""
        rests, pending = self.car.rests, len(self.taken)
        latest_s = rests[pending].latest_s
        if self.prefix_end_s is None:
            return latest_s
        due_s = self.prefix_end_s + sum(one.duration_s for one in rests[:pending])
        return max(latest_s, due_s)
