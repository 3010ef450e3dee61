"""`docs/protocol.md` names what does each statement and what shows it: all of it is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/protocol.md").read_text()
CELL = re.compile(r"`([^`]+)`")

Row = tuple[str, list[str], list[str]]


def rows_of(text: str) -> list[Row]:
    """Return the tables' rows: the statement, the modules, and the tests."""
    found = []
    for line in text.splitlines():
        if not line.startswith("| ") or line.startswith("| what holds"):
            continue
        said, where, shown = line.strip("| ").split(" | ")
        found.append((said, CELL.findall(where), CELL.findall(shown)))
    return found


@cache
def defined_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(
        each.name for each in tree.body if isinstance(each, ast.FunctionDef)
    )


def faults_of(row: Row) -> list[str]:
    """Return what a row names that is not there."""
    said, where, shown = row
    faults = [name for name in where if not (ROOT / "apps" / name).is_file()]
    for name in shown:
        file, _, test = name.partition("::")
        path = ROOT / "tests" / file
        if not path.is_file() or test not in defined_in(path):
            faults.append(name)
    return faults if where and shown else [f"{said}: a module and a test are wanted"]


ROWS = rows_of(DOCUMENT)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_statement_is_done_where_it_says_and_has_its_tests(row: Row) -> None:
    assert faults_of(row) == []


def test_no_part_of_the_protocol_is_left_out() -> None:
    parts = re.findall(r"^## (.+)$", DOCUMENT, re.M)
    assert parts == [
        *("Ground rules", "Tables", "Pull", "Push", "Results", "HTTP"),
        *("One push is one transaction", "Late facts", "Time", "Files of proof"),
        *("Positions", "Poke", "Who may", "Invariants"),
    ]
    assert len(ROWS) >= 110
    assert len({said for said, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    "line",
    [
        "| It flies | `sync/wings.py` | `sync/test_pull.py::test_pull_of_some_tables_alone` |",
        "| It flies | `sync/api.py` | `sync/test_pull.py::test_pull_flies` |",
        "| It flies | `sync/api.py` | `sync/test_wings.py::test_pull_flies` |",
        "| It flies | `sync/api.py` | by looking |",
    ],
)
def test_statement_without_its_module_or_test_is_found(line: str) -> None:
    [row] = rows_of(line)
    assert faults_of(row)
