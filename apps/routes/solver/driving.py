"""Routes driven without each of their stops, all cases at once: earliest on, latest back.

An array's axes are the stop that is driven past, the route, and the stop that has left.
With one window a stop, waiting is a running maximum, so that no loop is needed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from apps.routes.solver.routestate import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]


def begin(arrive_s: Integers, firsts_s: Integers, lasts_s: Integers) -> Integers:
    """Say when services begin; windows by column first, of one at least."""
    if len(firsts_s) == 1:
        begun_s: Integers = np.maximum(arrive_s, firsts_s[0])
        return begun_s
    begin_s = np.full_like(arrive_s, NEVER)
    for first_s, last_s in zip(firsts_s[::-1], lasts_s[::-1], strict=True):
        begin_s = np.where(arrive_s <= last_s, np.maximum(arrive_s, first_s), begin_s)
    return begin_s


def earliest_on(
    ready_s: Integers,
    hops_s: Integers,
    services_s: Integers,
    firsts_s: Integers,
    lasts_s: Integers,
) -> Integers:
    """Say when a car is ready to leave for each stop, and for the end.

    `ready_s` is when it leaves for the first one, by route; `hops_s` are the ways to the
    stops (and to the end). Windows stand column by column. Lateness is not looked at.
    """
    depth, count, cases = services_s.shape
    earliest_s = np.empty((depth + 1, count, cases), dtype=np.int64)
    earliest_s[0] = ready_s
    if len(firsts_s) > 1:
        for stop, (here_s, there_s) in enumerate(pairwise(earliest_s)):
            np.add(here_s, hops_s[stop], out=there_s)
            begin_s = begin(there_s, firsts_s[:, stop], lasts_s[:, stop])
            np.add(begin_s, services_s[stop], out=there_s)
        return earliest_s
    # Without windows it is there after `busy_s`; each opening may push that back.
    busy_s = np.cumsum(hops_s[:depth] + services_s, axis=0)
    np.subtract(firsts_s[0] + services_s, busy_s, out=earliest_s[1:])
    np.maximum.accumulate(earliest_s, axis=0, out=earliest_s)
    earliest_s[1:] += busy_s
    return earliest_s


def latest_back(
    closes_s: Integers, backs_s: Integers, firsts_s: Integers, lasts_s: Integers
) -> Integers:
    """Say how late a car may arrive at each stop, and at the end.

    `closes_s` is how late it may end, by route; `backs_s` are the service at a stop and
    the way on. Far below zero where there is no time at all.
    """
    depth = len(backs_s)
    last_s = np.empty((depth + 1, *backs_s.shape[1:]), dtype=np.int64)
    last_s[depth] = closes_s
    if len(firsts_s) > 1:
        for stop in range(depth - 1, -1, -1):
            bound_s = last_s[stop + 1] - backs_s[stop]
            found_s = last_s[stop]
            found_s.fill(-NEVER)
            for first_s, until_s in zip(firsts_s, lasts_s, strict=True):
                np.minimum(
                    bound_s, until_s[stop], out=found_s, where=first_s[stop] <= bound_s
                )
        return last_s
    # Counted from the end, each closing may bring it forward.
    backwards = last_s[::-1]
    busy_s = np.cumsum(backs_s[::-1], axis=0)
    np.add(lasts_s[0][::-1], busy_s, out=backwards[1:])
    np.minimum.accumulate(backwards, axis=0, out=backwards)
    backwards[1:] -= busy_s
    is_late = firsts_s[0] > last_s[1:] - backs_s
    if is_late.any():
        back = np.logical_or.accumulate(is_late[::-1], axis=0)
        backwards[1:][back] = -NEVER
    return last_s
