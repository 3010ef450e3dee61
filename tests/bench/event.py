"""`bench event`: from a driver's event to the new plan on the other drivers' devices.

On a database of its own beside that of `DATABASE_URL`, with a web process and a worker of
their own: devices wait at their sockets and pull when they are poked, as handhelds do. One
driver's event (a road is closed about its first stop) is pushed, and each step is told
with its milliseconds since: answered, mended, published, heard by devices, searched.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from django.conf import settings
from websockets.asyncio.client import ClientConnection

from tests.bench._live_day import Office, open_office, told
from tests.bench._scratch import Scratch, scratch_anywhere
from tests.bench.sockets import open_sockets, said
from tests.serving import ROOT

TIMEOUT_S = 120
LOOKS_S = 0.25
RADIUS_M = 300

Step = tuple[float, str]
"""Milliseconds since the event was pushed, and what was then."""


def main(argv: list[str]) -> dict[str, Any]:
    """Tell the steps of each event; return their figures."""
    parser = argparse.ArgumentParser(prog="bench event")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--drivers", type=int, default=6)
    parser.add_argument("--orders", type=int, default=120)
    given = parser.parse_args(argv)
    rounds = []
    for number in range(given.times):
        with scratch_anywhere() as place:
            steps = asyncio.run(one_event(place, given))
        rounds.append(steps)
        sys.stderr.write(f"event {number + 1}\n")
        sys.stderr.writelines(f"  {ms:8.0f} ms  {what}\n" for ms, what in steps)
    return {
        "database": "sqlite" if settings.IS_SQLITE else "postgresql",
        **vars(given),
        "answered_ms": middle(rounds, "the server has answered"),
        "marked_on_device_ms": middle(rounds, "marked: road closed"),
        "mended_ms": middle(rounds, "mended plan "),
        "new_order_on_device_ms": middle(rounds, "in another place"),
        "searched_ms": middle(rounds, "search: "),
        "steps": [{"ms": round(ms), "what": what} for ms, what in rounds[-1]],
    }


def middle(rounds: list[list[Step]], words: str) -> float | None:
    """Return the median of when a step with these words was first; None where none was."""
    firsts = [
        next((ms for ms, what in steps if words in what), None) for steps in rounds
    ]
    found = [ms for ms in firsts if ms is not None]
    return round(statistics.median(found)) if found else None


async def one_event(place: Scratch, given: argparse.Namespace) -> list[Step]:
    """Lay out a day, let its first driver push the event, and return the steps in order."""
    module = "tests.bench._event_day"
    with open_office(module, place.environment, given.drivers, given.orders) as office:
        routes = json.loads(await said(office))
        with place.serving() as web, working(place):
            url = f"ws://127.0.0.1:{web.port}/ws/sync/v1"
            lines = await open_sockets(url, [route["token"] for route in routes])
            devices = [
                Handheld(route, line, web.url)
                for route, line in zip(routes, lines, strict=True)
            ]
            for device in devices:
                await device.pull()
                await device.push("shift.started", {"shift_id": device.shift_id})
            await settled(office, since_ms=0)
            steps = await told_steps(office, devices)
            for line in lines:
                line.transport.abort()
    return steps


@contextmanager
def working(place: Scratch) -> Iterator[None]:
    """Let a worker do what is queued there, in a process of its own."""
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=ROOT,
        env={**place.environment, "LOG_LEVEL": "ERROR"},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        worker.terminate()
        worker.wait()


class Handheld:
    """A driver's device: its socket, its doors, and which stops it holds."""

    def __init__(self, route: dict[str, Any], line: ClientConnection, url: str) -> None:
        self.name, self.shift_id = route["driver"], route["shift_id"]
        self.at = route["at"]
        self.line, self.url, self.since = line, f"{url}/api/sync/v1", "null"
        self.seq = 0
        self.stops: dict[str, dict[str, Any]] = {}
        self.heard: list[Step] = []
        headers = {"Authorization": f"Token {route['token']}"}
        self.client = httpx.AsyncClient(headers=headers, trust_env=False)

    async def push(self, kind: str, payload: dict[str, Any], stop_id: str = "") -> None:
        """Push one event; it must be taken.

        Raises:
            RuntimeError: it was refused.
        """
        self.seq += 1
        event = {
            "id": uuid.uuid4().hex[:16],
            "seq": self.seq,
            "kind": kind,
            "stop_id": stop_id,
            "payload": json.dumps(payload),
            "device_time": round(time.time() * 1000),
            "mono_ms": None,
            "boot_id": "",
            "depends_on": "",
        }
        body = {"changes": {"events": {"created": [event]}}}
        answer = await self.client.post(
            f"{self.url}/push", json=body, timeout=TIMEOUT_S
        )
        [result] = answer.raise_for_status().json()["results"]
        if result["result"] not in {"applied", "merged"}:
            raise RuntimeError(str(result))

    async def pull(self) -> str:
        """Pull all there is; return in words how the stops' order and marks changed."""
        found: Counter[str] = Counter()
        while True:
            query = {"last_pulled_at": self.since}
            answer = await self.client.get(
                f"{self.url}/pull", params=query, timeout=TIMEOUT_S
            )
            page = answer.raise_for_status().json()
            self.since = str(page["timestamp"])
            change = page["changes"]["stops"]
            for row in change["updated"]:
                known = self.stops.get(row["id"], {})
                found["more stops"] += not known
                found["in another place"] += bool(
                    known and known["sequence"] != row["sequence"]
                )
                found["marked: road closed"] += (
                    row["road_warning"] == "closure" != known.get("road_warning")
                )
                self.stops[row["id"]] = row
            for key in change["deleted"]:
                found["stops fewer"] += self.stops.pop(key, None) is not None
            if not page["has_more"]:
                return ", ".join(f"{n} {what}" for what, n in found.items() if n)

    async def listen(self) -> None:
        """Pull at each poke, and note when stops came, went, moved or were marked."""
        while True:
            if json.loads(await self.line.recv())["type"] != "poke":
                continue
            if found := await self.pull():
                self.heard.append((time.time() * 1000, found))


