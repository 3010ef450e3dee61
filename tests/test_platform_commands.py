"""`manage.py test` and `manage.py bench` as a user calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_test_passes_arguments_and_exit_code_through() -> None:
    kept = manage("test", "tests/core/test_lane.py", "-k", "in_order", "-q")
    nothing = manage("test", "tests/core/test_lane.py", "-k", "no_such_test", "-q")

    assert kept.returncode == 0, kept.stdout
    assert "1 passed" in kept.stdout
    assert nothing.returncode == 5, "pytest's own code for no test found"


def test_bench_without_name_lists_what_there_is() -> None:
    files = (ROOT / "tests/bench").glob("[!_]*.py")
    names = {path.stem.rstrip("_").replace("_", "-") for path in files}

    answer = manage("bench")

    assert answer.returncode == 0, answer.stderr
    assert {line.split()[0] for line in answer.stdout.splitlines()} == names


def test_bench_prints_one_json_object_last(tmp_path: Path) -> None:
    script = (
        "import sys, types, json; import config.settings;"
        "from apps.core.management.commands import bench;"
        "speed = types.SimpleNamespace();"
        "speed.main = lambda argv: {'name': 'speed', 'argv': argv};"
        "bench._find = {'speed': speed}.get;"
        "bench.Command().run_from_argv(['manage.py', *sys.argv[1:]])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, "bench", "speed", "--rows", "3", "--json"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )

    last = json.loads(answer.stdout.splitlines()[-1])
    assert last == {"name": "speed", "argv": ["--rows", "3"]}


def test_bench_makes_the_tables_that_it_needs(tmp_path: Path) -> None:
    rows = ("--rows", "20", "--peer-rows", "0", "--json")

    answer = manage("bench", "import", *rows, DATA_DIR=str(tmp_path), DATABASE_URL="")

    assert answer.returncode == 0, answer.stderr
    assert "its tables are made first" in answer.stderr
    assert json.loads(answer.stdout.splitlines()[-1])["rows"] == 20


def test_bench_of_unknown_name_says_which_there_are() -> None:
    answer = manage("bench", "no-such-thing", "--json")

    assert answer.returncode == 2
    assert "no-such-thing" in answer.stderr


def test_bad_setting_is_one_line_and_no_traceback() -> None:
    answer = manage("check", DEBUG="maybe")

    assert answer.returncode == 2
    assert answer.stderr.strip() == (
        "Roundsman cannot start: DEBUG must be true or false, not 'maybe'."
    )
