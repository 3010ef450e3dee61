"""The poke socket: says "pull", and nothing else."""

import asyncio
import json
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from apps.core import clock
from apps.drivers.authentication import (
    SCHEME,
    DeviceCredential,
    device_credential,
    take_note,
)
from apps.drivers.states import DeviceState
from apps.sync.selectors import cursor_of, feed_of
from apps.sync.tailer import Subscription, tailer

PING_S = 20.0
AUTH_WITHIN_S = 10.0
CHECK_S = 60.0
"""How often a socket looks whether its session still lasts."""

SUBPROTOCOL = "roundsman.sync.v1"
TOKEN_PREFIX = "token."  # noqa: S105 - how a browser's subprotocol begins

SIGN_IN_AGAIN = 4401
REVOKED = 4403
BROKEN = 1011

log = structlog.get_logger(__name__)


class PokeConsumer(AsyncWebsocketConsumer):
    """One device's socket.

    The session's token comes in the `Authorization` header; from a browser, which
    cannot set one, as the second subprotocol (`token.…`) or as the first message
    (`{"type": "auth", "token": "…"}`). Never in the address, which is logged.
    """

    credential: DeviceCredential | None = None
    subscription: Subscription | None = None
    speaker: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        """Accept, and wait for the token when it did not come along."""
        self.moved = asyncio.Event()
        self.head = 0
        offered = list(self.scope.get("subprotocols", []))
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        token = self._token(offered)
        self.speaker = asyncio.create_task(self._serve(token))

    def _token(self, offered: Collection[str]) -> str:
        for name, value in self.scope.get("headers", []):
            if name.lower() == b"authorization":
                scheme, _, token = value.decode("latin-1").partition(" ")
                return token.strip() if scheme.lower() == SCHEME.lower() else ""
        for protocol in offered:
            if protocol.startswith(TOKEN_PREFIX):
                return protocol.removeprefix(TOKEN_PREFIX)
        return ""

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        """Take the token from a first message; answer a ping; pass over the rest."""
        del bytes_data
        message = _object(text_data)
        if message.get("type") == "ping":
            await self._say(type="pong")
        elif message.get("type") == "auth" and self.credential is None:
            if self.speaker is not None:
                await _ended(self.speaker)
            self.speaker = asyncio.create_task(
                self._serve(str(message.get("token") or "-"))
            )

    async def _serve(self, token: str) -> None:
        """Speak until the session or the connection ends."""
        try:
            if token:
                await self._speak(token)
            else:
                await asyncio.sleep(AUTH_WITHIN_S)
                await self.close(SIGN_IN_AGAIN, "auth")
        except OSError:
            return  # the device has gone
        except Exception:
            log.exception("socket_failed")
            await self.close(BROKEN, "internal")

    async def _speak(self, token: str) -> None:
        """Sign in, say hello, then poke and ping while the session lasts."""
        credential = await self._sign_in(token)
        if credential is None:
            return
        self.credential, scope = credential, credential.driver.pk
        feed = await database_sync_to_async(feed_of)(scope)
        self.head = feed.head
        self.subscription = tailer().subscribe(scope, self.head, self._hear)
        # After a restore the same number may stand for something else: the cursor tells.
        cursor = cursor_of(feed.epoch, feed.head)
        await self._say(type="hello", head=self.head, cursor=cursor, ping_s=PING_S)
        checked_at = time.monotonic()
        while True:
            await self._poke_or_ping()
            if time.monotonic() >= checked_at + CHECK_S:
                checked_at = time.monotonic()
                if await self._sign_in(token) is None:
                    return

    async def _sign_in(self, token: str) -> DeviceCredential | None:
        """Return the session if it lasts; if not, close with the reason."""
        credential = await database_sync_to_async(device_credential)(token)
        if credential and credential.device.status != DeviceState.ACTIVE:
            await self.close(REVOKED, "device_revoked")
            return None
        if credential is None or not credential.is_session(clock.now()):
            await self.close(SIGN_IN_AGAIN, "session")
            return None
        if credential.is_shown_first:
            await database_sync_to_async(take_note)(credential)
        return credential

    def _hear(self, head: int) -> None:
        self.head = head
        self.moved.set()

    async def _poke_or_ping(self) -> None:
        try:
            async with asyncio.timeout(PING_S):
                await self.moved.wait()
        except TimeoutError:
            await self._say(type="ping", server_time=clock.now().isoformat())
        else:
            self.moved.clear()
            await self._say(type="poke", head=self.head)

    async def _say(self, **message: Any) -> None:
        await self.send(text_data=json.dumps(message))

    async def disconnect(self, code: int) -> None:
        """Stop listening."""
        del code
        if self.speaker is not None:
            await _ended(self.speaker)
        if self.subscription is not None:
            await tailer().unsubscribe(self.subscription)
            self.subscription = None


def _object(text: str | None) -> dict[str, Any]:
    try:
        message = json.loads(text or "")
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
