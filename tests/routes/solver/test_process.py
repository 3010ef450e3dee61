import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from apps.routes.solver import process
from apps.routes.solver.births import Child
from apps.routes.solver.port import Progress, Stop, open_engine
from apps.routes.solver.process import (
    Brood,
    SolverFailed,
    SolverTimeout,
    solve_in_process,
)
from apps.routes.solver.validate import validate
from tests.routes.solver.instances import composed_day, job, line_problem, van

ROOT = Path(__file__).parents[3]
ENDLESS = Stop(solutions=None, time_limit_s=300)
ORPHAN = """
import os
from apps.routes.solver import process
from apps.routes.solver.port import Stop
from tests.routes.solver.instances import composed_day
begin = process._start
def start():
    child = begin()
    stat = open(f"/proc/{child.pid}/stat").read()
    print(child.pid, stat.rpartition(")")[2].split()[1], flush=True)
    return child
process._start = start
process.solve_in_process(
    composed_day(60, 3), engine="ortools", stop=Stop(time_limit_s=300), seed=1,
    timeout_s=300,
)
"""


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process ids of the children started."""
    pids: list[int] = []
    start = process._start

    def remember() -> Child:
        child = start()
        pids.append(child.pid)
        return child

    monkeypatch.setattr(process, "_start", remember)
    return pids


def is_running(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 15
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


@pytest.mark.parametrize("engine", ["greedy", "ortools"])
def test_solve_in_process_answers_as_the_engine_does(engine: str) -> None:
    problem = composed_day(10, 1)
    stop = Stop(solutions=650, time_limit_s=60)
    heard: list[Progress] = []
    before = open_engine("greedy").solve(problem, stop=Stop(solutions=0), seed=3)

    there = solve_in_process(
        problem,
        engine=engine,
        stop=stop,
        seed=3,
        warm_start=before,
        timeout_s=120,
        on_progress=heard.append,
    )

    here = open_engine(engine).solve(problem, stop=stop, seed=3, warm_start=before)
    assert there == here
    assert validate(problem, there) == ()
    assert heard
    assert heard == sorted(heard, key=lambda one: one.solutions)


def test_solve_in_process_kills_a_child_that_is_late(children: list[int]) -> None:
    with pytest.raises(SolverTimeout, match=r"killed after 1\.5 s"):
        solve_in_process(
            composed_day(60, 3), engine="ortools", stop=ENDLESS, seed=1, timeout_s=1.5
        )

    assert [is_running(pid) for pid in children] == [False]


def test_solve_in_process_reports_a_child_that_was_killed(
    children: list[int],
) -> None:
    def kill(_: Progress) -> None:
        os.kill(children[0], signal.SIGKILL)

    with pytest.raises(SolverFailed, match="exit code -9"):
        solve_in_process(
            composed_day(60, 3),
            engine="greedy",
            stop=Stop(solutions=100_000, time_limit_s=300),
            seed=1,
            timeout_s=60,
            on_progress=kill,
        )


def test_solve_in_process_passes_on_last_words() -> None:
    broken = line_problem(jobs=(job("a", 99),), vehicles=(van(),))

    with pytest.raises(SolverFailed, match="job a: location out of range"):
        solve_in_process(
            broken, engine="greedy", stop=Stop(solutions=1), seed=1, timeout_s=60
        )


def test_solve_in_process_leaves_no_child_when_the_listener_fails(
    children: list[int],
) -> None:
    def fail(_: Progress) -> None:
        raise KeyError("no row for this progress")

    with pytest.raises(KeyError, match="no row"):
        solve_in_process(
            composed_day(60, 3),
            engine="greedy",
            stop=Stop(solutions=100_000, time_limit_s=300),
            seed=1,
            timeout_s=60,
            on_progress=fail,
        )

    assert [is_running(pid) for pid in children] == [False]


@pytest.mark.skipif(sys.platform != "linux", reason="a signal at death is Linux's")
def test_worker_and_nursery_die_with_their_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent, parent.stdout as words:
        worker_pid, nursery_pid = map(int, words.readline().split())
        was_running = is_running(worker_pid), nursery_pid != parent.pid
        parent.kill()

    assert was_running == (True, True)
    assert wait_until_gone(worker_pid)
    assert wait_until_gone(nursery_pid)


def test_solve_in_process_works_under_a_daemonic_process() -> None:
    """A queue's workers are daemonic and may have no multiprocessing children."""
    daemon = multiprocessing.get_context("spawn").Process(
        target=_solve_small, daemon=True
    )
    daemon.start()
    daemon.join(60)

    assert daemon.exitcode == 0


def _solve_small() -> None:
    problem = line_problem(jobs=(job("a", 1),), vehicles=(van(),))
    stop = Stop(solutions=1)
    solution = solve_in_process(
        problem, engine="greedy", stop=stop, seed=1, timeout_s=50
    )
    assert solution == open_engine("greedy").solve(problem, stop=stop, seed=1)


def test_nursery_and_worker_load_no_framework() -> None:
    code = (
        "import sys, apps.routes.solver.nursery\n"
        "from apps.routes.solver.port import engine_names, open_engine\n"
        "assert 'ortools' not in sys.modules\n"
        "[open_engine(name) for name in engine_names()]\n"
        "print([name for name in sys.modules if name.startswith('django')])"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
    )

    assert said.stdout.strip() == b"[]"


def test_brood_is_killed_together(children: list[int]) -> None:
    brood = Brood()
    words: list[object] = []

    def solve() -> None:
        try:
            words.append(
                solve_in_process(
                    composed_day(60, 3),
                    engine="pyvrp",
                    stop=ENDLESS,
                    seed=1,
                    timeout_s=300,
                    brood=brood,
                )
            )
        except SolverFailed as error:
            words.append(error.code)

    threads = [threading.Thread(target=solve) for _ in range(2)]
    for thread in threads:
        thread.start()
    # A child that is not there yet is killed when it comes.
    brood.kill()
    for thread in threads:
        thread.join()
    assert words == [-signal.SIGKILL, -signal.SIGKILL]
    assert not any(is_running(pid) for pid in children)


def test_child_that_comes_after_the_kill_is_killed_too(children: list[int]) -> None:
    brood = Brood()
    brood.kill()
    with pytest.raises(SolverFailed):
        solve_in_process(
            composed_day(60, 3),
            engine="pyvrp",
            stop=ENDLESS,
            seed=1,
            timeout_s=300,
            brood=brood,
        )
    assert not any(is_running(pid) for pid in children)
