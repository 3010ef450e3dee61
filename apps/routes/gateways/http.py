"""How servers of roads are asked: within a limit of time, and again only a few times.

routingpy's own client sleeps and repeats as long as its limit allows, knows no limit over
several questions, and lets errors of the connection through; this one stands in for it.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from apps.routes.gateways.base import RoadsFailed, SourceDown

TRIES = 3
PAUSE_S = 0.2
AGAIN = frozenset({429, 502, 503, 504})
SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is and what it may be asked; `max_pairs` 0 takes its kind's limit."""

    url: str
    profile: str = ""
    api_key: str = ""
    timeout_s: float = 8.0
    max_pairs: int = 0


class BoundedClient:
    """Asks one server; all that is asked after `begin` has to be answered in time."""

    def __init__(
        self,
        base_url: str,
        user_agent: str | None = None,
        timeout: float | None = None,
        *unused: Any,
        headers: Mapping[str, str | None] | None = None,
    ) -> None:
        """Take what routingpy hands its clients; `timeout` is in seconds."""
        self._base_url = base_url
        self._timeout_s = float(timeout or 10)
        self._until_s = 0.0
        given = {name: value for name, value in (headers or {}).items() if value}
        self._client = httpx.Client(
            headers={"User-Agent": user_agent or "roundsman", **given},
            follow_redirects=False,
        )

    @property
    def name(self) -> str:
        """Return the server's host and port: never a key or a password."""
        parts = urlsplit(self._base_url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    def begin(self) -> None:
        """Begin a question, however many requests it takes."""
        self._until_s = time.monotonic() + self._timeout_s

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _request(
        self,
        url: str,
        get_params: Mapping[str, Any] | None = None,
        post_params: Mapping[str, Any] | None = None,
        dry_run: bool | None = None,
    ) -> Any:
        """Return the JSON of one answer; routingpy calls it by this name."""
        query = f"?{urlencode(get_params, safe=';,')}" if get_params else ""
        for left in reversed(range(TRIES)):
            answer = self._once(f"{self._base_url}{url}{query}", post_params, left)
            if answer is not None:
                return self._read(answer)
            time.sleep(min(PAUSE_S, max(0.0, self._until_s - time.monotonic())))
        raise AssertionError("unreachable: the last try returns or raises")

    def _once(
        self, url: str, body: Mapping[str, Any] | None, left: int
    ) -> httpx.Response | None:
        """Return the answer, or None where it is worth another try."""
        rest_s = self._until_s - time.monotonic()
        if rest_s <= 0:
            raise SourceDown(f"{self.name} gave no answer in {self._timeout_s:g} s")
        method = "GET" if body is None else "POST"
        try:
            answer = self._client.request(method, url, json=body, timeout=rest_s)
        except httpx.TimeoutException as error:
            raise SourceDown(
                f"{self.name} gave no answer in {self._timeout_s:g} s"
            ) from error
        except httpx.HTTPError as error:
            if left:
                return None
            raise SourceDown(f"{self.name} cannot be reached: {error}") from error
        return None if left and answer.status_code in AGAIN else answer

    def _read(self, answer: httpx.Response) -> Any:
        status = answer.status_code
        if status in {401, 403}:
            raise SourceDown(f"{self.name} refuses us ({status}): check ROADS_API_KEY")
        if status == 429:
            raise SourceDown(f"{self.name} allows no more questions for now (429)")
        if status >= 500 or 300 <= status < 400:
            raise SourceDown(f"{self.name} answers with status {status}")
        if status >= 400:
            raise RoadsFailed(f"{self.name} says: {_complaint(answer)}")
        try:
            return answer.json()
        except ValueError as error:
            raise SourceDown(
                f"{self.name} answers with something else than JSON"
            ) from (error)


def _complaint(answer: httpx.Response) -> str:
    """Return what the server complains of, in the words of OSRM, Valhalla or ORS."""
    with suppress(ValueError):
        said = answer.json()
        if isinstance(said, dict):
            found = said.get("message") or said.get("error")
            if isinstance(found, dict):
                found = found.get("message")
            if found:
                return f"{found} ({said.get('code') or answer.status_code})"
    return f"{answer.status_code} {answer.text[:SHOWN_CHARACTERS]}"
