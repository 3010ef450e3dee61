"""Routes under construction, with what is needed to price an insertion quickly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.assemble import (
    TimedRoute,
    route_cost,
    route_distance_m,
    soft_milli,
)
from apps.routes.solver.loading import find_loads
from apps.routes.solver.resting import AFTER_END
from apps.routes.solver.schedule import (
    MOST_PLACES,
    every_time,
    forward,
    leave_late,
    time_route,
    widen_slack,
)
from apps.routes.solver.wishes import retime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.loading import Loads
    from apps.routes.solver.schedule import Times
    from apps.routes.solver.view import Car, Rest, View
    from apps.routes.solver.wishes import Onward

    Integers = NDArray[np.int64]

NEVER = 1 << 40
"""A time or cost beyond every other."""


MOST_WISHED_PLACES = 150
"""Places of breaks to try where each takes a search for the cheapest times."""


@dataclass(slots=True)
class Gaps:
    """The places where a route may take one more visit, as parallel arrays.

    `ready_s` is when the car can leave `previous`, `latest_s` how late it may arrive at
    `following`, `legs` the place in the sequence. `tails` are the breaks that would
    come after the new visit, by column.
    """

    ready_s: Integers
    latest_s: Integers
    previous: Integers
    following: Integers
    legs: Integers
    tails: list[tuple[int, tuple[Rest, ...]]]


@dataclass(slots=True)
class RouteState:
    """A feasible route of one car; never changed, only replaced.

    `times` are the earliest; `wished` are the cheapest where soft windows decide. Both
    `cost_milli` and `duration_s` are those of the final times. `load` is what it ends
    with, `loads` what it carries from leg to leg where trips or shipments matter.
    """

    number: int
    sequence: tuple[int, ...]
    times: Times
    load: tuple[int, ...]
    cost_milli: int
    duration_s: int
    wished: Times | None = None
    loads: Loads | None = None
    gaps: dict[int, Gaps | None] = field(default_factory=dict)
    onward: list[Onward] = field(default_factory=list)

    def timed(self, view: View) -> TimedRoute:
        """Give the route its final times, departing as late as it may."""
        if self.wished is not None:
            return TimedRoute(self.number, self.sequence, self.wished)
        times = leave_late(view, self.number, self.sequence, self.times)
        return TimedRoute(self.number, self.sequence, times)


def build_route(
    view: View, number: int, sequence: Sequence[int], times: Times | None = None
) -> RouteState | None:
    """Time, weigh, and price a sequence, or None if it cannot be driven.

    `times` given are taken as they are.
    """
    car = view.cars[number]
    loads = None
    if view.has_trips:
        loads = find_loads(view, number, sequence)
        if loads is None:
            return None
        load = tuple(loads.aboard[-1].tolist())
    else:
        demands = [view.jobs[job].demands for job in sequence]
        load = tuple(map(sum, zip(*demands, strict=True))) or (0,) * len(car.spare)
        committed = len(sequence) == len(car.locked)
        if not committed and any(
            taken > spare for taken, spare in zip(load, car.spare, strict=True)
        ):
            return None
    times = times or time_route(view, number, sequence)
    if times is None:
        return None
    widen_slack(view, number, sequence, times)
    wished = None
    if view.has_softs and any(view.softs[stop] for stop in sequence):
        wished = retime(view, number, sequence, times)
    cost_milli, duration_s = _price(view, number, sequence, wished or times)
    return RouteState(
        number, tuple(sequence), times, load, cost_milli, duration_s, wished, loads
    )


def _price(
    view: View, number: int, sequence: Sequence[int], times: Times
) -> tuple[int, int]:
    """Give what a timed route costs, its disruption included, and its duration."""
    duration_s = times.end_s - times.departure_s - times.slack_s
    if not sequence:
        return 0, duration_s
    cost = route_cost(
        view,
        number,
        route_distance_m(view, number, sequence),
        duration_s,
        times.end_s,
        missed_milli=soft_milli(view, sequence, times.starts_s),
        steps_milli=view.steps_milli(number, sequence),
    )
    cost_milli = cost.total_milli + view.resequence_milli(sequence)
    if view.problem.objective.disruption_milli:
        cost_milli += sum(
            view.disruption_milli(stop, number)
            for stop in sequence
            if stop < view.job_count
        )
    return cost_milli, duration_s


def settle_rests(view: View, route: RouteState) -> RouteState:
    """Move a route's breaks to where they cost least, if there are few places."""
    most = MOST_WISHED_PLACES if view.has_softs else MOST_PLACES
    found = [
        build_route(view, route.number, route.sequence, times)
        for times in every_time(view, route.number, route.sequence, most)
    ]
    return min(
        [route, *(one for one in found if one is not None)],
        key=lambda one: one.cost_milli,
    )


