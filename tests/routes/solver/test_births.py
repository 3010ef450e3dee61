"""Children are forked off what has loaded, have nothing of ours, and can be killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.routes.solver import births
from apps.routes.solver.births import ROOT, Child, Nursery, Spawned
from apps.routes.solver.port import EngineRefused, Stop, open_engine
from apps.routes.solver.process import SolverFailed, solve_in_process
from tests.routes.solver.instances import job, line_problem, van

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="handles of processes are Linux's"
)
FORKS = """
import os
from pathlib import Path
from apps.routes.solver import births
def parent(child):
    return Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[1]
ours = births.start()
pid = os.fork()
if pid == 0:
    theirs = births.start()
    print(parent(ours) != parent(theirs), flush=True)
    theirs.end()
    births._nursery().end()
    os._exit(0)
os.waitpid(pid, 0)
again = births.start()
print(parent(ours) == parent(again))
ours.end()
again.end()
"""
PROBLEM = line_problem(jobs=(job("a", 1),), vehicles=(van(),))
ONE_ROUND = Stop(solutions=1)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """A nursery that no test has asked yet."""
    made = Nursery()
    yield made
    made.end()


def parent_of(child: Child) -> int:
    stat = Path(f"/proc/{child.pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def wait_until_named(child: Child) -> None:
    """Wait until it has closed what is not its own, whereafter it takes its name."""
    comm = Path(f"/proc/{child.pid}/comm")
    while comm.read_text() != "solving\n":
        os.sched_yield()


def put_away(*children: Child) -> None:
    for child in children:
        child.end()
        for pipe in (child.stdin, child.stdout, child.stderr):
            assert pipe is not None
            pipe.close()


def test_a_child_has_loaded_all_before_its_request_comes(nursery: Nursery) -> None:
    child = nursery.bear()
    loaded = Path(f"/proc/{child.pid}/maps").read_text()
    put_away(child)

    assert "/numpy/" in loaded
    assert "/pyvrp/" in loaded
    assert "/ortools/" not in loaded, "large, and seldom asked"


def test_children_are_borne_by_one_process_that_is_not_ours(nursery: Nursery) -> None:
    one, other = nursery.bear(), nursery.bear()
    parents = {parent_of(one), parent_of(other)}
    put_away(one, other)

    assert len(parents) == 1
    assert os.getpid() not in parents


def test_a_search_is_borne_and_no_interpreter_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solve_in_process(
        PROBLEM, engine="greedy", stop=ONE_ROUND, seed=1, timeout_s=60
    )  # begins the nursery

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an interpreter was begun")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(births, "Spawned", refuse)
    there = solve_in_process(
        PROBLEM, engine="pyvrp", stop=ONE_ROUND, seed=1, timeout_s=60
    )

    assert [len(route.visits) for route in there.routes] == [1]


def test_a_child_has_nothing_open_but_its_own_pipes(nursery: Nursery) -> None:
    """A connection to the database, above all, is never shared with a search."""
    ours = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(ours, True)
    put_away(nursery.bear())
    child, before = nursery.bear(), os.listdir("/proc/self/fd")
    wait_until_named(child)
    open_there = {
        fd: os.readlink(f"/proc/{child.pid}/fd/{fd}")
        for fd in os.listdir(f"/proc/{child.pid}/fd")
    }
    put_away(child)
    os.close(ours)

    assert str(ours) in before
    assert {*open_there} == {"0", "1", "2"}
    assert all(what.startswith("pipe:") for what in open_there.values())


def test_a_child_that_hangs_can_be_killed(nursery: Nursery) -> None:
    child = nursery.bear()
    os.kill(child.pid, signal.SIGSTOP)
    child.end()
    code = child.wait()
    gone = not is_there(child.pid)
    put_away(child)

    assert (code, gone) == (-signal.SIGKILL, True)


def test_children_are_killed_from_several_threads_at_once(nursery: Nursery) -> None:
    child = nursery.bear()
    threads = [threading.Thread(target=child.end) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    put_away(child)

    assert child.wait() == -signal.SIGKILL


def test_the_signal_that_ended_a_child_is_told(nursery: Nursery) -> None:
    child = nursery.bear()
    os.kill(child.pid, signal.SIGSEGV)
    code = child.wait()
    put_away(child)

    assert code == -signal.SIGSEGV


def test_a_refusal_is_told() -> None:
    problem = line_problem(
        jobs=(job("a", 1),), vehicles=(van(max_reloads=1, reload_locations=(0,)),)
    )

    with pytest.raises(EngineRefused, match="reload"):
        solve_in_process(problem, engine="repair", stop=ONE_ROUND, seed=1, timeout_s=60)


def test_a_nursery_that_was_killed_takes_its_children_along_and_is_replaced(
    nursery: Nursery,
) -> None:
    first = nursery.bear()
    killed = parent_of(first)
    os.kill(killed, signal.SIGKILL)
    code = first.wait()
    second = nursery.bear()
    parent = parent_of(second)
    put_away(first, second)

    assert code == -signal.SIGKILL
    assert parent not in {killed, os.getpid()}


def test_a_nursery_that_hangs_is_replaced(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = nursery.bear()
    hangs, end = parent_of(first), nursery._end

    def end_it() -> None:
        monkeypatch.undo()
        end()

    os.kill(hangs, signal.SIGSTOP)
    monkeypatch.setattr(births, "BIRTH_S", 0.05)
    monkeypatch.setattr(nursery, "_end", end_it)
    second = nursery.bear()
    parent = parent_of(second)
    put_away(first, second)

    assert first.wait() == -signal.SIGKILL
    assert parent not in {hangs, os.getpid()}


def test_a_fork_of_ours_has_a_nursery_of_its_own() -> None:
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKS],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )

    assert said.stdout.split() == ["True", "True"]


def test_without_handles_of_processes_an_interpreter_is_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(births, "_has_handles", lambda: False)
    child = births.start()
    put_away(child)
    there = solve_in_process(
        PROBLEM, engine="greedy", stop=ONE_ROUND, seed=1, timeout_s=60
    )

    assert isinstance(child, Spawned)
    assert there == open_engine("greedy").solve(PROBLEM, stop=ONE_ROUND, seed=1)


def test_no_nursery_is_a_failed_search(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Nursery()
    monkeypatch.setattr(births, "_nursery", lambda: made)
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(SolverFailed, match="no process to solve in"):
        solve_in_process(PROBLEM, engine="greedy", stop=ONE_ROUND, seed=1, timeout_s=60)
    made.end()
