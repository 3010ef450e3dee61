"""The doorbell: tells the web processes that feed heads have moved.

A poke carries no data and may be lost: the sockets' tailer polls the heads as well, so
a lost bell costs latency only. It is Redis's publish and subscribe: a message a
transaction, nothing to join, and nothing that stays behind of a listener that has died.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from functools import cache

import structlog
from django.conf import settings
from redis import Redis
from redis import asyncio as aredis
from redis.exceptions import RedisError

from apps.core.breaker import Breaker
from apps.core.caching import PATIENCE, PAUSE_S

log = structlog.get_logger(__name__)

LISTEN_S = 15.0
"""How often a listener asks whether its connection still lives."""

_bell = Breaker("bell", PAUSE_S)


def has_bell() -> bool:
    """Tell whether Redis joins the processes."""
    return bool(getattr(settings, "REDIS_URL", None))


def bell_name() -> str:
    """Return the bell's channel: channels are shared by all databases of a Redis."""
    number = settings.REDIS_URL.rpartition("/")[2].partition("?")[0]
    return f"roundsman.heads.{number if number.isdigit() else 0}"


@cache
def _line(url: str) -> Redis:
    return Redis.from_url(url, retry=None, **PATIENCE)


def ring(scopes: Sequence[uuid.UUID]) -> None:
    """Wake the tailers of all web processes, where Redis joins them."""
    if not has_bell() or not scopes or _bell.is_open():
        return
    try:
        _line(settings.REDIS_URL).publish(bell_name(), "moved")
    except (OSError, RedisError) as error:
        _bell.trip(error)
    else:
        _bell.close()


async def rings() -> AsyncIterator[None]:
    """Yield once the bell can be heard, and whenever some process has written.

    It never ends while Redis is set: after a loss it listens anew.
    """
    while has_bell():
        line = aredis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=PATIENCE["socket_connect_timeout"],
            health_check_interval=LISTEN_S,
        )
        try:
            async with line, line.pubsub() as ear:
                await ear.subscribe(bell_name())
                while True:
                    if await ear.get_message(timeout=LISTEN_S) is not None:
                        yield
        except (OSError, RedisError) as error:
            log.warning("bell_not_heard", error=type(error).__name__)
            await asyncio.sleep(PAUSE_S)
