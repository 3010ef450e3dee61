"""Driving a sequence that breaks rules: as early as it goes, with as little broken.

The rules that the sequence breaks are opened one by one on a copy of the compiled
problem; what was broken is for the validator to say, by the problem as it is.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from apps.routes.solver.explaining.spots import settle
from apps.routes.solver.explaining.standing import CannotExplain
from apps.routes.solver.problem import UNREACHABLE
from apps.routes.solver.resting import AFTER_END, lazy_slots
from apps.routes.solver.routestate import build_route
from apps.routes.solver.schedule import forward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.routes.solver.routestate import RouteState
    from apps.routes.solver.view import View

LATEST_S = UNREACHABLE // 2
"""A window's or a shift's end beyond every day."""


def drive_anyhow(view: View, number: int, sequence: Sequence[int]) -> RouteState:
    """Time a sequence by the rules where it can be, else with as few broken as found.

    Raises:
        CannotExplain: there is no way along the sequence.
    """
    sequence = tuple(sequence)
    route = build_route(view, number, sequence)
    if route is not None:
        return settle(view, route)
    stated, view = view, _without_limits(view, number)
    late = _late_jobs(view, number, sequence)
    if late is None:
        view = _without_breaks(view, number)
        late = _late_jobs(view, number, sequence)
    if late is None:
        raise CannotExplain("There is no way along this sequence of stops.")
    route = build_route(_with_open_ends(view, late), number, sequence)
    if route is None:
        raise CannotExplain("There is no way along this sequence of stops.")
    starts_s = dict(zip(sequence, route.times.starts_s, strict=True))
    closed = _with_open_ends(view, {job: starts_s[job] for job in late})
    route = build_route(closed, number, sequence) or route
    return _with_all_breaks(stated, settle(closed, route))


def _late_jobs(
    view: View, number: int, sequence: tuple[int, ...]
) -> dict[int, int] | None:
    """Find the jobs that must be late, from the first stop on; None: no way at all."""
    late: dict[int, int] = {}
    opened = view
    for count in range(len(view.cars[number].locked) + 1, len(sequence) + 1):
        if _goes(opened, number, sequence[:count]):
            continue
        job = sequence[count - 1]
        late[job] = LATEST_S
        opened = _with_open_ends(view, late)
        if not _goes(opened, number, sequence[:count]):
            return None
    return late


def _goes(view: View, number: int, sequence: tuple[int, ...]) -> bool:
    """Tell whether a sequence can be driven with its breaks by the quick rule."""
    slots = lazy_slots(view, number, sequence)
    return slots is not None and forward(view, number, sequence, slots) is not None


def _with_open_ends(view: View, ends_s: dict[int, int]) -> View:
    """Let the last window of some jobs end later: by this last start of each."""
    opened = copy(view)
    windows = list(view.windows)
    for job, last_s in ends_s.items():
        if windows[job]:
            *others, (first_s, end_s) = windows[job]
            windows[job] = (*others, (first_s, max(end_s, last_s)))
    opened.windows = tuple(windows)
    return opened


def _without_limits(view: View, number: int) -> View:
    """Let a car be as full and as long on the road as it comes."""
    opened = copy(view)
    cars = list(view.cars)
    car = cars[number]
    cars[number] = replace(
        car, closes_s=LATEST_S, spare=tuple(LATEST_S for _ in car.spare)
    )
    opened.cars = tuple(cars)
    return opened


def _without_breaks(view: View, number: int) -> View:
    opened = copy(view)
    cars = list(view.cars)
    cars[number] = replace(cars[number], rests=())
    opened.cars = tuple(cars)
    return opened


def _with_all_breaks(view: View, route: RouteState) -> RouteState:
    """Say of breaks that had to be dropped that they are not in the route."""
    missing = len(view.cars[route.number].rests) - len(route.times.slots)
    if not missing:
        return route
    route.times.slots = (AFTER_END,) * missing
    route.times.rests_s = [None] * missing
    route.times.slack_s = 0
    return route
