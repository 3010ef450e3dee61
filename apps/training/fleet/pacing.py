"""The virtual clock of a driven day, its pace, and the demo server's clock beside it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

SET_AGAIN_S = 60.0
"""A demo clock that stands goes on by itself when it is not set for some minutes."""


class Pace:
    """Virtual time: stands at an instant, and goes on from one event to the next.

    `speed` is virtual seconds a second of the wall's; 0 is as fast as the server can.
    `show` sets the server's clock, where it can be set.
    """

    def __init__(self, speed: float, show: Callable[[datetime], None] | None) -> None:
        """Begin nowhere."""
        self.speed, self._show = speed, show
        self._instant: datetime | None = None
        self._shown: datetime | None = None
        self._shown_s = 0.0
        self._began_at: datetime | None = None
        self._began_s = 0.0

    @property
    def is_shown(self) -> bool:
        """Tell whether the server's clock follows."""
        return self._show is not None

    @property
    def has_begun(self) -> bool:
        """Tell whether the day stands at an instant."""
        return self._instant is not None

    def now(self) -> datetime:
        """Return the instant at which the day stands.

        Raises:
            RuntimeError: it has not begun.
        """
        if self._instant is None:
            raise RuntimeError("The day has not begun.")
        return self._instant

    def advance(self, instant: datetime) -> None:
        """Go on to an instant, not before the wall's clock allows it."""
        if self._began_at is None:
            self._began_at, self._began_s = instant, time.monotonic()
        self._instant = instant
        if self.speed > 0:
            due_s = (instant - self._began_at).total_seconds() / self.speed
            while (left_s := self._began_s + due_s - time.monotonic()) > 0:
                time.sleep(min(left_s, SET_AGAIN_S))
                self._show_again()

    def show(self) -> None:
        """Set the server's clock to the present instant, before it is asked anything."""
        stale = time.monotonic() - self._shown_s > SET_AGAIN_S
        if self._show is not None and (self._instant != self._shown or stale):
            self._show(self.now())
            self._shown, self._shown_s = self._instant, time.monotonic()

    def _show_again(self) -> None:
        if time.monotonic() - self._shown_s > SET_AGAIN_S:
            self.show()

    def reached(self) -> float:
        """Return the speed that the day was driven at."""
        if self._began_at is None:
            return 0.0
        gone_s = time.monotonic() - self._began_s
        gone = self.now() - self._began_at
        return gone / timedelta(seconds=1) / gone_s if gone_s > 0 else 0.0
