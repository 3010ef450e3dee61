"""The real thing in processes of its own: a web server, and a stage beside it.

The stage (`tests.sync.stage`) plays the office on the same database: it makes drivers
with a published day, takes stops away, and looks at what was stored.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.migrated import put_migrated

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 240.0
OWN = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL"}


def free_port() -> int:
    """Return a port on which nothing listens at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class Part:
    """One process that answers on a port; it can be killed and started again."""

    def __init__(self, command: list[str], environment: dict[str, str], port: int):
        self.command, self.environment, self.port = command, environment, port
        self.url = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment)

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            RuntimeError: it has ended, or was never begun.
            TimeoutError: it does not answer.
        """
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"{self.command} ended")
            try:
                httpx.get(f"{self.url}/healthz", trust_env=False).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError(f"nothing answers at {self.url}")

    def kill(self) -> None:
        """End it without a word of warning (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Served:
    """A web server and a stage on one SQLite database in `data_dir`; Redis as given."""

    def __init__(self, data_dir: Path, redis_url: str = "") -> None:
        web_port, stage_port = free_port(), free_port()
        environment = {k: v for k, v in os.environ.items() if k not in OWN}
        environment |= {
            "DATA_DIR": str(data_dir),
            "PUBLIC_URL": f"http://127.0.0.1:{web_port}",
            "LOG_LEVEL": "WARNING",
            "REDIS_URL": redis_url,
        }
        if not put_migrated(data_dir):
            migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
            subprocess.run(migrate, cwd=ROOT, env=environment, check=True, timeout=240)
        uvicorn = [sys.executable, "-m", "uvicorn", "config.asgi:application"]
        uvicorn += ["--port", str(web_port), "--log-level", "warning"]
        stage = [sys.executable, "-m", "tests.sync.stage", str(stage_port)]
        self.web = Part(uvicorn, environment, web_port)
        self.stage = Part(stage, environment, stage_port)

    def __enter__(self) -> Self:
        try:
            self.stage.begin()
            self.web.begin()
            self.stage.wait()
            self.web.wait()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End both; nothing is left running."""
        self.web.kill()
        self.stage.kill()

    def play(self, verb: str, **given: Any) -> Any:
        """Let the stage do something; return what it says."""
        url = f"{self.stage.url}/{verb}"
        answer = httpx.post(url, json=given, timeout=PATIENCE_S, trust_env=False)
        return answer.raise_for_status().json()
