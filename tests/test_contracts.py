"""The house's floors: kept, and seen to catch each kind of breach."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.utils.module_loading import import_string

from config.reactions import REACTIONS
from config.schedules import SCHEDULES

ROOT = Path(__file__).resolve().parent.parent
ROOMS = "Rooms: calls go down only"
INSIDE = "Inside a room: door > shape > verb > question > table"
CYCLES = "No cycles at any depth"
CONFIG = "Apps never import config"
PURE = "The solver is pure"
DOORS = "Domain never imports a door"
FOREIGN = "Foreign libraries enter by one door"
CLOCK = "Only doors read the clock"

USES_TABLES = re.compile(r"mark\.django_db|\bdb: None|\btransactional_db\b")
SERVE_FILES_OF_THEIR_OWN = {"browser", "simulation/test_mutants.py"}
"""These use tables, and yet go by no setting of the database."""

# What is broken, by which line in which file; each alone breaks the contract.
BREACHES = [
    (ROOMS, "apps/core/breach.py", "import apps.journal.models"),
    (ROOMS, "apps/orders/breach.py", "import apps.drivers.models"),
    (ROOMS, "apps/drivers/breach.py", "import apps.routes.models"),
    (ROOMS, "apps/depots/breach.py", "import apps.recommendations.models"),
    (ROOMS, "apps/stowaway/__init__.py", ""),
    (INSIDE, "apps/orders/selectors.py", "import apps.orders.services"),
    (INSIDE, "apps/orders/models.py", "import apps.orders.selectors"),
    (CYCLES, "apps/core/units.py", "import apps.core.problems, apps.core.left"),
    (CONFIG, "apps/orders/breach.py", "import config.settings"),
    (PURE, "apps/routes/solver/breach.py", "import django.db"),
    (PURE, "apps/routes/solver/breach.py", "import apps.routes.models"),
    (PURE, "apps/overrides/rights.py", "import rest_framework"),
    (DOORS, "apps/orders/selectors.py", "import apps.orders.tasks"),
    (FOREIGN, "apps/orders/breach.py", "import django_q"),
    (FOREIGN, "apps/routes/breach.py", "import ortools"),
    (FOREIGN, "apps/sync/breach.py", "import httpx"),
    (CLOCK, "apps/orders/selectors.py", "import apps.core.clock"),
    (CLOCK, "apps/overrides/rights.py", "import apps.core.clock"),
]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command as c; c()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-logo", "--cache-dir", "cache"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copied_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the packages once; the linter's cache makes each run after that quick."""
    tree = tmp_path_factory.mktemp("tree")
    leave_out = shutil.ignore_patterns("__pycache__", "locks")
    for package in ("apps", "config"):
        shutil.copytree(ROOT / package, tree / package, ignore=leave_out)
    shutil.copy2(ROOT / "pyproject.toml", tree)
    return tree


@pytest.fixture
def tree(copied_tree: Path) -> Iterator[Path]:
    """Give the copy, and undo what the test did to it."""
    before = {path: path.read_bytes() for path in copied_tree.rglob("*.py")}
    yield copied_tree
    for path in list(copied_tree.rglob("*.py")):
        if path not in before:
            path.unlink()
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)
    for room in ("stowaway", "overrides"):
        if not (ROOT / "apps" / room).exists():
            shutil.rmtree(copied_tree / "apps" / room, ignore_errors=True)


def test_contracts_are_kept(tree: Path) -> None:
    answer = lint(tree)

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(("contract", "file", "line"), BREACHES)
def test_contract_catches_breach(
    tree: Path, contract: str, file: str, line: str
) -> None:
    path = tree / file
    path.parent.mkdir(exist_ok=True)
    if path.name != "__init__.py":
        (path.parent / "__init__.py").touch()
    with path.open("a") as module:
        module.write(f"\n{line}\n")
    if contract == CYCLES:
        (tree / "apps/core/left.py").write_text("import apps.core.units\n")

    answer = lint(tree)

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert f"{contract} BROKEN" in answer.stdout


def test_every_contract_is_broken_once() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]

    assert {contract["name"] for contract in contracts} == {
        contract for contract, _file, _line in BREACHES
    }


def test_every_room_is_installed() -> None:
    rooms = {path.parent.name for path in (ROOT / "apps").glob("*/apps.py")}

    assert rooms == {
        config.name.removeprefix("apps.")
        for config in apps.get_app_configs()
        if config.name.startswith("apps.")
    }


REACTION_TASKS = sorted(
    {task for reactions in REACTIONS.values() for task, _arguments in reactions}
)
ENQUEUED_TASKS = sorted(
    {
        str(call.args[0].value)
        for path in (ROOT / "apps").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and re.search(r"\benqueue$", ast.unparse(call.func))
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
)


@pytest.mark.parametrize(
    "task", [*REACTION_TASKS, *ENQUEUED_TASKS, *(entry.task for entry in SCHEDULES)]
)
def test_task_name_resolves(task: str) -> None:
    assert callable(import_string(task))
    assert task.split(".")[2] == "tasks", "a task is a door: it stands in tasks.py"


def test_schedule_names_differ() -> None:
    names = [entry.name for entry in SCHEDULES]

    assert len(names) == len(set(names))


def test_what_ci_runs_on_one_database_touches_none_of_the_settings() -> None:
    script = (ROOT / ".ci/run").read_text()
    listed = re.search(r"^SAME_ON_ANY_DATABASE=\((.*?)^\)", script, re.M | re.S)
    assert listed is not None
    names = set(listed[1].split())
    assert names > SERVE_FILES_OF_THEIR_OWN
    for name in names - SERVE_FILES_OF_THEIR_OWN:
        place = ROOT / "tests" / name
        assert place.exists(), f"{name} is named by .ci/run, and is not there"
        files = [place] if place.is_file() else place.rglob("*.py")
        marked = [each for each in files if USES_TABLES.search(each.read_text())]
        assert not marked, "these use the database, and run on SQLite alone"
