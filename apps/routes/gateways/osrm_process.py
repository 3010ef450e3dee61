"""OSRM in a process beside ours, where our interpreter is too old for its wheel."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from apps.core.units import Point
from apps.routes.gateways import osrm_wire
from apps.routes.gateways.base import (
    Entries,
    MatchedTrace,
    Provenance,
    RoadsFailed,
    RouteGeometry,
    SnappedPoint,
    SourceDown,
    check_trace,
    check_way,
)

ROOT = Path(__file__).resolve().parents[3]
LAST_WORDS = 600


class OsrmProcess:
    """Asks a child that has OSRM; starts it when first asked, and again when it is gone.

    The child ends when its pipe closes, which is when this process ends, however that
    goes. One question at a time; one that takes longer than `timeout_s` ends the child.
    """

    def __init__(
        self, python: str, root: Path, name: str = "", *, timeout_s: float = 30
    ) -> None:
        """Take the interpreter that has OSRM's wheel, and where the networks are."""
        self._command = [python, "-m", "apps.routes.gateways.osrm_worker"]
        self._command += [str(root), *([name] if name else [])]
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None
        self._owner = 0

    def provenance(self, points: Sequence[Point]) -> Provenance:
        """Say which network answers, in which version."""
        said, _ = self._ask("provenance", points)
        return Provenance(**said)

    def table(
        self, points: Sequence[Point], sources: Sequence[int], targets: Sequence[int]
    ) -> tuple[Entries, Entries]:
        """Return durations and distances of a rectangle of the matrix."""
        said, body = self._ask(
            "table", points, sources=list(sources), targets=list(targets)
        )
        return osrm_wire.unpack_table(said["shape"], body)

    def route(self, points: Sequence[Point]) -> RouteGeometry:
        """Return the way through the points, along the roads."""
        check_way(points)
        return osrm_wire.unpack_way(self._ask("route", points)[0])

    def match(
        self, trace: Sequence[Point], *, times_s: Sequence[int] | None = None
    ) -> MatchedTrace:
        """Lay a trace of positions on the roads."""
        check_trace(trace, times_s)
        times = None if times_s is None else list(times_s)
        return osrm_wire.unpack_trace(self._ask("match", trace, times_s=times)[0])

    def snap(self, point: Point) -> SnappedPoint:
        """Return the nearest place on a road."""
        return osrm_wire.unpack_snapped(self._ask("snap", [point])[0])

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _ask(
        self, ask: str, points: Sequence[Point], **more: Any
    ) -> tuple[dict[str, Any], bytes]:
        question = {"ask": ask, "points": [(p.lat, p.lon) for p in points], **more}
        with self._lock:
            if self._owner != os.getpid():
                # A fork has copied us: the child belongs to the process that began it.
                self._child, self._words, self._owner = None, None, os.getpid()
            known = self._child is not None and self._child.poll() is None
            try:
                said, body = self._exchange(question)
            except (EOFError, OSError) as error:
                why = self._last_words() or str(error)
                self._end()
                if not known:
                    raise SourceDown(f"The OSRM process failed: {why}") from error
                said, body = self._once_more(question)
        if "failed" in said:
            raise RoadsFailed(said["failed"])
        return said, body

    def _once_more(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Ask a fresh child: the one before had answered once, and is gone."""
        try:
            return self._exchange(question)
        except (EOFError, OSError) as error:
            why = self._last_words() or str(error)
            self._end()
            raise SourceDown(f"The OSRM process failed twice: {why}") from error

    def _exchange(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        child = self._running()
        if child.stdin is None or child.stdout is None:
            raise RoadsFailed("The OSRM process has no pipes")
        late = threading.Event()
        timer = threading.Timer(self._timeout_s, _kill_late, [child, late])
        timer.start()
        try:
            osrm_wire.send(child.stdin, question)
            return osrm_wire.receive(child.stdout)
        except (EOFError, OSError) as error:
            if late.is_set():
                self._end()
                raise SourceDown(
                    f"The OSRM process gave no answer in {self._timeout_s:g} s"
                ) from error
            raise
        finally:
            timer.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            self._words = tempfile.TemporaryFile()  # noqa: SIM115  closed by _end
            self._child = subprocess.Popen(
                self._command,
                cwd=ROOT,
                # No threads for linear algebra: it forks (`osrm_halves`).
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                start_new_session=True,
            )
        return self._child

    def _last_words(self) -> str:
        if self._words is None:
            return ""
        if self._child is not None:
            _kill(self._child)
        self._words.seek(0)
        return self._words.read()[-LAST_WORDS:].decode(errors="replace").strip()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            _kill(child)
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(BrokenPipeError):
                    if pipe is not None:
                        pipe.close()
        if self._words is not None:
            self._words.close()
            self._words = None


def _kill_late(child: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
