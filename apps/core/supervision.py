"""Keeps the parts of the system running in one process tree, and ends them all.

A part is a command on a leash (`apps.core.leash`), in a process group of its own. One that
ends is started again, later each time; one whose pulse stops is killed and started again.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from apps.core.pulse import PULSE_FILE

BACKOFF_S = (0.5, 1, 2, 5, 10, 30)
STEADY_S = 60.0
"""A part that ran this long has recovered: its backoff starts anew."""

GRACE_S = 12.0
"""How long the parts may take to end when asked."""

TICK_S = 0.2

Say = Callable[[str, str], None]


@dataclass
class Part:
    """A part as it should run, and as it runs."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    keep_fds: tuple[int, ...] = ()
    pulse_path: Path | None = None
    pulse_patience_s: float = 0.0
    before_start: Callable[[], None] | None = None

    process: subprocess.Popen[bytes] | None = None
    leash_fd: int = -1
    started_s: float = 0.0
    start_again_s: float = 0.0
    failures: int = 0
    unfinished_line: bytes = field(default=b"")

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def silence_s(self) -> float:
        """Return for how long there was no beat; 0 when nobody listens for one."""
        if self.pulse_path is None:
            return 0.0
        alive_s = time.monotonic() - self.started_s
        try:
            beat_age_s = time.time() - self.pulse_path.stat().st_mtime
        except FileNotFoundError:
            return alive_s
        return min(alive_s, beat_age_s)


class Supervisor:
    """Starts parts, watches them, passes on what they print, ends them."""

    def __init__(self, parts: Sequence[Part], say: Say) -> None:
        """Keep the parts; `say(part, line)` prints a line under a part's name."""
        self.parts = parts
        self.say = say
        self.is_ending = False
        self._selector = selectors.DefaultSelector()

    def run(self, each_tick: Callable[[], None]) -> None:
        """Run until asked to end; `each_tick` is called several times a second."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: self._ask_to_end())
        try:
            for part in self.parts:
                self._start(part)
            while not self.is_ending:
                self._pass_on_output(TICK_S)
                for part in self.parts:
                    self._watch(part)
                each_tick()
        finally:
            self._end_all()

    def _ask_to_end(self) -> None:
        if self.is_ending:  # asked twice: at once, then
            for part in self.parts:
                self._kill_group(part)
        self.is_ending = True

    def _start(self, part: Part) -> None:
        if part.before_start is not None:
            part.before_start()
        read_fd, part.leash_fd = os.pipe()
        environment = dict(part.environment)
        if part.pulse_path is not None:
            part.pulse_path.parent.mkdir(parents=True, exist_ok=True)
            part.pulse_path.unlink(missing_ok=True)
            environment[PULSE_FILE] = str(part.pulse_path)
        leash = [sys.executable, "-m", "apps.core.leash", str(read_fd)]
        part.process = subprocess.Popen(
            [*leash, *part.command],
            cwd=part.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(read_fd, *part.keep_fds),
            start_new_session=True,
        )
        os.close(read_fd)
        part.started_s = time.monotonic()
        if part.process.stdout is not None:
            os.set_blocking(part.process.stdout.fileno(), False)
            self._selector.register(part.process.stdout, selectors.EVENT_READ, part)

    def _watch(self, part: Part) -> None:
        now_s = time.monotonic()
        if part.process is None:
            if now_s >= part.start_again_s:
                self._start(part)
            return
        if part.process.poll() is not None:
            self._put_away(part)
            self._plan_restart(part, now_s, "ended")
        elif part.silence_s() > part.pulse_patience_s > 0:
            self._kill_group(part)
            part.process.wait()
            self._put_away(part)
            self._plan_restart(part, now_s, "showed no pulse")

    def _plan_restart(self, part: Part, now_s: float, cause: str) -> None:
        if now_s - part.started_s > STEADY_S:
            part.failures = 0
        wait_s = BACKOFF_S[min(part.failures, len(BACKOFF_S) - 1)]
        part.failures += 1
        part.start_again_s = now_s + wait_s
        self.say("up", f"{part.name} {cause}; starting it again in {wait_s:g} s")

    def _put_away(self, part: Part) -> None:
        """Leave nothing of a part that ended: group, pipes, what it said last."""
        process = part.process
        if process is None:
            return
        self._kill_group(part)
        if process.stdout is not None:
            self._read(part)
            with suppress(KeyError):  # its end was read before
                self._selector.unregister(process.stdout)
            process.stdout.close()
        if part.unfinished_line:
            self.say(part.name, part.unfinished_line.decode(errors="replace"))
            part.unfinished_line = b""
        os.close(part.leash_fd)
        part.process = None

    def _kill_group(self, part: Part) -> None:
        if part.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(part.process.pid, signal.SIGKILL)

    def _end_all(self) -> None:
        self.is_ending = True
        for part in self.parts:
            if part.is_running and part.process is not None:
                part.process.terminate()
        last_s = time.monotonic() + GRACE_S
        while any(part.is_running for part in self.parts):
            self._pass_on_output(TICK_S)
            if time.monotonic() > last_s:
                for part in self.parts:
                    self._kill_group(part)
        for part in self.parts:
            self._put_away(part)
        self._selector.close()

    def _pass_on_output(self, patience_s: float) -> None:
        for key, _events in self._selector.select(patience_s):
            if not self._read(key.data):
                self._selector.unregister(key.fileobj)

    def _read(self, part: Part) -> bool:
        """Pass on what a part has printed; return whether there may come more."""
        stream = part.process.stdout if part.process else None
        if stream is None:
            return False
        try:
            chunk = os.read(stream.fileno(), 65536)
        except BlockingIOError:
            return True
        *lines, part.unfinished_line = (part.unfinished_line + chunk).split(b"\n")
        for line in lines:
            self.say(part.name, line.decode(errors="replace").rstrip())
        return bool(chunk)
