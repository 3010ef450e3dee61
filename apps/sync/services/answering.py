"""What is answered to rows that are not judged now: refused, known, or sent twice."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from apps.core.statements import Statement, as_is, partly, read_instant, read_uuid
from apps.core.verdicts import REJECTED, Verdict
from apps.drivers.models import Device
from apps.sync.handlers import RETRY
from apps.sync.inbox import Event, Item, hash_of, keepable
from apps.sync.models import DeviceEvent, QuarantinedEvent
from apps.sync.rules import rule_of
from apps.sync.schema import EVENTS
from apps.sync.services.judging import DEVICE_REVOKED
from apps.sync.services.pushed import Answer, Push, Sender
from apps.sync.services.turns import Candidate

MOST_ASIDE: Final = 2000
"""How many bodies of a revoked device are kept: days of work, and no flood."""

KNOWN_READ: Final = (
    *("id", "driver_id", "device_id", "seq", "kind", "body_hash", "result", "code"),
    *("detail", "rule", "yours", "ours", "ours_at"),
)
KNOWN: Final = Statement(
    """
    SELECT id, driver_id, device_id, seq, kind, body_hash, result, code, detail, rule,
           yours, ours, ours_at
      FROM sync_deviceevent WHERE id IN %s
    """,
    *(as_is, read_uuid, read_uuid, as_is, as_is, as_is, as_is, as_is, as_is, as_is),
    *(as_is, as_is, read_instant),
)


def sort_out_known(
    items: Sequence[Item], waiting: Sequence[Candidate]
) -> tuple[dict[str, DeviceEvent], dict[str, int]]:
    """Return what was here before by id, and the index of each new event by its id."""
    events = {i: item.event for i, item in enumerate(items) if item.event}
    ids = [event.id for event in events.values()]
    known: dict[str, DeviceEvent] = {
        row[0]: partly(DeviceEvent, KNOWN_READ, row) for row in KNOWN.rows(ids)
    }
    known |= {each.row.pk: each.row for each in waiting if each.row.pk in known}
    fresh: dict[str, int] = {}
    for index, event in events.items():
        if event.id not in known:
            fresh.setdefault(event.id, index)
    return known, fresh


def answer_repeats(
    push: Push, items: Sequence[Item], stored: dict[str, DeviceEvent]
) -> None:
    """Answer ids that were here before, or came twice in this push."""
    for index, item in enumerate(items):
        if index in push.answers or item.event is None:
            continue
        row = stored.get(item.id)
        if row is not None and row.result != RETRY:
            _answer_known(push, index, item, item.event, row)
        else:
            first = next(a for a in push.answers.values() if a.id == item.id)
            push.answers[index] = Answer(EVENTS, item.id, first.verdict)


def _answer_known(
    push: Push, index: int, item: Item, event: Event, row: DeviceEvent
) -> None:
    is_same = row.body_hash == event.body_hash
    # Who made it is named only once the device is in another's hands.
    if event.driver_id or row.device_id != push.sender.device_id:
        is_same = is_same and row.driver_id == push.maker(event)
    if not is_same:
        detail = "This id belongs to another event."
        refuse(push, index, item, Verdict(REJECTED, "id_reused", detail))
        return
    first = row.verdict
    again = replace(first, result="duplicate")
    push.answers[index] = Answer(item.table, item.id, again, first)


def refuse(push: Push, index: int, item: Item, verdict: Verdict) -> None:
    """Answer a row by a refusal; its body is kept for a supervisor."""
    rule = rule_of(item.event.kind if item.event else "", verdict.code)
    if rule is not None and not verdict.rule:
        verdict = replace(verdict, rule=rule.id)
    push.answers[index] = Answer(item.table, item.id, verdict)
    push.quarantine.append(
        QuarantinedEvent(
            device_id=push.sender.device_id,
            driver_id=(push.maker(item.event) if item.event else push.sender.driver_id),
            event_id=item.id,
            body=keepable(item.body),
            body_hash=hash_of(item.body),
            code=verdict.code,
            detail=verdict.detail[:300],
            received_at=push.now,
        )
    )


def set_aside_file(push: Push, index: int, item: Item, attachment_id: str) -> None:
    """Keep word of a file that an event claims and that is another's; it counts."""
    detail = f"The file {attachment_id} belongs to another stop, or is another file."
    counted = push.answers[index]
    refuse(push, index, item, Verdict(REJECTED, "attachment_reused", detail))
    push.answers[index] = counted


def set_aside_push(*, sender: Sender, items: Sequence[Item], now: datetime) -> int:
    """Keep what a revoked device sends for a supervisor; return how many events.

    Nothing of it counts, for whoever holds the device is not its driver any more. But
    it may be evidence: it is kept once, and no more than `MOST_ASIDE` of a device.
    """
    device = Device.objects.get(pk=sender.device_id)
    rows = QuarantinedEvent.objects.filter(device=device, code=DEVICE_REVOKED.code)
    room = MOST_ASIDE - rows.count()
    push = Push(sender=sender, device=device, now=now)
    for index, item in enumerate(items):
        if item.is_event and len(push.quarantine) < room:
            refuse(push, index, item, DEVICE_REVOKED)
    QuarantinedEvent.objects.bulk_create(push.quarantine, ignore_conflicts=True)
    return len(push.quarantine)


def rejected_ids(answers: Iterable[Answer]) -> dict[str, list[Any]]:
    """Return the ids that the device keeps and sends again, and those only."""
    ids = [answer.id for answer in answers if answer.verdict.result == RETRY]
    return {EVENTS: ids} if ids else {}