async def told_steps(office: Office, devices: list[Handheld]) -> list[Step]:
    """Push the event; return what was when, until the search of the day has ended."""
    ears = [asyncio.create_task(device.listen()) for device in devices]
    first = devices[0]
    began_ms = time.time() * 1000
    lat, lon = first.at[0]
    place = {"lat": lat, "lon": lon, "radius_m": RADIUS_M}
    await first.push("exception.reported", {"reason": "closure", **place})
    answered_ms = time.time() * 1000
    history = await settled(office, since_ms=int(began_ms))
    await asyncio.sleep(2)  # the last poke is heard: it has no answer to wait for
    for ear in ears:
        ear.cancel()
    said_as = f"{first.name}'s device reports a closed road, {RADIUS_M} m about a stop"
    steps = [(0.0, said_as), (answered_ms - began_ms, "the server has answered")]
    steps += [(ms - began_ms, what) for ms, what in of_the_office(history)]
    steps += [
        (ms - began_ms, f"{device.name}'s device shows: {what}")
        for device in devices
        for ms, what in device.heard
    ]
    return sorted(steps)


async def settled(office: Office, *, since_ms: int) -> dict[str, Any]:
    """Wait until no re-plan is queued or under way; return what the office tells.

    Raises:
        TimeoutError: it has not settled.
    """
    until_s = time.monotonic() + TIMEOUT_S
    quiet = 0
    while time.monotonic() < until_s:
        await asyncio.sleep(LOOKS_S)
        history: dict[str, Any] = json.loads(await told(office, f"since {since_ms}"))
        ended = bool(history["plans"]) or not since_ms
        quiet = quiet + 1 if ended and not history["waits"] else 0
        if quiet * LOOKS_S >= 3:
            return history
    raise TimeoutError("The re-plans have not ended.")


def of_the_office(history: dict[str, Any]) -> Iterator[Step]:
    """Yield what the journal tells, in words."""
    plans, seen = history["plans"], set()
    for entry in history["entries"]:
        kind, plan = entry["kind"], plans.get(entry["subject"])
        if plan is None:
            if kind not in seen:
                seen.add(kind)
                yield (
                    entry["ms"],
                    f"journal: {kind.replace('.', ' ').replace('_', ' ')}",
                )
            continue
        what = {
            "plan.requested": "begun",
            "plan.unchanged": "kept the plan: nothing better",
            "plan.published": "published",
        }.get(kind, kind)
        if plan["step"] == "mend":
            yield entry["ms"], f"plan {plan['number']}, mended plan {what}"
        else:
            yield (
                entry["ms"],
                f"plan {plan['number']}, search: {what}, {plan['engine']}",
            )
