"""What handhelds send, and how fast it is answered: bare sockets, a thread a client."""

import gzip
import itertools
import json
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

SYNC = "/api/sync/v1"
SEED = 7
FIXES = 8 * 3600 // 5
"""Fixes of eight hours, one every five seconds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How often a second something was done, and how long one took."""

    rate: float
    p95_ms: float
    answers: list[bytes]


def batches_of(
    driver: dict[str, Any], first_seq: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of 25 events: seven stops from approach to outcome, and four notes."""
    chance = random.Random(driver["driver_id"])  # noqa: S311  repeatable
    seq = itertools.count(first_seq)
    stops = driver["stops"]
    for begin in range(0, len(stops) - 6, 7):
        seven = [stop_id for stop_id, _ in stops[begin : begin + 7]]
        events: list[tuple[str, str, dict[str, Any]]] = []
        for place, stop_id in enumerate(seven):
            events.append(("stop.enroute", stop_id, {}))
            events.append(("stop.arrived", stop_id, {"lat": 49.51, "lon": 11.28}))
            if place < 4:
                note = {"note": "Behind the house, second bell."}
                events.append(("stop.note", stop_id, note))
            events.append(_outcome(place, stop_id, chance))
        yield [_event(driver, next(seq), *event) for event in events]


def _outcome(place: int, stop_id: str, chance: random.Random) -> Any:
    if place == 5:
        return ("stop.failed", stop_id, {"reason": "not_home"})
    proof = {
        "attachment_id": f"p{chance.getrandbits(120):030x}",
        "sha256": f"{chance.getrandbits(256):064x}",
        "bytes": 480_000,
        "media_type": "image/jpeg",
    }
    return ("stop.succeeded", stop_id, {"received_by": "Ada", "attachments": [proof]})


def _event(
    driver: dict[str, Any], seq: int, kind: str, stop_id: str, payload: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex[:16],
        "seq": seq,
        "kind": kind,
        "stop_id": stop_id,
        "payload": json.dumps(payload),
        "device_time": round(time.time() * 1000),
        "mono_ms": 1_000_000 + seq * 1000,
        "boot_id": "boot-1",
        "depends_on": "",
    }


def push_of(driver: dict[str, Any], events: Sequence[dict[str, Any]]) -> bytes:
    """Return a push as it goes over the wire."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
    anchor = {
        "boot_id": "boot-1",
        "mono_ms": events[-1]["mono_ms"],
        "server_time": now,
        "rtt_ms": 80,
    }
    device = {"id": driver["device_id"], "anchors": [anchor]}
    changes = {"events": {"created": events, "updated": [], "deleted": []}}
    return request(driver, "POST", "push", {"changes": changes, "device": device})


def track_of(driver: dict[str, Any], boot_id: str) -> tuple[bytes, int]:
    """Return eight hours of fixes as they go over the wire, and the body's bytes."""
    chance = random.Random(SEED)  # noqa: S311  repeatable
    track = {
        "boot_id": boot_id,
        "mono_ms": [1000] + [5000 + chance.randint(-9, 9) for _ in range(FIXES - 1)],
        "lat_e6": [49_512_600, *_wander(chance)],
        "lon_e6": [11_282_300, *_wander(chance)],
        "accuracy_m": [6] + [chance.choice((-1, 0, 0, 0, 1)) for _ in range(FIXES - 1)],
        "wall_ms": round((time.time() - 8 * 3600 - 60) * 1000),
    }
    raw = gzip.compress(json.dumps({"tracks": [track]}, separators=(",", ":")).encode())
    return request(driver, "POST", "positions", raw), len(raw)


def _wander(chance: random.Random) -> Iterator[int]:
    """Yield steps of a van in a town: it stands half of the time."""
    heading = 0
    for number in range(FIXES - 1):
        if number % 60 < 30:
            yield 0
            continue
        heading = max(-700, min(700, heading + chance.randint(-60, 60)))
        yield heading


def request(driver: dict[str, Any], method: str, path: str, body: Any = None) -> bytes:
    """Return a request's bytes."""
    lines = [f"{method} {SYNC}/{path} HTTP/1.1", "Host: localhost"]
    lines.append(f"Authorization: Token {driver['token']}")
    content = b""
    if body is not None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        if isinstance(body, bytes):
            lines.append("Content-Encoding: gzip")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


def drive(port: int, work: Sequence[Iterable[bytes]]) -> Measured:
    """Send each client's requests one after the other, all clients side by side.

    Raises:
        RuntimeError: a request was not answered by 200.
    """

    def client(requests: Iterable[bytes]) -> Callable[[], list[tuple[float, bytes]]]:
        return lambda: _send(port, requests)

    return side_by_side([client(requests) for requests in work])


def side_by_side(
    works: Sequence[Callable[[], list[tuple[float, bytes]]]],
) -> Measured:
    """Run works in threads that start together; return what they measured as one."""
    found: list[list[tuple[float, bytes]]] = []
    faults: list[BaseException] = []
    gate = threading.Barrier(len(works) + 1)

    def run(work: Callable[[], list[tuple[float, bytes]]]) -> None:
        gate.wait()
        try:
            found.append(work())
        except BaseException as fault:  # noqa: BLE001  raised below, in the caller
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    gate.wait()
    began_s = time.perf_counter()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - began_s
    if faults:
        raise faults[0]
    each = sorted(seconds for client in found for seconds, _ in client)
    answers = [answer for client in found for _, answer in client]
    p95_ms = each[int(len(each) * 0.95)] * 1000
    return Measured(len(each) / took_s, round(p95_ms, 1), answers)


def _send(port: int, requests: Iterable[bytes]) -> list[tuple[float, bytes]]:
    done = []
    with socket.create_connection(("127.0.0.1", port), timeout=120) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for content in requests:
            began_s = time.perf_counter()
            line.sendall(content)
            answer = _answer(line)
            done.append((time.perf_counter() - began_s, answer))
    return done


def _answer(line: socket.socket) -> bytes:
    came = b""
    while (end := came.find(b"\r\n\r\n")) < 0:
        piece = line.recv(262_144)
        if not piece:
            raise RuntimeError("The server closed the connection.")
        came += piece
    head = came[:end].lower()
    if b" 200 " not in head[:16]:
        raise RuntimeError(came[:500].decode(errors="replace"))
    mark = head.index(b"content-length:") + 15
    length = int(head[mark:].partition(b"\r\n")[0])
    body = came[end + 4 :]
    while len(body) < length:
        body += line.recv(262_144)
    return body
