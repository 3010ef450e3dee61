"""The environment beside the application's, where its interpreter is too old for OSRM."""

from pathlib import Path

import pytest

from apps.routes.gateways import interpreter
from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.interpreter import (
    find_interpreter,
    locked_requirements,
    make_environment,
    python_with_osrm,
)

LOCK_TEXT = """\
numpy==2.4.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
osrm-bindings==26.7.1 ; python_version >= '3.12' \\
    --hash=sha256:cc
ortools==9.15 \\
    --hash=sha256:dd
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "run.lock"
    path.write_text(LOCK_TEXT)
    return path


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Let nothing be run; keep what would be, and fail where a package is wanted."""
    commands: list[list[str]] = []

    def run(command: list[str]) -> None:
        commands.append(command)
        if "venv" in command:
            (Path(command[-1]) / "bin").mkdir(parents=True)
        if "install" in command:
            raise RoadsFailed("no network")

    monkeypatch.setattr(interpreter, "_run", run)
    monkeypatch.setattr(interpreter, "_candidates", lambda: iter(["old", "new", "has"]))
    monkeypatch.setattr(interpreter, "_is_new_enough", lambda python: python != "old")
    return commands


def test_only_what_osrm_needs_is_taken_from_the_lock(lock: Path) -> None:
    wanted = locked_requirements(lock)

    assert "ortools" not in wanted
    assert [line.split("==")[0] for line in wanted.splitlines() if "==" in line] == [
        "numpy",
        "osrm-bindings",
    ]
    lock.write_text(LOCK_TEXT.replace("osrm-bindings", "osrm"))
    with pytest.raises(RoadsFailed, match="does not hold osrm-bindings"):
        locked_requirements(lock)


def test_without_network_an_interpreter_that_has_osrm_stands_in(
    lock: Path, ran: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "roads"
    made = str(root / "python" / "bin" / "python")
    monkeypatch.setattr(
        interpreter, "_has_osrm", lambda python: python in {"has", made}
    )
    said: list[str] = []

    assert make_environment(root, lock, say=said.append) == made

    assert ran[0][:3] == ["new", "-m", "venv"]
    assert ran[-1][:4] == ["has", "-m", "venv", "--system-site-packages"]
    assert "the one that has has" in said[-1]
    assert python_with_osrm("", root) in {made, ""}
    ran.clear()
    assert make_environment(root, lock) == made
    assert ran == [], "it is made once"


def test_without_network_and_without_any_it_is_said(
    lock: Path, ran: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "_has_osrm", lambda python: False)

    with pytest.raises(RoadsFailed, match="no network"):
        make_environment(tmp_path / "roads", lock)

    assert not (tmp_path / "roads" / "python" / "stamp").exists()


def test_a_machine_without_a_newer_python_is_told_what_to_do(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "_candidates", lambda: iter(["/bin/false"]))

    assert find_interpreter() is None
    with pytest.raises(RoadsFailed, match=r"needs Python 3\.12 or later"):
        make_environment(tmp_path / "roads", lock)


def test_a_given_interpreter_wins(tmp_path: Path) -> None:
    assert python_with_osrm("/opt/python", tmp_path) == "/opt/python"
