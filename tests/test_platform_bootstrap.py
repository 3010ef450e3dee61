"""The environment that `manage.py` makes on its first call."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from config import bootstrap

INSTALLER_THAT_FAILS = """#!/bin/sh
echo "error: no route to the registry"
exit 2
"""
INSTALLER_THAT_COUNTS = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
if [ "$1" = venv ]; then mkdir -p "$5/bin" && ln -s "$4" "$5/bin/python"; fi
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    locks = tmp_path / "config" / "locks"
    locks.mkdir(parents=True)
    (locks / "run.lock").write_text("a==1 \\\n    --hash=sha256:00\n")
    (locks / "dev.lock").write_text("a==1 \\\n    --hash=sha256:00\nb==2\n")
    (tmp_path / "tools").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools'}:/usr/bin:/bin")
    return tmp_path


def give_uv(root: Path, script: str) -> Path:
    uv = root / "tools" / "uv"
    uv.write_text(script)
    uv.chmod(0o755)
    return root / "tools" / "calls"


def test_environment_is_made_once(root: Path) -> None:
    calls = give_uv(root, INSTALLER_THAT_COUNTS)

    python = bootstrap.make_environment(root, "run")
    assert python == bootstrap.make_environment(root, "run")

    made, installed = calls.read_text().splitlines()
    assert made.startswith("venv")
    assert "--require-hashes" in installed
    assert installed.endswith("run.lock")


def test_environment_is_filled_again_when_lock_changes(root: Path) -> None:
    calls = give_uv(root, INSTALLER_THAT_COUNTS)
    bootstrap.make_environment(root, "run")

    (root / "config/locks/run.lock").write_text("a==2\n")
    bootstrap.make_environment(root, "run")

    assert len(calls.read_text().splitlines()) == 3


def test_environment_for_developers_serves_ordinary_commands(root: Path) -> None:
    calls = give_uv(root, INSTALLER_THAT_COUNTS)
    bootstrap.make_environment(root, "run")
    bootstrap.make_environment(root, "dev")

    bootstrap.make_environment(root, "run")

    assert len(calls.read_text().splitlines()) == 3
    assert json.loads((root / ".venv/stamp.json").read_text())["kind"] == "dev"


def test_environment_without_network_says_what_to_do(root: Path) -> None:
    give_uv(root, INSTALLER_THAT_COUNTS)
    bootstrap.make_environment(root, "run")
    give_uv(root, INSTALLER_THAT_FAILS)
    (root / "config/locks/run.lock").write_text("a==2\n")

    with pytest.raises(bootstrap.Failed) as failure:
        bootstrap.make_environment(root, "run")

    assert "no route to the registry" in str(failure.value)
    assert "HTTPS_PROXY" in str(failure.value)
    assert not (root / ".venv/stamp.json").exists()


def test_environment_without_venv_module_says_what_to_do(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = root / "tools" / "python"
    broken.write_text("#!/bin/sh\necho 'No module named venv' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))

    with pytest.raises(bootstrap.Failed, match="-venv"):
        bootstrap.make_environment(root, "run")

    assert not (root / ".venv").exists()


def test_enter_environment_exits_when_it_cannot(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give_uv(root, INSTALLER_THAT_FAILS)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)

    with pytest.raises(SystemExit) as end:
        bootstrap.enter_environment(["manage.py", "check"], root=root)

    assert end.value.code == 3
    assert "no route to the registry" in capsys.readouterr().err


def test_enter_environment_leaves_an_active_one_alone(root: Path) -> None:
    bootstrap.enter_environment(["manage.py", "check"], root=root)

    assert not (root / ".venv").exists()


def test_bootstrap_needs_the_standard_library_alone() -> None:
    answer = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            "import runpy; runpy.run_path('bootstrap.py')",
        ],
        cwd=Path(bootstrap.__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
