"""A browser, and a served office to look at, each in a process of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.driving import Driver
from tests.migrated import put_migrated

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the browser's path; without one the test is skipped, or fails in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "No chromium is installed (Debian: apt-get install chromium)."
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def served_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a small office from a database of its own; return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS"}
    }
    data_dir = tmp_path_factory.mktemp("office")
    put_migrated(data_dir)
    environment |= {
        "DATA_DIR": str(data_dir),
        "PUBLIC_URL": address,
        "LOG_LEVEL": "WARNING",
    }
    seed = [sys.executable, "-m", "tests.browser.seed"]
    subprocess.run(seed, cwd=ROOT, env=environment, check=True, timeout=300)
    serve = [sys.executable, "-m", "uvicorn", "config.asgi:application"]
    serve += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(serve, cwd=ROOT, env=environment)
    try:
        wait_for(f"{address}/healthz", server)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="session")
def driver(chromium: str, served_office: str) -> Iterator[Driver]:
    """Return the browser that all tests share."""
    made = Driver(chromium, served_office)
    yield made
    made.close()


@pytest.fixture(scope="session")
def visitor(chromium: str) -> Iterator[Driver]:
    """Return a browser for pages that have no log-in; it needs no office."""
    made = Driver(chromium, address="")
    yield made
    made.close()


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        assert server.poll() is None, "The server has ended."
        try:
            with urllib.request.urlopen(address, timeout=10):  # noqa: S310  our own
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"Nothing answers at {address}.")
