"""What a process takes of memory and cores with all that descend from it, by Linux' count.

A solving process is no child of who asked for it: what waits for its own children sees
nothing of it.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLED_EVERY_S = 0.1
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_A_S = os.sysconf("SC_CLK_TCK")


class Watch:
    """Samples the memory of a process and all below it, as Linux tells it.

    Pages that processes share are counted for each: it is the most it can be.
    """

    def __init__(self, pid: int) -> None:
        """Begin to look."""
        self._pid = pid
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> int:
        """Return the most megabytes that were seen."""
        self._over.set()
        self._thread.join()
        return round(self._peak / 1e6)

    def _run(self) -> None:
        while not self._over.wait(SAMPLED_EVERY_S):
            self.look()

    def look(self) -> None:
        """Take a sample now."""
        self._peak = max(self._peak, sum(map(resident, family(self._pid))))


def family(pid: int) -> set[int]:
    """Return a process and all that descend from it."""
    parents = dict(parents_by_process())
    found = {pid}
    while True:
        more = {one for one, parent in parents.items() if parent in found} | found
        if more == found:
            return found
        found = more


def parents_by_process() -> Iterator[tuple[int, int]]:
    """Yield process and parent, of all that there are."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since
        yield int(path.parent.name), int(after_name[1])


def resident(pid: int) -> int:
    """Return the bytes of memory that a process has; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def spent_s(pid: int | None = None) -> tuple[float, float]:
    """Return the seconds of a core that a family has used, and waited for; ours by default.

    What has ended is counted with whoever waited for it.
    """
    ours = family(os.getpid() if pid is None else pid)
    return sum(map(processor_s, ours)), sum(map(waited_s, ours))


def processor_s(pid: int) -> float:
    """Return the seconds of a core that a process and its ended children have used.

    0 where it is gone: whoever waited for it has its seconds.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, text.rpartition(")")[2].split()[11:15])) / TICKS_A_S


def waited_s(pid: int) -> float:
    """Return the seconds that a process was ready and had no core; 0 where it is gone."""
    try:
        _, waited_ns, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return int(waited_ns) / 1e9
