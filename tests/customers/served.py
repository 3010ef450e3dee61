"""The customers' pages, served from a small depot on the road in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving import OWN, ROOT, Part, free_port


@contextmanager
def served_pages(data_dir: Path) -> Iterator[dict[str, str]]:
    """Serve the pages while the block runs; give their addresses by what they show."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in OWN}
    environment |= {
        "DATA_DIR": str(data_dir),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LOG_LEVEL": "WARNING",
    }
    seeded = subprocess.run(
        [sys.executable, "-m", "tests.customers.seed"],
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=600,
        capture_output=True,
        text=True,
    )
    uvicorn = [sys.executable, "-m", "uvicorn", "config.asgi:application"]
    web = Part(
        [*uvicorn, "--port", str(port), "--log-level", "warning"], environment, port
    )
    web.start()
    try:
        yield json.loads(seeded.stdout.splitlines()[-1])
    finally:
        web.kill()
