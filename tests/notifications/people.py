"""Drafts to write with."""

import uuid
from datetime import UTC, datetime
from typing import Any

from apps.core.actors import Actor
from apps.notifications.drafts import MessageDraft, Recipient

OFFICE = Actor("user", "1")
NOON = datetime(2026, 3, 17, 11, 0, tzinfo=UTC)
"""Noon in Lauf."""
ANNA = Recipient(phone="+4915112345678", email="anna@example.com", language="de")
LINK = "https://dispatch.example/t/" + "x" * 22


def draft(depot_id: uuid.UUID, **values: Any) -> MessageDraft:
    """Return a draft about a planned delivery, unless told otherwise."""
    given: dict[str, Any] = {
        "kind": "planned",
        "to": ANNA,
        "reason": "planned/1",
        "subject_type": "order",
        "subject_id": "1",
        "subject_label": "R-1",
        "values": {"window": "Di 17.3. 10:00-12:00"},
        "make_link": lambda: LINK,
    }
    return MessageDraft(depot_id=depot_id, **{**given, **values})
