"""A large table in two halves at once, where there are two cores: a fork makes one.

OSRM's wheel holds the interpreter while it searches, so that threads would only take
turns. For the process beside the application's, which has one thread, and answers one
question at a time.
"""

import os
from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from apps.core.units import Point
from apps.routes.gateways import osrm_wire
from apps.routes.gateways.base import Entries, RoadEngine

LARGE = 250_000
"""Pairs from which on halves pay: each half looks for all targets, some 0.1 s."""


def table(
    engine: RoadEngine,
    points: Sequence[Point],
    sources: Sequence[int],
    targets: Sequence[int],
) -> tuple[Entries, Entries]:
    """Return durations and distances of a rectangle of the matrix."""
    if len(sources) * len(targets) < LARGE or _cores() == 1:
        return engine.table(points, sources, targets)
    upper, lower = sources[: len(sources) // 2], sources[len(sources) // 2 :]
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        _send(engine, points, lower, targets, writes)
    os.close(writes)
    try:
        with open(reads, "rb") as pipe:
            above = engine.table(points, upper, targets)
            body = pipe.read()
    finally:
        os.waitpid(pid, 0)
    shape = [len(lower), len(targets)]
    if len(body) == osrm_wire.bytes_of_table(shape):
        below = osrm_wire.unpack_table(shape, body)
    else:  # the fork has died, or has failed: then this says why
        below = engine.table(points, lower, targets)
    durations_s, distances_m = map(np.concatenate, zip(above, below, strict=True))
    return durations_s, distances_m


def _cores() -> int:
    """Return how many cores this process may use; 1 where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _send(
    engine: RoadEngine,
    points: Sequence[Point],
    sources: Sequence[int],
    targets: Sequence[int],
    end: int,
) -> NoReturn:
    """Make a table, write its bytes, and end this process."""
    try:
        _, body = osrm_wire.pack_table(*engine.table(points, sources, targets))
        with open(end, "wb") as pipe:
            pipe.write(body)
    finally:
        os._exit(0)
