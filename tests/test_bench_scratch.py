"""A benchmark that is stopped puts away what it made."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings

from tests.serving import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.skipif(settings.IS_SQLITE, reason="needs DATABASE_URL on PostgreSQL"),
]
WAIT = """
import sys, time, django
django.setup()
from tests.bench._scratch import Scratch, scratch
Scratch.run = lambda self, *command: ""  # the tables are not needed here
with scratch() as place:
    print(place.url, flush=True)
    time.sleep(600)
"""


def test_stopped_benchmark_drops_its_database() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", WAIT],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as bench:
        assert bench.stdout is not None
        base_url, _, name = bench.stdout.readline().strip().rpartition("/")
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(60) == 128 + signal.SIGTERM
    with psycopg.connect(f"{base_url}/postgres") as server:
        known = "SELECT count(*) FROM pg_database WHERE datname = %s"
        assert server.execute(known, [name]).fetchone() == (0,)
