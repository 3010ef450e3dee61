"""Pokes from another process, by the bell of a real Redis that comes and goes."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.redis_server import OwnRedis, has_redis
from tests.serving import PATIENCE_S, Served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_redis(), reason="needs redis-server on the PATH"),
]
SOON_S = 0.5
"""Far less than the tailer's own rhythm where there is a bell."""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[OwnRedis]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = OwnRedis(folder)
    yield server
    server.stop()


@pytest.fixture
def served(tmp_path: Path, redis: OwnRedis) -> Iterator[Served]:
    with Served(tmp_path, redis.url) as running:
        yield running


def hear(line: Connection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(line.recv(PATIENCE_S))
    return message


def poked_after_s(line: Connection, served: Served, driver_id: str) -> float:
    """Return how long after another process has written the poke is here."""
    served.play("add_stop", driver_id=driver_id)
    written_s = time.monotonic()
    assert hear(line)["type"] == "poke"
    return time.monotonic() - written_s


def test_poke_comes_soon_after_another_process_has_written(
    served: Served, redis: OwnRedis
) -> None:
    driver = served.play("new_driver")
    url = served.web.url.replace("http", "ws") + "/ws/sync/v1"
    token = {"Authorization": f"Token {driver['session_token']}"}
    with connect(url, additional_headers=token, proxy=None) as line:
        assert hear(line)["type"] == "hello"
        for _ in range(4):
            assert poked_after_s(line, served, driver["driver_id"]) < SOON_S
        redis.stop()
        assert poked_after_s(line, served, driver["driver_id"]) < PATIENCE_S
        redis.start()
        until_s = time.monotonic() + PATIENCE_S
        while poked_after_s(line, served, driver["driver_id"]) > SOON_S:
            assert time.monotonic() < until_s, "the bell was not heard again"
        for _ in range(3):
            assert poked_after_s(line, served, driver["driver_id"]) < SOON_S
