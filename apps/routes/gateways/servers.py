"""Servers of roads by `routingpy`: OSRM, Valhalla, openrouteservice.

Each speaks its own dialect and limits what one request may ask; here all are engines.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import routingpy
from routingpy.utils import decode_polyline6

from apps.core.units import Point, great_circle_m
from apps.routes.gateways import osrm_answers
from apps.routes.gateways.asking import ServerEngine
from apps.routes.gateways.base import (
    Entries,
    MatchedTrace,
    Provenance,
    RoadsFailed,
    RouteGeometry,
    SnappedPoint,
)
from apps.routes.gateways.http import Server
from apps.routes.gateways.osrm_answers import FAR_M


class OsrmServer(ServerEngine):
    """Any `osrm-routed`."""

    NAME, PROFILE, MAX_PAIRS, MAX_WAYPOINTS = "OSRM", "driving", 10_000, 100
    MAX_TRACE = 100

    def __init__(self, server: Server) -> None:
        """Take the server."""
        super().__init__(server, routingpy.OSRM)

    def _ask_version(self, point: Point) -> str:
        return str(self._get("nearest", [point]).get("data_version", ""))

    def _table(
        self, points: list[Point], sources: list[int], targets: list[int]
    ) -> tuple[Entries, Entries]:
        found = self._router.matrix(
            _lon_lat(points),
            profile=self._profile,
            sources=sources,
            destinations=targets,
        )
        return osrm_answers.table(found.raw, sources, targets)

    def _route(self, points: Sequence[Point]) -> RouteGeometry:
        found = self._router.directions(
            _lon_lat(points),
            profile=self._profile,
            steps=True,
            geometries="geojson",
            overview="full",
        )
        return osrm_answers.way(found.raw, self._origin())

    def _match(
        self, trace: Sequence[Point], times_s: Sequence[int] | None
    ) -> MatchedTrace:
        if len(trace) > self.MAX_TRACE:
            raise RoadsFailed(
                f"An OSRM server matches {self.MAX_TRACE} positions at most"
            )
        options = {
            "geometries": "geojson",
            "overview": "full",
            "radiuses": ";".join([f"{osrm_answers.GPS_RADIUS_M:g}"] * len(trace)),
        }
        if times_s is not None:
            options["timestamps"] = ";".join(map(str, times_s))
        return osrm_answers.trace(self._get("match", trace, options), self._origin())

    def _snap(self, point: Point) -> SnappedPoint:
        return osrm_answers.snapped(self._get("nearest", [point]), self._origin())

    def _get(
        self,
        service: str,
        points: Sequence[Point],
        options: dict[str, str] | None = None,
    ) -> Any:
        """Ask a service that routingpy does not know."""
        places = ";".join(f"{point.lon:.6f},{point.lat:.6f}" for point in points)
        return self._client._request(
            f"/{service}/v1/{self._profile}/{places}", get_params=options
        )


class ValhallaServer(ServerEngine):
    """Any `valhalla_service`."""

    NAME, PROFILE, MAX_PAIRS, MAX_WAYPOINTS = "Valhalla", "auto", 2500, 20

    def __init__(self, server: Server) -> None:
        """Take the server."""
        super().__init__(server, routingpy.Valhalla)

    def _ask_version(self, point: Point) -> str:
        said = self._client._request("/status")
        return f"{said.get('version', '')}-{said.get('tileset_last_modified', '')}"

    def _table(
        self, points: list[Point], sources: list[int], targets: list[int]
    ) -> tuple[Entries, Entries]:
        found = self._router.matrix(
            _lon_lat(points), self._profile, sources=sources, destinations=targets
        )
        cells = found.raw["sources_to_targets"]
        shape = (len(sources), len(targets))
        metres = [
            [None if cell["time"] is None else cell["distance"] * 1000 for cell in row]
            for row in cells
        ]
        seconds = [[cell["time"] for cell in row] for row in cells]
        return osrm_answers.entries(seconds, shape), osrm_answers.entries(metres, shape)

    def _route(self, points: Sequence[Point]) -> RouteGeometry:
        legs = self._router.directions(_lon_lat(points), self._profile).raw["trip"][
            "legs"
        ]
        return _way(
            [_decoded(leg["shape"]) for leg in legs],
            sum(leg["summary"]["time"] for leg in legs),
            1000 * sum(leg["summary"]["length"] for leg in legs),
            self._origin(),
        )

    def _match(
        self, trace: Sequence[Point], times_s: Sequence[int] | None
    ) -> MatchedTrace:
        shape = [{"lat": point.lat, "lon": point.lon} for point in trace]
        if times_s is not None:
            for position, time_s in zip(shape, times_s, strict=True):
                position["time"] = time_s
        asked = {"shape": shape, "costing": self._profile, "shape_match": "map_snap"}
        said = self._client._request("/trace_attributes", post_params=asked)
        origin = self._origin()
        ends = [edge.get("end_node", {}).get("elapsed_time") for edge in said["edges"]]
        return MatchedTrace(
            places=tuple(
                None
                if found["type"] == "unmatched"
                else Point(lat=found["lat"], lon=found["lon"])
                for found in said["matched_points"]
            ),
            pieces=(_decoded(said["shape"]),),
            duration_s=round(ends[-1] or 0) if ends else 0,
            distance_m=round(1000 * sum(edge["length"] for edge in said["edges"])),
            confidence=float(said.get("confidence_score", 0)),
            quality=origin.quality,
            source=origin.source,
            version=origin.version,
        )

    def _snap(self, point: Point) -> SnappedPoint:
        asked = {
            "locations": [{"lat": point.lat, "lon": point.lon}],
            "costing": self._profile,
        }
        [said] = self._client._request("/locate", post_params=asked)
        places = [
            Point(lat=edge["correlated_lat"], lon=edge["correlated_lon"])
            for edge in said["edges"] or ()
        ]
        return _nearest(point, places, "", self._origin())


class OpenRouteService(ServerEngine):
    """Any openrouteservice, the public one with a key too."""

    NAME, PROFILE, MAX_PAIRS, MAX_WAYPOINTS = (
        "openrouteservice",
        "driving-car",
        2500,
        50,
    )

    def __init__(self, server: Server) -> None:
        """Take the server."""
        super().__init__(server, routingpy.ORS, api_key=server.api_key)

    def _ask_version(self, point: Point) -> str:
        return ""  # it tells none before it is asked for a way

    def _table(
        self, points: list[Point], sources: list[int], targets: list[int]
    ) -> tuple[Entries, Entries]:
        said = self._router.matrix(
            _lon_lat(points),
            self._profile,
            sources=sources,
            destinations=targets,
            metrics=["duration", "distance"],
            units="m",
        ).raw
        shape = (len(sources), len(targets))
        return (
            osrm_answers.entries(said["durations"], shape),
            osrm_answers.entries(said["distances"], shape),
        )

    def _route(self, points: Sequence[Point]) -> RouteGeometry:
        said = self._router.directions(
            _lon_lat(points), self._profile, format="geojson"
        ).raw
        [feature] = said["features"]
        line = [
            osrm_answers.place(each[:2]) for each in feature["geometry"]["coordinates"]
        ]
        stops = feature["properties"]["way_points"]
        summary = feature["properties"]["summary"]
        return _way(
            [tuple(line[a : b + 1]) for a, b in pairwise(stops)],
            summary.get("duration", 0),
            summary.get("distance", 0),
            self._origin(),
        )

    def _match(
        self, trace: Sequence[Point], times_s: Sequence[int] | None
    ) -> MatchedTrace:
        raise RoadsFailed("openrouteservice lays no traces on roads")

    def _snap(self, point: Point) -> SnappedPoint:
        asked = {"locations": [[point.lon, point.lat]], "radius": int(FAR_M)}
        said = self._client._request(
            f"/v2/snap/{self._profile}/json", post_params=asked
        )
        [found] = said["locations"]
        places = [osrm_answers.place(found["location"])] if found else []
        street = found.get("name", "") if found else ""
        return _nearest(point, places, street, self._origin())


def _lon_lat(points: Sequence[Point]) -> list[list[float]]:
    return [[point.lon, point.lat] for point in points]


def _decoded(shape: str) -> tuple[Point, ...]:
    return tuple(osrm_answers.place(each) for each in decode_polyline6(shape))


def _way(
    legs: Sequence[Sequence[Point]],
    duration_s: float,
    distance_m: float,
    origin: Provenance,
) -> RouteGeometry:
    return RouteGeometry(
        legs=tuple(tuple(leg) for leg in legs),
        duration_s=round(duration_s),
        distance_m=round(distance_m),
        quality=origin.quality,
        source=origin.source,
        version=origin.version,
    )


def _nearest(
    point: Point, places: Sequence[Point], street: str, origin: Provenance
) -> SnappedPoint:
    if not places:
        raise RoadsFailed("No road is near")
    found = min(places, key=lambda place: great_circle_m(point, place))
    return SnappedPoint(
        point=found,
        distance_m=great_circle_m(point, found),
        street=street,
        quality=origin.quality,
        source=origin.source,
        version=origin.version,
    )
