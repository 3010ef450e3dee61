"""A real server, real workers, a real fleet: the same seed drives the same day twice."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from apps.training.fleet.reporting import DIGEST_LENGTH
from tests.migrated import put_migrated

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0
DAY = "2026-03-17"
OWN = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "DEMO"}

pytestmark = pytest.mark.slow


def manage(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def installation(data_dir: Path) -> Iterator[dict[str, str]]:
    """Serve a small demo day from a data directory of its own."""
    data_dir.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name not in OWN}
    url = f"http://localhost:{port}"
    environment = {**kept, "DATA_DIR": str(data_dir), "PUBLIC_URL": url}
    if not put_migrated(data_dir):
        manage(environment, "migrate", "--verbosity", "0")
    manage(
        environment,
        *("create_demo", "--orders", "16", "--drivers", "2", "--date", DAY),
    )
    with (data_dir / "up.log").open("w") as output:
        up = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_ready(url)
        yield environment
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(timeout=30)


def wait_until_ready(url: str) -> None:
    last_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < last_s:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail("the server did not come up")


def drive_a_day(data_dir: Path) -> dict[str, Any]:
    with installation(data_dir) as environment:
        picture = data_dir / "day.svg"
        said = manage(
            environment,
            *("drive", "--drivers", "2", "--speed", "0", "--seed", "7"),
            *("--date", DAY, "--svg", str(picture), "--json"),
        )
        assert picture.read_text().startswith("<svg")
        figures: dict[str, Any] = json.loads(said.splitlines()[-1])
        return figures


def test_one_seed_drives_one_day_and_every_view_is_equal(tmp_path: Path) -> None:
    with ThreadPoolExecutor(max_workers=2) as pool:
        first, second = pool.map(drive_a_day, [tmp_path / "one", tmp_path / "two"])
    for figures in (first, second):
        assert figures["drivers"] == 2
        assert figures["views_equal"] is True
        assert figures["lost"] == figures["duplicated"] == 0
        assert figures["succeeded"] + figures["failed"] + figures["partial"] >= 14
        assert figures["events"] >= 3 * 14
        assert figures["resent"] >= figures["lost_answers"] >= 1
        assert figures["offline_s"] > 0
        assert figures["plan_changes"] >= 1
        assert sum(figures["results"].values()) == figures["events"]
    assert first["digest"] == second["digest"]
    assert len(first["digest"]) == DIGEST_LENGTH
