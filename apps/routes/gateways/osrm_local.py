"""OSRM in this process, by its own wheel, over networks that `build_roads` made.

The wheel wants Python 3.12 or later, and nothing of Django is needed here: this file runs
in the application's interpreter or in one beside it (`osrm_worker`). Files are mapped,
not read: all processes of a machine share one copy of a network.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from apps.core.units import Point
from apps.routes.gateways import osrm_answers
from apps.routes.gateways.base import (
    ROADS,
    Entries,
    MatchedTrace,
    Provenance,
    RoadsFailed,
    RouteGeometry,
    SnappedPoint,
    check_trace,
    check_way,
)
from apps.routes.gateways.networks import Network, network_for

KEPT_OPEN = 4
"""Networks that stay open at a time; the one opened first goes first."""


class OsrmLocal:
    """Answers of the networks in a directory; a new version is taken over as it comes."""

    def __init__(self, root: Path, name: str = "") -> None:
        """Take the directory of networks, and the network's name where it is fixed."""
        self._root = root
        self._name = name
        self._open: dict[tuple[str, str], Any] = {}

    def provenance(self, points: Sequence[Point]) -> Provenance:
        """Say which network answers, in which version."""
        return _provenance(network_for(self._root, self._name, points))

    def table(
        self, points: Sequence[Point], sources: Sequence[int], targets: Sequence[int]
    ) -> tuple[Entries, Entries]:
        """Return durations and distances of a rectangle of the matrix."""
        osrm, engine, _ = self._engine(points)
        every = list(range(len(points)))
        parameters = osrm.TableParameters(
            coordinates=_coordinates(points),
            sources=[] if list(sources) == every else list(sources),
            destinations=[] if list(targets) == every else list(targets),
            annotations=["duration", "distance"],
            generate_hints=False,
        )
        answer = _ask(engine.Table, parameters)
        return osrm_answers.table(answer, sources, targets)

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        """Return the way through the points, along the roads."""
        check_way(points)
        osrm, engine, network = self._engine(points)
        parameters = osrm.RouteParameters(
            coordinates=_coordinates(points),
            steps=True,
            geometries="geojson",
            overview="false",
            generate_hints=False,
        )
        answer = _plain(_ask(engine.Route, parameters))
        return osrm_answers.way(answer, _provenance(network))

    def match(
        self, trace: Sequence[Point], *, times_s: Sequence[int] | None = None
    ) -> MatchedTrace:
        """Lay a trace of positions on the roads."""
        check_trace(trace, times_s)
        osrm, engine, network = self._engine(trace)
        parameters = osrm.MatchParameters(
            coordinates=_coordinates(trace),
            timestamps=list(times_s or []),
            radiuses=[osrm_answers.GPS_RADIUS_M] * len(trace),
            geometries="geojson",
            overview="full",
            generate_hints=False,
        )
        answer = _plain(_ask(engine.Match, parameters))
        return osrm_answers.trace(answer, _provenance(network))

    def snap(self, point: Point) -> SnappedPoint:
        """Return the nearest place on a road."""
        osrm, engine, network = self._engine([point])
        parameters = osrm.NearestParameters(
            coordinates=_coordinates([point]), generate_hints=False
        )
        answer = _plain(_ask(engine.Nearest, parameters))
        return osrm_answers.snapped(answer, _provenance(network))

    def close(self) -> None:
        """Close the networks."""
        self._open.clear()

    def _engine(self, points: Sequence[Point]) -> tuple[Any, Any, Network]:
        """Return the wheel, its engine over the right network, and that network.

        A version may be replaced and cleared away between the look and the opening;
        then the next look finds the newer one.
        """
        osrm = load()
        for last in (False, True):
            network = network_for(self._root, self._name, points)
            key = (network.name, network.version)
            if key not in self._open:
                try:
                    opened = _open(osrm, network.opened_from(self._root))
                except RuntimeError as error:
                    if last:
                        raise RoadsFailed(f"OSRM cannot open it: {error}") from error
                    continue
                while len(self._open) >= KEPT_OPEN:
                    self._open.pop(next(iter(self._open)))
                self._open = {
                    **{k: v for k, v in self._open.items() if k[0] != network.name},
                    key: opened,
                }
            return osrm, self._open[key], network
        raise AssertionError("unreachable: the second look returns or raises")


def load() -> Any:
    """Return OSRM's wheel.

    Raises:
        RoadsFailed: it is not installed in this interpreter.
    """
    try:
        import osrm  # noqa: PLC0415  there is none before Python 3.12
    except ImportError as error:
        raise RoadsFailed(
            "OSRM's wheel is not installed: it needs Python 3.12 or later (run there,"
            " or let ROADS_PYTHON name an interpreter that has it)"
        ) from error
    return osrm


def _open(osrm: Any, path: Path) -> Any:
    return osrm.OSRM(
        storage_config=str(path),
        algorithm="MLD",
        use_shared_memory=False,
        use_mmap=True,
    )


def _provenance(network: Network) -> Provenance:
    return Provenance(
        quality=ROADS,
        source=f"OSRM, {network.name} by {network.profile}",
        version=network.version,
    )


def _coordinates(points: Sequence[Point]) -> list[tuple[float, float]]:
    return [(point.lon, point.lat) for point in points]


def _ask(service: Callable[[Any], Any], parameters: Any) -> Any:
    try:
        return service(parameters)
    except RuntimeError as error:
        raise RoadsFailed(f"OSRM says: {error}") from error


def _plain(answer: Any) -> Any:
    """Return one of OSRM's own objects as dicts and lists."""
    kind = type(answer).__name__
    if kind == "Object":
        return {key: _plain(answer[key]) for key in answer}
    if kind == "Array":
        return [_plain(item) for item in answer]
    return answer
