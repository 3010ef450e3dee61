"""The doorbell: tells the web processes that feed heads have moved.

A poke carries no data and may be lost: the sockets' tailer polls the heads as well, so
a lost bell costs latency only.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

GROUP = "journal.heads"
REJOIN_S = 3600.0
"""How often a listener joins the bell's group anew: membership ends after a day."""

SILENCE_S = 5.0
"""How long a listener waits after it has lost the bell."""


def has_bell() -> bool:
    """Tell whether Redis joins the processes."""
    return bool(getattr(settings, "REDIS_URL", None))


def ring(scopes: Sequence[uuid.UUID]) -> None:
    """Wake the tailers of all web processes, where Redis joins them."""
    if not has_bell() or not scopes:
        return
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(GROUP, {"type": "heads.moved"})
    except (OSError, RedisError) as error:
        log.warning("bell_not_rung", error=type(error).__name__)


async def rings() -> AsyncIterator[None]:
    """Yield whenever some process has written; never ends while Redis is set."""
    while has_bell():
        layer = get_channel_layer()
        if layer is None:
            return
        try:
            channel = await layer.new_channel()
            await layer.group_add(GROUP, channel)
            joined_at = time.monotonic()
            while time.monotonic() < joined_at + REJOIN_S:
                await asyncio.wait_for(layer.receive(channel), REJOIN_S)
                yield
            await layer.group_discard(GROUP, channel)
        except TimeoutError:
            continue
        except (OSError, RedisError) as error:
            log.warning("bell_not_heard", error=type(error).__name__)
            await asyncio.sleep(SILENCE_S)
