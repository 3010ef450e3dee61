"""What the application and its OSRM process say to each other over pipes. Pure.

A message is two lengths (four bytes each), JSON, and raw bytes for tables.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import IO, Any

import numpy as np

from apps.core.units import Point
from apps.routes.gateways.base import (
    Entries,
    MatchedTrace,
    RouteGeometry,
    SnappedPoint,
)

LENGTHS = struct.Struct("<II")


def send(stream: IO[bytes], said: Mapping[str, Any], body: bytes = b"") -> None:
    """Write a message."""
    head = json.dumps(said).encode()
    stream.write(LENGTHS.pack(len(head), len(body)) + head)
    stream.write(body)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Read a message.

    Raises:
        EOFError: the other side has gone.
    """
    head, body = LENGTHS.unpack(_exactly(stream, LENGTHS.size))
    return json.loads(_exactly(stream, head)), _exactly(stream, body)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise EOFError("The other side has gone.")
    return found


def pack_table(durations_s: Entries, distances_m: Entries) -> tuple[list[int], bytes]:
    """Return the shape and the bytes of a table."""
    body = durations_s.astype("<i4").tobytes() + distances_m.astype("<i4").tobytes()
    return list(durations_s.shape), body


def bytes_of_table(shape: list[int]) -> int:
    """Return the number of bytes of `pack_table`: four for each of two numbers a pair."""
    return 8 * shape[0] * shape[1]


def unpack_table(shape: list[int], body: bytes) -> tuple[Entries, Entries]:
    """Return durations and distances of `pack_table`."""
    both = np.frombuffer(body, dtype="<i4").astype(np.int32).reshape(2, *shape)
    return both[0], both[1]


def pack(answer: Any) -> dict[str, Any]:
    """Return a way, a matched trace or a snapped point as JSON has it."""
    return asdict(answer)


def unpack_way(said: Mapping[str, Any]) -> RouteGeometry:
    """Return the way of `pack`."""
    return RouteGeometry(**{**said, "legs": _lines(said["legs"])})


def unpack_trace(said: Mapping[str, Any]) -> MatchedTrace:
    """Return the matched trace of `pack`."""
    places = tuple(None if each is None else Point(**each) for each in said["places"])
    pieces = _lines(said["pieces"])
    return MatchedTrace(**{**said, "places": places, "pieces": pieces})


def unpack_snapped(said: Mapping[str, Any]) -> SnappedPoint:
    """Return the snapped point of `pack`."""
    return SnappedPoint(**{**said, "point": Point(**said["point"])})


def _lines(lines: list[list[dict[str, float]]]) -> tuple[tuple[Point, ...], ...]:
    return tuple(tuple(Point(**point) for point in line) for line in lines)
