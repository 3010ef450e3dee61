"""Writing messages into the outbox, in the transaction that gives cause to them."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.core import queue
from apps.core.actors import Actor
from apps.journal.services import Writer, writing
from apps.notifications import kinds, selectors
from apps.notifications.drafts import MessageDraft, Recipient
from apps.notifications.limits import Sent, country_of, over_limit
from apps.notifications.models import Message
from apps.notifications.phrases import fill
from apps.notifications.policies import Policy, policy_of
from apps.notifications.segments import length_of, plainer
from apps.notifications.states import MessageState

DELIVER = "apps.notifications.tasks.deliver"

Way = tuple[str, str]
"""A channel and the person's address there."""

WHY = {
    "no_address": "There is neither phone nor address to write to.",
    "no_consent": "The person does not want messages for this purpose.",
    "country": "The number's country is not among those that the depot writes to.",
    "bad_number": "This is no phone number.",
    "rate_person": "This person was sent as many messages today as the depot allows.",
    "rate_prefix": "Too many messages went to this block of numbers within an hour.",
    "rate_depot": "The depot has sent as many messages this hour as it allows.",
}
"""Why a message is held back, for whoever looks at it."""


def queue_message(draft: MessageDraft, *, by: Actor, now: datetime) -> Message | None:
    """Write a message, to be sent by the queue once the transaction holds.

    Returns None where nothing is to be said: the depot has switched the kind off, or the
    person has heard of this reason already. What may not be sent (no consent, a foreign
    number, too many) is kept, held back, with the reason.
    """
    return queue_messages([draft], by=by, now=now)[0]


def queue_messages(
    drafts: Sequence[MessageDraft], *, by: Actor, now: datetime
) -> list[Message | None]:
    """Write many messages of one depot at once; None where nothing is to be said."""
    if not drafts:
        return []
    with writing(by=by, now=now) as journal:
        desk = _Desk.open(drafts, now=now)
        rows = [desk.write(draft, by=by) for draft in drafts]
        written = [row for row in rows if row is not None]
        kept = _store(written)
        _withdraw(desk.overtaken, kept)
        for row in kept:
            _record(journal, row)
        due = [row for row in kept if _is_due(row, now)]
        queue.enqueue_all(
            [(DELIVER, {"message_id": str(row.pk)}) for row in due],
            depot_ids=[row.depot_id for row in due],
        )
    there = {row.pk for row in kept}
    return [row if row is not None and row.pk in there else None for row in rows]


