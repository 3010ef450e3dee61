"""Several web and worker processes on one PostgreSQL and one Redis."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from tests.migrated import template

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 120.0
TASKS = 40
QUEUE_THEM = f"""
from apps.core.queue import enqueue
for _ in range({TASKS}):
    enqueue("apps.core.tasks.tidy")
"""
COUNT_THEM = """
import json
from collections import Counter
from apps.core.models import TaskRun
runs = TaskRun.objects.values_list("state", "attempts")
print(json.dumps(Counter(f"{state} in {attempts}" for state, attempts in runs)))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.skipif(
        settings.IS_SQLITE or not settings.REDIS_URL,
        reason="needs DATABASE_URL on PostgreSQL and REDIS_URL",
    ),
]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give a database of its own, migrated."""
    name = f"roundsman_scaled_{secrets.token_hex(4)}"
    base_url, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    with psycopg.connect(f"{base_url}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}{template()}".encode())
        made = {
            **os.environ,
            "DATABASE_URL": f"{base_url}/{name}",
            "DATA_DIR": str(tmp_path),
            "PUBLIC_URL": "http://localhost",
            "SECRET_KEY": secrets.token_urlsafe(64),
        }
        try:
            if not template():
                manage(made, "migrate", "--verbosity", "0")
            yield made
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def manage(environment: dict[str, str], *words: str) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def start(environment: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "up", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def readiness(port: int) -> dict[str, Any]:
    try:
        url = f"http://127.0.0.1:{port}/readyz"
        with urllib.request.urlopen(url, timeout=2) as answer:
            body: dict[str, Any] = json.load(answer)
            return body
    except (urllib.error.URLError, OSError):
        return {}


def wait_until(question: Callable[[], bool], what: str) -> None:
    last_s = time.monotonic() + PATIENCE_S
    while not question():
        if time.monotonic() > last_s:
            pytest.fail(f"waited {PATIENCE_S:g} s in vain for {what}")
        time.sleep(0.3)


def test_two_webs_and_two_clusters_share_the_work(environment: dict[str, str]) -> None:
    ports = [free_port(), free_port()]
    processes = [start(environment, "--only", "web", "--port", str(p)) for p in ports]
    processes += [start(environment, "--only", "workers") for _ in range(2)]
    try:
        wait_until(
            lambda: all(readiness(port).get("clusters") == 2 for port in ports),
            "both clusters to be seen from both",
        )
        manage(environment, "shell", "--verbosity", "0", "-c", QUEUE_THEM)

        def counts() -> dict[str, int]:
            said = manage(environment, "shell", "--verbosity", "0", "-c", COUNT_THEM)
            counted: dict[str, int] = json.loads(said)
            return counted

        wait_until(lambda: counts() == {"succeeded in 1": TASKS}, "each task once")
        assert all(readiness(port)["status"] == "ready" for port in ports)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        ends = [process.wait(timeout=PATIENCE_S) for process in processes]
    assert ends == [0, 0, 0, 0]
