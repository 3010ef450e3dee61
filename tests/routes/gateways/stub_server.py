"""A server on loopback that speaks as OSRM, Valhalla and openrouteservice do.

Written by hand from their documentation. A road's metres are those of the great circle
times 1.5, and 10 are driven in a second; east of 20 degrees no way leads.
"""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from apps.core.units import Point, great_circle_m

ISLAND_LON = 20.0


class Stub(ThreadingHTTPServer):
    """Knows what it was asked; `statuses` are given before answers, `pause_s` waited."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.pause_s = 0.0
        self.body: bytes | None = None
        self.max_pairs = 10_000

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving() -> Iterator[Stub]:
    """Serve until the block ends."""
    stub = Stub()
    thread = threading.Thread(target=stub.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield stub
    finally:
        stub.shutdown()
        stub.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self._answer(json.loads(self.rfile.read(length)))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self, body: Any) -> None:
        stub = self.server
        parts = urlsplit(unquote(self.path))
        stub.asked.append((parts.path, body))
        stub.headers.append(dict(self.headers))
        if stub.pause_s:
            time.sleep(stub.pause_s)
        status, said = 200, stub.body
        if stub.statuses:
            status, said = stub.statuses.pop(0), b'{"message": "not now"}'
        elif said is None:
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, found = _said(stub, parts.path, query, body)
            said = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


def _said(stub: Stub, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
    kind, *rest = path.strip("/").split("/")
    if body is None and kind in {"table", "route", "nearest", "match"}:
        points = [Point(float(b), float(a)) for a, b in _pairs(rest[-1])]
        return _osrm(stub, kind, points, query)
    if kind == "v2":
        return _ors(stub, rest, body)
    return 200, _valhalla(kind, body)


def metres(a: Point, b: Point) -> float | None:
    """Return the road's length; None where no way leads."""
    if (a.lon > ISLAND_LON) != (b.lon > ISLAND_LON):
        return None
    return 1.5 * great_circle_m(a, b)


def _seconds(length_m: float | None) -> float | None:
    return None if length_m is None else length_m / 10


def _square(sources: list[Point], targets: list[Point]) -> list[list[float | None]]:
    return [[metres(a, b) for b in targets] for a in sources]


def _osrm(
    stub: Stub, kind: str, points: list[Point], query: dict[str, str]
) -> tuple[int, Any]:
    if kind == "table":
        sources = _chosen(points, query.get("sources"))
        targets = _chosen(points, query.get("destinations"))
        if len(sources) * len(targets) > stub.max_pairs or len(points) < 2:
            return 400, {"code": "TooBig", "message": "Too many table coordinates"}
        square = _square(sources, targets)
        return 200, {
            "code": "Ok",
            "durations": [[_seconds(cell) for cell in row] for row in square],
            "distances": square,
            "sources": [_waypoint(point) for point in sources],
            "destinations": [_waypoint(point) for point in targets],
            "data_version": "monday",
        }
    if kind == "nearest":
        return 200, {
            "code": "Ok",
            "waypoints": [{**_waypoint(points[0]), "name": "High Street"}],
            "data_version": "monday",
        }
    legs = [metres(a, b) for a, b in itertools.pairwise(points)]
    if None in legs:
        return 400, {"code": "NoRoute", "message": "Impossible route between points"}
    total = sum(leg or 0 for leg in legs)
    if kind == "match":
        return 200, {
            "code": "Ok",
            "matchings": [
                {
                    "confidence": 0.8,
                    "distance": total,
                    "duration": total / 10,
                    "geometry": _line(points),
                }
            ],
            "tracepoints": [None, *(_waypoint(point) for point in points[1:])],
        }
    ways = itertools.pairwise(points)
    return 200, {
        "code": "Ok",
        "waypoints": [_waypoint(point) for point in points],
        "routes": [
            {
                "distance": total,
                "duration": total / 10,
                "geometry": _line(points),
                "legs": [{"steps": [{"geometry": _line(list(way))}]} for way in ways],
            }
        ],
    }


