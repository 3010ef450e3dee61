"""Times of a fixed sequence that cost least when services have soft windows.

A dynamic program over the stops and rests of a route: its state is when the next may
begin, its values are piecewise straight (after Ibaraki et al., "Effective local search
algorithms for routing and scheduling problems with general time-window constraints",
2005). The places of the rests are given; only the times are free.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.piecewise import (
    HORIZON_S,
    added,
    least_at,
    least_from_here,
    least_so_far,
    restricted,
    shifted,
)
from apps.routes.solver.resting import AFTER_END

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.piecewise import Piece, Pieces
    from apps.routes.solver.schedule import Times
    from apps.routes.solver.view import View

    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Event:
    """A service (of a `leg`) or rest (by `position`), `travel_s` after the one before.

    `arrives` is the leg that ends with that travel.
    """

    lasts_s: int
    spans: tuple[tuple[int, int], ...]
    softs: Sequence[Piece] = ()
    leg: int | None = None
    position: int | None = None
    travel_s: int = 0
    arrives: int | None = None


def retime(view: View, number: int, sequence: Sequence[int], times: Times) -> Times:
    """Give a sequence its cheapest times, with rests at the slots of `times`.

    `times` is its earliest schedule; the commitments of a car keep to it.
    """
    run = _Retiming(view, number, sequence, times)
    return run.best() or times


class _Retiming:
    def __init__(
        self, view: View, number: int, sequence: Sequence[int], times: Times
    ) -> None:
        self.view = view
        self.number = number
        self.car = view.cars[number]
        self.sequence = sequence
        self.times = times
        self.first = len(self.car.locked)
        self.only_committed = self.first == len(sequence)
        rate = self.car.vehicle.cost_per_s_milli * (
            view.problem.objective.duration_weight
        )
        self.second_milli = rate
        self.events, self.home_s = self._events()

    def best(self) -> Times | None:
        """Find the cheapest times, or None where the earliest must do."""
        if self.only_committed:
            return None
        last_s = self.car.closes_s
        ready = self._ready()
        costs: list[Sequence[Piece]] = []
        for event in self.events:
            arrived = shifted(ready, event.travel_s)
            if costs or self.car.goes_at_once:
                arrived = least_so_far(arrived, last_s)
            begun = restricted(arrived, event.spans)
            if event.softs:
                begun = added(begun, event.softs)
            if not begun:
                return None
            costs.append(begun)
            ready = shifted(begun, event.lasts_s)
        end_s = self._end(shifted(ready, self.home_s))
        return None if end_s is None else self._read(costs, end_s)

    def _ready(self) -> Pieces:
        """Price each second of readiness: only when it departs is up to a free car."""
        if self.first:
            free_s = self.times.finishes_s[self.first - 1]
            return [(free_s, free_s, 0, 0)]
        from_s, rate = self.times.departure_s, self.second_milli
        if self.car.goes_at_once:
            return [(from_s, from_s, 0, 0)]
        until_s = max(from_s, self.car.closes_s)
        return [(from_s, until_s, -rate * from_s, -rate)]

    def _events(self) -> tuple[list[_Event], int]:
        """List services and rests after the commitments, and the way to the end."""
        car, view = self.car, self.view
        events: list[_Event] = []
        place = car.vehicle.start_location
        if self.first:
            place = view.locations[self.sequence[self.first - 1]]
        for leg in range(self.first, len(self.sequence)):
            target = view.locations[self.sequence[leg]]
            events += self._rests(2 * leg)
            arriving = [*self._rests(2 * leg + 1), self._service(leg)]
            travel_s = car.durations_s[place][target]
            arriving[0] = replace(arriving[0], travel_s=travel_s, arrives=leg)
            events += arriving
            place = target
        end = car.vehicle.end_location
        events += self._rests(2 * len(self.sequence))
        return events, 0 if end is None else car.durations_s[place][end]

    def _service(self, leg: int) -> _Event:
        view, stop = self.view, self.sequence[leg]
        spans = view.windows[stop] or ((-HORIZON_S, HORIZON_S),)
        if stop >= view.job_count:
            opens_s = view.reload_start_s(self.number, self.sequence, leg)
            spans = ((opens_s, HORIZON_S),)
        return _Event(self.car.services_s[stop], spans, view.soft_pieces[stop], leg=leg)

    def _rests(self, slot: int) -> list[_Event]:
        rests = self.car.rests
        return [
            _Event(
                rests[position].duration_s,
                ((rests[position].earliest_s, self._latest_s(position)),),
                position=position,
            )
            for position, taken in enumerate(self.times.slots)
            if taken == slot
        ]

    def _latest_s(self, position: int) -> int:
        rests = self.car.rests
        if not self.first:
            return rests[position].latest_s
        due_s = self.times.finishes_s[self.first - 1]
        due_s += sum(one.duration_s for one in rests[:position])
        return max(rests[position].latest_s, due_s)

    def _end(self, ended: Sequence[Piece]) -> int | None:
        """Choose when to end: not after closing, nor into a rest that is left out."""
        latest_s = min(
            (
                self._latest_s(position)
                for position, slot in enumerate(self.times.slots)
                if slot == AFTER_END
            ),
            default=HORIZON_S,
        )
        weight = self.view.problem.objective.duration_weight
        over_milli = self.car.vehicle.overtime_cost_per_s_milli * weight
        shift_s, rate = self.car.vehicle.end_s, self.second_milli
        late_milli = rate + over_milli
        late = (shift_s + 1, HORIZON_S, rate * shift_s + late_milli, late_milli)
        priced = added(ended, [(-HORIZON_S, shift_s, -rate * HORIZON_S, rate), late])
        found = least_at(priced, min(latest_s, self.car.closes_s))
        return None if found is None else found[1]

    def _read(self, costs: list[Sequence[Piece]], end_s: int) -> Times:
        """Go back from the end, each event as early as it costs least."""
        until_s = end_s - self.home_s
        starts_s: list[int] = []
        for event, begun in zip(reversed(self.events), reversed(costs), strict=True):
            at_s = until_s - event.lasts_s
            if starts_s:
                found = least_at(begun, at_s)
                at_s = at_s if found is None else found[1]
            starts_s.append(at_s)
            until_s = at_s - event.travel_s
        return self._times(starts_s[::-1], until_s, end_s)

    def _times(self, begun_s: list[int], ready_s: int, end_s: int) -> Times:
        """Write the starts of the events down, for one who is ready at `ready_s`."""
        times = self.times
        arrivals_s, starts_s = list(times.arrivals_s), list(times.starts_s)
        finishes_s, rests_s = list(times.finishes_s), list(times.rests_s)
        departure_s = times.departure_s if self.car.goes_at_once else ready_s
        free_s = times.finishes_s[self.first - 1] if self.first else departure_s
        waited_s = 0
        for event, at_s in zip(self.events, begun_s, strict=True):
            arrived_s = free_s + event.travel_s
            waited_s += at_s - arrived_s
            free_s = at_s + event.lasts_s
            if event.arrives is not None:
                arrivals_s[event.arrives] = arrived_s
            if event.leg is not None:
                starts_s[event.leg], finishes_s[event.leg] = at_s, free_s
            if event.position is not None:
                rests_s[event.position] = at_s
        return replace(
            times,
            departure_s=departure_s,
            end_s=end_s,
            arrivals_s=arrivals_s,
            starts_s=starts_s,
            finishes_s=finishes_s,
            rests_s=rests_s,
            slack_s=0,
            wait_s=waited_s,
        )


@dataclass(frozen=True, slots=True)
class Onward:
    """What the soft windows from a stop on cost at least, by the time of arrival."""

    firsts_s: Integers
    values: Integers
    slopes: Integers
    last_s: int

    def at(self, arrivals_s: Integers) -> Integers:
        """Look up arrivals; after the last one feasible, the cost at that one."""
        at_s = np.minimum(arrivals_s, self.last_s)
        index = np.maximum(0, np.searchsorted(self.firsts_s, at_s, side="right") - 1)
        since_s: Integers = at_s - self.firsts_s[index]
        return self.values[index] + self.slopes[index] * since_s


def onward_costs(
    view: View, number: int, sequence: Sequence[int], times: Times
) -> list[Onward]:
    """Give the cost onward from each leg's end, for pricing; rests only take time."""
    car = view.cars[number]
    resting_s = [0] * (2 * len(sequence) + 2)
    for rest, slot in zip(car.rests, times.slots, strict=True):
        if 0 <= slot < AFTER_END:
            resting_s[slot] += rest.duration_s
    later: Sequence[Piece] = [(-HORIZON_S, HORIZON_S, 0, 0)]
    found = [_onward(later)]
    following = car.vehicle.end_location
    for leg in range(len(sequence) - 1, -1, -1):
        stop = sequence[leg]
        place = view.locations[stop]
        lasts_s = car.services_s[stop] + resting_s[2 * leg + 2]
        if following is not None:
            lasts_s += car.durations_s[place][following]
        begun: Sequence[Piece] = shifted(later, -lasts_s)
        if view.windows[stop] and leg >= len(car.locked):
            begun = restricted(begun, view.windows[stop])
        if view.soft_pieces[stop]:
            begun = added(begun, view.soft_pieces[stop])
        begun = begun or [(-HORIZON_S, HORIZON_S, 0, 0)]
        later = shifted(least_from_here(begun, -HORIZON_S), -resting_s[2 * leg + 1])
        found.append(_onward(later))
        following = place
    return found[::-1]


def _onward(pieces: Sequence[Piece]) -> Onward:
    firsts, lasts, values, slopes = np.array(pieces, dtype=np.int64).T
    return Onward(firsts, values, slopes, int(lasts[-1]))
