"""Kill drill: web, workers, database connections and Redis die under load; nothing is lost.

Needs PostgreSQL as the database and `redis-server`; makes a database and a Redis of its
own. Every acknowledged event must be there once, and all devices must converge.
"""

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import CommandError

from tests.bench._kill_device import KillDevice, NoAnswer
from tests.bench._scratch import ends_in_order
from tests.migrated import template
from tests.processes import pids_of
from tests.redis_server import OwnRedis, has_redis
from tests.serving import free_port

ROOT = Path(__file__).resolve().parents[2]
START_S = 240.0
DRAIN_S = 240.0
REDIS_AWAY_S = 1.0
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def main(argv: list[str]) -> dict[str, Any]:
    """Run the drill; return what was lost, doubled, or left apart."""
    parser = argparse.ArgumentParser(prog="bench kill", description=__doc__)
    parser.add_argument("--devices", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=12, help="how often to strike")
    parser.add_argument("--pause", type=float, default=1.5, help="seconds between")
    given = parser.parse_args(argv)
    if settings.IS_SQLITE:
        raise CommandError("bench kill needs DATABASE_URL on PostgreSQL.")
    if not has_redis():
        raise CommandError("bench kill needs redis-server on the PATH.")
    with ExitStack() as stack:
        drill = Drill(stack, given.devices)
        return drill.run(given.rounds, given.pause)


