"""A small depot on the road, for pages to look at: `python -m tests.customers.seed`.

Prints the addresses of its customers' pages as JSON, by what they show.
"""

import json
import os
from datetime import UTC, datetime


def main() -> None:
    """Make the tables, the depot, and its links."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  settings come from this process's environment

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from tests.customers.running import lay_running_day  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    print(json.dumps(lay_running_day(datetime.now(UTC))))  # noqa: T201, TID251


if __name__ == "__main__":
    main()
