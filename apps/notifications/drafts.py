"""What other rooms hand in: who shall hear what, for which reason."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """How a person can be reached, and in which language; phones are E.164.

    `time_zone` is the person's own where it is known; else the depot's counts.
    """

    phone: str = ""
    email: str = ""
    push: str = ""
    language: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message that gives itself: kind, person, subject, and the words to fill in.

    `reason` names the one thing that the person hears of once (`planned/<order>`). With
    `told_at`, the instant that the text promises, it is said again when that instant has
    moved by more than the depot's threshold; `told_until` is the end of the promise, kept
    for whoever judges what is late. `make_link` is called only where the message
    is really written, in its transaction. After `expires_at` it is not sent any more.
    `answers` is the channel by which the person has just written, to be answered there.
    """

    depot_id: uuid.UUID
    kind: str
    to: Recipient
    reason: str
    subject_type: str = ""
    subject_id: str = ""
    subject_label: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    make_link: Callable[[], str] | None = None
    told_at: datetime | None = None
    told_until: datetime | None = None
    expires_at: datetime | None = None
    answers: str = ""
