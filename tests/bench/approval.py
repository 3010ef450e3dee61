"""`bench approval`: from a supervisor's approval to the driver's device hearing it.

On a database of its own beside the one of `DATABASE_URL`, SQLite or PostgreSQL, with a
served process of its own: the device waits at its real socket, is poked, and pulls. The
time runs from the call of the approval (which works the change out once more) until the
pulled answer says that it was applied.
"""

import argparse
import asyncio
import json
from typing import Any

import httpx
from django.conf import settings
from websockets.asyncio.client import ClientConnection

from tests.bench._live_day import Office, open_office, told
from tests.bench._scratch import Scratch, scratch_anywhere
from tests.bench.sockets import open_sockets, quantiles, said

TIMEOUT_S = 120


def main(argv: list[str]) -> dict[str, Any]:
    """Ask and approve a number of times; return the figures."""
    parser = argparse.ArgumentParser(prog="bench approval")
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--drivers", type=int, default=4)
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--pause", type=float, default=0.6, help="s between approvals")
    given = parser.parse_args(argv)
    with scratch_anywhere() as found:
        figures = asyncio.run(measure(found, given))
    database = "sqlite" if settings.IS_SQLITE else "postgresql"
    return {"database": database, "drivers": given.drivers, **figures}


async def measure(found: Scratch, given: argparse.Namespace) -> dict[str, Any]:
    """Return how long it took from each approval until its driver heard of it."""
    module = "tests.bench._approval_day"
    with open_office(module, found.environment, given.drivers, given.orders) as office:
        tokens = json.loads(await said(office))
        with found.serving() as web:
            url = f"ws://127.0.0.1:{web.port}/ws/sync/v1"
            lines = await open_sockets(url, tokens)
            devices = [
                Device(line, f"{web.url}/api/sync/v1/pull", token)
                for line, token in zip(lines, tokens, strict=True)
            ]
            rounds = [
                await one_round(office, devices, number, given.pause)
                for number in range(given.times)
            ]
            for line in lines:
                line.transport.abort()
    heard, committed, after = zip(*rounds, strict=True)
    return {
        "approvals": len(rounds),
        **quantiles([*heard]),
        "until_commit": quantiles([*committed]),
        "commit_to_device": quantiles([*after]),
    }


class Device:
    """A driver's handheld: waits at its socket, and pulls when it is poked."""

    def __init__(self, line: ClientConnection, url: str, token: str) -> None:
        self.line, self.url = line, url
        headers = {"Authorization": f"Token {token}"}
        self.client = httpx.AsyncClient(headers=headers, trust_env=False)
        self.since: int | None = None

    async def pull(self) -> dict[str, str]:
        """Pull all there is; return the states of requests that came along."""
        states: dict[str, str] = {}
        while True:
            since = "null" if self.since is None else str(self.since)
            query = {"last_pulled_at": since}
            answer = await self.client.get(self.url, params=query, timeout=TIMEOUT_S)
            page = answer.raise_for_status().json()
            self.since = page["timestamp"]
            rows = page["changes"]["overrides"]["updated"]
            states |= {row["id"]: row["state"] for row in rows}
            if not page["has_more"]:
                return states

    async def hear(self, override_id: str) -> float:
        """Wait for pokes until a pull says that a request was applied; return when."""
        loop = asyncio.get_running_loop()
        while True:
            if json.loads(await self.line.recv())["type"] != "poke":
                continue
            if (await self.pull()).get(override_id) == "applied":
                return loop.time()


async def one_round(
    office: Office, devices: list[Device], number: int, pause_s: float
) -> tuple[float, float, float]:
    """Ask, approve and hear; return the whole, until commit, and after it, in ms."""
    device = devices[number % len(devices)]
    override_id = await told(office, f"ask {number}")
    await asyncio.sleep(pause_s)  # nearer pokes are coalesced: people are slower
    await device.pull()
    ear = asyncio.create_task(device.hear(override_id))
    began_s, committed_s = json.loads(await told(office, "approve"))
    heard_s = await asyncio.wait_for(ear, TIMEOUT_S)
    return (
        (heard_s - began_s) * 1000,
        (committed_s - began_s) * 1000,
        max(0.0, heard_s - committed_s) * 1000,
    )
