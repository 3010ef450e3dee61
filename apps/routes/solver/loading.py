"""What a route under construction has on board, for problems with trips or shipments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.view import View

    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Loads:
    """Loads along a sequence, one row a leg (leg k leads to stop k, the last to the end).

    `aboard` is the load on each leg by dimension; `trips` the trip of each leg; `room`
    what each leg's whole trip could take more of for its whole length.
    """

    aboard: Integers
    trips: Integers
    room: Integers


def find_loads(view: View, number: int, sequence: Sequence[int]) -> Loads | None:
    """Weigh a sequence leg by leg, or None where it cannot be carried.

    It cannot where a trip is too heavy, a reload pointless or one too many, a delivery
    comes before its pickup, or one of the two is missing.
    """
    if not _is_in_order(view, number, sequence):
        return None
    car = view.cars[number]
    width = len(car.spare)
    demands = _demands(view, sequence, width)
    aboard = np.zeros((len(sequence) + 1, width), dtype=np.int64)
    trips = np.zeros(len(sequence) + 1, dtype=np.int64)
    for leg, stop in enumerate(sequence):
        trips[leg + 1] = trips[leg] + (stop >= view.job_count)
    _ship(view, sequence, demands, aboard)
    room = np.empty_like(aboard)
    spare = np.array(car.spare, dtype=np.int64)
    for trip in range(int(trips[-1]) + 1):
        legs = np.flatnonzero(trips == trip)
        first, last = int(legs[0]), int(legs[-1])
        steady = demands[first:last].sum(axis=0)
        aboard[legs] += steady
        room[legs] = spare - aboard[legs].max(axis=0)
        only_committed = last <= len(car.locked)
        if not only_committed and (room[first] < 0).any():
            return None
    return Loads(aboard, trips, room)


def _demands(view: View, sequence: Sequence[int], width: int) -> Integers:
    """Give what each stop adds to its whole trip: nothing where it is shipped."""
    demands = np.zeros((len(sequence), width), dtype=np.int64)
    for leg, stop in enumerate(sequence):
        shipped = stop in view.delivery_of or stop in view.pickup_of
        if stop < view.job_count and not shipped:
            demands[leg] = view.jobs[stop].demands
    return demands


def _ship(
    view: View, sequence: Sequence[int], demands: Integers, aboard: Integers
) -> None:
    """Add what is shipped to the legs between its pickup and its delivery."""
    if not view.delivery_of:
        return
    at = {stop: leg for leg, stop in enumerate(sequence) if stop < view.job_count}
    for stop, leg in at.items():
        delivery = view.delivery_of.get(stop)
        if delivery is not None:
            last = at.get(delivery, len(sequence))
            shipped = np.array(view.jobs[stop].demands, dtype=np.int64)
            aboard[leg + 1 : last + 1] += shipped


def _is_in_order(view: View, number: int, sequence: Sequence[int]) -> bool:
    """Say whether reloads and shipments stand where they may."""
    car = view.cars[number]
    reloads = [leg for leg, stop in enumerate(sequence) if stop >= view.job_count]
    if len(reloads) > car.vehicle.max_reloads:
        return False
    for leg in reloads:
        after = sequence[leg + 1] if leg + 1 < len(sequence) else view.job_count
        if leg < len(car.locked) or after >= view.job_count:
            return False
        if sequence[leg] not in car.reloads:
            return False
    seen: set[int] = set()
    for stop in sequence:
        pickup = view.pickup_of.get(stop)
        if pickup is not None and pickup not in seen:
            return False
        seen.add(stop)
    return all(
        view.delivery_of[stop] in seen or stop in view.locked_by
        for stop in seen
        if stop in view.delivery_of
    )
