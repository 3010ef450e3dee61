"""A simulated device: what survives a reboot, what does not, and its way to the server."""

import hashlib
import io
import json
import uuid
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from PIL import Image

from apps.routes.progress import CORRECTIONS

DOOR = "/api/sync/v1"
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
Row = dict[str, Any]
OUTCOMES = ("succeeded", "failed", "partial")
AFTER = {
    "pending": ("enroute", "arrived", "succeeded", "failed", "partial"),
    "enroute": ("arrived", "succeeded", "failed", "partial"),
    "arrived": ("succeeded", "failed", "partial"),
    "succeeded": ("reopened",),
    "failed": ("reopened",),
    "partial": ("reopened",),
}
"""What a driver may report, by how the stop stands on the device."""

PAYLOADS: dict[str, Row] = {
    "succeeded": {"received_by": "customer"},
    "failed": {"reason": "not_home"},
    "partial": {"pieces": 1},
}


@dataclass
class Answer:
    """What came back: the status, and the body where it is JSON."""

    status: int
    body: Row
    headers: Row


@dataclass
class Made:
    """An event as it was written down, with what only the simulation knows of it."""

    row: Row
    driver_id: uuid.UUID
    device_id: uuid.UUID
    true_at: datetime
    is_legal: bool
    """The step was one that the driver could take, as the device showed it."""
    is_settled: bool = False
    """The device has its answer, and keeps it no more."""
    pushes: int = 0

    @property
    def id(self) -> str:
        return str(self.row["id"])


@dataclass
class File:
    """A file of proof on the device, until the server says that it is stored."""

    id: str
    driver_id: uuid.UUID
    event_id: str
    stop_id: str
    content: bytes
    colour: tuple[int, int, int]
    location: str = ""
    offset: int | None = None
    is_deleted: bool = False

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def proof(self) -> Row:
        return {
            "attachment_id": self.id,
            "sha256": self.sha256,
            "bytes": len(self.content),
            "media_type": "image/png",
        }


@dataclass(frozen=True)
class Fix:
    """A place where a device was; no two have the same latitude, in millionths."""

    driver_id: uuid.UUID
    device_id: uuid.UUID
    boot_id: str
    mono_ms: int
    wall_ms: int
    lat_e6: int
    lon_e6: int


@dataclass(frozen=True)
class Session:
    """A session on a device: which of those that it was given, and whose."""

    number: int
    driver_id: uuid.UUID


@dataclass
class Profile:
    """What a device keeps for one driver: session, tables, and what waits to be sent."""

    driver_id: uuid.UUID
    username: str
    token: str
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    number: int | None = None
    cursor: str = ""
    outbox: dict[str, Row] = field(default_factory=dict)
    fixes: list[Fix] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    """How stops stand by the driver's own reports that the tables do not show yet."""

    def merge(self, page: Row) -> None:
        """Take a page in, whole; unsent events survive a reset."""
        if page.get("experimentalStrategy") == "replacement":
            self.tables = {}
        for name, change in page["changes"].items():
            rows = self.tables.setdefault(name, {})
            for row in change["updated"]:
                rows[row["id"]] = row
            for row_id in change["deleted"]:
                rows.pop(row_id, None)
        self.number, self.cursor = page["timestamp"], page["cursor"]
        if page["has_more"]:
            return
        results = self.tables.get("event_results", {}).values()
        waiting = {row["stop_id"] for row in self.outbox.values()}
        waiting |= {row["stop_id"] for row in results if row["result"] == "held"}
        for stop_id in [*self.steps]:
            if stop_id not in waiting:
                del self.steps[stop_id]

    def status_of(self, stop_id: str) -> str:
        shown = self.tables.get("stops", {}).get(stop_id, {}).get("status", "pending")
        return self.steps.get(stop_id, str(shown))


