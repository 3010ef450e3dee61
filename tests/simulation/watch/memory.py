"""What was seen of a history so far, by all who watch it."""

import json
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.routes.models import Stop
from apps.sync.models import DeviceEvent, QuarantinedEvent
from tests.simulation.device import File, Fix, Made, Row
from tests.simulation.watch.tables import Tables

KEPT = {"applied", "superseded", "needs_review"}
"""Results of a stop's event that stands in the stop's log."""

OPEN = {"held", "needs_review"}
"""Results that may still become another."""

REVOKED = "device_revoked"
"""The code of what a person has to judge, since its device was trusted no more."""

EVENT = (
    *("pk", "driver_id", "device_id", "seq", "kind", "stop_id", "depends_on"),
    *("result", "code", "occurred_at", "received_at", "uncertainty_ms"),
    "time_quality",
)


@dataclass(frozen=True)
class Claim:
    """An event says: this file, with this hash, proves this stop."""

    attachment_id: str
    sha256: str
    stop_id: str
    driver_id: uuid.UUID


@dataclass
class Memory:
    """Facts that the simulation knows, and what the server was seen to do with them."""

    tables: Tables
    made: dict[str, Made] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    fixes: dict[int, Fix] = field(default_factory=dict)
    claims: set[Claim] = field(default_factory=set)
    first: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The first answer to each event; that of a held one is the one after it."""
    answers: int = 0
    """How many answers were noted in `first`, changed ones too."""
    ever: dict[str, set[uuid.UUID]] = field(default_factory=lambda: defaultdict(set))
    ever_before: dict[str, set[uuid.UUID]] = field(default_factory=dict)
    """The same, as it was before the present step."""
    ever_orders: dict[str, set[uuid.UUID]] = field(
        default_factory=lambda: defaultdict(set)
    )
    events: Mapping[str, Any] = field(default_factory=dict)
    """The inbox as it was when it was looked at last."""
    asked_again: dict[str, datetime] = field(default_factory=dict)
    """Since when devices have been asked to send events again."""
    expects_mono: set[str] = field(default_factory=set)
    forced: set[str] = field(default_factory=set)
    retired: set[tuple[uuid.UUID, str, str]] = field(default_factory=set)
    """Rows that a compaction was free to take out of a driver's feed."""
    revoked: dict[uuid.UUID, tuple[datetime, str]] = field(default_factory=dict)
    """Devices out of service: since when, and what they were told."""

    # ── what the simulation tells ───────────────────────────────────────────
    def wrote(self, made: Made) -> None:
        """A device wrote an event down."""
        self.made[made.id] = made
        for proof in json.loads(made.row["payload"]).get("attachments", []):
            claim = (proof["attachment_id"], proof["sha256"], made.row["stop_id"])
            self.claims.add(Claim(*claim, made.driver_id))

    def answered(self, event_id: str, said: tuple[str, str]) -> None:
        self.first[event_id] = said
        self.answers += 1

    def note_holders(self) -> None:
        """Remember who was ever given each stop, apart from the server's own notes."""
        for row in self.tables.rows(Stop, "pk", "order_id", "route__driver_id"):
            if row.route__driver_id is not None:
                self.ever[str(row.pk)].add(row.route__driver_id)
                self.ever_orders[str(row.order_id)].add(row.route__driver_id)

    def step_is_over(self) -> None:
        """Remember how things stand before the next step."""
        self.ever_before = {stop: set(who) for stop, who in self.ever.items()}

    # ── what several ask ────────────────────────────────────────────────────
    def inbox(self) -> dict[str, Any]:
        """Return the events that the server has, by id."""
        return {row.pk: row for row in self.tables.rows(DeviceEvent, *EVENT)}

    def is_quarantined(self, event_id: str, code: str = "") -> bool:
        """Tell whether a body was kept for a supervisor, for this reason or any."""
        rows = self.tables.rows(QuarantinedEvent, "event_id", "code")
        return any(r.event_id == event_id and r.code == (code or r.code) for r in rows)

    def is_same(self, row: Row, sender_id: uuid.UUID, maker_id: str = "") -> bool:
        """Tell whether a row is the event as it was written, of the driver who wrote it.

        `sender_id` is the driver whose credential came along; the row may name another.
        """
        made = self.made[row["id"]]
        body = {name: value for name, value in row.items() if name != "driver_id"}
        return body == made.row and (maker_id or str(sender_id)) == str(made.driver_id)

    def acts(self, device_id: uuid.UUID) -> str:
        """Return what a revoked device was told to do; empty for one in service."""
        return self.revoked[device_id][1] if device_id in self.revoked else ""
