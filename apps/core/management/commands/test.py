"""`manage.py test`: the whole suite, by pytest."""

import importlib.util
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

DEV_PACKAGES_MISSING = (
    "pytest is not installed here. Run `python3 manage.py test` outside of an active"
    " environment, or install config/locks/dev.lock into this one."
)


class Command(BaseCommand):
    """Hands its arguments to pytest, and gives back pytest's exit code."""

    help = "Run the tests; arguments go to pytest (for example: test tests/core -x)."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Run pytest on the arguments as they are: they are its own."""
        if importlib.util.find_spec("pytest") is None:
            self.stderr.write(DEV_PACKAGES_MISSING)
            sys.exit(3)
        command = [sys.executable, "-m", "pytest", *argv[2:]]
        sys.exit(subprocess.run(command, cwd=settings.BASE_DIR, check=False).returncode)

    def handle(self, *args: str, **_options: Any) -> None:
        """Refuse to run inside another process: pytest wants one of its own."""
        raise CommandError("Run it from the command line: python3 manage.py test")
