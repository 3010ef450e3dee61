"""HTTP on the event loop by a WSGI application: whole, in pieces, broken off."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from config.bridge import SMALL, Bridge


class Whole(list[bytes]):
    """An answer as Django gives it, all of it at hand."""

    streaming = False


def echo(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return Whole([body])


def in_pieces(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterator[bytes]:
    start_response("200 OK", [("X-Path", environ["PATH_INFO"])])
    yield b"one"
    yield b"two"


def broken(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    raise ValueError("broken")


def answer(application: Any, body: bytes, *parts: dict[str, Any]) -> list[Any]:
    """Return what goes over the wire for a POST whose body comes in parts."""
    sent: list[Any] = []
    came = iter(parts or ({"type": "http.request", "body": body},))

    async def receive() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/echo",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"content-length", str(len(body)).encode())],
    }
    asyncio.run(Bridge(application, workers=2)(scope, receive, send))
    return sent


def bodies(sent: list[Any]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


def parts_of(body: bytes, size: int) -> list[dict[str, Any]]:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return [
        {"type": "http.request", "body": part, "more_body": part is not parts[-1]}
        for part in parts
    ]


def test_bridge_answers_a_small_request_in_two_messages() -> None:
    start, rest = answer(echo, b"hello", *parts_of(b"hello", 2))
    assert start["status"] == 200
    assert start["headers"] == [(b"content-length", b"5")]
    assert rest == {"type": "http.response.body", "body": b"hello", "more_body": False}


def test_bridge_sends_cookies_as_django_writes_them() -> None:
    def biscuit(_: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Set-Cookie", " crumb=1; Path=/")])
        return Whole([b""])

    start, _ = answer(biscuit, b"")
    assert start["headers"] == [(b"set-cookie", b"crumb=1; Path=/")]


def test_bridge_passes_a_large_body_on_in_pieces() -> None:
    body = bytes(range(256)) * (SMALL // 256 + 10)
    assert bodies(answer(echo, body, *parts_of(body, 65_536))) == body


def test_bridge_gives_what_came_of_a_body_that_breaks_off() -> None:
    begun = {"type": "http.request", "body": b"hel", "more_body": True}
    sent = answer(echo, b"hello", begun, {"type": "http.disconnect"})
    assert bodies(sent) == b"hel"


def test_bridge_streams_an_answer_that_is_not_whole() -> None:
    start, *pieces = answer(in_pieces, b"")
    assert start["headers"] == [(b"x-path", b"/echo")]
    assert [piece["body"] for piece in pieces] == [b"one", b"two", b""]
    assert [piece["more_body"] for piece in pieces] == [True, True, False]


def test_bridge_raises_what_the_application_raises() -> None:
    with pytest.raises(ValueError, match="broken"):
        answer(broken, b"")
