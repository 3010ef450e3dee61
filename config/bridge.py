"""WSGI on an event loop: what is small goes to a thread and comes back in one step each.

A handheld's request is a few kilobytes, and so is its answer: handing them over piece by
piece costs more than answering. What is large or breaks off goes by a2wsgi, in pieces.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi import build_environ

from config.lane import READING, Lane

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

SMALL: Final = 256 * 1024
"""Bytes of a request's body that are gathered before a thread is given to it."""

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Iterable[bytes]]


class Bridge:
    """An ASGI application that answers HTTP by a WSGI one, in so many threads."""

    def __init__(
        self, application: Application, *, workers: int, quick: tuple[str, ...] = ()
    ) -> None:
        """Answer by `application`; paths that begin with `quick` go by the lanes."""
        self._application = application
        self._pieces: Any = WSGIMiddleware(application, workers=workers)
        self._threads: ThreadPoolExecutor = self._pieces.executor
        submit = self._threads.submit
        self._quick, self._lane, self._reading = (
            quick,
            Lane(submit),
            Lane(submit, READING),
        )

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        came: list[Message] = []
        if _length(scope) <= SMALL:
            while not came or came[-1].get("more_body"):
                came.append(await receive())
        if not came or came[-1]["type"] != "http.request":
            await self._pieces(scope, _first(came, receive), send)
            return
        body = b"".join(message.get("body", b"") for message in came)
        environ: Any = build_environ(scope, cast("Any", BytesIO(body)))
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Message]] = loop.create_future()
        answer = partial(self._answer, environ, loop, done, send)
        if scope["path"].startswith(self._quick):
            (self._reading if scope["method"] == "GET" else self._lane).put(answer)
        else:
            self._threads.submit(answer)
        for message in await done:
            await send(message)

    def _answer(
        self,
        environ: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        done: asyncio.Future[list[Message]],
        send: Send,
    ) -> None:
        """Answer in a thread; what is not whole is sent from here, piece by piece."""
        if done.cancelled():
            return  # whoever asked has gone while it waited
        try:
            messages = self._messages(environ, loop, send)
        except BaseException as fault:  # noqa: BLE001  raised where it is waited for
            loop.call_soon_threadsafe(_settle, done, None, fault)
        else:
            loop.call_soon_threadsafe(_settle, done, messages, None)

    def _messages(
        self, environ: dict[str, Any], loop: asyncio.AbstractEventLoop, send: Send
    ) -> list[Message]:
        start: Message = {"type": "http.response.start"}

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> None:
            start["status"] = int(status[:3])
            start["headers"] = [
                (name.lower().encode("latin1"), value.strip().encode("latin1"))
                for name, value in headers
            ]

        chunks = self._application(environ, start_response)
        try:
            if not getattr(chunks, "streaming", True):
                return [start, _piece(b"".join(chunks), more=False)]
            for message in chain([start], (_piece(each, more=True) for each in chunks)):
                asyncio.run_coroutine_threadsafe(_sent(send, message), loop).result()
            return [_piece(b"", more=False)]
        finally:
            getattr(chunks, "close", lambda: None)()


def _length(scope: Any) -> int:
    """Return a body's bytes by its header; more than `SMALL` where it says nothing."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            return SMALL + 1
    return length


def _first(came: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that gives what came already, and then goes on."""
    waiting = iter(came)

    async def again() -> Message:
        return next(waiting, None) or await receive()

    return again


def _piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _sent(send: Send, message: Message) -> None:
    await send(message)


def _settle(
    done: asyncio.Future[list[Message]],
    messages: list[Message] | None,
    fault: BaseException | None,
) -> None:
    if done.cancelled():
        return
    if fault is not None:
        done.set_exception(fault)
    else:
        done.set_result(messages or [])
