"""A short kill drill: what was acknowledged is there once, and all devices converge."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.skipif(
        settings.IS_SQLITE, reason="needs DATABASE_URL on PostgreSQL: it kills backends"
    ),
    pytest.mark.skipif(
        shutil.which("redis-server") is None, reason="needs redis-server on the PATH"
    ),
    pytest.mark.skipif(sys.platform != "linux", reason="reads processes in /proc"),
]


def test_nothing_acknowledged_is_lost_when_everything_dies(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "manage.py", "bench", "kill", "--json"),
            *("--devices", "3", "--rounds", "4"),
        ],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["events"] > 0
    assert found["acknowledged"] == found["events"]
    assert set(found["strikes"]) == {"web", "workers", "database connections", "redis"}
    harm = ("lost", "twice", "without_effect", "unseen", "devices_apart", "tasks_dead")
    assert {name: found[name] for name in harm} == dict.fromkeys(harm, 0)
    assert found["faults"] == []
