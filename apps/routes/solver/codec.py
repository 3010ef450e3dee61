"""Problems and solutions as canonical JSON: equal values give equal bytes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from math import isqrt
from typing import Any

import msgspec
import numpy as np

from apps.routes.solver.port import Stop  # noqa: TC001 (the decoder reads it)
from apps.routes.solver.problem import Entries, Problem
from apps.routes.solver.solution import Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveRequest:
    """All that a solve depends on, as it crosses to another process."""

    problem: Problem
    engine: str
    stop: Stop
    seed: int
    warm_start: Solution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRequest:
    """The solve of one part; `locations` are its places, numbered in the whole day."""

    locations: tuple[int, ...]
    request: SolveRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRequest:
    """All that the plan of a day depends on that was made in parts.

    The `whole` has no matrices. Of several `pieces` with the same vehicle the last one
    counts. `leftovers` are what reasons of jobs left out are found by, on the whole
    fleet. `stop` is what each piece was given at the most.
    """

    whole: Problem
    pieces: tuple[PieceRequest, ...]
    leftovers: tuple[Problem, ...]
    engine: str
    seed: int
    stop: Stop


@dataclass(frozen=True, slots=True)
class _Nothing:
    """An object of which nothing is read."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What tells the requests apart: only a split one has pieces."""

    pieces: tuple[_Nothing, ...] = ()


def encode_problem(problem: Problem) -> bytes:
    """Write a problem as JSON with sorted keys."""
    return _encode(problem)


def decode_problem(data: bytes) -> Problem:
    """Read what `encode_problem` wrote.

    Raises:
        ValueError: the data is not a problem.
    """
    return msgspec.json.decode(data, type=Problem, dec_hook=_read_entries)


def encode_solution(solution: Solution) -> bytes:
    """Write a solution as JSON with sorted keys.

    What came later is written only where there is something of it: what was answered
    before is written as it was then, byte for byte.
    """
    plain = _encode(solution).replace(b',"zone_order_milli":0}', b"}")
    return plain.replace(b'"expected":null,', b"")


def decode_solution(data: bytes) -> Solution:
    """Read what `encode_solution` wrote.

    Raises:
        ValueError: the data is not a solution.
    """
    return msgspec.json.decode(data, type=Solution)


def encode_request(request: SolveRequest | SplitRequest) -> bytes:
    """Write a request as JSON with sorted keys."""
    return _encode(request)


def decode_request(data: bytes) -> SolveRequest:
    """Read what `encode_request` wrote.

    Raises:
        ValueError: the data is not a request.
    """
    return msgspec.json.decode(data, type=SolveRequest, dec_hook=_read_entries)


def decode_inputs(data: bytes) -> SolveRequest | SplitRequest:
    """Read what `encode_request` wrote, of whichever kind.

    Raises:
        ValueError: the data is no request.
    """
    shape = msgspec.json.decode(data, type=_Shape)
    if not shape.pieces:
        return decode_request(data)
    return msgspec.json.decode(data, type=SplitRequest, dec_hook=_read_entries)


def inputs_hash(
    problem: Problem,
    *,
    stop: Stop,
    seed: int,
    engine: str,
    warm_start: Solution | None = None,
) -> str:
    """Name the inputs of a solve by the SHA-256 (hex) of their canonical form."""
    request = SolveRequest(
        problem=problem, engine=engine, stop=stop, seed=seed, warm_start=warm_start
    )
    return sha256(encode_request(request)).hexdigest()


def _encode(value: object) -> bytes:
    return msgspec.json.encode(value, order="sorted", enc_hook=_write_entries)


def _write_entries(value: Any) -> dict[str, str]:
    """Write a square array as base64 of its rows: 16 bits an entry where they fit."""
    if not isinstance(value, np.ndarray):
        raise NotImplementedError(f"A {type(value).__name__} has no form as JSON.")
    fits = not value.size or (value.min() >= 0 and value.max() < 1 << 16)
    layout = "<u2" if fits else "<i4"
    return {
        "layout": layout,
        "rows": b64encode(value.astype(layout).tobytes()).decode(),
    }


def _read_entries(wanted: Any, value: Any) -> Entries:
    """Read what `_write_entries` wrote."""
    del wanted
    if not isinstance(value, dict) or value.get("layout") not in {"<u2", "<i4"}:
        raise ValueError("entries are an object with a layout and rows")
    flat = np.frombuffer(b64decode(value["rows"], validate=True), dtype=value["layout"])
    side = isqrt(flat.size)
    return flat.astype(np.int32).reshape(side, side)
