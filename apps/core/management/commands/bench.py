"""`manage.py bench NAME`: measurements, one JSON object on the last line."""

import importlib
import json
import pkgutil
import sys
from types import ModuleType
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

PACKAGE = "tests.bench"


class Command(BaseCommand):
    """Runs `main(argv)` of `tests/bench/NAME.py`; without a NAME, lists them.

    A module that says `NEEDS_DATABASE = True` finds its tables there.
    """

    help = "Run a benchmark: bench NAME [options] --json. Without NAME: list them."

    def run_from_argv(self, argv: list[str]) -> None:
        """Run the benchmark on its own arguments."""
        sys.path.insert(0, str(settings.BASE_DIR))
        arguments = [word for word in argv[2:] if word != "--json"]
        try:
            if not arguments or arguments[0].startswith("-"):
                self._list()
                return
            module = _find(arguments[0])
            if getattr(module, "NEEDS_DATABASE", False):
                self._lay_out_database()
            result = module.main(arguments[1:])
        except CommandError as error:
            self.stderr.write(str(error))
            sys.exit(2)
        if "--json" in argv:
            self.stdout.write(json.dumps(result))
        else:
            for name, value in result.items():
                self.stdout.write(f"{name}: {value}")

    def handle(self, *args: str, **_options: Any) -> None:
        """Refuse to run inside another process: its arguments are the benchmark's."""
        raise CommandError("Run it from the command line: python3 manage.py bench")

    def _lay_out_database(self) -> None:
        """Make the tables in an empty database; refuse one that is behind."""
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return
        if executor.loader.applied_migrations:
            raise CommandError("The database is behind: python3 manage.py migrate")
        self.stderr.write("The database is empty: its tables are made first.")
        call_command("migrate", verbosity=0)

    def _list(self) -> None:
        for name, path in _modules().items():
            module = importlib.import_module(path)
            first_line = (module.__doc__ or "").strip().splitlines()[:1]
            self.stdout.write(f"{name:16} {''.join(first_line)}")


def _modules() -> dict[str, str]:
    """Return the module of each benchmark; `import_.py` is called `import`."""
    try:
        package = importlib.import_module(PACKAGE)
    except ModuleNotFoundError:
        return {}
    found = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return {
        name.rstrip("_").replace("_", "-"): f"{PACKAGE}.{name}"
        for name in found
        if not name.startswith("_")
    }


def _find(name: str) -> ModuleType:
    modules = _modules()
    if name not in modules:
        known = ", ".join(modules) or "none"
        raise CommandError(f"There is no benchmark {name!r}; there are: {known}.")
    return importlib.import_module(modules[name])
