"""The child process of a solve: a request on stdin, the answer on stdout.

Progress goes to stderr, a line a word. No framework is loaded here, so it starts fast.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from apps.routes.solver.codec import decode_request, encode_solution
from apps.routes.solver.expecting import plan_expecting
from apps.routes.solver.port import EngineRefused, open_engine
from apps.routes.solver.process import REFUSED_EXIT

if TYPE_CHECKING:
    from apps.routes.solver.port import Progress

PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that this process gets when its parent dies."""


def main(parent_pid: int) -> int:
    """Answer the request on stdin; return the exit code."""
    ready_s = time.monotonic()  # one clock for all processes of a machine
    _die_with(parent_pid)
    request = decode_request(sys.stdin.buffer.read())
    began, began_cpu = time.monotonic(), time.process_time()
    try:
        solution = plan_expecting(
            open_engine(request.engine),
            request.problem,
            stop=request.stop,
            seed=request.seed,
            warm_start=request.warm_start,
            on_progress=_say,
        )
    except EngineRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return REFUSED_EXIT
    engine_s, engine_cpu_s = time.monotonic() - began, time.process_time() - began_cpu
    effort = f"{engine_s:.3f} {engine_cpu_s:.3f} {peak_kb()} {ready_s:.4f}"
    sys.stderr.write(f"effort {effort}\n")
    sys.stderr.flush()
    sys.stdout.buffer.write(encode_solution(solution))
    sys.stdout.buffer.flush()
    return 0


def peak_kb() -> int:
    """Return the greatest resident memory of this process, without its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def _die_with(parent_pid: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        raise SystemExit("The parent is gone.")


def _say(progress: Progress) -> None:
    best = progress.best_cost_milli
    cost = "-" if best is None else str(best)
    sys.stderr.write(f"progress {progress.percent} {progress.solutions} {cost}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1])))
