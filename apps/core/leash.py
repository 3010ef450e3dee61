"""Runs a command that cannot outlive whoever started it; stdlib alone.

`python -m apps.core.leash FD COMMAND…`: FD reads a pipe that the starter holds open. When
it closes, the starter is gone, however it went; the command is asked to end and then its
whole process group, grandchildren too, is killed. So it is when the command ends itself.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

GRACE_S = 3.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> NoReturn:
    """Run the command of `arguments` in this process group, on the leash."""
    leash_fd = int(arguments[0])
    with subprocess.Popen(
        arguments[1:],
        close_fds=False,
        preexec_fn=_die_with_parent(),  # noqa: PLW1509  there is one thread yet
    ) as command:

        def pass_on(number: int, _frame: FrameType | None) -> None:
            command.send_signal(number)

        signal.signal(signal.SIGTERM, pass_on)
        signal.signal(signal.SIGINT, pass_on)
        threading.Thread(target=_hold, args=(leash_fd, command), daemon=True).start()
        status = command.wait()
    if status not in {0, -signal.SIGTERM, -signal.SIGINT}:
        sys.stderr.write(f"ended with status {status}\n")
        sys.stderr.flush()
    _kill_group()


def _hold(leash_fd: int, command: subprocess.Popen[bytes]) -> None:
    """Wait for the other end to close, then end everything."""
    os.read(leash_fd, 1)
    command.terminate()
    try:
        command.wait(timeout=GRACE_S)
    except subprocess.TimeoutExpired:
        _kill_group()


def _kill_group() -> NoReturn:
    """Kill every process of the group, this one with it."""
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("unreachable: SIGKILL cannot be outlived")


def _die_with_parent() -> Callable[[], None] | None:
    """Return what makes the command die with this process, where Linux offers it."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask


if __name__ == "__main__":
    main(sys.argv[1:])
