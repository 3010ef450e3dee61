"""A solve in a process of its own, that can be killed.

Engines in C++ hold the interpreter for the whole search, and a task's timeout does not
interrupt them. A child process can be killed, and dies with its parent (`births`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from apps.routes.solver.births import Child, start
from apps.routes.solver.codec import SolveRequest, decode_solution, encode_request
from apps.routes.solver.port import EngineRefused, Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.routes.solver.port import OnProgress, Stop
    from apps.routes.solver.problem import Problem
    from apps.routes.solver.solution import Solution

REFUSED_EXIT = 3
"""The worker's exit code for a problem that its engine refuses."""

TAIL_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a child says at its end: seconds of its engine, and its greatest memory.

    `start_s` is what went by from the wish for a child until it could read the request.
    """

    engine_s: float
    engine_cpu_s: float
    peak_kb: int
    start_s: float


OnEffort = Callable[[Effort], None]


class SolverTimeout(RuntimeError):
    """The child process took too long and was killed."""


class SolverFailed(RuntimeError):
    """The child process ended without an answer; the message has its last words."""

    def __init__(self, code: int, words: Sequence[str] = ()) -> None:
        """Keep its exit code, negative for a signal, and its last words."""
        super().__init__(f"exit code {code}: " + " | ".join(words))
        self.code, self.words = code, tuple(words)


class Brood:
    """The children of one planning, which can be killed together from any thread."""

    def __init__(self) -> None:
        """Begin without children."""
        self._lock = threading.Lock()
        self._children: set[Child] = set()
        self._is_over = False

    def take(self, child: Child) -> None:
        """Take a child in; where all were killed already, it is too."""
        with self._lock:
            self._children.add(child)
            is_over = self._is_over
        if is_over:
            child.end()

    def let_go(self, child: Child) -> None:
        """Forget a child that has ended."""
        with self._lock:
            self._children.discard(child)

    def kill(self) -> None:
        """Kill all children, and those that come."""
        with self._lock:
            self._is_over = True
            children = list(self._children)
        for child in children:
            child.end()


def solve_in_process(
    problem: Problem,
    *,
    engine: str,
    stop: Stop,
    seed: int,
    warm_start: Solution | None = None,
    timeout_s: float,
    on_progress: OnProgress | None = None,
    on_effort: OnEffort | None = None,
    brood: Brood | None = None,
) -> Solution:
    """Solve in a child process, which is killed after `timeout_s`, or with its `brood`.

    Raises:
        SolverTimeout: it took longer.
        SolverFailed: it crashed, was killed, or could not read the problem.
        EngineRefused: the engine cannot do what the problem asks.
    """
    request = encode_request(
        SolveRequest(
            problem=problem, engine=engine, stop=stop, seed=seed, warm_start=warm_start
        )
    )
    asked_s = time.monotonic()
    child = _start()
    if brood is not None:
        brood.take(child)
    late = threading.Event()
    timer = threading.Timer(timeout_s, _end_late, [child, late])
    timer.start()
    words: deque[str] = deque(maxlen=TAIL_LINES)
    answer: list[bytes] = []
    reader = threading.Thread(target=lambda: answer.append(_pipe(child.stdout).read()))
    try:
        with contextlib.suppress(BrokenPipeError):
            _pipe(child.stdin).write(request)
        with contextlib.suppress(BrokenPipeError):
            _pipe(child.stdin).close()
        reader.start()
        _listen(child, asked_s, words, on_progress, on_effort)
        reader.join()
        code = child.wait()
    finally:
        timer.cancel()
        child.end()
        if brood is not None:
            brood.let_go(child)
        _pipe(child.stdout).close()
        _pipe(child.stderr).close()
    if code == 0:
        return decode_solution(b"".join(answer))
    if late.is_set():
        raise SolverTimeout(f"killed after {timeout_s:g} s")
    if code == REFUSED_EXIT:
        raise EngineRefused("; ".join(words))
    raise SolverFailed(code, words)


def _start() -> Child:
    try:
        return start()
    except OSError as error:
        raise SolverFailed(0, [f"no process to solve in: {error}"]) from error


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise SolverFailed(0, ["the child has no pipe"])
    return stream


def _end_late(child: Child, late: threading.Event) -> None:
    """Kill a child whose time is up, and leave word of it before it can be noticed."""
    late.set()
    child.end()


def _listen(
    child: Child,
    asked_s: float,
    words: deque[str],
    on_progress: OnProgress | None,
    on_effort: OnEffort | None,
) -> None:
    """Read the child's words until it ends; listeners run in the caller's thread.

    A word is `progress PERCENT SOLUTIONS COST`, `effort S CPU_S KB READY_S`, or a complaint.
    """
    for raw in _pipe(child.stderr):
        line = raw.decode(errors="replace").strip()
        kind, *said = line.split(" ")
        if kind == "progress" and len(said) == 3:
            if on_progress is not None:
                on_progress(_progress(*said))
        elif kind == "effort" and len(said) == 4:
            if on_effort is not None:
                on_effort(_effort(asked_s, *said))
        else:
            words.append(line)


def _progress(percent: str, solutions: str, cost: str) -> Progress:
    return Progress(
        percent=int(percent),
        solutions=int(solutions),
        best_cost_milli=None if cost == "-" else int(cost),
    )


def _effort(
    asked_s: float, engine_s: str, engine_cpu_s: str, peak_kb: str, ready_s: str
) -> Effort:
    return Effort(
        engine_s=float(engine_s),
        engine_cpu_s=float(engine_cpu_s),
        peak_kb=int(peak_kb),
        start_s=float(ready_s) - asked_s,
    )
