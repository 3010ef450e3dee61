"""Times of a fixed sequence of visits: one forward pass, breaks placed among them.

Where a break is taken is a slot, as `resting` defines it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb
from typing import TYPE_CHECKING

from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.resting import AFTER_END, BEFORE_DEPARTURE, lazy_slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apps.routes.solver.view import View

MOST_PLACES = 1500


@dataclass(slots=True)
class Times:
    """The timed route; lists run along the visits, `rests_s` along the rests.

    `rests_s` holds the start of each rest within the route, or None. `slack_s` is how
    much later the route may depart without ending later.
    """

    departure_s: int
    end_s: int
    arrivals_s: list[int]
    starts_s: list[int]
    finishes_s: list[int]
    rests_s: list[int | None]
    slots: tuple[int, ...]
    slack_s: int
    wait_s: int


def forward(
    view: View,
    number: int,
    sequence: Sequence[int],
    slots: tuple[int, ...],
    depart_s: int | None = None,
) -> Times | None:
    """Run along a sequence as early as possible, breaks at the given slots.

    `depart_s` asks for a departure no earlier than that. None is the answer when a
    window, break, way, or the shift's end cannot be kept.
    """
    if not slots and not view.has_trips:
        return _straight(view, number, sequence, depart_s)
    return _Run(view, number, sequence, slots).times(depart_s)


def _straight(  # noqa: C901, PLR0912  (the hot path of every engine here)
    view: View, number: int, sequence: Sequence[int], depart_s: int | None
) -> Times | None:
    """Do what `_Run` does for a car without breaks and reloads, several times faster."""
    car, windows, locations = view.cars[number], view.windows, view.locations
    rows_s, services_s, locked_count = car.durations_s, car.services_s, len(car.locked)
    now_s = car.vehicle.start_s
    if sequence and not locked_count:
        now_s = max(now_s, *[view.releases_s[job] for job in sequence])
    if depart_s is not None and depart_s > now_s and not locked_count:
        now_s = depart_s
    departure_s, place = now_s, car.vehicle.start_location
    arrivals: list[int] = []
    starts: list[int] = []
    finishes: list[int] = []
    if not sequence:
        return Times(now_s, now_s, arrivals, starts, finishes, [], (), 0, 0)
    wait_s, slack_s = 0, UNREACHABLE
    for leg, job in enumerate(sequence):
        target = locations[job]
        travel_s = rows_s[place][target]
        if travel_s >= UNREACHABLE:
            return None
        now_s += travel_s
        arrivals.append(now_s)
        for first_s, last_s in windows[job]:
            if now_s <= last_s:
                if now_s < first_s:
                    wait_s += first_s - now_s
                    now_s = first_s
                spare_s = wait_s + last_s - now_s
                if spare_s < slack_s:  # noqa: PLR1730  (the hot path)
                    slack_s = spare_s
                break
        else:
            if windows[job]:
                if leg >= locked_count:
                    return None
                slack_s = min(slack_s, wait_s)
        starts.append(now_s)
        now_s += services_s[job]
        finishes.append(now_s)
        place = target
    end = car.vehicle.end_location
    if end is not None:
        if rows_s[place][end] >= UNREACHABLE:
            return None
        now_s += rows_s[place][end]
    if now_s > car.closes_s and len(sequence) != locked_count:
        return None
    slack_s = 0 if car.goes_at_once else max(0, min(slack_s, wait_s))
    return Times(
        departure_s, now_s, arrivals, starts, finishes, [], (), slack_s, wait_s
    )


class _Run:
    """One forward pass; `wait_s` sums waiting, `slack_s` how far a start may move."""

    def __init__(
        self, view: View, number: int, sequence: Sequence[int], slots: tuple[int, ...]
    ) -> None:
        self.view = view
        self.car = view.cars[number]
        self.car_number = number
        self.sequence = sequence
        self.slots = slots
        self.rests_s: list[int | None] = [None] * len(slots)
        self.now_s = 0
        self.wait_s = 0
        self.slack_s = UNREACHABLE
        self.prefix_end_s: int | None = None

    def times(self, depart_s: int | None) -> Times | None:
        """Walk the route, or None where it breaks."""
        car, sequence = self.car, self.sequence
        departure_s = self._departure(depart_s)
        if departure_s is None:
            return None
        if not sequence:
            return self._idle(departure_s)
        self.now_s = departure_s
        place = car.vehicle.start_location
        arrivals, starts, finishes = [], [], []
        locked_count = len(car.locked)
        used = [slot for slot in self.slots if 0 <= slot < AFTER_END]
        for leg, job in enumerate(sequence):
            if leg == locked_count and leg:
                self.prefix_end_s = self.now_s
            target = self.view.locations[job]
            arrival_s = self._travel(leg, place, target, used)
            if arrival_s is None or not self._serve(leg, job, locked_count):
                return None
            arrivals.append(arrival_s)
            finishes.append(self.now_s)
            starts.append(self.now_s - car.services_s[job])
            place = target
        if not self._close(place, used):
            return None
        return Times(
            departure_s=departure_s,
            end_s=self.now_s,
            arrivals_s=arrivals,
            starts_s=starts,
            finishes_s=finishes,
            rests_s=self.rests_s,
            slots=self.slots,
            slack_s=0 if car.goes_at_once else max(0, min(self.slack_s, self.wait_s)),
            wait_s=self.wait_s,
        )

    def _idle(self, departure_s: int) -> Times:
        """Stay where the car is: a car without visits need not go anywhere."""
        slots = (AFTER_END,) * len(self.slots)
        return Times(departure_s, departure_s, [], [], [], self.rests_s, slots, 0, 0)

    def _departure(self, depart_s: int | None) -> int | None:
        car = self.car
        now_s = car.vehicle.start_s
        for rest, slot in zip(car.rests, self.slots, strict=True):
            if slot == BEFORE_DEPARTURE:
                if car.goes_at_once:
                    return None
                begin_s = max(now_s, rest.earliest_s)
                if begin_s > rest.latest_s:
                    return None
                now_s = begin_s + rest.duration_s
        if car.locked:
            first = len(car.locked)
            waits = bool(car.reloads) and (
                self.view.trip_release_s(self.sequence, first) > now_s
            )
            return None if waits else now_s
        now_s = max(now_s, self.view.trip_release_s(self.sequence, 0))
        return now_s if depart_s is None else max(now_s, depart_s)

    def _travel(self, leg: int, place: int, target: int, used: list[int]) -> int | None:
        if used and not self._rest(2 * leg):
            return None
        travel_s = self.car.durations_s[place][target]
        if travel_s >= UNREACHABLE:
            return None
        self.now_s += travel_s
        arrival_s = self.now_s
        if used and not self._rest(2 * leg + 1):
            return None
        return arrival_s

    def _serve(self, leg: int, job: int, locked_count: int) -> bool:
        start_s: int | None
        if job >= self.view.job_count:
            opens_s = self.view.reload_start_s(self.car_number, self.sequence, leg)
            start_s = max(self.now_s, opens_s)
        else:
            start_s = self.view.next_start_s(job, self.now_s)
        if start_s is None:
            if leg >= locked_count:
                return False
            start_s = self.now_s
        self.wait_s += start_s - self.now_s
        windows = self.view.windows[job]
        if windows:
            last_s = next((last for _, last in windows if start_s <= last), start_s)
            self.slack_s = min(self.slack_s, self.wait_s + last_s - start_s)
        self.now_s = start_s + self.car.services_s[job]
        return True

    def _rest(self, slot: int) -> bool:
        for position, taken in enumerate(self.slots):
            if taken != slot:
                continue
            rest = self.car.rests[position]
            begin_s = max(self.now_s, rest.earliest_s)
            latest_s = self._latest_s(position)
            if begin_s > latest_s:
                return False
            self.wait_s += begin_s - self.now_s
            self.slack_s = min(self.slack_s, self.wait_s + latest_s - begin_s)
            self.rests_s[position] = begin_s
            self.now_s = begin_s + rest.duration_s
        return True

    def _latest_s(self, position: int) -> int:
        """Give a rest's last start; commitments may put it off until they are done."""
        rests = self.car.rests
        if self.prefix_end_s is None:
            return rests[position].latest_s
        due_s = self.prefix_end_s + sum(one.duration_s for one in rests[:position])
        return max(rests[position].latest_s, due_s)

    def _close(self, place: int, used: list[int]) -> bool:
        car, leg = self.car, len(self.sequence)
        committed = bool(car.locked) and leg == len(car.locked)
        if committed:
            self.prefix_end_s = self.now_s
        end = car.vehicle.end_location
        if end is not None and self._travel(leg, place, end, used) is None:
            return False
        if end is None and any(slot >= 2 * leg for slot in used):
            return False
        if not committed and self.now_s > car.closes_s:
            return False
        return all(
            self.now_s <= self._latest_s(position)
            for position, slot in enumerate(self.slots)
            if slot == AFTER_END
        )


