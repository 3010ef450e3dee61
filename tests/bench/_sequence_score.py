"""How near a planned sequence is to the driven one: the score of the last-mile challenge.

`SD · ERP_norm / ERP_e` of Amazon's and MIT's routing challenge (Merchán and others 2022,
https://doi.org/10.1287/trsc.2022.1173): how far neighbours are torn apart, times the mean
travel time of an edit. 0 is the driven sequence itself; less is nearer. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of paired differences with its 95 % interval."""

    n: int
    mean: float
    low: float
    high: float


def sequence_deviation(driven: Sequence[int], planned: Sequence[int]) -> float:
    """Return how far planned neighbours lie apart in what was driven; 0: not at all."""
    place = {stop: number for number, stop in enumerate(driven)}
    along = [place[stop] for stop in planned]
    count = len(along)
    if count < 2:
        return 0.0
    torn = sum(abs(b - a) - 1 for a, b in pairwise(along))
    return 2.0 * torn / (count * (count - 1))


def edit_distance(
    driven: Sequence[int], planned: Sequence[int], times: Times
) -> tuple[float, int]:
    """Return the distance with real penalty, and how many edits it takes.

    To turn one stop into another costs the travel time between them, to add or to drop
    one that from the start, which is place 0 of `times`.
    """
    rows = [(0.0, 0)]
    for stop in planned:
        cost, edits = rows[-1]
        rows.append((cost + float(times[0, stop]), edits + 1))
    for one in driven:
        dropped = float(times[0, one])
        new = [(rows[0][0] + dropped, rows[0][1] + 1)]
        for at, other in enumerate(planned, start=1):
            same = one == other
            turned = 0.0 if same else float(times[one, other])
            new.append(
                min(
                    (rows[at - 1][0] + turned, rows[at - 1][1] + (not same)),
                    (rows[at][0] + dropped, rows[at][1] + 1),
                    (new[at - 1][0] + float(times[0, other]), new[at - 1][1] + 1),
                )
            )
        rows = new
    return rows[-1]


def score(driven: Sequence[int], planned: Sequence[int], times: Times) -> float:
    """Return the challenge's score of one route; stops are places of `times`.

    Raises:
        ValueError: they are not the same stops.
    """
    if sorted(driven) != sorted(planned):
        raise ValueError("a planned sequence has other stops than the driven one")
    spread = float(times.std())
    scaled = (times - times.mean()) / spread if spread else times * 0.0
    scaled -= scaled.min()
    distance, edits = edit_distance(driven, planned, scaled)
    if not edits:
        return 0.0
    return sequence_deviation(driven, planned) * distance / edits


def arcs_shared(driven: Sequence[int], planned: Sequence[int]) -> int:
    """Count the steps from stop to stop that both have."""
    return len({*pairwise(driven)} & {*pairwise(planned)})


def paired_difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """Return the mean of after less before, with its 95 % interval (normal)."""
    off = [b - a for a, b in zip(before, after, strict=True)]
    half = 1.96 * stdev(off) / math.sqrt(len(off)) if len(off) > 1 else math.inf
    mean = fmean(off)
    return Difference(len(off), mean, mean - half, mean + half)
