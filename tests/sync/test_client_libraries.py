"""WatermelonDB and RxDB, unchanged, in Node, against a served process.

The libraries come from npm at run time, into a folder that is gone afterwards; without
Node or without the packages the tests are skipped, and with `REQUIRE_CLIENTS=1` they fail.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from tests.serving import ROOT, Served

pytestmark = [pytest.mark.slow, pytest.mark.clients]
SCRIPTS = ROOT / "tests" / "clients"
SCENARIOS = [
    "first_pull",
    "incremental_pull",
    "lost_answer_and_push_again",
    "concurrent_double_push",
    "terminal_rejection",
    "event_that_waits_is_kept_and_sent_again",
    "write_to_read_only_table_undone",
    "row_deleted_on_the_device_comes_back",
    "stop_reassigned_away",
    "schema_migration",
    "reset",
]


def go_without(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_CLIENTS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Installing:
    """A folder that npm is filling with the libraries, beside our scripts."""

    folder: Path
    npm: subprocess.Popen[str]


@pytest.fixture(scope="module")
def installing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installing]:
    """Let npm begin to fetch: servers start meanwhile."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        go_without(
            "Node and npm are not installed (Debian: apt-get install nodejs npm)."
        )
    folder = tmp_path_factory.mktemp("clients")
    for script in SCRIPTS.iterdir():
        shutil.copy(script, folder)
    install = [str(npm), "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    install += ["--no-package-lock", "--fetch-retries=1", "--fetch-timeout=20000"]
    with subprocess.Popen(
        install, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as begun:
        try:
            yield Installing(folder, begun)
        finally:
            begun.kill()


@pytest.fixture(scope="module")
def served(
    installing: Installing, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def workshop(installing: Installing, served: Served) -> Path:
    """Return a folder with our scripts and the libraries that they drive."""
    try:
        _, complaint = installing.npm.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        go_without("npm could not fetch the libraries in three minutes.")
    if installing.npm.returncode != 0:
        go_without(f"npm could not fetch the libraries: {complaint.strip()[-300:]}")
    return installing.folder


@pytest.mark.parametrize("client", ["watermelon", "rxdb"])
def test_client_library_synchronizes_unchanged(
    client: str, workshop: Path, served: Served
) -> None:
    environment = {**os.environ, "WEB": served.web.url, "STAGE": served.stage.url}
    done = subprocess.run(
        ["node", f"{client}.mjs"],
        cwd=workshop,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {"passed": SCENARIOS}
