"""What providers say of a message after they took it."""

import uuid
from datetime import datetime
from typing import Final

from apps.core.actors import Actor
from apps.journal.services import writing
from apps.notifications.models import Attempt, Message
from apps.notifications.services.delivering import Providers, go_on
from apps.notifications.states import AttemptState, MessageState

RANKS: Final = {
    "accepted": 1,
    "scheduled": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "delivered": 5,
    "read": 6,
    "undelivered": 7,
    "failed": 7,
    "canceled": 7,
}
"""How far a message is by its provider's word; receipts come in any order."""

ARRIVED: Final = frozenset({"delivered", "read"})
LOST: Final = frozenset({"undelivered", "failed", "canceled"})


def note_receipt(
    *,
    provider: str,
    provider_id: str,
    attempt_id: uuid.UUID | None,
    status: str,
    code: str,
    providers: Providers,
    by: Actor,
    now: datetime,
) -> bool:
    """Write down what a provider says of an attempt; tell whether it is one of ours.

    The same receipt again, or an older one, changes nothing. What never arrived goes its
    next way. A receipt is also the answer where ours was lost: the message was sent.
    """
    with writing(by=by, now=now) as journal:
        attempt = _attempt(provider, provider_id, attempt_id)
        if attempt is None:
            return False
        if RANKS.get(status, 0) <= RANKS.get(attempt.receipt, 0):
            return True
        message = Message.objects.select_for_update().get(pk=attempt.message_id)
        attempt.receipt, attempt.receipt_at = status, now
        attempt.provider_id = attempt.provider_id or provider_id
        is_lost = status in LOST
        attempt.state = AttemptState.UNDELIVERED if is_lost else AttemptState.ACCEPTED
        attempt.code = code[:40] if is_lost else ""
        attempt.ended_at = attempt.ended_at or now
        attempt.save()
        if message.attempts.filter(number__gt=attempt.number).exists():
            return True  # it has gone another way since
        if is_lost:
            if message.state not in {MessageState.DELIVERED, MessageState.WITHDRAWN}:
                go_on(message, providers=providers, journal=journal, now=now)
            return True
        _arrive(message, status, now)
        if status in ARRIVED:
            journal.record(
                "message.delivered",
                message,
                depot_id=message.depot_id,
                kind=message.kind,
                channel=attempt.channel,
                provider=provider,
            )
    return True


def _attempt(
    provider: str, provider_id: str, attempt_id: uuid.UUID | None
) -> Attempt | None:
    rows = Attempt.objects.filter(provider=provider)
    if attempt_id is not None:
        return rows.filter(pk=attempt_id).first()
    return rows.filter(provider_id=provider_id).exclude(provider_id="").first()


def _arrive(message: Message, status: str, now: datetime) -> None:
    open_states = {MessageState.SENDING, MessageState.UNKNOWN, MessageState.SENT}
    if message.state not in open_states:
        return
    message.sent_at = message.sent_at or now
    message.state, message.code, message.detail = MessageState.SENT, "", ""
    if status in ARRIVED:
        message.state, message.delivered_at = MessageState.DELIVERED, now
    message.save(update_fields=["state", "code", "detail", "sent_at", "delivered_at"])
