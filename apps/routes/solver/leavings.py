"""A route without one of its stops, for each in turn, and what opens up by that.

Plain lists, as in `gaps`: leaving changes the times of few stops around, since waiting
takes up the rest, so that there is little to reckon.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING

from apps.routes.solver.gaps import (
    ALWAYS,
    OPEN,
    Gap,
    latest_arrivals_s,
    latest_start_s,
    plain_gaps,
)
from apps.routes.solver.routestate import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.routes.solver.gaps import Places
    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.view import View


@dataclass(slots=True)
class Leaving:
    """A stop that leaves its route: its leg, and the gaps that are others by it.

    The gaps before and behind it become one, its `seat`. From the first open leg on,
    `ready_s` is when the car may leave for a gap, and `latest_s` when it must be behind
    it; those from `low` to `high` are not what they were. `room` is what the car can
    take then, `saving_milli` what is saved.
    """

    leg: int
    place: int
    seat: Gap
    low: int
    high: int
    ready_s: list[int]
    latest_s: list[int]
    room: tuple[int, ...]
    saving_milli: int


class Leavings:
    """A route without each of its open stops in turn; its gaps as they are beside that.

    Breaks are left out of account: whoever uses a gap times the route anew.
    """

    def __init__(self, view: View, route: RouteState, places: Places) -> None:
        """Drive on from each stop and back, until the car is in step with the route."""
        car = view.cars[route.number]
        self.gaps = places.gaps
        if car.rests:
            latest_s = latest_arrivals_s(view, car, route.sequence)
            self.gaps = plain_gaps(view, route, latest_s)
        self.sequence = route.sequence
        self.first = len(car.locked)
        self.ready_s = [gap[0] for gap in self.gaps]
        self.latest_s = [gap[1] for gap in self.gaps]
        self._windows = view.windows
        self._services_s = car.services_s
        self._rows_s, self._rows_m = car.durations_s, car.distances_m
        self._eases_s = None if view.has_several_windows else self._find_eases()
        self.all = [
            self._leave(view, out, places)
            for out in range(len(route.sequence) - self.first)
        ]

    def _find_eases(self) -> tuple[list[int], list[int]]:
        """Say how much sooner, and how much later, the window of each stop lets it begin.

        Sooner than it does; later than it may because of what comes behind it.
        """
        sooner_s, later_s = [], []
        for place, stop in enumerate(self.sequence[self.first :]):
            first_s, last_s = self._windows[stop][0] if self._windows[stop] else ALWAYS
            start_s = self.ready_s[place + 1] - self._services_s[stop]
            sooner_s.append(start_s - first_s)
            later_s.append(last_s - self.latest_s[place])
        return sooner_s, later_s

    def _leave(self, view: View, out: int, places: Places) -> Leaving:
        gaps = self.gaps
        here_s, _, before, _, leg, to_s, to_m, pays = gaps[out]
        _, until_s, _, after, _, on_s, on_m, _ = gaps[out + 1]
        stop = self.sequence[leg]
        past_s = past_m = 0
        if after >= 0:
            past_s, past_m = self._rows_s[before][after], self._rows_m[before][after]
        ready_s, latest_s = self.ready_s.copy(), self.latest_s.copy()
        ready_s[out + 1], latest_s[out] = here_s, until_s
        saved_s = to_s + on_s - past_s + self._services_s[stop]
        rates = places.rates
        return Leaving(
            leg,
            out,
            Gap(here_s, until_s, before, after, leg, past_s, past_m, pays),
            self._drive_back(out, until_s, after, latest_s),
            self._drive_on(out, here_s, before, ready_s),
            ready_s,
            latest_s,
            tuple(map(add, places.room, view.jobs[stop].demands)),
            saved_s * rates[0] + (to_m + on_m - past_m) * rates[2],
        )

    def _drive_on(self, out: int, now_s: int, place: int, ready_s: list[int]) -> int:
        """Drive on until in step; return behind which gap the car is."""
        gaps, rows_s, services_s = self.gaps, self._rows_s, self._services_s
        windows, behind = self._windows, out + 1
        for stop in self.sequence[self.first + behind :]:
            there = gaps[behind][3]
            now_s += rows_s[place][there]
            for first_s, last_s in windows[stop]:
                if now_s <= last_s:
                    if now_s < first_s:  # noqa: PLR1730  (the hot path)
                        now_s = first_s
                    break
            now_s += services_s[stop]
            behind += 1
            gained_s = ready_s[behind] - now_s
            if not gained_s:
                return behind
            ready_s[behind] = now_s
            if gained_s > 0 and self._eases_s:
                return _shift(ready_s, self._eases_s[0], behind, gained_s)
            place = there
        return behind + 1

    def _drive_back(
        self, out: int, until_s: int, after: int, latest_s: list[int]
    ) -> int:
        """Look back how late the car may be until that is as it was; return from where."""
        gaps, rows_s, services_s = self.gaps, self._rows_s, self._services_s
        windows, sequence, first = self._windows, self.sequence, self.first
        for ahead in range(out - 1, -1, -1):
            stop, there = sequence[first + ahead], gaps[ahead][3]
            until_s -= services_s[stop]
            if after >= 0:
                until_s -= rows_s[there][after]
            spans = windows[stop]
            if len(spans) == 1:
                first_s, last_s = spans[0]
                if first_s > until_s:
                    until_s = -NEVER
                elif last_s < until_s:
                    until_s = last_s
            elif spans:
                until_s = latest_start_s(spans, until_s)
            gained_s = until_s - latest_s[ahead]
            if not gained_s:
                return ahead + 1
            latest_s[ahead] = until_s
            if gained_s > 0 and self._eases_s:
                return _shift_back(latest_s, self._eases_s[1], ahead, gained_s)
            after = there
        return 0

    def within(self, least_s: int, most_s: int) -> list[Leaving]:
        """Give the stops whose seats may be left at `least_s` and had by `most_s`."""
        start = bisect_left(self.latest_s, least_s, 1) - 1
        return self.all[start : bisect_right(self.ready_s, most_s, 0, len(self.all))]

    def legs_for(self, view: View, number: int, leaving: Leaving) -> Iterator[int]:
        """Give the other legs where a stop that leaves may stand on this route."""
        car, stop = view.cars[number], self.sequence[leaving.leg]
        place, service_s = view.locations[stop], car.services_s[stop]
        windows = view.windows[stop] or (ALWAYS,)
        from_gap = bisect_left(leaving.latest_s, windows[0][0] + service_s)
        to_gap = bisect_right(leaving.ready_s, windows[-1][1])
        for leg in range(self.first + from_gap, self.first + to_gap):
            if leg - leaving.leg in {0, 1}:
                continue
            gap = self.gaps[leg - self.first]
            ready_s = leaving.ready_s[leg - self.first]
            start_s = view.next_start_s(stop, ready_s + car.into_s[place][gap.before])
            if start_s is None:
                continue
            onward_s = 0 if gap.after == OPEN else car.durations_s[place][gap.after]
            if start_s + service_s + onward_s <= leaving.latest_s[leg - self.first]:
                yield leg


def _shift(ready_s: list[int], eases_s: list[int], behind: int, gained_s: int) -> int:
    """Bring what lies behind a gap forward by what is gained, as far as windows let it.

    Return behind which gap all is as it was.
    """
    for place in range(behind, len(eases_s)):
        ease_s = eases_s[place]
        if ease_s < gained_s:
            if not ease_s:
                return place + 1
            gained_s = ease_s
        ready_s[place + 1] -= gained_s
    return len(eases_s) + 1


def _shift_back(
    latest_s: list[int], eases_s: list[int], ahead: int, gained_s: int
) -> int:
    """Put what lies ahead of a stop off by what is gained, as far as windows let it.

    Return from which gap on it is others than it was.
    """
    for place in range(ahead - 1, -1, -1):
        ease_s = eases_s[place]
        if ease_s < gained_s:
            if not ease_s:
                return place + 1
            gained_s = ease_s
        latest_s[place] += gained_s
    return 0
