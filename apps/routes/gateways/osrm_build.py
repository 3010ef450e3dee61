"""From an extract of OpenStreetMap to a network that OSRM opens, by OSRM's own tools.

`osrm-customize` changes its files and does not undo that. So what was extracted and
partitioned stays as it is (`bases/`), and each customization works on a copy of it, in a
directory of its own (`versions/`), which then counts in one step.
"""

import fcntl
import re
import secrets
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.networks import (
    ABOUT,
    STEM,
    Network,
    bounds_of,
    publish,
    read_network,
)

EXTRACTS = (".osm.pbf", ".osm.bz2", ".osm.xml", ".osm")
GOOD_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
KEPT_VERSIONS = 2
"""A process that looked before the newest came may still open the one before."""

BUILD_ONLY = ("cnbg", "cnbg_to_ebg", "ebg", "enw", "restrictions")
"""Files that the tools need and engines never open."""

SHOWN_LINES = 8
HEARTBEAT_S = 10.0
MOST_FAULTS = 10

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """OSRM's tools, in the interpreter that has its wheel, and where to tell of them."""

    python: str
    say: Say

    def run(self, tool: str, *arguments: str) -> None:
        """Run a tool to its end, with a word now and then.

        Raises:
            RoadsFailed: it failed; the message has its last words.
        """
        since = said = time.monotonic()
        self.say(f"{tool} …")
        words: deque[str] = deque(maxlen=SHOWN_LINES)
        with subprocess.Popen(
            [self.python, "-m", "osrm", tool, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                words.append(line.strip())
                if time.monotonic() - said > HEARTBEAT_S:
                    said = time.monotonic()
                    self.say(f"  {said - since:.0f} s: {line.strip()}")
        if process.returncode:
            raise RoadsFailed(f"osrm-{tool} failed: " + " | ".join(words))
        self.say(f"{tool}: {time.monotonic() - since:.1f} s")

    def profile(self, profile: str) -> Path:
        """Return the file of a profile: one of the wheel's by name, or a path.

        Raises:
            RoadsFailed: there is none.
        """
        if profile.endswith(".lua"):
            path = Path(profile)
        else:
            done = subprocess.run(
                [self.python, "-c", "import osrm; print(osrm.__path__[0])"],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RoadsFailed(f"{self.python} has no OSRM: {done.stderr.strip()}")
            path = Path(done.stdout.strip()) / "share" / "profiles" / f"{profile}.lua"
        if not path.is_file():
            raise RoadsFailed(
                f"There is no profile {profile!r}: try car, or a .lua file"
            )
        return path


def build(
    tools: Tools, root: Path, extract: Path, *, name: str, profile: str, now: datetime
) -> Network:
    """Build a network and let it count.

    Raises:
        RoadsFailed: the name, the file or the profile is bad, or a tool failed.
    """
    if not GOOD_NAME.fullmatch(name):
        raise RoadsFailed(
            f"{name!r} cannot name a network: take small letters, digits, - and _"
        )
    if not extract.is_file() or not extract.name.endswith(EXTRACTS):
        raise RoadsFailed(f"{extract} is no extract: give {', '.join(EXTRACTS)}")
    lua = tools.profile(profile)
    with _alone(root / name):
        stamp = _stamp(now)
        base = root / name / "bases" / stamp
        with _staged(base) as staged:
            files = str(staged / STEM)
            tools.run("extract", str(extract), "-p", str(lua), "-o", files)
            tools.run("partition", files)
            bounds = bounds_of(staged / f"{STEM}.nbg_nodes")
        network = Network(
            name=name,
            version=stamp,
            base=stamp,
            profile=lua.stem,
            extract=extract.name,
            built_at=now.isoformat(),
            bounds=bounds,
        )
        return _customize(tools, root, network, ())


def change_speeds(
    tools: Tools, root: Path, name: str, *, speeds: Sequence[str], now: datetime
) -> Network:
    """Customize a network anew with the speeds of `read_speeds`; none: as it was built.

    Raises:
        RoadsFailed: there is no such network, or a tool failed.
    """
    with _alone(root / name):
        network = read_network(root, name)
        fresh = replace(network, version=_stamp(now), speeds=len(speeds))
        return _customize(tools, root, fresh, speeds)


def read_speeds(lines: Iterable[str]) -> list[str]:
    """Return lines of `from,to,km/h` (ids of OSM's nodes) as OSRM reads them.

    A head line and blank ones are passed over; a speed of 0 closes the segment.

    Raises:
        RoadsFailed: lines that cannot be meant; the message names them.
    """
    found, faults = [], []
    for number, raw in enumerate(lines, 1):
        cells = [cell.strip() for cell in raw.split(",")]
        if not any(cells) or (number == 1 and not cells[0][:1].isdigit()):
            continue
        if fault := _fault_of(cells):
            faults.append(f"line {number}: {fault}")
        else:
            found.append(",".join(cells))
    if faults:
        more = f"; and {len(faults) - MOST_FAULTS} more" if faults[MOST_FAULTS:] else ""
        raise RoadsFailed("; ".join(faults[:MOST_FAULTS]) + more)
    if not found:
        raise RoadsFailed("the file has no speeds: give lines of from_node,to_node,kmh")
    return found


def _fault_of(cells: Sequence[str]) -> str:
    if len(cells) != 3:
        return f"{len(cells)} columns where from_node,to_node,kmh are three"
    if not (cells[0].isdigit() and cells[1].isdigit()):
        return f"{cells[0]},{cells[1]} are not whole numbers: give ids of OSM's nodes"
    try:
        speed = float(cells[2])
    except ValueError:
        return f"{cells[2]!r} is no speed in km/h"
    return "" if 0 <= speed <= 300 else f"{cells[2]} km/h is no speed from 0 to 300"


def _customize(
    tools: Tools, root: Path, network: Network, speeds: Sequence[str]
) -> Network:
    home = root / network.name
    with _staged(home / "versions" / network.version) as staged:
        shutil.copytree(home / "bases" / network.base, staged, dirs_exist_ok=True)
        options = []
        if speeds:
            listed = staged / "speeds.csv"
            listed.write_text("\n".join(speeds) + "\n")
            options = ["--segment-speed-file", str(listed)]
        tools.run("customize", str(staged / STEM), *options)
        for kind in BUILD_ONLY:
            (staged / f"{STEM}.{kind}").unlink(missing_ok=True)
    publish(root, network)
    _clear(home / "bases", {network.base})
    versions = sorted(each.name for each in (home / "versions").iterdir())
    _clear(home / "versions", {network.version, *versions[-KEPT_VERSIONS:]})
    return network


def _stamp(now: datetime) -> str:
    """Return a name that sorts by time and is given once."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let one build of a network work at a time.

    Raises:
        RoadsFailed: another one is at it.
    """
    is_new = not home.exists()
    home.mkdir(parents=True, exist_ok=True)
    try:
        with (home / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RoadsFailed(f"{home.name} is being built already") from None
            yield
    finally:
        if is_new and not (home / ABOUT).exists():
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """Give a directory to fill, which becomes `target` when all went well."""
    staged = target.with_name(f".{target.name}")
    staged.mkdir(parents=True)
    try:
        yield staged
        staged.rename(target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _clear(directory: Path, kept: set[str]) -> None:
    for each in directory.iterdir():
        if each.name not in kept:
            shutil.rmtree(each, ignore_errors=True)
