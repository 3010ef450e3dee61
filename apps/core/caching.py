"""The cache that processes share by Redis; without Redis, requests go on without it.

What a cache holds may be gone at any time, so losing all of it at once costs no more
than its comfort: throttles let callers through, and known figures are made anew.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

from apps.core.breaker import Breaker

PATIENCE: Final = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
"""How long a request waits for Redis, in seconds: it answers in a millisecond."""

PAUSE_S: Final = 5.0
"""How long Redis is left alone after it failed."""

Value = TypeVar("Value")


class ForgivingClient(RedisCacheClient):
    """Redis's client, for which a Redis that is away is one that holds nothing."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        """Wait no longer than `PATIENCE`, unless told otherwise."""
        super().__init__(servers, **{**PATIENCE, **options})
        self._breaker = Breaker("cache", PAUSE_S)

    def _try(self, ask: Callable[..., Any], otherwise: Value, *given: Any) -> Value:
        if self._breaker.is_open():
            return otherwise
        try:
            answer: Value = ask(*given)
        except (RedisError, OSError) as error:
            self._breaker.trip(error)
            return otherwise
        self._breaker.close()
        return answer

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        """Set a key that is missing; False where nothing was set."""
        return self._try(super().add, False, key, value, timeout)

    def get(self, key: Any, default: Any) -> Any:
        """Return a value, or the default."""
        return self._try(super().get, default, key, default)

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        """Set a value."""
        self._try(super().set, None, key, value, timeout)

    def touch(self, key: Any, timeout: Any) -> bool:
        """Keep a value for longer; False where there is none."""
        return self._try(super().touch, False, key, timeout)

    def delete(self, key: Any) -> bool:
        """Forget a value; False where there is none."""
        return self._try(super().delete, False, key)

    def get_many(self, keys: Any) -> dict[Any, Any]:
        """Return those values that are there."""
        return self._try(super().get_many, {}, keys)

    def has_key(self, key: Any) -> bool:
        """Tell whether a value is there."""
        return self._try(super().has_key, False, key)

    def incr(self, key: Any, delta: Any) -> Any:
        """Add to a value.

        Raises:
            ValueError: there is none.
        """
        total = self._try(super().incr, None, key, delta)
        if total is None:
            raise ValueError(f"Key {key!r} not found.")
        return total

    def set_many(self, data: Any, timeout: Any) -> None:
        """Set values."""
        self._try(super().set_many, None, data, timeout)

    def delete_many(self, keys: Any) -> None:
        """Forget values."""
        self._try(super().delete_many, None, keys)

    def clear(self) -> bool:
        """Forget everything; False where that failed."""
        return self._try(super().clear, False)


class ForgivingRedisCache(RedisCache):
    """Redis as a cache that requests can do without."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        """Speak through the forgiving client."""
        super().__init__(server, params)
        self._class = ForgivingClient