class Drill:
    """The installation that is hurt, and the devices that live on."""

    def __init__(self, stack: ExitStack, devices: int) -> None:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        self.data_dir = Path(folder)
        self.database_url = stack.enter_context(own_database())
        self.redis = OwnRedis(self.data_dir)
        stack.callback(self.redis.stop)
        self.port = free_port()
        self.environment = self._environment()
        if not template():
            manage(self.environment, "migrate", "--verbosity", "0")
        script = f"from tests.bench._kill_day import lay; lay({devices})"
        words = ("shell", "--verbosity", "0", "-c", script)
        credentials = json.loads(manage(self.environment, *words).splitlines()[-1])
        self.up = self._start()
        stack.callback(self._stop)
        self.devices = [
            KillDevice(
                n, f"http://127.0.0.1:{self.port}", each["device"], each["session"]
            )
            for n, each in enumerate(credentials)
        ]
        self.strikes: Counter[str] = Counter()

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis.url,
            "DATA_DIR": str(self.data_dir),
            "PUBLIC_URL": f"http://localhost:{self.port}",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "THROTTLE_DEVICE": "100000/min",
            "TASK_TIMEOUT_S": "10",
            "PULSE_PATIENCE_S": "25",
            "LOG_LEVEL": "ERROR",
        }

    def _start(self) -> subprocess.Popen[bytes]:
        port = str(self.port)
        command = [sys.executable, "manage.py", "up", "--no-demo", "--port", port]
        with (self.data_dir / "up.txt").open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _stop(self) -> None:
        self.up.send_signal(signal.SIGTERM)
        try:
            self.up.wait(30)
        except subprocess.TimeoutExpired:
            self.up.kill()  # its leashes end the rest
            self.up.wait()

    # ── the run ─────────────────────────────────────────────────────────────
    def run(self, rounds: int, pause_s: float) -> dict[str, Any]:
        """Strike under load, let it all come to rest, and count."""
        try:
            wait_until(self._is_ready, START_S, "the start")
        except CommandError as error:
            said = (self.data_dir / "up.txt").read_text()[-3000:]
            raise CommandError(f"{error}\n{said}") from error
        for device in self.devices:
            device.pull()
        began_s = time.monotonic()
        until = threading.Event()
        threads = [
            threading.Thread(target=device.run, args=(until,))
            for device in self.devices
        ]
        for thread in threads:
            thread.start()
        try:
            blows = cycle((self._web, self._backends, self._workers, self._redis))
            for _ in range(rounds):
                time.sleep(pause_s)
                next(blows)()
            time.sleep(pause_s)
        finally:
            until.set()
            for thread in threads:
                thread.join()
        wait_until(self._is_drained, DRAIN_S, "everything to drain")
        return {
            **self._count_at_rest(),
            "strikes": dict(self.strikes),
            "seconds": round(time.monotonic() - began_s, 1),
        }

    def _is_ready(self) -> bool:
        body = self._readiness()
        return bool(body and body.get("clusters"))

    def _readiness(self) -> dict[str, Any] | None:
        try:
            url = f"http://127.0.0.1:{self.port}/readyz"
            with OPENER.open(url, timeout=2) as answer:
                body: dict[str, Any] = json.load(answer)
                return body
        except (urllib.error.URLError, OSError, ValueError):
            return None

    def _is_drained(self) -> bool:
        return all([device.rest() for device in self.devices])

    def _is_quiet(self) -> bool:
        busy = "SELECT count(*) FROM core_taskrun WHERE state IN ('queued', 'running')"
        return self._ask(busy)[0][0] == 0 and self._is_ready()

    # ── blows ───────────────────────────────────────────────────────────────
    def _web(self) -> None:
        leashes = pids_of(self.data_dir, "apps.core.leash")
        self._kill("web", pids_of(self.data_dir, "uvicorn") - leashes)

    def _workers(self) -> None:
        """Kill one process of the cluster: a worker, its guard, or the queue's head."""
        leashes = pids_of(self.data_dir, "apps.core.leash")
        cluster = sorted(pids_of(self.data_dir, "qcluster") - leashes)
        self._kill("workers", set(cluster[-1:]))

    def _kill(self, name: str, pids: set[int]) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            self.strikes[name] += 1

    def _backends(self) -> None:
        ended = self._ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self.strikes["database connections"] += len(ended)

    def _redis(self) -> None:
        self.redis.stop()
        self.strikes["redis"] += 1
        time.sleep(REDIS_AWAY_S)
        self.redis.start()

    # ── what is left ────────────────────────────────────────────────────────
    def _count_at_rest(self) -> dict[str, Any]:
        """Count while all is drained and quiet, and no feed moves meanwhile.

        A task that ends after a device's last pull changes what that device should show:
        only a count between two equal readings of the heads compares like with like.
        """
        counted: dict[str, Any] = {}

        def is_counted() -> bool:
            heads = self._heads()
            if not (self._is_drained() and self._is_quiet()):
                return False
            try:
                counted.update(self._count())
            except NoAnswer:
                return False
            return self._heads() == heads

        wait_until(is_counted, DRAIN_S, "queue and feeds to come to rest")
        return counted

    def _heads(self) -> list[tuple[Any, ...]]:
        return self._ask(
            "SELECT scope, epoch, head FROM journal_feedhead ORDER BY scope"
        )

    def _count(self) -> dict[str, Any]:
        kept = dict(self._ask("SELECT id, result FROM sync_deviceevent"))
        acknowledged = {k: v for d in self.devices for k, v in d.acknowledged.items()}
        lost = acknowledged.keys() - kept.keys()
        effects = Counter(
            row[0]
            for row in self._ask(
                "SELECT payload ->> 'event_id' FROM journal_entry"
                " WHERE kind LIKE 'stop.%%' AND payload ->> 'event_id' LIKE 'kill%%'"
            )
        )
        counted = self._ask(
            "SELECT id FROM sync_deviceevent WHERE kind LIKE 'stop.%%'"
            " AND result = 'applied'"
        )
        apart = [
            device.number
            for device in self.devices
            if device.tables != device.snapshot()
        ]
        unseen = [
            event_id
            for device in self.devices
            for event_id in device.acknowledged
            if event_id not in device.tables["event_results"]
        ]
        stored = "SELECT count(*) FROM sync_attachment WHERE status = 'stored'"
        dead = "SELECT count(*) FROM core_taskrun WHERE state = 'dead'"
        return {
            "devices": len(self.devices),
            "events": sum(device.seq for device in self.devices),
            "acknowledged": len(acknowledged),
            "lost": len(lost),
            "twice": sum(count > 1 for count in effects.values()),
            "without_effect": sum(row[0] not in effects for row in counted),
            "unseen": len(unseen),
            "devices_apart": len(apart),
            "files_stored": self._ask(stored)[0][0],
            "tasks_dead": self._ask(dead)[0][0],
            "requests_failed": sum(device.failures for device in self.devices),
            "faults": [fault for device in self.devices for fault in device.faults][:9],
        }

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as server:
            return server.execute(query.encode(), ()).fetchall()


@contextmanager
def own_database() -> Iterator[str]:
    """Make an empty database beside the configured one; drop it at the end."""
    name = f"roundsman_kill_{secrets.token_hex(4)}"
    base_url, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    server = psycopg.connect(f"{base_url}/postgres", autocommit=True)
    with ends_in_order(), server:
        server.execute(f"CREATE DATABASE {name}{template()}".encode())
        try:
            yield f"{base_url}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def manage(environment: Mapping[str, str], *words: str) -> str:
    """Run a management command; return what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def wait_until(question: Callable[[], bool], patience_s: float, what: str) -> None:
    """Ask until the answer is yes.

    Raises:
        CommandError: it never was.
    """
    last_s = time.monotonic() + patience_s
    while not question():
        if time.monotonic() > last_s:
            raise CommandError(f"Waited {patience_s:g} s in vain for {what}.")
        time.sleep(0.1)
