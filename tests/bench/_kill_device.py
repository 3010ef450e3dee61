"""A device of the kill drill: it tells, hears and sends files while the server dies."""

import hashlib
import io
import json
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import cycle
from random import Random
from typing import Any

from PIL import Image

Row = dict[str, Any]
PAUSE_S = 0.05
TIMEOUT_S = 8
TUS = {"Tus-Resumable": "1.0.0"}
AFTER = {"pending": "enroute", "enroute": "arrived", "arrived": "succeeded"}
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NoAnswer(Exception):
    """The server did not answer, or not as one that is well: try again later."""


@dataclass
class File:
    """A picture that proves a delivery, until the server says that it is stored."""

    id: str
    event_id: str
    content: bytes
    location: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class KillDevice:
    """Appends facts, pushes them until they are answered, and pulls."""

    number: int
    url: str
    device_token: str
    session_token: str
    outbox: dict[str, Row] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    cursor: str = ""
    seq: int = 0
    statuses: dict[str, str] = field(default_factory=dict)
    failures: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.number)  # noqa: S311 (repeatable)
        self.turns = cycle(("tell", "tell", "push", "pull", "send"))

    # ── work ────────────────────────────────────────────────────────────────
    def run(self, until: threading.Event) -> None:
        """Work until told to stop; what the server cannot hear now it hears later."""
        while not until.is_set():
            self.turn()
            time.sleep(PAUSE_S)

    def turn(self) -> None:
        act = getattr(self, next(self.turns))
        try:
            act()
        except NoAnswer:
            self.failures += 1

    def rest(self) -> bool:
        """Send what waits, without writing more; tell whether all is said and heard."""
        try:
            self.push()
            self.send()
            self.pull()
        except NoAnswer:
            return False
        return not self.outbox and not self.files

    def tell(self) -> None:
        """Write the next fact of the day down, whether or not anybody hears it."""
        stops = self.tables.get("stops", {})
        open_stops = sorted(
            stop_id for stop_id in stops if self._status(stop_id) in AFTER
        )
        if not open_stops:
            self._write("device.status", "", {"unsent": len(self.outbox)})
            return
        stop_id = open_stops[0]
        step = AFTER[self._status(stop_id)]
        self.statuses[stop_id] = step
        if step != "succeeded":
            self._write(f"stop.{step}", stop_id, {})
            return
        file = self._photograph()
        proof = {
            "attachment_id": file.id,
            "sha256": file.sha256,
            "bytes": len(file.content),
            "media_type": "image/png",
        }
        file.event_id = self._write(f"stop.{step}", stop_id, {"attachments": [proof]})

    def _status(self, stop_id: str) -> str:
        shown = str(self.tables["stops"][stop_id]["status"])
        return self.statuses.get(stop_id, shown)

    def _write(self, kind: str, stop_id: str, payload: Row) -> str:
        self.seq += 1
        event_id = f"kill{self.number:02}{self.seq:010}"
        self.outbox[event_id] = {
            "id": event_id,
            "seq": self.seq,
            "kind": kind,
            "stop_id": stop_id,
            "payload": json.dumps(payload),
            "device_time": round(time.time() * 1000),
            "mono_ms": None,
            "boot_id": "",
            "depends_on": "",
        }
        return event_id

    def _photograph(self) -> File:
        out = io.BytesIO()
        colour = (self.number, self.seq % 256, self.random.randrange(256))
        Image.new("RGB", (32, 32), colour).save(out, "PNG")
        file = File(f"file{self.number:02}{self.seq:010}", "", out.getvalue())
        self.files[file.id] = file
        return file

    # ── the way to the server ───────────────────────────────────────────────
    def push(self) -> None:
        rows = list(self.outbox.values())[:200]
        if not rows:
            return
        body = {"changes": {"events": {"created": rows}}}
        answer = self._json("POST", "/api/sync/v1/push", body)
        for result in answer["results"]:
            first = result.get("original", result)["result"]
            known = self.acknowledged.get(result["id"])
            if result["result"] == "retry":
                continue
            if known not in {None, first, "held"}:
                self.faults.append(f"{result['id']} was {known}, is {first}")
            self.acknowledged[result["id"]] = first
            self.outbox.pop(result["id"], None)

    def pull(self) -> None:
        while True:
            page = self._page(self.cursor)
            merge(self.tables, page)
            self.cursor = page["cursor"]
            for file_id in [*self.files]:
                row = self.tables.get("attachments", {}).get(file_id, {})
                if row.get("status") == "stored":
                    del self.files[file_id]
            if not page["has_more"]:
                return

    def snapshot(self) -> dict[str, dict[str, Row]]:
        """Return what a device that knows nothing would be told now."""
        tables: dict[str, dict[str, Row]] = {}
        cursor = ""
        while True:
            page = self._page(cursor)
            merge(tables, page)
            cursor = page["cursor"]
            if not page["has_more"]:
                return tables

    def _page(self, cursor: str) -> Row:
        path = f"/api/sync/v1/pull?limit=50&cursor={cursor}"
        return self._json("GET", path, None, token=self.session_token)

    def send(self) -> None:
        """Bring one file a step further."""
        waiting = [file for file in self.files.values() if file.event_id]
        if not waiting:
            return
        file = self.random.choice(waiting)
        if not file.location:
            said = {
                "attachment_id": file.id,
                "event_id": file.event_id,
                "sha256": file.sha256,
                "filetype": "image/png",
            }
            words = [f"{k} {b64encode(v.encode()).decode()}" for k, v in said.items()]
            headers = TUS | {
                "Upload-Length": str(len(file.content)),
                "Upload-Metadata": ",".join(words),
            }
            _, answered = self._call("POST", "/api/sync/v1/uploads", None, headers)
            file.location = "/api/" + answered["Location"].partition("/api/")[2]
        _, answered = self._call("HEAD", file.location, None, TUS)
        offset = int(answered["Upload-Offset"])
        if offset < len(file.content):
            headers = TUS | {
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
            }
            part = file.content[offset : offset + 60]
            self._call("PATCH", file.location, part, headers)

    def _json(self, method: str, path: str, body: Any, token: str = "") -> Row:
        raw = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        content, _ = self._call(method, path, raw, headers, token=token)
        answer: Row = json.loads(content)
        return answer

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        token: str = "",
    ) -> tuple[bytes, Any]:
        request = urllib.request.Request(  # noqa: S310 (our own server)
            self.url + path,
            body,
            {"Authorization": f"Token {token or self.device_token}", **headers},
            method=method,
        )
        try:
            with _opener.open(request, timeout=TIMEOUT_S) as response:
                return response.read(), response.headers
        except urllib.error.HTTPError as refused:
            if refused.code not in {409, 429, 500, 502, 503}:
                self.faults.append(f"{method} {path[:40]}: {refused.code}")
            raise NoAnswer(str(refused.code)) from refused
        except (OSError, HTTPException, ValueError) as broken:
            raise NoAnswer(type(broken).__name__) from broken


def merge(tables: dict[str, dict[str, Row]], page: Row) -> None:
    """Take a page in."""
    if page.get("experimentalStrategy") == "replacement":
        tables.clear()
    for name, change in page["changes"].items():
        rows = tables.setdefault(name, {})
        for row in change["updated"]:
            rows[row["id"]] = row
        for row_id in change["deleted"]:
            rows.pop(row_id, None)
