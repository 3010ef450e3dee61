"""The places of a route where one more visit may go, and what a visit there would cost.

Plain lists of plain numbers: an event asks for a handful of visits on routes of a few
stops each, where an array operation costs more than the loop that it saves.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from operator import le
from typing import TYPE_CHECKING, NamedTuple

from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.routestate import NEVER, find_gaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.view import Car, Rest, View


ALWAYS = (-NEVER, NEVER)
"""The first and the last second at which a job without windows may begin."""

OPEN = -1
"""In place of the location after a gap: nothing comes after."""


class Gap(NamedTuple):
    """A place for one more visit.

    The car is ready to leave location `before` at `ready_s` and must be at `after`
    (or nowhere, `OPEN`) by `latest_s`. A visit replaces `direct_s` seconds and
    `direct_m` metres; `leg` is its place in the sequence. Waiting is free where it is
    not `paid_wait`, since the car may depart later.
    """

    ready_s: int
    latest_s: int
    before: int
    after: int
    leg: int
    direct_s: int
    direct_m: int
    paid_wait: bool


class Rates(NamedTuple):
    """What a visit on a route costs: by the second, by that of overtime, by the metre.

    Overtime begins `in_time_s` after the route's end; `opens_milli` is what using the
    car at all costs.
    """

    second_milli: int
    overtime_milli: int
    metre_milli: int
    in_time_s: int
    opens_milli: int


@dataclass(slots=True)
class Places:
    """All gaps of a route as it is driven; `ready_s` and `latest_s` are theirs, ascending.

    `room` is what the car can still take. `tails` are the breaks that come after a new
    visit, by the gap's position. `priced` are the answers of `prices` so far, by job:
    they hold as long as the route does.
    """

    number: int
    gaps: list[Gap]
    ready_s: list[int]
    latest_s: list[int]
    departure_s: int
    room: tuple[int, ...]
    rates: Rates
    tails: Mapping[int, tuple[Rest, ...]] | None = None
    priced: dict[int, list[tuple[int, int]]] = field(default_factory=dict)


def lay_places(view: View, route: RouteState) -> Places:
    """List the gaps of a route as they are if it departs when it does."""
    car = view.cars[route.number]
    tails: Mapping[int, tuple[Rest, ...]] | None = None
    if car.rests:
        gaps, tails = _rested_gaps(view, route)
    else:
        latest_s = latest_arrivals_s(view, car, route.sequence)
        gaps = plain_gaps(view, route, latest_s)
    return Places(
        number=route.number,
        gaps=gaps,
        ready_s=[gap[0] for gap in gaps],
        latest_s=[gap[1] for gap in gaps],
        departure_s=route.times.departure_s,
        room=tuple(
            spare - taken for spare, taken in zip(car.spare, route.load, strict=True)
        ),
        rates=_rates(view, route),
        tails=tails,
    )


def _rates(view: View, route: RouteState) -> Rates:
    vehicle, objective = view.cars[route.number].vehicle, view.problem.objective
    return Rates(
        second_milli=vehicle.cost_per_s_milli * objective.duration_weight,
        overtime_milli=vehicle.overtime_cost_per_s_milli * objective.duration_weight,
        metre_milli=vehicle.cost_per_m_milli * objective.distance_weight,
        in_time_s=max(0, vehicle.end_s - route.times.end_s),
        opens_milli=0 if route.sequence else vehicle.fixed_cost_milli,
    )


def plain_gaps(view: View, route: RouteState, latest_s: Sequence[int]) -> list[Gap]:
    """List the gaps of a route, its breaks left out of account."""
    car, sequence, locations = view.cars[route.number], route.sequence, view.locations
    rows_s, rows_m = car.durations_s, car.distances_m
    first, end = len(car.locked), car.vehicle.end_location
    before = locations[sequence[first - 1]] if first else car.vehicle.start_location
    ready_s = route.times.finishes_s[first - 1] if first else route.times.departure_s
    pays = first > 0 or car.goes_at_once
    gaps: list[Gap] = []
    new = tuple.__new__
    for leg in range(first, len(sequence)):
        after = locations[sequence[leg]]
        direct_s, direct_m = rows_s[before][after], rows_m[before][after]
        row = (ready_s, latest_s[leg], before, after, leg, direct_s, direct_m, pays)
        gaps.append(new(Gap, row))
        before, ready_s, pays = after, route.times.finishes_s[leg], True
    direct_s = direct_m = 0
    if end is not None and sequence:
        direct_s, direct_m = rows_s[before][end], rows_m[before][end]
    leg = len(sequence)
    gaps.append(
        Gap(
            ready_s,
            latest_s[leg],
            before,
            OPEN if end is None else end,
            leg,
            direct_s,
            direct_m,
            pays,
        )
    )
    return gaps


def _rested_gaps(
    view: View, route: RouteState
) -> tuple[list[Gap], Mapping[int, tuple[Rest, ...]]]:
    """List the gaps of a route with breaks; several between two stops of it."""
    car, sequence = view.cars[route.number], route.sequence
    found = find_gaps(view, route, route.times.departure_s)
    if found is None:
        return [], {}
    end, gaps = car.vehicle.end_location, []
    for ready_s, latest_s, before, following, leg in zip(
        found.ready_s.tolist(),
        found.latest_s.tolist(),
        found.previous.tolist(),
        found.following.tolist(),
        found.legs.tolist(),
        strict=True,
    ):
        after = OPEN if leg == len(sequence) and end is None else following
        used = after != OPEN and sequence
        direct_s = car.durations_s[before][after] if used else 0
        direct_m = car.distances_m[before][after] if used else 0
        pays = leg > 0 or car.goes_at_once
        gaps.append(
            Gap(ready_s, latest_s, before, after, leg, direct_s, direct_m, pays)
        )
    return gaps, dict(found.tails)


def latest_arrivals_s(view: View, car: Car, sequence: Sequence[int]) -> list[int]:
    """Say how late a car may arrive at each stop of a sequence and at its end.

    Breaks are left out of account. Those of commitments mean nothing.
    """
    count, windows, locations = len(sequence), view.windows, view.locations
    rows_s, services_s = car.durations_s, car.services_s
    bound_s = car.closes_s
    latest_s = [bound_s] * (count + 1)
    after = car.vehicle.end_location
    for leg in range(count - 1, len(car.locked) - 1, -1):
        job = sequence[leg]
        place = locations[job]
        bound_s -= services_s[job]
        if after is not None:
            bound_s -= rows_s[place][after]
        spans = windows[job]
        if len(spans) == 1:
            first_s, last_s = spans[0]
            if first_s > bound_s:
                bound_s = -NEVER
            elif last_s < bound_s:
                bound_s = last_s
        elif spans:
            bound_s = latest_start_s(spans, bound_s)
        latest_s[leg] = bound_s
        after = place
    return latest_s


def latest_start_s(windows: Iterable[tuple[int, int]], bound_s: int) -> int:
    """Say how late a service may begin that must not begin after `bound_s`."""
    found_s = -NEVER
    for first_s, last_s in windows:
        if first_s > bound_s:
            break
        found_s = min(last_s, bound_s)
    return found_s


def prices(view: View, places: Places, job: int) -> list[tuple[int, int]]:
    """List (added cost, position of the gap) where a job may go on a route.

    Waiting counts half where it is paid. A job that is not there yet when the route
    departs has no place. The list is reckoned once.
    """
    found = places.priced.get(job)
    if found is None:
        found = places.priced[job] = _prices(view, places, job)
    return found


def _prices(view: View, places: Places, job: int) -> list[tuple[int, int]]:
    number = places.number
    if (
        not view.may_serve[number][job]
        or view.releases_s[job] > places.departure_s
        or not fits(view.jobs[job].demands, places.room)
    ):
        return []
    first, last = 0, len(places.gaps)
    windows = view.windows[job]
    if windows:
        service_s = view.cars[number].services_s[job]
        first = bisect_left(places.latest_s, windows[0][0] + service_s)
        last = bisect_right(places.ready_s, windows[-1][1])
        if first >= last:
            return []
    ready_s, latest_s, gaps = places.ready_s, places.latest_s, places.gaps
    if last - first < len(gaps):
        ready_s, latest_s = ready_s[first:last], latest_s[first:last]
        gaps = gaps[first:last]
    spans = zip(ready_s, latest_s, gaps, strict=True)
    return price_gaps(view, places, spans, job, first, places.tails)


def fits(demands: Sequence[int], room: Sequence[int]) -> bool:
    """Say whether there is room for what a job takes, in every dimension."""
    return all(map(le, demands, room))


def price_gaps(  # noqa: PLR0917  (the hot path)
    view: View,
    places: Places,
    spans: Iterable[tuple[int, int, Gap]],
    job: int,
    first: int = 0,
    tails: Mapping[int, tuple[Rest, ...]] | None = None,
) -> list[tuple[int, int]]:
    """List (added cost, position) where gaps of a route have the time for a job.

    A span says when the car may leave for a gap, and when it must be behind it, which
    may be others than the gap's own. Positions count on from `first`. Load and fitness
    are not looked at.
    """
    car = view.cars[places.number]
    second, overtime, metre, in_time_s, base_milli = places.rates
    if view.problem.objective.disruption_milli:
        base_milli += view.disruption_milli(job, places.number)
    location, service_s = view.locations[job], car.services_s[job]
    to_s, to_m = car.into_s[location], car.into_m[location]
    on_s, on_m = car.durations_s[location], car.distances_m[location]
    windows = view.windows[job]
    opens_s, closes_s = (windows[0][0], windows[-1][1]) if windows else ALWAYS
    is_split = len(windows) > 1
    found: list[tuple[int, int]] = []
    position = first - 1
    for ready_s, latest_s, (_, _, before, after, _, direct_s, direct_m, pays) in spans:
        position += 1
        there_s = to_s[before]
        arrive_s = ready_s + there_s
        if arrive_s > closes_s:
            continue
        begin_s = arrive_s if arrive_s > opens_s else opens_s
        if is_split:
            begin_s = view.next_start_s(job, arrive_s) or begin_s
        onward_s = begin_s + service_s
        if tails:
            onward_s = _after_rests(onward_s, tails.get(position, ()))
        travel_s, added_m = there_s, to_m[before] - direct_m
        if after >= 0:
            back_s = on_s[after]
            onward_s += back_s
            travel_s += back_s
            added_m += on_m[after]
        if onward_s > latest_s or travel_s >= UNREACHABLE:
            continue
        added_s = travel_s + service_s - direct_s
        if pays:
            added_s += (begin_s - arrive_s) >> 1
        price = base_milli + added_s * second + added_m * metre
        if added_s > in_time_s:
            price += (added_s - in_time_s) * overtime
        found.append((price, position))
    return found


def _after_rests(now_s: int, rests: Iterable[Rest]) -> int:
    """Say when a car may go on that takes breaks first."""
    for rest in rests:
        now_s = max(now_s, rest.earliest_s) + rest.duration_s
    return now_s


def cheapest(view: View, places: Places, job: int) -> int:
    """Return the least added cost of a job on a route; NEVER where it cannot go."""
    found = prices(view, places, job)
    return min(found)[0] if found else NEVER