def time_route(view: View, number: int, sequence: Sequence[int]) -> Times | None:
    """Time a sequence as early as possible, with breaks where they cost least.

    Breaks go by `lazy_slots`; where that fails, all places are tried if they are few.
    """
    if not view.cars[number].rests or not sequence:
        return forward(
            view, number, sequence, (AFTER_END,) * len(view.cars[number].rests)
        )
    slots = lazy_slots(view, number, sequence)
    times = forward(view, number, sequence, slots) if slots is not None else None
    return times or min(
        every_time(view, number, sequence),
        key=lambda one: (one.end_s, -one.departure_s - one.slack_s),
        default=None,
    )


def widen_slack(view: View, number: int, sequence: Sequence[int], times: Times) -> None:
    """Let a departure slip into later windows, as long as the end does not.

    The first pass knows only the windows that it used. A later departure never ends
    earlier, so the last good one is found by halving.
    """
    if (
        not view.has_several_windows
        or view.cars[number].goes_at_once
        or all(len(view.windows[job]) < 2 for job in sequence)
    ):
        return
    good_s, bad_s = times.slack_s, times.wait_s + 1
    while bad_s - good_s > 1:
        middle_s = (good_s + bad_s) // 2
        depart_s = times.departure_s + middle_s
        later = forward(view, number, sequence, times.slots, depart_s)
        if later is not None and later.end_s <= times.end_s:
            good_s = middle_s
        else:
            bad_s = middle_s
    times.slack_s = good_s


def leave_late(view: View, number: int, sequence: Sequence[int], times: Times) -> Times:
    """Depart as late as waiting allows; every route ends when it did."""
    if times.slack_s <= 0:
        return times
    later = forward(
        view, number, sequence, times.slots, times.departure_s + times.slack_s
    )
    return later if later is not None and later.end_s <= times.end_s else times


def every_time(
    view: View, number: int, sequence: Sequence[int], most: int = MOST_PLACES
) -> Iterator[Times]:
    """Yield the feasible times of a sequence with its breaks at all their places.

    Nothing is yielded where there are more than `most` places to try.
    """
    rests = view.cars[number].rests
    places = [*range(2 * len(sequence) + 1), AFTER_END]
    if not view.cars[number].goes_at_once:
        places.insert(0, BEFORE_DEPARTURE)
    if not rests or comb(len(places) + len(rests) - 1, len(rests)) > most:
        return
    for slots in combinations_with_replacement(places, len(rests)):
        times = forward(view, number, sequence, slots)
        if times is not None:
            yield times
