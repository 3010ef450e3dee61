"""One reader of the feed heads a process: wakes the sockets whose head has moved.

It polls in raw SQL, four times a second at the most, which is also how pokes are
coalesced; the bell of other processes, where Redis is present, lets it sleep longer in
between. Two questions: what moved lately (cheap, by the index on `moved_at`), and now
and then all heads that are listened to, so that no clock that was set can hide one.
"""

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from asgiref.sync import sync_to_async
from django.db import Error as DatabaseFailure
from django.db import connection

from apps.core import clock
from apps.journal import pokes

log = structlog.get_logger(__name__)

COALESCE_S = 0.25
"""The least time between two looks, and so between two pokes of one socket."""

POLL_WITH_BELL_S = 2.0
SWEEP_S = 10.0
OVERLAP = timedelta(seconds=30)
"""How far back `moved_at` is read again: transactions commit after their instant."""

CHUNK = 500
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when to look where no head has moved yet: whatever comes then is news."""

Heads = dict[uuid.UUID, int]
Hear = Callable[[int], None]

MOVED = "SELECT scope, head, moved_at FROM journal_feedhead WHERE moved_at >= %s"
NEWEST = "SELECT max(moved_at) FROM journal_feedhead"
NAMED = "SELECT scope, head FROM journal_feedhead WHERE scope IN ({})"


class Subscription:
    """One socket's ear at a head: hears each new number once, the newest alone."""

    def __init__(self, scope: uuid.UUID, head: int, hear: Hear) -> None:
        """Listen to `scope` beyond `head`; `hear` is called on the event loop."""
        self.scope, self.head, self.hear = scope, head, hear

    def learn(self, head: int) -> bool:
        """Tell the socket, should the number be another one than it knows."""
        is_news = head != self.head
        if is_news:
            self.head = head
            self.hear(head)
        return is_news


class Tailer:
    """Reads heads while anyone listens; made by `tailer()`, one an event loop."""

    def __init__(self) -> None:
        """Begin without listeners, and so without a task."""
        self._by_scope: dict[uuid.UUID, set[Subscription]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._bell = asyncio.Event()
        self._since: datetime | None = None

    def subscribe(self, scope: uuid.UUID, head: int, hear: Hear) -> Subscription:
        """Begin to listen; the first listener starts the reading.

        A look follows at once: `head` may have moved since it was read.
        """
        subscription = Subscription(scope, head, hear)
        self._by_scope[scope].add(subscription)
        self._bell.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """Listen no more; the last one to leave ends the reading."""
        listeners = self._by_scope.get(subscription.scope, set())
        listeners.discard(subscription)
        if not listeners:
            self._by_scope.pop(subscription.scope, None)
        if not self._by_scope and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        bell = asyncio.create_task(self._hear_bell())
        swept_at = paced_at = float("-inf")
        was_rung = False
        try:
            while True:
                began = time.monotonic()
                is_sweep = began - swept_at >= SWEEP_S
                swept_at = began if is_sweep else swept_at
                has_told = self._tell(await self._look(is_sweep=is_sweep))
                if was_rung or has_told or not pokes.has_bell():
                    paced_at = began
                was_rung = await self._rest(paced_at)
        finally:
            bell.cancel()
            with suppress(asyncio.CancelledError):
                await bell

    async def _hear_bell(self) -> None:
        async for _ in pokes.rings():
            self._bell.set()

    async def _rest(self, paced_at: float) -> bool:
        """Wait for the bell or the next look; tell whether it was the bell.

        The look comes no sooner than `COALESCE_S` after `paced_at`, the last look that
        was asked for or found something: a quiet one in between delays no poke.
        """
        if pokes.has_bell():
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_WITH_BELL_S):
                    await self._bell.wait()
        await asyncio.sleep(max(0.0, paced_at + COALESCE_S - time.monotonic()))
        was_rung = self._bell.is_set()
        self._bell.clear()
        return was_rung

    async def _look(self, *, is_sweep: bool) -> Heads:
        scopes = list(self._by_scope) if is_sweep else []
        try:
            heads, self._since = await sync_to_async(read_heads)(self._reach(), scopes)
        except DatabaseFailure as error:
            log.warning("heads_not_read", error=type(error).__name__)
            await sync_to_async(connection.close)()
            return {}
        return heads

    def _reach(self) -> datetime | None:
        """Return since when to look: a clock may have been set back, in the demo."""
        return None if self._since is None else min(self._since, clock.now())

    def _tell(self, heads: Heads) -> bool:
        """Let the sockets know; tell whether any of them heard something new."""
        told = [
            subscription.learn(heads[scope])
            for scope in heads.keys() & self._by_scope.keys()
            for subscription in tuple(self._by_scope[scope])
        ]
        return any(told)


_tailers: WeakKeyDictionary[asyncio.AbstractEventLoop, Tailer] = WeakKeyDictionary()


def tailer() -> Tailer:
    """Return the running event loop's tailer."""
    return _tailers.setdefault(asyncio.get_running_loop(), Tailer())


def read_heads(
    since: datetime | None, scopes: Iterable[uuid.UUID]
) -> tuple[Heads, datetime | None]:
    """Return heads that moved since an instant, and those of `scopes`; and until when.

    Without an instant only `scopes` are read: what moved before is no news.
    """
    heads: Heads = {}
    newest: datetime | None
    with connection.cursor() as cursor:
        if since is None:
            cursor.execute(NEWEST)
            newest = _instant(cursor.fetchone()[0]) or ALWAYS
        else:
            cursor.execute(MOVED, [_parameter(since - OVERLAP)])
            rows = cursor.fetchall()
            heads = {_scope(row[0]): row[1] for row in rows}
            newest = max((at for row in rows if (at := _instant(row[2]))), default=None)
        for part in _chunks(list(scopes)):
            marks = ", ".join(["%s"] * len(part))
            cursor.execute(NAMED.format(marks), [_parameter(each) for each in part])
            heads |= {_scope(row[0]): row[1] for row in cursor.fetchall()}
    return heads, newest or since


def _chunks(scopes: list[uuid.UUID]) -> Iterable[list[uuid.UUID]]:
    return (scopes[at : at + CHUNK] for at in range(0, len(scopes), CHUNK))


def _parameter(value: uuid.UUID | datetime) -> Any:
    """Return a value as the driver of the present database takes it."""
    if connection.vendor == "postgresql":
        return value
    if isinstance(value, uuid.UUID):
        return value.hex
    return connection.ops.adapt_datetimefield_value(value)


def _scope(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


def _instant(value: Any) -> datetime | None:
    if value is None:
        return None
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