def _ors(stub: Stub, rest: list[str], body: Any) -> tuple[int, Any]:
    points = [
        Point(lat, lon) for lon, lat in body.get("locations") or body["coordinates"]
    ]
    if rest[0] == "matrix":
        sources = [points[index] for index in body["sources"]]
        targets = [points[index] for index in body["destinations"]]
        if len(sources) * len(targets) > stub.max_pairs:
            return 400, {"error": {"code": 6004, "message": "Too many routes"}}
        square = _square(sources, targets)
        return 200, {
            "durations": [[_seconds(cell) for cell in row] for row in square],
            "distances": square,
        }
    if rest[0] == "snap":
        found = {"location": [points[0].lon, points[0].lat], "name": "High Street"}
        return 200, {"locations": [None if points[0].lon > ISLAND_LON else found]}
    total = sum(metres(a, b) or 0 for a, b in itertools.pairwise(points))
    return 200, {
        "features": [
            {
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[point.lon, point.lat, 312.0] for point in points],
                },
                "properties": {
                    "summary": {"duration": total / 10, "distance": total},
                    "way_points": list(range(len(points))),
                },
            }
        ]
    }


def _valhalla(kind: str, body: Any) -> Any:
    if kind == "status":
        return {"version": "3.5.1", "tileset_last_modified": 1_700_000_000}
    if kind == "sources_to_targets":
        square = _square(_places(body["sources"]), _places(body["targets"]))
        return {
            "sources_to_targets": [
                [
                    {
                        "time": _seconds(cell),
                        "distance": None if cell is None else round(cell / 1000, 3),
                    }
                    for cell in row
                ]
                for row in square
            ]
        }
    if kind == "locate":
        [place] = body["locations"]
        edge = {"correlated_lat": place["lat"], "correlated_lon": place["lon"] + 0.0001}
        far = {**edge, "correlated_lat": place["lat"] + 1}
        return [{"edges": None if place["lon"] > ISLAND_LON else [far, edge]}]
    if kind == "trace_attributes":
        points = _places(body["shape"])
        length = sum(metres(a, b) or 0 for a, b in itertools.pairwise(points))
        return {
            "shape": encoded(points),
            "confidence_score": 0.7,
            "edges": [
                {"length": length / 1000, "end_node": {"elapsed_time": length / 10}}
            ],
            "matched_points": [
                {"type": "unmatched", "lat": points[0].lat, "lon": points[0].lon},
                *({"type": "matched", "lat": p.lat, "lon": p.lon} for p in points[1:]),
            ],
        }
    points = _places(body["locations"])
    return {
        "trip": {
            "legs": [
                {
                    "shape": encoded([a, b]),
                    "summary": {
                        "time": (metres(a, b) or 0) / 10,
                        "length": (metres(a, b) or 0) / 1000,
                    },
                }
                for a, b in itertools.pairwise(points)
            ]
        }
    }


def encoded(points: list[Point]) -> str:
    """Return a line as Valhalla writes it: Google's polyline, in millionths."""
    text, last = "", (0, 0)
    for point in points:
        here = (round(point.lat * 1e6), round(point.lon * 1e6))
        for old, new in zip(last, here, strict=True):
            step = new - old
            rest = ~(step << 1) if step < 0 else step << 1
            while rest >= 0x20:
                text += chr((0x20 | (rest & 0x1F)) + 63)
                rest >>= 5
            text += chr(rest + 63)
        last = here
    return text


def _places(given: list[dict[str, float]]) -> list[Point]:
    return [Point(place["lat"], place["lon"]) for place in given]


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(a, b) for a, b in (pair.split(",") for pair in text.split(";"))]


def _chosen(points: list[Point], text: str | None) -> list[Point]:
    return [points[int(word)] for word in text.split(";")] if text else points


def _line(points: list[Point]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [[p.lon, p.lat] for p in points]}


def _waypoint(point: Point) -> dict[str, Any]:
    return {"location": [point.lon, point.lat], "distance": 3.0, "name": "Lane"}
