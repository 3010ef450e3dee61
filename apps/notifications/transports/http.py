"""Asking a provider over HTTP: what each kind of failure says of the message."""

from typing import Any

import httpx

from apps.notifications.letters import Unavailable, Unclear
from apps.notifications.transports.base import TIMEOUT_S

NOT_TAKEN = frozenset({429, 503})
"""The provider says itself that it took nothing, and often when to come again."""

NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
"""Failures before a byte of the message had gone out."""

LONGEST_PAUSE_S = 3600.0


def call(method: str, url: str, **options: Any) -> httpx.Response:
    """Ask, and return an answer below 500 that is no refusal for now.

    Raises:
        Unavailable: nothing was sent, or the provider took nothing.
        Unclear: it may have been taken: the answer was lost, or says nothing.
    """
    try:
        answer = httpx.request(method, url, timeout=TIMEOUT_S, **options)
    except NEVER_LEFT as error:
        raise Unavailable("no_connection", type(error).__name__) from error
    except httpx.HTTPError as error:
        raise Unclear("no_answer", type(error).__name__) from error
    if answer.status_code in NOT_TAKEN:
        raise Unavailable(
            f"http_{answer.status_code}", said(answer), after_s=pause_s(answer)
        )
    if answer.status_code >= 500:
        raise Unclear(f"http_{answer.status_code}", said(answer))
    return answer


def ask(url: str, **options: Any) -> httpx.Response:
    """Ask a question that changes nothing: what has no answer may be asked again.

    Raises:
        Unavailable: there was no answer.
    """
    try:
        return call("GET", url, **options)
    except Unclear as failure:
        raise Unavailable(failure.code, failure.detail) from failure


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer; nothing where it is none."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def said(answer: httpx.Response) -> str:
    """Return the provider's own sentence."""
    body = body_of(answer)
    return str(body.get("message") or body.get("detail") or answer.reason_phrase)[:300]


def pause_s(answer: httpx.Response) -> float:
    """Return the seconds of `Retry-After`, an hour at the most."""
    value = answer.headers.get("Retry-After", "")
    return min(float(value), LONGEST_PAUSE_S) if value.isdigit() else 0.0
