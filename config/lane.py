"""A narrow lane for requests that are quick: few at once, so that they do not jostle."""

import asyncio
from collections import deque
from typing import Final

WIDTH: Final = 3
"""Requests at once: one computes while the others wait for the database."""

READING: Final = 2
"""Those at once that only read: they wait for the database for a quarter of their time, so
that a third one only takes turns with the others."""

STUCK_S: Final = 0.05
"""How long nothing must have come out before one more is let in."""


class Lane:
    """Lets quick requests into the threads few at a time; belongs to one event loop.

    Threads of Python compute one at a time. Ten that want to spend a third of their
    time on taking turns; three do as much work and answer sooner. A request that waits
    for a lock holds nobody up: where nothing comes out of the lane, one more goes in.
    """

    def __init__(self, width: int = WIDTH, stuck_s: float = STUCK_S) -> None:
        """Begin empty."""
        self._width, self._stuck_s = width, stuck_s
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._watch: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        """Go in, or wait for it in the order of arrival."""
        if self._inside < self._width and not self._waiting:
            self._inside += 1
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        if self._watch is None:
            self._watch = loop.call_later(self._stuck_s, self._overtake)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(turn)
            else:
                self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        """Come out, and let the next one in."""
        self._leave()

    def _leave(self) -> None:
        self._inside -= 1
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._waiting and self._inside < self._width:
            self._admit()
        self._watch_over()

    def _overtake(self) -> None:
        self._watch = None
        if self._waiting:
            self._admit()
        self._watch_over()

    def _admit(self) -> None:
        self._inside += 1
        self._waiting.popleft().set_result(None)

    def _watch_over(self) -> None:
        if self._waiting and self._watch is None:
            loop = asyncio.get_running_loop()
            self._watch = loop.call_later(self._stuck_s, self._overtake)
