"""A circuit breaker: a service that failed is left alone for a while."""

import time

import structlog

log = structlog.get_logger(__name__)


class Breaker:
    """Open after a failure, so that callers do not wait for the same one in turn.

    It is logged once when the service is lost, and once when it is back.
    """

    def __init__(self, service: str, pause_s: float) -> None:
        """Begin closed; once tripped, it is open for `pause_s`."""
        self._service, self._pause_s = service, pause_s
        self._open_until_s = 0.0
        self._is_lost = False

    def is_open(self) -> bool:
        """Tell whether the service is not to be asked now."""
        return time.monotonic() < self._open_until_s

    def trip(self, error: Exception) -> None:
        """Note that the service failed."""
        self._open_until_s = time.monotonic() + self._pause_s
        if not self._is_lost:
            self._is_lost = True
            log.warning("service_lost", service=self._service, error=_name(error))

    def close(self) -> None:
        """Note that the service answered."""
        if self._is_lost:
            self._is_lost = False
            self._open_until_s = 0.0
            log.info("service_back", service=self._service)


def _name(error: Exception) -> str:
    return type(error).__name__
