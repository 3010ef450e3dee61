"""Bears solving processes: has loaded what a solve needs, and forks for each request.

`python -m apps.routes.solver.nursery`, begun by `births`. Stdin is a socket: each message
brings the stdin, stdout and stderr of a process to be, and a link, over which go its id
with a handle of it, and its exit code when it has ended. No thread runs here and no
connection is open, so that forks are safe. The nursery ends when its socket closes, which
is when its parent ends, and what it bore dies with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import selectors
import socket
import sys
import traceback
from typing import NoReturn

from apps.routes.solver import worker
from apps.routes.solver.births import NUMBER
from apps.routes.solver.port import MENDER, RULES, open_engine

LOADED = (RULES, "pyvrp", MENDER)
"""Engines loaded beforehand; OR-Tools is large, and asked only when another has failed."""

PR_SET_NAME = 15
"""Linux, prctl(2): how this process is called in the list of processes."""

NAME = b"solving"


def main() -> None:
    """Load, then bear until there is nobody to ask."""
    for name in LOADED:
        open_engine(name)
    gc.freeze()  # no collection touches, and so copies, what the children share
    with socket.socket(fileno=os.dup(0)) as asked, selectors.DefaultSelector() as ready:
        ready.register(asked, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.data is not None:
                    ready.unregister(key.fd)
                    _tell_end(key.fd, *key.data)
                elif not _bear(asked, ready):
                    return


def _bear(asked: socket.socket, ready: selectors.BaseSelector) -> bool:
    """Fork for the next request; return False when there are no more."""
    message, ends, _, _ = socket.recv_fds(asked, 1, 4)
    if not message:
        return False
    *ends, link_end = ends
    parent_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        _solve(ends, parent_pid)
    for end in ends:
        os.close(end)
    link, handle = socket.socket(fileno=link_end), os.pidfd_open(pid)
    with contextlib.suppress(ConnectionError):  # whoever asked may have given up
        socket.send_fds(link, [NUMBER.pack(pid)], [handle])
    ready.register(handle, selectors.EVENT_READ, (pid, link))
    return True


def _tell_end(handle: int, pid: int, link: socket.socket) -> None:
    """Say the exit code of a process that has ended."""
    _, status = os.waitpid(pid, 0)
    os.close(handle)
    with link, contextlib.suppress(ConnectionError):
        link.send(NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _solve(ends: list[int], parent_pid: int) -> NoReturn:
    """Be the process that was borne: solve, and end."""
    code = 1
    try:
        for number, end in enumerate(ends):
            os.dup2(end, number)
        for open_here in set(map(int, os.listdir("/proc/self/fd"))) - {0, 1, 2}:
            with contextlib.suppress(OSError):  # the listing's own is closed again
                os.close(open_here)
        ctypes.CDLL(None).prctl(PR_SET_NAME, NAME)
        code = worker.main(parent_pid)
    except BaseException:  # noqa: BLE001  as an interpreter ends: last words, and code 1
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
