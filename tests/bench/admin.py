"""`bench admin`: every page of the office on a day of so many orders, timed and counted.

A database of its own is made beside that of `DATABASE_URL` (PostgreSQL, or a file of
SQLite), filled in bulk, and dropped. Pages are asked in one process without a network:
median and p95 in milliseconds, the processor's share of it, queries, and kilobytes.
"""

import argparse
import json
from typing import Any

from django.conf import settings

from tests.bench._scratch import scratch_anywhere

LIMIT_MS = 300


def main(argv: list[str]) -> dict[str, Any]:
    """Lay out `--days` of `--orders` each, ask each page `--rounds` times."""
    parser = argparse.ArgumentParser(prog="bench admin")
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args(argv)
    asked = [f"--{name}={value}" for name, value in sorted(vars(given).items())]
    with scratch_anywhere() as place:
        said = place.run("-m", "tests.bench._admin_pages", *asked)
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    pages: dict[str, Any] = result["pages"]
    slow = {name for name, page in pages.items() if page["p95_ms"] > LIMIT_MS}
    slowest = max(pages, key=lambda name: float(pages[name]["p95_ms"]))
    return {
        "database": "sqlite" if settings.IS_SQLITE else "postgresql",
        **vars(given),
        "slowest": {"page": slowest, **pages[slowest]},
        "over_300_ms": sorted(slow),
        **result,
    }
