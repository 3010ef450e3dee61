"""A real `manage.py up`, hurt on purpose."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.migrated import put_migrated
from tests.processes import pids_of

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 120.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads processes in /proc"),
]
T = TypeVar("T")


def wait_for(question: Callable[[], T], what: str) -> T:
    """Return the first answer that is true; fail when none comes."""
    last_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < last_s:
        if answer := question():
            return answer
        time.sleep(0.1)
    pytest.fail(f"waited {PATIENCE_S:g} s in vain for {what}")


class Up:
    """A running `up` on a free port with a data directory of its own."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.output = data_dir / "output.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "manage.py", "up", "--no-demo"),
                    *("--port", str(self.port), *options),
                ],
                cwd=ROOT,
                env=environment(data_dir),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def readiness(self) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/readyz", timeout=2
            ) as answer:
                body: dict[str, Any] = json.load(answer)
                return body
        except (urllib.error.URLError, OSError):
            return None

    def has_workers(self) -> bool:
        body = self.readiness()
        return bool(body and body["clusters"] and self.last_beat())

    def last_beat(self) -> float:
        beats = [p.stat().st_mtime for p in self.data_dir.glob("run/pulse-*")]
        return max(beats, default=0.0)

    def pids(self, *words: str) -> set[int]:
        return pids_of(self.data_dir, *words)

    def server_pid(self) -> int:
        """Return the web server's process, not its leash."""
        leashes = self.pids("apps.core.leash")
        [pid] = self.pids("uvicorn") - leashes
        return pid

    def worker_pids(self) -> list[int]:
        """Return the queue's workers: what the sentinel started first."""
        leashes = self.pids("apps.core.leash")
        cluster = self.pids("qcluster") - leashes
        parents = {pid: parent_of(pid) for pid in cluster}
        [main] = [pid for pid, parent in parents.items() if parent in leashes]
        [sentinel] = [pid for pid, parent in parents.items() if parent == main]
        return sorted(p for p, parent in parents.items() if parent == sentinel)[:2]

    def said(self) -> str:
        return self.output.read_text()


def environment(data_dir: Path) -> dict[str, str]:
    own = {"DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return {**kept, "DATA_DIR": str(data_dir), "PULSE_PATIENCE_S": "20"}


def parent_of(pid: int) -> int:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    return int(after_name.split()[1])


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    put_migrated(tmp_path)
    running = Up(tmp_path)
    yield running
    for pid in running.pids():
        os.kill(pid, signal.SIGKILL)
    running.process.wait()


def test_up_restarts_what_dies_and_ends_cleanly(up: Up) -> None:
    wait_for(up.has_workers, "the start")
    wait_for(lambda: "Ready at" in up.said(), "the welcome")
    assert f"http://localhost:{up.port}/admin/" in up.said()

    os.kill(up.server_pid(), signal.SIGKILL)
    wait_for(lambda: "web ended" in up.said(), "the death of the server")
    wait_for(up.readiness, "the server's return")

    # Idle workers: one of them holds the queue's lock, and takes it to the grave.
    hurt = up.worker_pids()
    for pid in hurt:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: "workers showed no pulse" in up.said(), "the wedge to be seen")
    seen_at = time.time()
    wait_for(lambda: up.last_beat() > seen_at, "the workers' return")
    assert not set(hurt) & set(up.worker_pids())

    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(timeout=PATIENCE_S) == 0
    assert up.pids() == set()
    assert up.said().strip().endswith("Ended; nothing is left running.")


def test_up_killed_outright_leaves_no_survivor(up: Up) -> None:
    wait_for(up.has_workers, "the start")
    assert len(up.pids()) > 6

    up.process.kill()
    up.process.wait()

    wait_for(lambda: not up.pids(), "the last process to end")


def test_up_leash_killed_outright_leaves_no_survivor_of_its_part(up: Up) -> None:
    wait_for(up.has_workers, "the start")
    workers = set(up.worker_pids())
    [leash] = up.pids("apps.core.leash", "qcluster")

    os.kill(leash, signal.SIGKILL)

    wait_for(lambda: not workers & up.pids(), "the orphans' end")
    wait_for(lambda: "workers ended" in up.said(), "the restart")


def test_up_says_that_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = subprocess.run(
            [sys.executable, "manage.py", "up", "--no-demo", "--port", str(port)],
            cwd=ROOT,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )

    assert answer.returncode != 0
    assert f"Cannot listen on 127.0.0.1:{port}" in answer.stderr
    assert "--port" in answer.stderr
