"""Which source of travel times the settings ask for.

Engines are kept by the process: they hold networks, connections, or a child.
"""

import atexit
import functools
from pathlib import Path

from django.conf import settings

from apps.routes.gateways.base import ESTIMATED, RoadEngine, TravelTimes
from apps.routes.gateways.cache import MatrixCache
from apps.routes.gateways.estimated import EstimatedTravelTimes, EstimateParameters
from apps.routes.gateways.fallback import Patience, WithFallback
from apps.routes.gateways.http import Server
from apps.routes.gateways.interpreter import python_with_osrm
from apps.routes.gateways.osrm_local import OsrmLocal
from apps.routes.gateways.osrm_process import OsrmProcess
from apps.routes.gateways.roads import RoadTravelTimes
from apps.routes.parameters import Parameters

LOCAL = "local"
CACHE_NAME = "matrices.sqlite3"
MEGABYTE = 1_000_000


def knows_roads() -> bool:
    """Tell whether the settings ask for a road network."""
    return bool(settings.ROADS_SOURCE != ESTIMATED)


def travel_times(parameters: Parameters) -> TravelTimes:
    """Return the source that the settings ask for, with a depot's own factors."""
    law = EstimateParameters(
        c_s=parameters.travel_c_s,
        p=parameters.travel_p,
        by_hour=parameters.travel_by_hour,
    )
    estimated = EstimatedTravelTimes(law)
    if not knows_roads():
        return estimated
    roads = RoadTravelTimes(
        road_engine(),
        cache=matrix_cache(),
        factor=parameters.roads_factor,
        hour_factor=estimated.hour_factor,
    )
    return WithFallback(roads, estimated, _patience(settings.ROADS_SOURCE))


def road_engine() -> RoadEngine:
    """Return the engine that the settings name; asked for the first time, it is made."""
    if settings.ROADS_SOURCE == LOCAL:
        return _local(
            settings.ROADS_DIR,
            settings.ROADS_NETWORK,
            python_with_osrm(settings.ROADS_PYTHON, settings.ROADS_DIR) or "",
            settings.ROADS_TIMEOUT_S,
        )
    server = Server(
        url=settings.ROADS_URL,
        profile=settings.ROADS_PROFILE,
        api_key=settings.ROADS_API_KEY,
        timeout_s=settings.ROADS_TIMEOUT_S,
        max_pairs=settings.ROADS_MAX_PAIRS,
    )
    return _server(settings.ROADS_SOURCE, server)


def roads_if_any() -> RoadEngine | None:
    """Return the engine, for what only roads can tell; None where none is asked for."""
    return road_engine() if knows_roads() else None


def matrix_cache() -> MatrixCache | None:
    """Return the cache of this machine; None where the settings want none."""
    if not settings.ROADS_CACHE_MB:
        return None
    path = settings.ROADS_DIR / CACHE_NAME
    return MatrixCache(path, most_bytes=settings.ROADS_CACHE_MB * MEGABYTE)


@functools.cache
def _local(root: Path, name: str, python: str, timeout_s: float) -> RoadEngine:
    """Return OSRM in this process, or in one with another interpreter.

    Where no interpreter has the wheel it fails when it is asked, and says what to do.
    """
    if not python:
        return OsrmLocal(root, name)
    engine = OsrmProcess(python, root, name, timeout_s=timeout_s)
    atexit.register(engine.close)
    return engine


@functools.cache
def _server(source: str, server: Server) -> RoadEngine:
    # routingpy takes a third of a second to load, and few ask a server.
    from apps.routes.gateways import servers  # noqa: PLC0415

    match source:
        case "osrm":
            return servers.OsrmServer(server)
        case "valhalla":
            return servers.ValhallaServer(server)
        case _:
            return servers.OpenRouteService(server)


@functools.cache
def _patience(source: str) -> Patience:
    return Patience()
