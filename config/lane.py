"""A narrow lane for requests that are quick: few at once, so that they do not jostle."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

WIDTH: Final = 3
"""Requests at once: one computes while the others wait for the database."""

READING: Final = 2
"""Those at once that only read: they wait for the database for a quarter of their time, so
that a third one only takes turns with the others."""

STUCK_S: Final = 0.05
"""How long nothing must have come out before one more is let in."""

Work = Callable[[], None]


class Lane:
    """Does quick work in threads, few at a time and in turn; belongs to one event loop.

    Threads of Python compute one at a time. Ten that want to spend a third of their
    time on taking turns; three do as much work and answer sooner. A thread that is done
    takes the next by itself: to ask the event loop for it costs both of them a turn. Work
    that waits for a lock holds nobody up: where nothing comes out of the lane, one more
    goes in.
    """

    def __init__(
        self,
        submit: Callable[[Work], Any],
        width: int = WIDTH,
        stuck_s: float = STUCK_S,
    ) -> None:
        """Begin empty; `submit` gives a thread to what it is given."""
        self._submit, self._width, self._stuck_s = submit, width, stuck_s
        self._lock = threading.Lock()
        self._inside = 0
        self._waiting: deque[Work] = deque()
        self._moved_s = 0.0
        self._watch: asyncio.TimerHandle | None = None

    def put(self, work: Work) -> None:
        """Do this as soon as it is its turn; call it on the event loop.

        It must not raise: nobody would hear of it.
        """
        with self._lock:
            self._waiting.append(work)
            is_free = self._inside < self._width
            if is_free:
                self._enter()
        if is_free:
            self._submit(self._run)
        elif self._watch is None:
            self._watch_for(self._stuck_s)

    def _run(self) -> None:
        """Do what waits, in a thread; leave where nothing does, or where all is well again."""
        work = self._first()
        while work is not None:
            work()
            work = self._next()

    def _first(self) -> Work | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._inside -= 1
            return None

    def _next(self) -> Work | None:
        with self._lock:
            self._moved_s = time.monotonic()
            if self._waiting and self._inside <= self._width:
                return self._waiting.popleft()
            self._inside -= 1
            return None

    def _enter(self) -> None:
        self._inside += 1
        self._moved_s = time.monotonic()

    def _watch_for(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Let one more in where something waits and nothing has moved for so long."""
        self._watch = None
        with self._lock:
            if not self._waiting:
                return
            left_s = self._moved_s + self._stuck_s - time.monotonic()
            is_stuck = left_s <= 0
            if is_stuck:
                self._enter()
        if is_stuck:
            self._submit(self._run)
        self._watch_for(self._stuck_s if is_stuck else left_s)
