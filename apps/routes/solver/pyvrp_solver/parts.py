"""A day split where no car may serve jobs of both sides.

Jobs that are all bound to vans fall apart into one small problem a van.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from apps.routes.solver.insertion import Arrays
    from apps.routes.solver.openings import Opening

    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """Cars and jobs that have nothing to do with those of other parts."""

    openings: tuple[Opening, ...]
    jobs: tuple[int, ...]


def find_parts(arrays: Arrays, openings: Sequence[Opening]) -> list[Part]:
    """Split the open cars and jobs, the largest part first.

    Jobs that no car may serve, and cars that may serve none, are in no part.
    """
    jobs = _open_jobs(arrays)
    able = arrays.may_serve[[one.number for one in openings]][:, jobs]
    left = able.any(axis=1)
    parts: list[Part] = []
    while left.any():
        cars: Flags = np.arange(len(openings)) == np.argmax(left)
        while True:
            mine: Flags = np.asarray(able[cars].any(axis=0))
            grown: Flags = np.asarray(able[:, mine].any(axis=1))
            if np.array_equal(grown, cars):
                break
            cars = grown
        left &= ~cars
        parts.append(
            Part(
                tuple(openings[car] for car in np.flatnonzero(cars).tolist()),
                tuple(jobs[job] for job in np.flatnonzero(mine).tolist()),
            )
        )
    return sorted(parts, key=lambda part: -len(part.jobs))


def _open_jobs(arrays: Arrays) -> list[int]:
    view = arrays.view
    return [job for job in range(len(view.jobs)) if job not in view.locked_by]
