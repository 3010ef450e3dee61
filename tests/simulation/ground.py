"""What a history stands on: one clock, one source of chance, nothing of the machine's."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from unittest import mock

from django.core.files.storage import InMemoryStorage, storages
from django.test import override_settings
from rest_framework.throttling import SimpleRateThrottle

from apps.core import clock, ids

BEGINNING = datetime(2026, 3, 17, 6, 0, tzinfo=UTC)
MEMORY_CACHE = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "simulation",
    }
}
FAST_HASH = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class Ground:
    """The server's clock, and the bits that its ids are made of."""

    def __init__(self) -> None:
        self.at = BEGINNING
        self.bits = Random(0)  # noqa: S311 (repeatable)

    def now(self) -> datetime:
        return self.at

    def pass_ms(self, milliseconds: float) -> None:
        self.at += timedelta(milliseconds=milliseconds)

    def begin(self, seed: int, at: datetime) -> None:
        """Begin a history: its own ids, its own instant."""
        self.at = at
        self.bits = Random(seed)  # noqa: S311 (repeatable)
        ids._last = 0

    def _time_ns(self) -> int:
        return int(self.at.timestamp() * 1000) * 1_000_000

    def _bytes(self, count: int) -> bytes:
        return self.bits.randbytes(count)

    def _seconds(self, *_: object) -> float:
        return self.at.timestamp()

    @contextmanager
    def laid(self) -> Iterator[None]:
        """Put the server on this ground: its clock, ids, cache, storage, throttles."""
        with ExitStack() as stack:
            put = stack.enter_context
            put(mock.patch.object(clock, "now", self.now))
            put(mock.patch.object(ids, "time", SimpleNamespace(time_ns=self._time_ns)))
            put(mock.patch.object(ids, "os", SimpleNamespace(urandom=self._bytes)))
            put(mock.patch.object(ids, "_last", 0))
            put(mock.patch.object(SimpleRateThrottle, "timer", self._seconds))
            put(
                override_settings(
                    CACHES=MEMORY_CACHE,
                    PASSWORD_HASHERS=FAST_HASH,
                    DEMO_CLOCK_FILE=None,
                    REDIS_URL="",
                    ALLOWED_HOSTS=["testserver"],
                    SECURE_SSL_REDIRECT=False,
                )
            )
            yield


@contextmanager
def own_storage() -> Iterator[None]:
    """Let proofs lie in memory, for one history."""
    memory = InMemoryStorage()
    kept: dict[str, object] = vars(storages)["_storages"]
    with mock.patch.dict(kept, {"proofs": memory}):
        yield
