"""A push while it is taken in: who sends it, what is known, and what is answered."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.core.verdicts import Verdict
from apps.drivers.models import Device
from apps.routes.selectors import parse_id
from apps.sync.inbox import Event
from apps.sync.models import InboxHead, QuarantinedEvent
from apps.sync.moments import Anchor
from apps.sync.services.turns import Candidate


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one row; `original` is the first answer to a repeated one."""

    table: str
    id: str
    verdict: Verdict
    original: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answers to a push, and the last number of the sender's feed with them."""

    answers: list[Answer]
    head: int


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose device pushes; `driver_id` is the driver whose credential it showed.

    `makers` are other drivers who signed in on it and whose events it still holds.
    """

    device_id: uuid.UUID
    driver_id: uuid.UUID
    makers: frozenset[uuid.UUID] = frozenset()


@dataclass(slots=True)
class Push:
    """One push while its transaction is open."""

    sender: Sender
    device: Device
    now: datetime
    head: InboxHead = field(default_factory=InboxHead)
    scopes: set[uuid.UUID] = field(default_factory=set)
    """Whose locks are held."""
    waiting: Sequence[Candidate] = ()
    """The events of the device that are here and wait for others."""
    anchors: Sequence[Anchor] = ()
    patience: timedelta = timedelta.max
    """How long an event may wait for another."""
    asked_again: dict[str, int] = field(default_factory=dict)
    """What the device was asked to send again: since when, in epoch milliseconds."""
    offset_ms: int | None = None
    """The wall clock less ours, as this push shows it."""

    answers: dict[int, Answer] = field(default_factory=dict)
    quarantine: list[QuarantinedEvent] = field(default_factory=list)

    def maker(self, event: Event) -> uuid.UUID:
        """Return whose report an event is: the sender's, unless it names another driver."""
        named = parse_id(event.driver_id) if event.driver_id else None
        sender = self.sender
        return named if named in sender.makers and named else sender.driver_id

    @property
    def known_offset_ms(self) -> int | None:
        """The wall clock less ours, as last known; None where it never was."""
        return self.device.clock_offset_ms if self.offset_ms is None else self.offset_ms