@dataclass(slots=True)
class _Desk:
    """What is asked once for many messages of a depot."""

    now: datetime
    policy: Policy
    wordings: selectors.Wordings
    last: dict[str, Message]
    answers: dict[tuple[str, str], bool]
    sent: Sent
    overtaken: dict[uuid.UUID, uuid.UUID]
    """Waiting messages whose successor is written: old → new."""

    @classmethod
    def open(cls, drafts: Sequence[MessageDraft], *, now: datetime) -> "_Desk":
        [depot_id] = {draft.depot_id for draft in drafts}
        ways = [way for draft in drafts for way in _addresses(draft.to)]
        phones = {address for channel, address in ways if channel in kinds.BY_PHONE}
        reasons = [draft.reason for draft in drafts]
        return cls(
            now,
            policy_of(depot_id),
            selectors.wordings(depot_id),
            selectors.last_of_reasons(depot_id, reasons),
            selectors.answers_of({address for _, address in ways}),
            selectors.sent_lately(depot_id, phones, now=now),
            {},
        )

    def write(self, draft: MessageDraft, *, by: Actor) -> Message | None:
        """Return the message that a draft becomes, or None; nothing is stored yet."""
        kind = kinds.KINDS[draft.kind]
        if kind.can_be_off and kind.code in self.policy.kinds_off:
            return None
        before = self.last.get(draft.reason)
        if before is not None and not self._has_moved(before, draft):
            return None
        ways, code = self._allowed(kind, draft.to, self._ways(draft))
        row = self._row(draft, kind, ways, by)
        row.number = before.number + 1 if before else 1
        if code:
            row.state, row.code, row.detail = MessageState.BLOCKED, code, WHY[code]
        elif row.channel in kinds.BY_PHONE:
            self.sent.note(row.address)
        if before is not None and before.state == MessageState.QUEUED:
            self.overtaken[before.pk] = row.pk
        self.last[draft.reason] = row
        return row

    def _has_moved(self, before: Message, draft: MessageDraft) -> bool:
        """Tell whether the time that was told has moved enough to be told again."""
        if before.state == MessageState.WITHDRAWN:
            return True
        if draft.told_at is None or before.told_at is None:
            return False
        return abs(draft.told_at - before.told_at) > self.policy.eta_moved

    def _ways(self, draft: MessageDraft) -> list[Way]:
        """Return how the person is tried: by the depot's channels, in their order."""
        there = dict(_addresses(draft.to))
        wanted: Collection[str] = self.policy.channels
        if draft.answers:
            wanted = [draft.answers]
        return [(channel, there[channel]) for channel in wanted if channel in there]

    def _allowed(
        self, kind: kinds.Kind, to: Recipient, ways: list[Way]
    ) -> tuple[list[Way], str]:
        """Return the ways that may be gone; where there is none, all and why not.

        A no to one of a person's addresses counts for all of them.
        """
        theirs = {address for _, address in _addresses(to)}
        if any(self.answers.get((one, kind.purpose)) is False for one in theirs):
            return ways, "no_consent"
        refused = {way: self._refused(kind, way) for way in ways}
        if allowed := [way for way in ways if not refused[way]]:
            return allowed, ""
        return ways, next(iter(refused.values()), "no_address")

    def _refused(self, kind: kinds.Kind, way: Way) -> str:
        channel, address = way
        if not selectors.may_write(self.answers, address, kind.purpose):
            return "no_consent"
        if channel not in kinds.BY_PHONE:
            return ""
        country = country_of(address)
        if not country:
            return "bad_number"
        if country not in self.policy.countries:
            return "country"
        return over_limit(address, self.sent, self.policy.most)

    def _row(
        self, draft: MessageDraft, kind: kinds.Kind, ways: list[Way], by: Actor
    ) -> Message:
        language = draft.to.language[:2].lower()
        if language not in kinds.LANGUAGES:
            language = self.policy.language
        title, wording = self.wordings.of(kind.code, language)
        values = {"sender": self.policy.sender, **draft.values}
        if draft.make_link is not None and "{link}" in wording:
            values["link"] = draft.make_link()
        text = plainer(fill(wording, values))
        length = length_of(text)
        channel, address = ways[0] if ways else ("", "")
        return Message(
            depot_id=draft.depot_id,
            kind=kind.code,
            purpose=kind.purpose,
            subject_type=draft.subject_type,
            subject_id=draft.subject_id,
            subject_label=draft.subject_label[:80],
            reason=draft.reason,
            told_at=draft.told_at,
            told_until=draft.told_until,
            language=language,
            title=title,
            text=text,
            encoding=length.encoding,
            segments=length.segments,
            ways=[list(way) for way in ways],
            channel=channel,
            address=address,
            is_urgent=kind.code in self.policy.kinds_urgent,
            created_at=self.now,
            created_by=str(by),
            time_zone=draft.to.time_zone,
            due_at=self.policy.due_at(kind.code, draft.to.time_zone, self.now),
            expires_at=draft.expires_at,
        )


def _addresses(to: Recipient) -> list[Way]:
    every = [
        (kinds.SMS, to.phone),
        (kinds.WHATSAPP, to.phone),
        (kinds.EMAIL, to.email),
        (kinds.PUSH, to.push),
    ]
    return [(channel, address) for channel, address in every if address]


def _store(rows: Sequence[Message]) -> list[Message]:
    """Store the rows; where another transaction wrote of a reason first, its row holds."""
    for row in rows:
        if _is_due(row, row.created_at):
            row.handed_at = row.created_at
    try:
        with transaction.atomic():
            Message.objects.bulk_create(rows)
    except IntegrityError:
        return [row for row in rows if _stored(row)]
    return list(rows)


def _stored(row: Message) -> bool:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _withdraw(overtaken: dict[uuid.UUID, uuid.UUID], kept: Sequence[Message]) -> None:
    there = {row.pk for row in kept}
    old = [pk for pk, successor in overtaken.items() if successor in there]
    Message.objects.filter(pk__in=old, state=MessageState.QUEUED).update(
        state=MessageState.WITHDRAWN,
        code="overtaken",
        detail="A newer time was to be told before this one went.",
    )


def _is_due(row: Message, now: datetime) -> bool:
    return row.state == MessageState.QUEUED and row.due_at <= now


def _record(journal: Writer, row: Message) -> None:
    is_held = row.state == MessageState.BLOCKED
    journal.record(
        "message.held_back" if is_held else "message.queued",
        row,
        depot_id=row.depot_id,
        kind=row.kind,
        about=f"{row.subject_type}:{row.subject_id}",
        **({"why": row.code} if is_held else {}),
    )
