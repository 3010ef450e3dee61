"""Makes `.venv` with the locked packages and goes on inside it; stdlib alone.

Inside an active environment nothing is done: whoever made it keeps it.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NoReturn

Kind = Literal["run", "dev"]

ROOT = Path(__file__).resolve().parent.parent
DEV_COMMANDS = frozenset({"test", "bench"})
LINES_SHOWN_OF_A_FAILURE = 15


class Failed(Exception):
    """The environment could not be made; the text says what to do."""


def enter_environment(argv: Sequence[str], *, root: Path = ROOT) -> None:
    """Return inside an environment; otherwise make one and start again in it.

    Exits with status 3, and what to do, when it cannot be made.
    """
    if sys.prefix != sys.base_prefix:
        return
    kind: Kind = "dev" if DEV_COMMANDS & set(argv[1:2]) else "run"
    try:
        python = make_environment(root, kind)
    except Failed as failure:
        _say(str(failure))
        raise SystemExit(3) from None
    _go_on(python, argv)


def make_environment(root: Path, kind: Kind) -> Path:
    """Return the Python of `.venv`, made and filled if need be.

    Raises:
        Failed: a tool is missing, or the packages could not be had.
    """
    venv = root / ".venv"
    python = venv / "bin" / "python"
    if _satisfies(root, kind):
        return python
    with _alone(root):
        if _satisfies(root, kind):  # another first start was faster
            return python
        if _stamp(venv).get("kind") == "dev":
            kind = "dev"  # what a developer has stays whole
        _make_venv(venv, python)
        _install(root, venv, python, kind)
        stamp = {"kind": kind, "fingerprint": _fingerprint(root, kind)}
        (venv / "stamp.json").write_text(json.dumps(stamp))
    return python


def _satisfies(root: Path, kind: Kind) -> bool:
    stamp = _stamp(root / ".venv")
    had = stamp.get("kind")
    if had not in {"dev", kind}:
        return False
    return stamp.get("fingerprint") == _fingerprint(root, had)


def _stamp(venv: Path) -> dict[str, str]:
    try:
        stamp = json.loads((venv / "stamp.json").read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _fingerprint(root: Path, kind: str) -> str:
    lock = (root / "config" / "locks" / f"{kind}.lock").read_bytes()
    return hashlib.sha256(lock + sys.version.encode()).hexdigest()


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Let one first start work while others wait for it."""
    (root / "var").mkdir(exist_ok=True)
    with (root / "var" / "bootstrap.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another start that is making .venv.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_venv(venv: Path, python: Path) -> None:
    version = ".".join(map(str, sys.version_info[:2]))
    if python.exists():
        probe = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(probe, capture_output=True, text=True, check=False)
        if answer.stdout.strip() == version:
            return
        shutil.rmtree(venv)
    _say(f"Making .venv with Python {version}.")
    uv = shutil.which("uv")
    if uv:
        command = [uv, "venv", "--quiet", "--python", sys.executable, str(venv)]
    else:
        command = [sys.executable, "-m", "venv", "--clear", str(venv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        said = _last_lines(done.stdout + done.stderr)
        raise Failed(
            f"Python could not make an environment:\n{said}\n"
            f"On Debian and Ubuntu: apt-get install python{version}-venv."
            " Or install uv (https://docs.astral.sh/uv), which needs none."
        )


def _install(root: Path, venv: Path, python: Path, kind: Kind) -> None:
    lock = root / "config" / "locks" / f"{kind}.lock"
    total = sum(line[:1].isalnum() for line in lock.read_text().splitlines())
    (venv / "stamp.json").unlink(missing_ok=True)
    uv = shutil.which("uv")
    tool = "uv" if uv else "pip"
    _say(
        f"Installing up to {total} locked packages with {tool}, hashes checked"
        " (a minute or two, this once)."
    )
    if uv:
        # As pip does: every process that starts later is spared some two seconds.
        command = [uv, "pip", "sync", "--quiet", "--compile-bytecode"]
        command += ["--require-hashes", "--python", str(python), str(lock)]
    else:
        _ensure_pip(python)
        command = [str(python), "-m", "pip", "install", "--require-hashes"]
        command += ["--disable-pip-version-check", "--no-input", "-r", str(lock)]
    _follow(command, total)


def _ensure_pip(python: Path) -> None:
    has_pip = [str(python), "-c", "import pip"]
    if subprocess.run(has_pip, capture_output=True, check=False).returncode == 0:
        return
    make_pip = [str(python), "-m", "ensurepip", "--upgrade"]
    done = subprocess.run(make_pip, capture_output=True, text=True, check=False)
    if done.returncode:
        version = ".".join(map(str, sys.version_info[:2]))
        raise Failed(
            f".venv has no pip and Python cannot add it:\n{_last_lines(done.stderr)}\n"
            f"On Debian and Ubuntu: apt-get install python{version}-venv;"
            " then delete .venv and try again."
        )


def _follow(command: list[str], total: int) -> None:
    """Run the installer, showing how far it is; raise what it said if it fails."""
    lines: list[str] = []
    fetched = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as installer:
        for line in installer.stdout or ():
            lines.append(line.rstrip())
            if line.startswith("Collecting "):
                fetched += 1
                if fetched % 10 == 0:
                    _say(f"  {fetched} of up to {total} fetched")
            elif line.startswith("Installing collected"):
                _say("  all fetched; unpacking")
    if installer.returncode:
        raise Failed(
            f"The packages could not be installed:\n{_last_lines(chr(10).join(lines))}\n"
            "Check the network (behind a proxy set HTTPS_PROXY; for a mirror set"
            " PIP_INDEX_URL or UV_INDEX_URL) and run the same command again."
        )


def _last_lines(text: str) -> str:
    lines = text.strip().splitlines()[-LINES_SHOWN_OF_A_FAILURE:]
    return "\n".join(f"  {line}" for line in lines)


def _go_on(python: Path, argv: Sequence[str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(python, [str(python), *argv], os.environ)  # noqa: S606  no shell meant


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  before there are logs
