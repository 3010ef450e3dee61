"""The network as a device has it: HTTP requests, and the poke socket."""

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

TIMEOUT_S = 60.0
PATIENCE_S = 120.0
"""How long a server that asks for patience (429, 503) gets it."""

Body = dict[str, Any]


class Unreachable(RuntimeError):
    """There is no server there, or it broke off."""


class Refused(Unreachable):
    """The server answered, and the answer is no."""

    def __init__(self, status: int, body: str) -> None:
        """Keep the status, and what the answer said."""
        super().__init__(f"{status}: {body[:500]}")
        self.status = status


class Wire:
    """HTTP to one server; any number of devices share its connections."""

    def __init__(self, url: str) -> None:
        """Take the server's origin."""
        self.url = url.rstrip("/")
        self.requests = 0
        self._client = httpx.Client(
            base_url=self.url, timeout=TIMEOUT_S, trust_env=False, follow_redirects=True
        )

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        login: tuple[str, str] | None = None,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Body:
        """Return the answer's JSON; wait where the server asks for patience.

        Raises:
            Refused: the server says no.
            Unreachable: the server does not say anything.
        """
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Token {token}"
        last_s = time.monotonic() + PATIENCE_S
        while True:
            self.requests += 1
            try:
                answer = self._client.request(
                    method, path, json=body, params=params, headers=sent, auth=login
                )
            except httpx.HTTPError as error:
                raise Unreachable(f"{self.url}{path}: {error!r}") from error
            if answer.status_code not in {429, 503} or time.monotonic() > last_s:
                break
            time.sleep(min(float(answer.headers.get("Retry-After", 1)), 30))
        if answer.is_error:
            raise Refused(answer.status_code, answer.text)
        found: Body = answer.json() if answer.content else {}
        return found

    def socket(self, token: str) -> "PokeSocket":
        """Open a device's poke socket."""
        parts = urlsplit(self.url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        return PokeSocket(f"{scheme}://{parts.netloc}/ws/sync/v1", token)


class PokeSocket:
    """A device's ear: hears that there is something to pull."""

    def __init__(self, url: str, token: str) -> None:
        """Connect, and wait for the greeting."""
        self.head = 0
        self.pokes = 0
        self._connection: ClientConnection | None = connect(
            url,
            additional_headers={"Authorization": f"Token {token}"},
            proxy=None,
            compression=None,
            close_timeout=1,
        )
        self.wait_for(1, TIMEOUT_S)

    def listen(self) -> int:
        """Return the newest head heard of, without waiting."""
        return self.wait_for(None, 0.0)

    def wait_for(self, head: int | None, timeout_s: float) -> int:
        """Wait until a head of at least `head` is heard of; return the newest."""
        last_s = time.monotonic() + timeout_s
        while self._connection is not None and (head is None or self.head < head):
            left_s = max(0.0, last_s - time.monotonic())
            try:
                message = json.loads(self._connection.recv(timeout=left_s))
            except TimeoutError:
                break
            except (WebSocketException, OSError):
                self.close()
                break
            if message.get("type") in {"hello", "poke"}:
                self.pokes += message["type"] == "poke"
                self.head = max(self.head, message["head"])
        return self.head

    @property
    def is_open(self) -> bool:
        """Tell whether it still hears."""
        return self._connection is not None

    def close(self) -> None:
        """Hang up; again changes nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(WebSocketException, OSError):
                connection.close()
