"""An interpreter that can have OSRM: found on this machine, filled from the lock.

The wheel wants Python 3.12 or later. Where the application runs on an older one, an
environment is made beside it, with the locked packages that OSRM needs, hashes checked.
Where those cannot be had (no network), one stands in that some interpreter here has.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from apps.routes.gateways.base import RoadsFailed

NEEDED = ("osrm-bindings", "numpy")
NAMES = ("python3.12", "python3.13", "python3.14", "python3")
PROBE_S = 20
INSTALL_S = 600
SHOWN_LINES = 8


def has_osrm_here() -> bool:
    """Tell whether this interpreter has the wheel."""
    return importlib.util.find_spec("osrm") is not None


def beside(root: Path) -> Path:
    """Return where the environment beside the application's has its interpreter."""
    return root / "python" / "bin" / "python"


def python_with_osrm(given: str, root: Path) -> str | None:
    """Return the interpreter to ask OSRM in; "" is this one, None that there is none.

    `given` is the setting, and wins.
    """
    if given:
        return given
    if has_osrm_here():
        return ""
    made = beside(root)
    return str(made) if (root / "python" / "stamp").exists() else None


def find_interpreter() -> str | None:
    """Return a Python of 3.12 or later on this machine, None where there is none."""
    return next((python for python in _candidates() if _is_new_enough(python)), None)


def make_environment(
    root: Path, lock: Path, *, say: Callable[[str], None] = lambda line: None
) -> str:
    """Return an interpreter that has OSRM; make its environment, once.

    Raises:
        RoadsFailed: there is no Python of 3.12 or later, or packages cannot be had.
    """
    python = beside(root)
    stamp = root / "python" / "stamp"
    wanted = locked_requirements(lock)
    fingerprint = hashlib.sha256(wanted.encode()).hexdigest()
    root.mkdir(parents=True, exist_ok=True)
    with (root / "python.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == fingerprint:
            return str(python)
        base = find_interpreter()
        if base is None:
            raise RoadsFailed(
                "OSRM's wheel needs Python 3.12 or later and there is none on this"
                " machine: install one, or let ROADS_PYTHON name one that has"
                " osrm-bindings and numpy"
            )
        say(f"Making an environment for OSRM with {base}")
        shutil.rmtree(python.parents[1], ignore_errors=True)
        _run([base, "-m", "venv", str(python.parents[1])])
        listed = python.parents[1] / "locked.txt"
        listed.write_text(wanted)
        say("Installing OSRM's wheel, hashes checked (20 MB)")
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
        install += ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
        install += ["--disable-pip-version-check", "-r", str(listed)]
        try:
            _run(install)
        except RoadsFailed:
            if not _borrow(python, say):
                raise
        stamp.write_text(fingerprint)
    return str(python)


def locked_requirements(lock: Path) -> str:
    """Return the lock's lines for what OSRM needs, with their hashes.

    Raises:
        RoadsFailed: the lock does not hold it.
    """
    text = lock.read_text()
    names = "|".join(re.escape(name) for name in NEEDED)
    pattern = rf"(?m)^(?:{names})==[^\n]*\\\n(?:    --hash=[^\n]*\n?)+"
    found = re.findall(pattern, text)
    if not any(block.startswith(NEEDED[0]) for block in found):
        raise RoadsFailed(f"{lock} does not hold {NEEDED[0]}")
    return "".join(found)


def _borrow(python: Path, say: Callable[[str], None]) -> bool:
    """Make the environment on an interpreter that has OSRM; False where none has."""
    ready = next((each for each in _candidates() if _has_osrm(each)), None)
    if ready is None:
        return False
    say(f"The wheel cannot be had: taking the one that {ready} has")
    home = python.parents[1]
    shutil.rmtree(home, ignore_errors=True)
    _run([ready, "-m", "venv", "--system-site-packages", str(home)])
    return _has_osrm(str(python))


def _candidates() -> Iterator[str]:
    yield sys.executable
    for name in NAMES:
        if found := shutil.which(name):
            yield found
    homes = [
        Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions",
        Path.home() / ".local" / "share" / "uv" / "python",
    ]
    for home in homes:
        yield from map(str, sorted(home.glob("*3.1[2-9]*/bin/python3")))


def _is_new_enough(python: str) -> bool:
    return _says_yes(python, "import sys, venv; sys.exit(sys.version_info < (3, 12))")


def _has_osrm(python: str) -> bool:
    return _says_yes(python, "import numpy, osrm, venv")


def _says_yes(python: str, probe: str) -> bool:
    try:
        done = subprocess.run(
            [python, "-c", probe], capture_output=True, timeout=PROBE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RoadsFailed(f"{command[0]} failed: {error}") from error
    if done.returncode:
        words = (done.stdout + done.stderr).strip().splitlines()[-SHOWN_LINES:]
        raise RoadsFailed(
            "The environment for OSRM could not be made (behind a proxy set HTTPS_PROXY,"
            " for a mirror PIP_INDEX_URL): " + " | ".join(words)
        )
