"""Questions to the outbox; they never write."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from apps.core.problems import NotFound
from apps.notifications import kinds, texts
from apps.notifications.limits import Sent
from apps.notifications.models import Consent, Message, MessageTemplate, Reply
from apps.notifications.states import MessageState

CHUNK = 400
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)
COUNTED = ~Q(state__in=[MessageState.BLOCKED, MessageState.WITHDRAWN])


class MessageNotFound(NotFound):
    """There is no such message, or not for this caller."""

    type = "/problems/message-not-found"
    title = "There is no such message here."


def last_of_reasons(
    depot_id: uuid.UUID, reasons: Collection[str]
) -> dict[str, Message]:
    """Return the newest message of each of these reasons."""
    found: dict[str, Message] = {}
    for part in _chunks(reasons):
        rows = Message.objects.filter(depot_id=depot_id, reason__in=part)
        found |= {row.reason: row for row in rows.order_by("number")}
    return found


def answers_of(addresses: Collection[str]) -> dict[tuple[str, str], bool]:
    """Return yes or no by address and purpose, where the person has ever said it."""
    found: dict[tuple[str, str], bool] = {}
    for part in _chunks(addresses):
        rows = Consent.objects.filter(address__in=part).order_by("given_at", "id")
        found |= {(row.address, row.purpose): row.is_given for row in rows}
    return found


def may_write(
    answers: Mapping[tuple[str, str], bool], address: str, purpose: str
) -> bool:
    """Tell whether a person may be written to for a purpose."""
    if purpose not in kinds.CONSENT_PURPOSES:
        return True
    return answers.get((address, purpose), purpose not in kinds.OPT_IN)


def sent_lately(depot_id: uuid.UUID, phones: Collection[str], *, now: datetime) -> Sent:
    """Return how many messages went by phone: to these in a day, in all in an hour.

    A person is counted over all depots; it is the same phone that rings.
    """
    sent = Sent()
    by_phone = Message.objects.filter(COUNTED, channel__in=kinds.BY_PHONE)
    for part in _chunks(phones):
        rows = by_phone.filter(address__in=part, created_at__gt=now - A_DAY)
        sent.to_person.update(rows.values_list("address", flat=True))
    lately = by_phone.filter(depot_id=depot_id, created_at__gt=now - AN_HOUR)
    for address in lately.values_list("address", flat=True).iterator(chunk_size=2000):
        sent.note_of_depot(address)
    return sent


def wordings(depot_id: uuid.UUID) -> "Wordings":
    """Return the texts that a depot says."""
    rows = MessageTemplate.objects.filter(depot_id=depot_id)
    return Wordings({(row.kind, row.language): (row.title, row.text) for row in rows})


class Wordings:
    """A depot's texts: its own, or the first ones."""

    def __init__(self, own: Mapping[tuple[str, str], tuple[str, str]]) -> None:
        """Take the depot's own, by kind and language."""
        self._own = own

    def of(self, kind: str, language: str) -> tuple[str, str]:
        """Return title and text."""
        title, text = self._own.get((kind, language), ("", ""))
        return (
            title or texts.TITLES[language][kind],
            text or texts.TEXTS[language][kind],
        )

    def is_own(self, kind: str, language: str) -> bool:
        """Tell whether the depot has words of its own here."""
        return (kind, language) in self._own


def due_messages(*, now: datetime, handed_before: datetime) -> list[uuid.UUID]:
    """Return what waits, is due, and is not with the queue."""
    rows = Message.objects.filter(
        Q(handed_at=None) | Q(handed_at__lt=handed_before),
        state=MessageState.QUEUED,
        due_at__lte=now,
    )
    return list(rows.order_by("due_at", "id").values_list("pk", flat=True)[:2000])


def abandoned_messages(*, claimed_before: datetime) -> list[uuid.UUID]:
    """Return what a worker began to send so long ago that it must have died."""
    rows = Message.objects.filter(
        state=MessageState.SENDING, claimed_at__lt=claimed_before
    )
    return list(rows.order_by("claimed_at").values_list("pk", flat=True)[:2000])


def doubtful_messages(*, now: datetime) -> list[uuid.UUID]:
    """Return what may or may not have been sent, and is to be asked of now."""
    rows = Message.objects.filter(
        state=MessageState.UNKNOWN, code="unclear", due_at__lte=now
    )
    return list(rows.order_by("due_at", "id").values_list("pk", flat=True)[:2000])


def messages_about(subject_type: str, subject_id: str) -> Sequence[Message]:
    """Return the messages about a subject, in their order, with their attempts."""
    rows = Message.objects.filter(subject_type=subject_type, subject_id=subject_id)
    return list(_as_told(rows))


def messages_labelled(label: str) -> Sequence[Message]:
    """Return the messages about what people call so: an order's reference."""
    return list(_as_told(Message.objects.filter(subject_label=label)))


def last_told(address: str, *, channel: str = "") -> Message | None:
    """Return the newest message that a person was sent, to know what a reply answers."""
    rows = Message.objects.filter(address=address).exclude(sent_at=None)
    if channel:
        rows = rows.filter(channel=channel)
    return rows.select_related("depot").order_by("-sent_at", "-id").first()


@dataclass(frozen=True, slots=True)
class Bubble:
    """One thing said between us and a person."""

    at: datetime
    text: str
    is_ours: bool
    channel: str
    note: str


def conversation(row: Message) -> list[Bubble]:
    """Return what the person of a message was sent by its depot, and has answered."""
    theirs = [address for _, address in row.ways] or [row.address]
    sent = Message.objects.filter(depot_id=row.depot_id, address__in=theirs)
    said = [
        Bubble(
            one.sent_at,
            one.text,
            True,
            one.get_channel_display(),
            str(one.get_state_display()),
        )
        for one in sent.exclude(sent_at=None).order_by("-sent_at")[:100]
        if one.sent_at
    ]
    heard = Reply.objects.filter(depot_id=row.depot_id, address__in=theirs)
    said += [
        Bubble(
            one.received_at,
            one.text,
            False,
            one.get_channel_display(),
            str(one.get_intent_display()),
        )
        for one in heard.order_by("-received_at")[:100]
    ]
    return sorted(said, key=lambda bubble: bubble.at)


def sent_by_kind(subject_type: str, subject_ids: Sequence[str]) -> Mapping[str, int]:
    """Return how many messages about these subjects went out, by kind."""
    found: Counter[str] = Counter()
    for some in _chunks(subject_ids):
        rows = Message.objects.filter(
            subject_type=subject_type,
            subject_id__in=some,
            state__in=[MessageState.SENT, MessageState.DELIVERED],
        )
        counts = rows.order_by().values_list("kind").annotate(count=Count("pk"))
        found.update(dict(counts))
    return dict(sorted(found.items()))


def _as_told(rows: QuerySet[Message]) -> QuerySet[Message]:
    return (
        rows.select_related("depot")
        .prefetch_related("attempts", "replies")
        .order_by("created_at", "id")
    )


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(set(values))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]
