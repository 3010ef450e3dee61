"""What people write back: kept once, understood, answered."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.core.actors import Actor
from apps.journal.services import Writer, writing
from apps.notifications import kinds, selectors, words
from apps.notifications.drafts import MessageDraft, Recipient
from apps.notifications.models import Consent, Message, Reply
from apps.notifications.services.consents import record_consent
from apps.notifications.services.queueing import queue_message

WANTED_AGAIN = (kinds.DELIVERY, kinds.SURVEY)
"""What START gives back; marketing wants a yes of its own."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A reply as its provider tells it; `is_answered`: the provider answers it itself."""

    provider: str
    provider_id: str
    channel: str
    address: str
    text: str
    is_answered: bool = False


def take_reply(incoming: Incoming, *, by: Actor, now: datetime) -> Reply:
    """Keep a reply, and do what it asks: end or renew consent, help, say where.

    A provider that calls twice gets the first row. A question for the order goes into
    the journal: it is answered above, from live state.
    """
    with writing(by=by, now=now) as journal:
        intent = words.intent_of(incoming.text)
        message = selectors.last_told(incoming.address)
        reply = Reply(
            depot=message.depot if message else None,
            message=message,
            provider=incoming.provider,
            provider_id=incoming.provider_id,
            channel=incoming.channel,
            address=incoming.address,
            text=incoming.text[:2000],
            intent=intent,
            received_at=now,
        )
        first = _first(reply)
        if first is not None:
            return first
        journal.record(
            "message.replied",
            reply,
            depot_id=message.depot_id if message else None,
            intent=intent,
            message_id=str(message.pk) if message else None,
        )
        DEEDS[intent](_Case(reply, message, incoming, journal, by, now))
    return reply


@dataclass(frozen=True, slots=True)
class _Case:
    """A reply with what is needed to do what it asks."""

    reply: Reply
    message: Message | None
    """What was answered; None where we never wrote: a STOP counts all the same."""
    incoming: Incoming
    journal: Writer
    by: Actor
    now: datetime

    def consent(self, purposes: tuple[str, ...], *, is_given: bool) -> None:
        record_consent(
            depot_id=self.reply.depot_id,
            address=self.reply.address,
            purposes=purposes,
            is_given=is_given,
            source=Consent.Source.REPLY,
            note=f"reply {self.reply.pk}",
            by=self.by,
            now=self.now,
        )

    def answer(self, kind: str) -> None:
        if self.message is None or self.incoming.is_answered:
            return
        queue_message(
            MessageDraft(
                depot_id=self.message.depot_id,
                kind=kind,
                to=Recipient(phone=self.reply.address, language=self.message.language),
                reason=f"{kind}/{self.reply.pk}",
                subject_type=self.message.subject_type,
                subject_id=self.message.subject_id,
                subject_label=self.message.subject_label,
                answers=self.reply.channel,
            ),
            by=self.by,
            now=self.now,
        )


def _stop(case: _Case) -> None:
    case.consent(kinds.CONSENT_PURPOSES, is_given=False)
    case.answer("stopped")


def _start(case: _Case) -> None:
    case.consent(WANTED_AGAIN, is_given=True)
    case.answer("started")


def _help(case: _Case) -> None:
    case.answer("help")


def _where(case: _Case) -> None:
    if case.message is None:
        return
    case.journal.record(
        "message.asked_where",
        case.reply,
        depot_id=case.message.depot_id,
        subject_type=case.message.subject_type,
        subject_id=case.message.subject_id,
    )


def _nothing(_case: _Case) -> None:
    """Leave it to the people of the office, who see it among the replies."""


DEEDS: dict[str, Callable[[_Case], None]] = {
    Reply.Intent.STOP: _stop,
    Reply.Intent.START: _start,
    Reply.Intent.HELP: _help,
    Reply.Intent.WHERE: _where,
    Reply.Intent.OTHER: _nothing,
}


def _first(reply: Reply) -> Reply | None:
    """Store the reply; return the row that its provider's id has already, if it has."""
    try:
        with transaction.atomic():
            reply.save(force_insert=True)
    except IntegrityError:
        return Reply.objects.get(provider=reply.provider, provider_id=reply.provider_id)
    return None