@dataclass
class Device:
    """One handheld. Its clocks are wrong in their own ways."""

    name: str
    id: uuid.UUID
    token: str
    now: Callable[[], datetime]
    profiles: dict[uuid.UUID, Profile]
    driver_id: uuid.UUID
    drift_ppm: int
    wall_skew_ms: int
    seq: int = 0
    boots: int = 1
    booted_at: datetime | None = None
    anchors: list[Row] = field(default_factory=list)
    is_cut_off: bool = False
    shown_id: uuid.UUID | None = None
    """The driver for whom its own credential acts: of the newest session that it showed.

    None while it cannot know, since the answer to what showed the session was lost.
    """
    sessions: dict[str, Session] = field(default_factory=dict)
    """The sessions that it was given, by token."""
    shown: int = 0
    """The number of the newest session that the server has answered to."""
    sent: int = 0
    """The number of the newest session that it ever sent, answered or not."""
    is_draining: bool = False
    """It was told to send what it holds, and to wipe itself then."""
    lost: list[str] = field(default_factory=list)
    """Events that it died over before they were written down."""
    again: set[str] = field(default_factory=set)
    """Events that the server asked for once more: later ones of a stop go with them."""
    asked: set[uuid.UUID] = field(default_factory=set)
    """Drivers for whom it ever asked a session: their name counts in its events."""
    files: dict[str, File] = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)

    @property
    def profile(self) -> Profile:
        return self.profiles[self.driver_id]

    def given(self, token: str, driver_id: uuid.UUID) -> None:
        """Keep a session that came; they come in the order in which they were opened."""
        self.sessions[token] = Session(len(self.sessions) + 1, driver_id)

    def shows(self, token: str) -> Session | None:
        """Return the session that a request shows, where it is newer than those before.

        Until it is answered, nobody knows for whom the device's own credential acts.
        """
        session = self.sessions.get(token)
        if session is None or session.number <= self.shown:
            return None
        self.sent = max(self.sent, session.number)
        if session.driver_id != self.shown_id:
            self.shown_id = None
        return session

    def has_shown(self, session: Session) -> None:
        """Take in that the server has seen a session; an unsure newer one leaves doubt."""
        self.shown = max(self.shown, session.number)
        if session.number == self.sent:
            self.shown_id = session.driver_id

    # ── clocks ──────────────────────────────────────────────────────────────
    @property
    def boot_id(self) -> str:
        return f"{self.name}-{self.boots}"

    def mono_ms(self) -> float:
        began = self.booted_at or self.now()
        real_ms = (self.now() - began) / timedelta(milliseconds=1)
        return real_ms * (1 + self.drift_ppm / 1_000_000)

    def wall_ms(self) -> int:
        return round(self.now().timestamp() * 1000) + self.wall_skew_ms

    def keep_anchor(self, sent_ms: float, server_time: str) -> None:
        came_ms = self.mono_ms()
        anchor = {
            "boot_id": self.boot_id,
            "mono_ms": round((sent_ms + came_ms) / 2),
            "server_time": server_time,
            "rtt_ms": round(came_ms - sent_ms),
        }
        self.anchors = [*self.anchors, anchor][-4:]

    def reboot(self, *, loses_anchors: bool) -> None:
        """Lose what is not written down; the monotonic clock begins anew."""
        self.boots += 1
        self.booted_at = self.now()
        if loses_anchors:
            self.anchors = []

    # ── writing facts down ──────────────────────────────────────────────────
    def write(
        self,
        random: Random,
        kind: str,
        stop_id: str = "",
        payload: Row | None = None,
        *,
        depends_on: str = "",
        is_legal: bool = True,
    ) -> Made:
        """Write a fact into the outbox, to be sent when there is signal."""
        self.seq += 1
        row = {
            "id": "".join(random.choices(ALPHABET, k=16)),
            "seq": self.seq,
            "kind": kind,
            "stop_id": stop_id,
            "payload": json.dumps(payload or {}),
            "device_time": self.wall_ms(),
            "mono_ms": round(self.mono_ms()),
            "boot_id": self.boot_id,
            "depends_on": depends_on,
        }
        made = Made(row, self.driver_id, self.id, self.now(), is_legal)
        self.made.append(made)
        self.profile.outbox[made.id] = row
        return made

    def fits_own_log(self, stop_id: str, step: str) -> bool:
        """Tell whether a step may follow the own reports of a stop, as they were corrected.

        What was not corrected is as the device shows it.
        """
        mine = [made for made in self.made if made.driver_id == self.driver_id]
        log = [made for made in mine if made.row["stop_id"] == stop_id]
        kinds = {made.id: str(made.row["kind"]).removeprefix("stop.") for made in log}
        meant = dict(kinds)
        for made in mine:
            if made.row["kind"] == "event.corrected":
                told = json.loads(made.row["payload"])
                wrong, kind = told["corrects"], told["kind"].removeprefix("stop.")
                if kind in CORRECTIONS.get(kinds.get(wrong, ""), ()):
                    meant[wrong] = kind
        if meant == kinds:
            return True
        status = "pending"
        for kind in meant.values():
            if kind == "reopened":
                status = "pending"
            elif kind in OUTCOMES or (kind in AFTER and status not in OUTCOMES):
                status = kind
        return step in AFTER[status]

    def locate(self, lat_e6: int, lon_e6: int) -> Fix:
        """Note where the device is, to be sent when there is signal."""
        boot, mono_ms = self.boot_id, round(self.mono_ms())
        wall_ms, who = self.wall_ms(), self.driver_id
        fix = Fix(who, self.id, boot, mono_ms, wall_ms, lat_e6, lon_e6)
        self.profile.fixes.append(fix)
        return fix

    def photograph(self, random: Random, stop_id: str) -> File:
        """Take a picture of one colour that no other has."""
        colour = (random.randrange(256), random.randrange(256), len(self.files))
        out = io.BytesIO()
        Image.new("RGB", (4, 4), colour).save(out, "PNG")
        name = "".join(random.choices(ALPHABET, k=16))
        file = File(name, self.driver_id, "", stop_id, out.getvalue(), colour)
        self.files[name] = file
        return file

    # ── bodies ──────────────────────────────────────────────────────────────
    def push_body(self, rows: list[Row]) -> Row:
        return {
            "changes": {"events": {"created": rows, "updated": [], "deleted": []}},
            "device": {
                "id": str(self.id),
                "boot_id": self.boot_id,
                "sent_mono_ms": round(self.mono_ms()),
                "anchors": self.anchors,
            },
        }


def metadata(**values: str) -> str:
    """Return tus's header of keys and values."""
    return ",".join(f"{k} {b64encode(v.encode()).decode()}" for k, v in values.items())