def find_gaps(view: View, route: RouteState, depart_s: int) -> Gaps | None:
    """List where a visit may go if the route departs at `depart_s` or later.

    Breaks are taken where they stand but may begin late here: whoever inserts times
    the route anew, which moves them.
    """
    if depart_s not in route.gaps:
        route.gaps[depart_s] = _find_gaps(view, route, depart_s)
    return route.gaps[depart_s]


def _find_gaps(view: View, route: RouteState, depart_s: int) -> Gaps | None:
    car, times = view.cars[route.number], route.times
    if depart_s > times.departure_s:
        later = forward(view, route.number, route.sequence, times.slots, depart_s)
        if later is None:
            return None
        times = later
    latest_s = _latest_arrivals(view, route, times)
    end = car.vehicle.end_location
    stops = [view.locations[job] for job in route.sequence]
    places = [car.vehicle.start_location, *stops]
    rows: list[tuple[int, int, int, int, int]] = []
    tails: list[tuple[int, tuple[Rest, ...]]] = []
    for leg in range(len(car.locked), len(places)):
        ready_s = times.finishes_s[leg - 1] if leg else times.departure_s
        following = -1 if leg == len(stops) and end is None else [*stops, end][leg]
        rests = _rests_before(car, times, leg)
        for taken in range(len(rests) + 1):
            if rests[taken:]:
                tails.append((len(rows), rests[taken:]))
            rows.append((ready_s, latest_s[leg], places[leg], following or 0, leg))
            if taken < len(rests):
                rest = rests[taken]
                ready_s = max(ready_s, rest.earliest_s) + rest.duration_s
    ready, latest, previous, following_places, legs = np.array(rows, dtype=np.int64).T
    return Gaps(ready, latest, previous, following_places, legs, tails)


def _rests_before(car: Car, times: Times, leg: int) -> tuple[Rest, ...]:
    return tuple(
        rest
        for rest, slot in zip(car.rests, times.slots, strict=True)
        if slot == 2 * leg
    )


def _latest_arrivals(view: View, route: RouteState, times: Times) -> list[int]:
    """Say how late the car may arrive at each stop, the end included."""
    car, sequence = view.cars[route.number], route.sequence
    resting_s = [0] * (2 * len(sequence) + 2)
    for rest, slot in zip(car.rests, times.slots, strict=True):
        if 0 <= slot < AFTER_END:
            resting_s[slot] += rest.duration_s
    latest_s = [car.closes_s] * (len(sequence) + 1)
    following = car.vehicle.end_location
    for leg in range(len(sequence) - 1, len(car.locked) - 1, -1):
        job = sequence[leg]
        place = view.locations[job]
        leave_s = latest_s[leg + 1] - resting_s[2 * leg + 2]
        if following is not None:
            leave_s -= car.durations_s[place][following]
        bound_s = leave_s - car.services_s[job]
        windows = view.windows[job]
        if windows:
            bound_s = max(
                (min(last, bound_s) for first, last in windows if first <= bound_s),
                default=-NEVER,
            )
        latest_s[leg] = bound_s - resting_s[2 * leg + 1]
        following = place
    return latest_s
