"""The least that has to give: minutes of a window, minutes of overtime.

A trial copies the compiled problem and changes the one thing; what is found is judged
anew, on a problem compiled as any other, by who asked.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from apps.routes.solver.explaining.spots import best_spot
from apps.routes.solver.insertion import Arrays
from apps.routes.solver.problem import TimeWindow
from apps.routes.solver.view import merged_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from apps.routes.solver.explaining.spots import Spot
    from apps.routes.solver.explaining.standing import Standing
    from apps.routes.solver.problem import Job

MINUTE_S = 60
MOST_OVERTIME_S = 12 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Widening:
    """The window that gives way, as it is and as it would be."""

    before: TimeWindow
    after: TimeWindow
    minutes: int


def least_widening(standing: Standing, job: int) -> Widening | bool:
    """Find the least whole minutes by which a window must open earlier or close later.

    Where nothing helps, the answer says whether it fits at a cost beyond its worth.
    """
    view = standing.view
    windows, prize_milli = view.jobs[job].windows, view.prize_milli(job)

    def spot_with(wider: tuple[TimeWindow, ...]) -> Spot | None:
        return best_spot(_with_windows(standing, job, wider), standing.routes, job)

    spot = spot_with(())
    if spot is None or spot.added_milli >= prize_milli:
        return spot is not None
    start_s = spot.route.times.starts_s[spot.leg]
    enough = max(1, min(_distance(window, start_s) for window in windows))

    def serves(minutes: int) -> Spot | None:
        found = spot_with(tuple(_wider(window, minutes) for window in windows))
        return found if found and found.added_milli < prize_milli else None

    least = _least(enough, lambda minutes: serves(minutes) is not None)
    spot = serves(least)
    if spot is None:
        return True
    start_s = spot.route.times.starts_s[spot.leg]
    before = min(windows, key=lambda window: _distance(window, start_s))
    wider = _wider(before, least)
    late = start_s >= before.end_s
    after = replace(wider, start_s=before.start_s) if late else wider
    if start_s < before.start_s:
        after = replace(wider, end_s=before.end_s)
    return Widening(before=before, after=after, minutes=least)


def _with_windows(
    standing: Standing, job: int, windows: tuple[TimeWindow, ...]
) -> Arrays:
    """Compile the problem with other windows of one job; nothing else depends on them."""
    view = copy(standing.view)
    jobs: list[Job] = list(view.jobs)
    jobs[job] = replace(jobs[job], windows=windows)
    view.jobs = tuple(jobs)
    view.problem = replace(view.problem, jobs=view.jobs)
    compiled = list(view.windows)
    compiled[job] = merged_windows(jobs[job])
    view.windows = tuple(compiled)
    return Arrays(view)


def _wider(window: TimeWindow, minutes: int) -> TimeWindow:
    more_s = minutes * MINUTE_S
    return TimeWindow(start_s=window.start_s - more_s, end_s=window.end_s + more_s)


def _distance(window: TimeWindow, start_s: int) -> int:
    """Return how many whole minutes a window must give to hold a start."""
    away_s = max(window.start_s - start_s, start_s - (window.end_s - 1), 0)
    return -(-away_s // MINUTE_S)


def least_overtime(standing: Standing, job: int) -> tuple[int, int] | bool:
    """Find the car that needs least overtime on top, and how many whole minutes.

    Where nothing helps, the answer says whether it fits at a cost beyond its worth.
    """
    prize_milli = standing.view.prize_milli(job)
    arrays = _with_overtime(standing, range(len(standing.routes)), MOST_OVERTIME_S)
    dear = False
    needs: list[tuple[int, int, int]] = []
    for number, route in enumerate(standing.routes):
        spot = best_spot(arrays, [replace(route, gaps={})], job)
        if spot is None:
            continue
        if spot.added_milli >= prize_milli:
            dear = True
            continue
        over_s = spot.route.times.end_s - standing.view.cars[number].closes_s
        needs.append((-(-over_s // MINUTE_S), spot.added_milli, number))
    if not needs or min(needs)[0] < 1:
        return dear
    enough, _, number = min(needs)

    def serves(minutes: int) -> bool:
        arrays = _with_overtime(standing, [number], minutes * MINUTE_S)
        route = replace(standing.routes[number], gaps={})
        spot = best_spot(arrays, [route], job)
        return spot is not None and spot.added_milli < prize_milli

    return number, _least(enough, serves)


def _with_overtime(standing: Standing, cars: Sequence[int], more_s: int) -> Arrays:
    """Compile the problem with longer shifts; the tables of prices do not change."""
    view = copy(standing.view)
    compiled = list(view.cars)
    for number in cars:
        car = compiled[number]
        longer_s = car.vehicle.max_overtime_s + more_s
        compiled[number] = replace(
            car,
            vehicle=replace(car.vehicle, max_overtime_s=longer_s),
            closes_s=car.closes_s + more_s,
        )
    view.cars = tuple(compiled)
    arrays = copy(standing.arrays)
    arrays.view = view
    return arrays


def _least(enough: int, serves: Callable[[int], bool]) -> int:
    """Return the least number that serves; `enough` does, 0 does not."""
    bad, good = 0, enough
    while good - bad > 1:
        middle = (good + bad) // 2
        if serves(middle):
            good = middle
        else:
            bad = middle
    return good
