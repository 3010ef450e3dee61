"""`bench sockets`: idle device sockets on one process, poked by re-plans, beside Redis.

On a database of its own, made beside the one of `DATABASE_URL` (PostgreSQL). A re-plan
touches many drivers in one transaction; what counts is the time from its commit until
each of their sockets has its poke. The peer is what Channels offers: a group of as many
listeners in one process, and `group_send` by Redis (`REDIS_URL`).
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from channels_redis.core import RedisChannelLayer
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect

from tests.bench._scratch import Scratch, scratch
from tests.serving import ROOT

TIMEOUT_S = 300
AT_ONCE = 50
"""Handshakes under way at the same time."""


def main(argv: list[str]) -> dict[str, Any]:
    """Hold the sockets, plan anew a few times; return the figures."""
    parser = argparse.ArgumentParser(prog="bench sockets")
    parser.add_argument("--sockets", type=int, default=2000)
    parser.add_argument("--touched", type=int, default=500)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--pause", type=float, default=1.0, help="s between re-plans")
    given = parser.parse_args(argv)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with scratch() as place:
        figures = asyncio.run(measure(place, given))
    if settings.REDIS_URL:
        figures["redis_group_send"] = asyncio.run(
            beside_redis(given.touched, given.times)
        )
    return figures


async def measure(place: Scratch, given: argparse.Namespace) -> dict[str, Any]:
    """Return the latency of pokes and the memory that a socket takes."""
    office = office_of(place, given.sockets)
    try:
        secrets = json.loads(await said(office))
        with place.serving() as web:
            process = web.process
            if process is None:
                raise RuntimeError("The server did not start.")
            url = f"ws://127.0.0.1:{web.port}/ws/sync/v1"
            [first] = await open_sockets(url, secrets[:1])
            before = memory_bytes(process.pid)
            began_s = time.monotonic()
            rest = await open_sockets(url, secrets[1:])
            opened_s = time.monotonic() - began_s
            grown = memory_bytes(process.pid) - before
            sockets = [first, *rest]
            took_ms: list[float] = []
            for _ in range(given.times):
                await asyncio.sleep(given.pause)  # nearer ones are coalesced
                took_ms += await poked(office, sockets, given.touched)
            for each in sockets:
                each.transport.abort()
    finally:
        office.kill()
        office.wait()
    return {
        "sockets": len(sockets),
        "opened_s": round(opened_s, 1),
        "memory_a_socket_kb": round(grown / max(1, len(rest)) / 1024, 1),
        "touched": given.touched,
        "pokes": len(took_ms),
        **quantiles(took_ms),
    }


def office_of(place: Scratch, count: int) -> "subprocess.Popen[str]":
    """Start the process that makes the drivers, and plans anew when told to."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench._sockets_day", str(count)],
        cwd=ROOT,
        env=place.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def said(office: "subprocess.Popen[str]") -> str:
    """Return the next line that the office says."""
    if office.stdout is None:
        raise TypeError("The office has no voice.")
    return await asyncio.to_thread(office.stdout.readline)


async def open_sockets(url: str, secrets: list[str]) -> list[ClientConnection]:
    """Open sockets, some at a time; each is told hello before it counts."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(secret: str) -> ClientConnection:
        async with gate:
            line = await connect(
                url,
                additional_headers={"Authorization": f"Token {secret}"},
                compression=None,
                ping_interval=None,
                open_timeout=TIMEOUT_S,
                max_queue=None,
                proxy=None,
            )
            hello = json.loads(await line.recv())
            if hello["type"] != "hello":
                raise RuntimeError(str(hello))
            return line

    return list(await asyncio.gather(*map(one, secrets)))


async def poked(
    office: "subprocess.Popen[str]", sockets: list[ClientConnection], touched: int
) -> list[float]:
    """Plan anew; return how long after the commit each poke came, in milliseconds."""

    async def hear(line: ClientConnection) -> float:
        while json.loads(await line.recv())["type"] != "poke":
            pass
        return time.monotonic()

    ears = [asyncio.create_task(hear(line)) for line in sockets[:touched]]
    await asyncio.sleep(0)
    if office.stdin is None:
        raise TypeError("The office has no ear.")
    office.stdin.write(f"{touched}\n")
    office.stdin.flush()
    committed_s = float(await said(office))
    came_s = await asyncio.wait_for(asyncio.gather(*ears), TIMEOUT_S)
    return [max(0.0, each - committed_s) * 1000 for each in came_s]


async def beside_redis(touched: int, times: int) -> dict[str, Any]:
    """Return the latency of a group's message to as many listeners in this process."""
    layer = RedisChannelLayer(
        hosts=[{"address": settings.REDIS_URL}], prefix=f"bench-{os.getpid()}"
    )
    took_ms: list[float] = []
    names = [await layer.new_channel() for _ in range(touched)]
    await asyncio.gather(*(layer.group_add("replan", name) for name in names))

    async def hear(name: str) -> float:
        await layer.receive(name)
        return time.monotonic()

    for _ in range(times):
        ears = [asyncio.create_task(hear(name)) for name in names]
        await asyncio.sleep(0)
        sent_s = time.monotonic()
        await layer.group_send("replan", {"type": "poke"})
        came_s = await asyncio.wait_for(asyncio.gather(*ears), TIMEOUT_S)
        took_ms += [(each - sent_s) * 1000 for each in came_s]
    await layer.flush()
    await layer.close_pools()
    return quantiles(took_ms)


def quantiles(took_ms: list[float]) -> dict[str, float]:
    """Return median and 95th percentile."""
    ordered = sorted(took_ms)
    return {
        "p50_ms": round(ordered[len(ordered) // 2], 1),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 1),
    }


def memory_bytes(pid: int) -> int:
    """Return how much memory a process holds, from /proc."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()
