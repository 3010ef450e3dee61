#!/usr/bin/env python3
"""Run Roundsman's commands, in an environment made on the first call."""

import os
import sys


def main() -> None:
    """Make the environment where there is none, then run the command in it."""
    if sys.version_info < (3, 11):  # noqa: UP036  that reader is whom this is for
        sys.exit(
            "Roundsman needs Python 3.11 or later; this is %s (%s). "  # noqa: UP031
            "Run it with a newer one, such as: python3.12 manage.py %s"
            % (sys.version.split()[0], sys.executable, " ".join(sys.argv[1:]))
        )
    from config.bootstrap import enter_environment  # noqa: PLC0415

    enter_environment(sys.argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refusal:
        print(f"Roundsman cannot start: {refusal}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


if __name__ == "__main__":
    main()
