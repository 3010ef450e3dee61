"""A circuit breaker: a service that failed is left alone for a while.

`Circuit` is the rule, pure: what is kept in a row between processes goes by it. `Breaker`
keeps one in a process's memory.
"""

import math
import time
from dataclasses import dataclass, replace

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """So many failures within the window open a circuit; each pause doubles the last.

    All times in seconds.
    """

    failures: int
    window_s: float
    pause_s: float
    longest_pause_s: float

    def pause(self, times: int) -> float:
        """Return how long it stays open after it has opened so often in a row."""
        doubled = self.pause_s * 2.0 ** min(times - 1, 30)
        return float(min(self.longest_pause_s, doubled))


@dataclass(frozen=True, slots=True)
class Circuit:
    """Closed (ask the service), open (do not), or on trial (ask; one failure opens).

    Instants are seconds of one clock, whichever the owner has.
    """

    failed_at_s: tuple[float, ...] = ()
    open_until_s: float | None = None
    on_trial: bool = False
    openings: int = 0

    def is_open(self, now_s: float) -> bool:
        """Tell whether its pause still runs."""
        return self.open_until_s is not None and now_s < self.open_until_s

    def is_due(self, now_s: float) -> bool:
        """Tell whether it was opened, and its pause is over: somebody may try."""
        return self.open_until_s is not None and now_s >= self.open_until_s

    def failed(self, now_s: float, limits: Limits) -> "Circuit":
        """Return what a failure makes of it."""
        if self.open_until_s is not None or self.on_trial:
            return self._opened(now_s, limits)
        since_s = now_s - limits.window_s
        recent = (*(at_s for at_s in self.failed_at_s if at_s > since_s), now_s)
        if len(recent) >= limits.failures:
            return self._opened(now_s, limits)
        return replace(self, failed_at_s=recent)

    def on_its_way_back(self) -> "Circuit":
        """Return it on trial: the service has answered a small question."""
        return replace(self, failed_at_s=(), open_until_s=None, on_trial=True)

    def answered(self) -> "Circuit":
        """Return it closed: the service has done its work."""
        return Circuit()

    def _opened(self, now_s: float, limits: Limits) -> "Circuit":
        openings = self.openings + 1
        return Circuit(open_until_s=now_s + limits.pause(openings), openings=openings)


class Breaker:
    """Open after a failure, so that callers do not wait for the same one in turn.

    It is logged once when the service is lost, and once when it is back.
    """

    def __init__(self, service: str, pause_s: float) -> None:
        """Begin closed; once tripped, it is open for `pause_s`."""
        self._service = service
        self._limits = Limits(
            failures=1, window_s=math.inf, pause_s=pause_s, longest_pause_s=pause_s
        )
        self._circuit = Circuit()

    def is_open(self) -> bool:
        """Tell whether the service is not to be asked now."""
        return self._circuit.is_open(time.monotonic())

    def trip(self, error: Exception) -> None:
        """Note that the service failed."""
        was_lost = self._circuit.openings > 0
        self._circuit = self._circuit.failed(time.monotonic(), self._limits)
        if not was_lost:
            log.warning("service_lost", service=self._service, error=_name(error))

    def close(self) -> None:
        """Note that the service answered."""
        if self._circuit.openings:
            self._circuit = self._circuit.answered()
            log.info("service_back", service=self._service)


def _name(error: Exception) -> str:
    return type(error).__name__
