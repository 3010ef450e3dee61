"""`bench matrix`: travel between many places, by the estimate and by OSRM's network.

Beside the estimate, in the same run, its peer: the same law pair by pair, by `geopy`. OSRM
answers where this machine has its wheel and a network (`manage.py build_roads FILE`);
the places then lie within the network. No cache of matrices takes part.

On a machine that others use too, a table takes what it computes and what it waits for a
core: `osrm_processor_s` is the one, with both halves of a table that is made in halves,
`osrm_waited_s` the other, by Linux's own count. `--cores 1` binds all of it to one core.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from django.conf import settings
from geopy.distance import geodesic

from apps.core.units import Point
from apps.routes.gateways.base import RoadEngine, RoadsFailed
from apps.routes.gateways.estimated import EstimatedTravelTimes, EstimateParameters
from apps.routes.gateways.interpreter import python_with_osrm
from apps.routes.gateways.networks import Bounds, Network, names_in, read_network
from apps.routes.gateways.osrm_local import OsrmLocal
from apps.routes.gateways.osrm_process import OsrmProcess
from apps.routes.solver.problem import UNREACHABLE
from tests.bench._family import spent_s

TOWN = Bounds(south=49.45, west=11.18, north=49.58, east=11.40)
PEER_PLACES = 60
"""The peer's time is that of so many places, by the square of their number."""


def main(argv: list[str]) -> dict[str, Any]:
    """Make matrices of `--places`; return the median and the worst of `--times`."""
    parser = argparse.ArgumentParser(prog="bench matrix")
    parser.add_argument("--places", type=int, default=1000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--cores", type=int, help="Default: all that there are.")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(argv)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.cores])
    points = places_in(TOWN, given.places, given.seed)
    source = EstimatedTravelTimes()
    started = time.process_time()
    source.matrix(points)
    own_ms = 1000 * (time.process_time() - started)
    taken_ms = timed_ms(lambda: source.matrix(points), given.times)
    figures: dict[str, Any] = {
        "places": given.places,
        "times": given.times,
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "estimate_ms": round(statistics.median(taken_ms), 1),
        "estimate_worst_ms": round(max(taken_ms), 1),
        # Of one core's own time, whatever else the machine does.
        "estimate_processor_ms": round(own_ms, 1),
    }
    few = points[: min(PEER_PLACES, len(points))]
    (peer_ms,) = timed_ms(lambda: pair_by_pair(few), 1)
    scale = (given.places / max(1, len(few))) ** 2
    figures["peer_pair_by_pair_ms"] = round(peer_ms * scale, 1)
    figures |= osrm_figures(given.places, given.times, given.seed)
    sys.stderr.writelines(f"{name}: {value}\n" for name, value in figures.items())
    return figures


def places_in(bounds: Bounds, count: int, seed: int) -> list[Point]:
    """Draw places within a rectangle, a tenth of it kept free on every side."""
    chance = Random(seed)  # noqa: S311  repeatable places
    high, wide = bounds.north - bounds.south, bounds.east - bounds.west
    return [
        Point(
            round(bounds.south + high * chance.uniform(0.1, 0.9), 6),
            round(bounds.west + wide * chance.uniform(0.1, 0.9), 6),
        )
        for _ in range(count)
    ]


def timed_ms(act: Callable[[], object], times: int) -> list[float]:
    """Do something so often, and return the milliseconds that each time took."""
    taken = []
    for _ in range(max(1, times)):
        started = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - started))
    return taken


def pair_by_pair(points: Sequence[Point]) -> list[list[int]]:
    """Make the estimate's durations as one would without arrays."""
    law = EstimateParameters()
    return [
        [
            round(
                law.c_s
                * (geodesic((a.lat, a.lon), (b.lat, b.lon)).km if a != b else 0.0)
                ** law.p
            )
            for b in points
        ]
        for a in points
    ]


def osrm_figures(places: int, times: int, seed: int) -> dict[str, Any]:
    """Time OSRM's table: the first one with its network opened, and the next ones."""
    try:
        engine, network, how = osrm_here()
        points = places_in(network.bounds, places, seed)
        every = range(len(points))
        started = time.perf_counter()
        durations_s, _ = engine.table(points, every, every)
        first_s = time.perf_counter() - started
    except RoadsFailed as error:
        return {"osrm_s": None, "osrm_why": str(error)}
    before_s, waited_before_s = spent_s()
    taken_ms = timed_ms(lambda: engine.table(points, every, every), times)
    used_s, waited_s = spent_s()
    return {
        "osrm_s": round(statistics.median(taken_ms) / 1000, 3),
        "osrm_worst_s": round(max(taken_ms) / 1000, 3),
        "osrm_processor_s": round((used_s - before_s) / len(taken_ms), 3),
        "osrm_waited_s": round((waited_s - waited_before_s) / len(taken_ms), 3),
        "osrm_first_s": round(first_s, 3),
        "osrm_how": how,
        "osrm_network": network.name,
        "osrm_unreachable_share": round(float((durations_s >= UNREACHABLE).mean()), 4),
    }


def osrm_here() -> tuple[RoadEngine, Network, str]:
    """Return OSRM over this machine's first network, and how it is asked.

    Raises:
        RoadsFailed: there is no network, or no interpreter has the wheel.
    """
    names = names_in(settings.ROADS_DIR)
    if not names:
        raise RoadsFailed("no network: python3 manage.py build_roads FILE.osm.pbf")
    name = settings.ROADS_NETWORK or names[0]
    network = read_network(settings.ROADS_DIR, name)
    python = python_with_osrm(settings.ROADS_PYTHON, settings.ROADS_DIR)
    if python is None:
        raise RoadsFailed("no interpreter of Python 3.12 or later has OSRM's wheel")
    if python:
        timeout_s = settings.ROADS_TIMEOUT_S
        engine = OsrmProcess(python, settings.ROADS_DIR, name, timeout_s=timeout_s)
        return engine, network, "in a process with another interpreter"
    return OsrmLocal(settings.ROADS_DIR, name), network, "in this process"
