"""Where solving processes come from: borne by a nursery, or begun anew.

To load what a solve needs takes 0.1 to 0.2 s of a core, to fork what has loaded it 5 ms.
So a process that asks for solves has a nursery of its own, begun with the first of them,
where the system has handles of processes (Linux). Elsewhere each begins an interpreter.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Protocol

ROOT = Path(__file__).resolve().parents[3]
NUMBER = struct.Struct("<i")
"""What a nursery says of a child: its id, and later its exit code, below 0 a signal."""

BIRTH_S = 30.0
"""A nursery that bears nothing for so long is replaced; it loads within this time too."""

LAST_WORD_S = 10.0
"""A child whose nursery has not told its end for so long was killed with it."""


class Child(Protocol):
    """A process that solves: a request on its stdin, the answer on its stdout."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    @property
    def stdin(self) -> IO[bytes] | None:
        """Where it reads."""
        ...

    @property
    def stdout(self) -> IO[bytes] | None:
        """Where it answers."""
        ...

    @property
    def stderr(self) -> IO[bytes] | None:
        """Where it says how far it is."""
        ...

    def wait(self) -> int:
        """Return its exit code when it has ended, negative for a signal."""
        ...

    def end(self) -> None:
        """Kill it, from any thread; one that has ended already stays so."""
        ...


class Spawned(subprocess.Popen[bytes]):
    """A child that begins an interpreter, and leads a session of its own."""

    def __init__(self, *arguments: str) -> None:
        """Begin it with these arguments."""
        super().__init__(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def end(self) -> None:
        """Kill its whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()


class Borne:
    """A child of a nursery, which tells how it ended; the handle names no other process."""

    def __init__(
        self,
        link: socket.socket,
        stdin: IO[bytes],
        stdout: IO[bytes],
        stderr: IO[bytes],
    ) -> None:
        """Hear from the nursery which child it is.

        Raises:
            OSError: the nursery is gone, or does not answer.
        """
        link.settimeout(BIRTH_S)
        said, handles, _, _ = socket.recv_fds(link, NUMBER.size, 1)
        if not handles:
            raise ChildProcessError("The nursery is gone.")
        (self.pid,), (self._handle,) = NUMBER.unpack(said), handles
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self._link = link
        self._code: int | None = None
        self._hears, self._holds = threading.Lock(), threading.Lock()

    def wait(self) -> int:
        """Return its exit code when it has ended, negative for a signal."""
        with self._hears:
            if self._code is None:
                self._code = self._told_end()
                with self._holds:
                    os.close(self._handle)
                    self._link.close()
        return self._code

    def end(self) -> None:
        """Kill it, from any thread; one that has ended already stays so."""
        with self._holds, contextlib.suppress(ProcessLookupError):
            if self._code is None:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        self.wait()

    def _told_end(self) -> int:
        self._link.settimeout(LAST_WORD_S)
        try:
            said = self._link.recv(NUMBER.size)
        except (TimeoutError, ConnectionResetError):
            said = b""
        return int(NUMBER.unpack(said)[0]) if said else -signal.SIGKILL


class Nursery:
    """A process that bears children; begun when first asked, and again when it is gone."""

    def __init__(self) -> None:
        """Begin without a process."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: socket.socket | None = None
        atexit.register(self.end)
        os.register_at_fork(after_in_child=self._forget)

    def bear(self) -> Borne:
        """Return a new child.

        Raises:
            OSError: no nursery bears any.
        """
        with self._lock:
            try:
                return _born(self._running())
            except OSError:
                # It was killed or hangs: with what it bore it is replaced, once.
                self._end()
                return _born(self._running())

    def end(self) -> None:
        """End the process, and what it bore."""
        with self._lock:
            self._end()

    def _running(self) -> socket.socket:
        if self._asked is None:
            self._asked, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "apps.routes.solver.nursery"],
                    cwd=ROOT,
                    # Threads for linear algebra are none of a solve's, and forbid forks.
                    env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
        return self._asked

    def _end(self) -> None:
        if self._asked is not None:
            self._asked.close()
            self._asked = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _forget(self) -> None:
        """Leave it, in a fork of ours, to the process that began it."""
        self._lock, self._process = threading.Lock(), None
        if self._asked is not None:
            self._asked.close()
            self._asked = None


def start() -> Child:
    """Return a new child.

    Raises:
        OSError: the system gives none.
    """
    if _has_handles():
        return _nursery().bear()
    return Spawned("-m", "apps.routes.solver.worker", str(os.getpid()))


@functools.cache
def _nursery() -> Nursery:
    return Nursery()


@functools.cache
def _has_handles() -> bool:
    """Tell whether processes have handles: not before Linux 5.3, nor elsewhere."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def _born(asked: socket.socket) -> Borne:
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        (reads, stdin), (stdout, says), (stderr, tells) = _pipe(), _pipe(), _pipe()
        link, link_end = socket.socketpair()
        for one in (stdin, stdout, stderr, link):
            ours.enter_context(one)
        for end in (reads, says, tells, link_end):
            theirs.enter_context(end)
        ends = [end.fileno() for end in (reads, says, tells)]
        socket.send_fds(asked, [b"1"], [*ends, link_end.fileno()])
        theirs.close()  # else what the child closes would stay open
        child = Borne(link, stdin, stdout, stderr)
        ours.pop_all()
        return child


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    reads, writes = os.pipe()
    return open(reads, "rb"), open(writes, "wb")
