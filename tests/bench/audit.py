"""`bench audit`: days leave recommendations of every kind, and each is made again.

On a database of its own beside that of `DATABASE_URL` depots are planned, slots are held by
customers, people look at what changes would cost, drivers report their stops, some of them
failed, and a night learns: all through the house's own verbs and tasks. Then `--sample` of
the recommendations are made again from what the ledger stored, and compared to the byte.
"""

import argparse
import json
from typing import Any

from django.conf import settings

from tests.bench._scratch import scratch_anywhere

THERE = """
import json, os, random, sys
import django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
from tests.bench._audit_days import audit
size, seed = map(int, sys.argv[1:])
print(json.dumps(audit(size, random.Random(seed))))
"""
"""What runs there: settings come from that process's environment."""


def main(argv: list[str]) -> dict[str, Any]:
    """Return how many were made again, how many came out the same, and of which kinds."""
    parser = argparse.ArgumentParser(prog="bench audit")
    parser.add_argument("--sample", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(argv)
    asked = [str(given.sample), str(given.seed)]
    with scratch_anywhere() as place:
        said = place.run("-c", THERE, *asked)
    database = "sqlite" if settings.IS_SQLITE else "postgresql"
    return {"database": database, **json.loads(said.splitlines()[-1])}
