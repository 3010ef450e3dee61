"""A Redis on a port of its own, that can be killed and comes back empty."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.serving import PATIENCE_S, free_port


def has_redis() -> bool:
    """Tell whether `redis-server` is installed."""
    return shutil.which("redis-server") is not None


class OwnRedis:
    """One process; it answers at `url`, and keeps nothing beyond its end."""

    def __init__(self, folder: Path) -> None:
        """Start it; `folder` is where it works."""
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            TimeoutError: it does not.
        """
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_s = time.monotonic() + PATIENCE_S
        while not self._listens():
            if time.monotonic() > until_s:
                raise TimeoutError("Redis does not listen.")
            time.sleep(0.05)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it without a word of warning (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
