"""What people allow and forbid, kept as facts."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from apps.core.actors import Actor
from apps.core.problems import FieldError, Invalid
from apps.journal.services import writing
from apps.notifications import kinds
from apps.notifications.models import Consent, Message
from apps.notifications.states import MessageState


def record_consent(
    *,
    depot_id: uuid.UUID | None,
    address: str,
    purposes: Iterable[str],
    is_given: bool,
    source: str,
    note: str = "",
    by: Actor,
    now: datetime,
) -> list[Consent]:
    """Keep a person's yes or no; with a no, what waits for the person is withdrawn.

    Raises:
        Invalid: there is no such purpose, or no address.
    """
    wanted = list(purposes)
    if not address.strip():
        raise Invalid(
            errors=[FieldError("/address", "required", "Give a phone or an email.")]
        )
    if unknown := [name for name in wanted if name not in kinds.CONSENT_PURPOSES]:
        known = ", ".join(kinds.CONSENT_PURPOSES)
        said = f"{', '.join(unknown)} is no purpose; known are {known}."
        raise Invalid(said, errors=[FieldError("/purpose", "unknown", said)])
    with writing(by=by, now=now) as journal:
        rows = [
            Consent.objects.create(
                depot_id=depot_id,
                address=address.strip(),
                purpose=purpose,
                is_given=is_given,
                source=source,
                note=note,
                given_at=now,
                given_by=str(by),
            )
            for purpose in wanted
        ]
        for row in rows:
            journal.record(
                "consent.given" if is_given else "consent.withdrawn",
                row,
                depot_id=depot_id,
                purpose=row.purpose,
                source=source,
            )
        if not is_given:
            _hold_back(address.strip(), wanted)
    return rows


def _hold_back(address: str, purposes: list[str]) -> None:
    waiting = Message.objects.filter(
        address=address, purpose__in=purposes, state=MessageState.QUEUED
    )
    waiting.update(
        state=MessageState.BLOCKED,
        code="no_consent",
        detail="The person does not want messages for this purpose any more.",
    )
