"""Servers on loopback that speak as Twilio, a gateway and a mail server do.

Twilio's double is written by hand from the documentation of its Messages resource
(2010-04-01): form in, basic auth, 201 with a message, errors as {code, message, status}.
"""

import base64
import itertools
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from apps.core import clock

SID = "AC" + "0123456789abcdef" * 2
SECRET = "twilio-secret-of-the-tests"  # noqa: S105
GATEWAY_TOKEN = "gateway-secret-of-the-tests"  # noqa: S105

Said = tuple[int, dict[str, Any], dict[str, str]]
"""Status, body, headers."""


class Double(ThreadingHTTPServer):
    """Keeps what it took; `refusals` are said instead, in order; `loses` answers."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.taken: list[dict[str, str]] = []
        self.refusals: list[Said] = []
        self.loses = 0
        self.numbers = itertools.count(1)
        self.let_go = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Double

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def say(
        self, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def refused(self) -> bool:
        if not self.server.refusals:
            return False
        self.say(*self.server.refusals.pop(0))
        return True

    def lost(self) -> bool:
        """Hold the answer back until the caller has given up."""
        if not self.server.loses:
            return False
        self.server.loses -= 1
        self.server.let_go.wait(5)
        return True


class TwilioHandler(_Handler):
    """POST and GET /2010-04-01/Accounts/{sid}/Messages.json."""

    def is_let_in(self) -> bool:
        wanted = base64.b64encode(f"{SID}:{SECRET}".encode()).decode()
        if urlsplit(self.path).path != f"/2010-04-01/Accounts/{SID}/Messages.json":
            self.say(404, {"code": 20404, "message": "Not found", "status": 404})
            return False
        if self.headers.get("Authorization") != f"Basic {wanted}":
            self.say(401, {"code": 20003, "message": "Authenticate", "status": 401})
            return False
        return True

    def do_POST(self) -> None:
        content = self.body()
        if not self.is_let_in() or self.refused():
            return
        assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
        form = {name: each[0] for name, each in parse_qs(content.decode()).items()}
        row = {
            "sid": f"SM{next(self.server.numbers):032x}",
            "status": "queued",
            "direction": "outbound-api",
            "to": form["To"],
            "from": form.get("From", ""),
            "body": form["Body"],
            "date_created": format_datetime(clock.now()),
            "callback": form["StatusCallback"],
        }
        self.server.taken.append(row)
        if not self.lost():
            self.say(201, row)

    def do_GET(self) -> None:
        if not self.is_let_in():
            return
        query = parse_qs(urlsplit(self.path).query)
        rows = [row for row in self.server.taken if row["to"] == query["To"][0]]
        self.say(200, {"messages": rows[::-1], "next_page_uri": None})


class GatewayHandler(_Handler):
    """POST /messages and GET /messages/{key}, as docs/messages.md says."""

    def is_let_in(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {GATEWAY_TOKEN}":
            return True
        self.say(401, {"code": "unauthorized"})
        return False

    def do_POST(self) -> None:
        content = json.loads(self.body())
        if not self.is_let_in() or self.refused():
            return
        key = self.headers["Idempotency-Key"]
        rows = self.server.taken
        known = next((row for row in rows if row["key"] == key), None)
        if known is None:
            known = {
                **content,
                "id": f"g{next(self.server.numbers)}",
                "body": "",
                "key": key,
            }
            rows.append(known)
        if not self.lost():
            self.say(202, {"id": known["id"], "status": "queued"})

    def do_GET(self) -> None:
        key = self.path.rpartition("/")[2]
        found = next((row for row in self.server.taken if row["key"] == key), None)
        if found is None:
            self.say(404, {"code": "unknown"})
        else:
            self.say(200, {"id": found["id"], "status": "sent"})


class MailServer(socketserver.ThreadingTCPServer):
    """Takes emails; `replies` are said to RCPT instead, in order; `breaks` after DATA."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MailHandler)
        self.taken: list[dict[str, str]] = []
        self.replies: list[str] = []
        self.breaks = 0


class _MailHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.say("220 double")
        to = ""
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                to = line.partition("<")[2].partition(">")[0]
                self.say(
                    self.server.replies.pop(0) if self.server.replies else "250 ok"
                )
            elif verb == "DATA":
                self.say("354 go on")
                self.take(to)
                if self.server.breaks:
                    self.server.breaks -= 1
                    return
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def take(self, to: str) -> None:
        lines: list[str] = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        self.server.taken.append({"to": to, "body": "\n".join(lines)})


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve until the block ends."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        if isinstance(server, Double):
            server.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
