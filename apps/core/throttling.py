"""How many requests a caller may make: counted in windows, on the shared cache.

A window is counted by one number that all processes share; what the window before it
had still counts for the part of it that is not a whole window ago. Where a limit is large, a
process takes a hundredth of it at a time and counts that down in memory, so that hardly
a request asks the cache: a caller of many processes may be refused that much too early,
and is never let through too often.
"""

from contextlib import suppress
from threading import Lock
from typing import Any, ClassVar, Final

from rest_framework.throttling import (
    AnonRateThrottle,
    ScopedRateThrottle,
    SimpleRateThrottle,
)

PARTS: Final = 100
"""Of a limit, in which a process takes its share."""

MOST_KEPT: Final = 20_000
"""Callers whose share is kept in mind; beyond it all shares are taken anew."""


class WindowThrottle(SimpleRateThrottle):
    """Refuses what is over `rate` in the present window, and says when it ends."""

    duration: int
    num_requests: int
    _shares: ClassVar[dict[tuple[str, int], int]] = {}
    _lock: ClassVar[Lock] = Lock()

    def allow_request(self, request: Any, view: Any) -> bool:
        """Tell whether this request is one of those that are free."""
        if self.rate is None:
            return True
        key = self.get_cache_key(request, view)
        if key is None:
            return True
        self.now = self.timer()
        window = int(self.now // self.duration)
        with self._lock:
            left = self._shares.get((key, window), 0)
            if left:
                self._shares[key, window] = left - 1
                return True
        share = max(1, self.num_requests // PARTS)
        taken = self._taken(key, window, share) + self._carried(key, window)
        granted = min(share, self.num_requests - taken)
        if granted <= 0:
            with suppress(ValueError):  # a request that is refused does not count
                self.cache.decr(f"{key}:{window}", share)
            return False
        if granted > 1:
            self._keep(key, window, granted - 1)
        return True

    def wait(self) -> float:
        """Return the seconds until the window ends."""
        return float(self.duration - self.now % self.duration)

    def _taken(self, key: str, window: int, share: int) -> int:
        """Take a share; return how many requests were taken before it."""
        name = f"{key}:{window}"
        with suppress(ValueError):  # the window has just begun
            return int(self.cache.incr(name, share)) - share
        if self.cache.add(name, share, 2 * self.duration):
            return 0
        with suppress(ValueError):  # the cache is away: nobody is refused for that
            return int(self.cache.incr(name, share)) - share
        return 0

    def _carried(self, key: str, window: int) -> int:
        """Return what the window before weighs: the less, the longer it is over."""
        before: int = self.cache.get(f"{key}:{window - 1}", 0)
        return int(before * (1 - self.now % self.duration / self.duration))

    def _keep(self, key: str, window: int, left: int) -> None:
        with self._lock:
            if len(self._shares) >= MOST_KEPT:
                self._shares.clear()
            self._shares[key, window] = left


class AnonThrottle(AnonRateThrottle, WindowThrottle):
    """Counts callers without credentials by their address."""


class ScopedThrottle(ScopedRateThrottle, WindowThrottle):
    """Counts callers by a door's `throttle_scope`."""
