"""Taking a push in: its events judged one by one, in one transaction."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import OperationalError

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.statements import Statement, as_is, partly, read_instant, read_uuid
from apps.core.units import instant_of
from apps.core.verdicts import REJECTED, Verdict
from apps.drivers.models import Device
from apps.drivers.selectors import drivers_who_signed_in
from apps.drivers.services import note_device_seen
from apps.journal.models import Change
from apps.journal.services import HoldersMoved, Writer, writing
from apps.routes.selectors import parse_id, scopes_of_stops
from apps.sync.handlers import RETRY, go_together
from apps.sync.inbox import Event, Item, hash_of, keepable
from apps.sync.lines import Line
from apps.sync.models import DeviceEvent, InboxHead, QuarantinedEvent
from apps.sync.moments import Anchor, moment_of, wall_offset_ms
from apps.sync.rules import rule_of
from apps.sync.schema import EVENTS, TABLES
from apps.sync.services.clocks import date_anew, keep_anchors
from apps.sync.services.expecting import expect_anew
from apps.sync.services.holding import (
    TRIES,
    Busy,
    check_locked,
    held_events,
    stops_corrected,
    tell_forced,
)
from apps.sync.services.judging import DEVICE_REVOKED, HELD, settle
from apps.sync.services.keeping import (
    is_set_aside,
    keep_verdicts,
    put_in,
    set_aside,
)
from apps.sync.services.lining import keep_line, line_of, lock_line, numbers_of
from apps.sync.services.naming import name_attachments
from apps.sync.services.turns import Candidate, go_in_one, judge_in_turn

log = structlog.get_logger(__name__)

MOST_ASKED: Final = 1000
"""How many events of a device are remembered that it is to send again."""

MOST_ASIDE: Final = 2000
"""How many bodies of a revoked device are kept: days of work, and no flood."""

OFFSET_WORTH_MS: Final = 1000
"""By how much a wall clock must have moved to be written down (see `WALL_KNOWN_MS`)."""

MEASURED_EVERY: Final = timedelta(hours=1)
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
FEED_ITSELF: Final = "feeds"
"""A row of no table on the wire: it gives a new feed its number 1, since 0 is none."""


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
class _Push:
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


def open_feed(*, driver_id: uuid.UUID, by: Actor, now: datetime) -> None:
    """Give a feed its first number, that a device may name; again changes nothing."""
    with writing(by=by, now=now, scopes=[driver_id]) as journal:
        if not Change.objects.filter(scope=driver_id).exists():
            journal.changed(driver_id, FEED_ITSELF, driver_id)


def accept_events(
    *,
    sender: Sender,
    items: Sequence[Item],
    anchors: Sequence[Anchor],
    by: Actor,
    now: datetime,
    patience: timedelta,
) -> Accepted:
    """Take one push in, in one transaction; answer row by row, in the rows' order.

    The scopes of the sender and of the holders of all stops named are locked first,
    sorted; should a stop have changed hands meanwhile, the push begins again. Events
    are judged in the order of `seq`; one with a gap before it is held, and judged in
    the push that closes the gap. One that depends on an event which has not come is to
    be sent again, until it has done so for `patience`; then it is judged without.

    What one driver reports of stops is judged and written in one go. Should that fail,
    the push begins again and each event is judged by itself, with its own savepoint.

    Raises:
        Busy: it began again too often.
    """
    named = {item.event.stop_id for item in items if item.event}
    events = [item.event for item in items if item.event]
    named |= stops_corrected((event.kind, event.payload) for event in events)
    named.discard("")
    sender = replace(sender, makers=_makers(sender, items))
    more: frozenset[uuid.UUID] = frozenset()
    in_one_go = True
    for _ in range(TRIES):
        scopes = {sender.driver_id, *sender.makers} | scopes_of_stops(named) | more
        try:
            with writing(by=by, now=now, scopes=scopes) as journal:
                push = _begin(sender, scopes, journal, patience=patience)
                if in_one_go:
                    journal.hold_back()
                answers = _take_in(push, items, anchors, named, journal)
                return Accepted(answers, journal.heads[sender.driver_id])
        except HoldersMoved as moved:
            more |= moved.scopes
        except OperationalError:
            raise  # deadlock or lost connection: the whole push is sent again
        except Exception as fault:
            if not in_one_go:
                raise
            if not isinstance(fault, Problem):
                log.exception("events_failed_together", count=len(items))
            in_one_go = False
    raise Busy


def set_aside_push(*, sender: Sender, items: Sequence[Item], now: datetime) -> int:
    """Keep what a revoked device sends for a supervisor; return how many events.

    Nothing of it counts, for whoever holds the device is not its driver any more. But
    it may be evidence: it is kept once, and no more than `MOST_ASIDE` of a device.
    """
    device = Device.objects.get(pk=sender.device_id)
    rows = QuarantinedEvent.objects.filter(device=device, code=DEVICE_REVOKED.code)
    room = MOST_ASIDE - rows.count()
    push = _Push(sender=sender, device=device, now=now)
    for index, item in enumerate(items):
        if item.is_event and len(push.quarantine) < room:
            _refuse(push, index, item, DEVICE_REVOKED)
    QuarantinedEvent.objects.bulk_create(push.quarantine, ignore_conflicts=True)
    return len(push.quarantine)


def _makers(sender: Sender, items: Sequence[Item]) -> frozenset[uuid.UUID]:
    """Return the drivers whom events name as theirs, who signed in on this device.

    A device may be handed on while it still holds what the driver before has done.
    """
    named = {parse_id(item.event.driver_id) for item in items if item.event} - {None}
    named.discard(sender.driver_id)
    if not named:
        return frozenset()
    return frozenset(drivers_who_signed_in(sender.device_id) & named)


def _begin(
    sender: Sender, scopes: set[uuid.UUID], journal: Writer, *, patience: timedelta
) -> _Push:
    head = lock_line(sender.device_id)
    return _Push(
        sender=sender,
        head=head,
        device=head.device,
        scopes=scopes,
        waiting=held_events(head, scopes),
        now=journal.now,
        patience=patience,
        asked_again=dict(head.asked_again),
    )


def _take_in(
    push: _Push,
    items: Sequence[Item],
    anchors: Sequence[Anchor],
    named: set[str],
    journal: Writer,
) -> list[Answer]:
    push.anchors = keep_anchors(
        device_id=push.device.pk,
        boots={item.event.reading.boot_id for item in items if item.event}
        | {each.row.boot_id for each in push.waiting},
        anchors=anchors,
        now=push.now,
    )
    for index, item in enumerate(items):
        if item.refusal is not None:
            _refuse(push, index, item, item.refusal)
    known, fresh = _sort_out_known(items, push.waiting)
    stored = _candidates(push, items, fresh)
    date_anew(
        [each.row for each in push.waiting],
        anchors=push.anchors,
        offset_ms=_offset_ms(push),
    )
    together = [*stored, *push.waiting]
    if not go_in_one(together):
        journal.write_through()  # each run reads what the one before it has written
    if not journal.is_holding_back:
        check_locked(scopes_of_stops(named), push.scopes)
    if not all(go_together(each.row.kind) for each in together):
        put_in([each.row for each in stored])
    line = line_of(push.head)
    numbers, unnumbered = numbers_of(items)
    line.arrive(numbers, unnumbered=unnumbered)
    waits = _judge_all(push, items, together, line, journal)
    keep_line(push.head, line, holds=waits, asked_again=push.asked_again)
    known |= {each.row.pk: each.row for each in stored}
    _answer_repeats(push, items, known)
    _send_again(push, items, journal)
    QuarantinedEvent.objects.bulk_create(push.quarantine, ignore_conflicts=True)
    _keep_clock(push)
    return [push.answers[index] for index in range(len(items))]


def _refuse(push: _Push, index: int, item: Item, verdict: Verdict) -> None:
    """Answer a row by a refusal; its body is kept for a supervisor."""
    rule = rule_of(item.event.kind if item.event else "", verdict.code)
    if rule is not None and not verdict.rule:
        verdict = replace(verdict, rule=rule.id)
    push.answers[index] = Answer(item.table, item.id, verdict)
    push.quarantine.append(
        QuarantinedEvent(
            device_id=push.sender.device_id,
            driver_id=(
                _maker(push, item.event) if item.event else push.sender.driver_id
            ),
            event_id=item.id,
            body=keepable(item.body),
            body_hash=hash_of(item.body),
            code=verdict.code,
            detail=verdict.detail[:300],
            received_at=push.now,
        )
    )


def _set_aside(push: _Push, index: int, item: Item, attachment_id: str) -> None:
    """Keep word of a file that an event claims and that is another's; it counts."""
    detail = f"The file {attachment_id} belongs to another stop, or is another file."
    counted = push.answers[index]
    _refuse(push, index, item, Verdict(REJECTED, "attachment_reused", detail))
    push.answers[index] = counted


def _sort_out_known(
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


def _answer_known(
    push: _Push, index: int, item: Item, event: Event, row: DeviceEvent
) -> None:
    is_same = row.body_hash == event.body_hash
    # Who made it is named only once the device is in another's hands.
    if event.driver_id or row.device_id != push.sender.device_id:
        is_same = is_same and row.driver_id == _maker(push, event)
    if not is_same:
        detail = "This id belongs to another event."
        _refuse(push, index, item, Verdict(REJECTED, "id_reused", detail))
        return
    first = row.verdict
    again = replace(first, result="duplicate")
    push.answers[index] = Answer(item.table, item.id, again, first)


def _candidates(
    push: _Push,
    items: Sequence[Item],
    fresh: dict[str, int],
) -> list[Candidate]:
    """Return the new events as rows of the inbox, to be judged with those that waited.

    Events of stops are put in when they have been judged, with what became of them.
    Where others came along they all are in before, since a handler may look for them.
    """
    order = sorted(fresh.values(), key=lambda i: (_event(items[i]).seq, i))
    found = []
    for index in order:
        event = _event(items[index])
        each = Candidate(_row(push, event), event.checked, event.fault, index)
        since_ms = push.asked_again.get(event.id)
        each.since = None if since_ms is None else instant_of(since_ms)
        each.is_overdue = each.has_waited(push.now, push.patience)
        found.append(each)
    return found


def _keep_clock(push: _Push) -> None:
    """Keep how the device's wall clock goes, and that it was heard of."""
    device = push.device
    if push.offset_ms is not None:
        before, since = device.clock_offset_ms, device.clock_measured_at
        is_known = before is not None and abs(push.offset_ms - before) < OFFSET_WORTH_MS
        if not is_known or since is None or since < push.now - MEASURED_EVERY:
            Device.objects.filter(pk=device.pk).update(
                clock_offset_ms=push.offset_ms, clock_measured_at=push.now
            )
    note_device_seen(device_id=device.pk, now=push.now, known_at=device.last_seen_at)


def _maker(push: _Push, event: Event) -> uuid.UUID:
    """Return whose report an event is: the sender's, unless it names another driver."""
    named = parse_id(event.driver_id)
    return named if named in push.sender.makers and named else push.sender.driver_id


def _event(item: Item) -> Event:
    if item.event is None:
        raise TypeError("The row is no event.")
    return item.event


def _offset_ms(push: _Push) -> int | None:
    """Return the wall clock less ours, as last known; None where it never was."""
    return push.device.clock_offset_ms if push.offset_ms is None else push.offset_ms


def _row(push: _Push, event: Event) -> DeviceEvent:
    """Return the inbox row of an event; on the way, learn how the wall clock goes."""
    moment = moment_of(
        event.reading,
        anchors=push.anchors,
        offset_ms=_offset_ms(push),
        earliest_at=push.device.enrolled_at,
        received_at=push.now,
    )
    offset_ms = wall_offset_ms(event.reading, moment)
    if offset_ms is not None:
        push.offset_ms = offset_ms
    return DeviceEvent(
        id=event.id,
        driver_id=_maker(push, event),
        device=push.device,
        seq=event.seq,
        kind=event.kind,
        stop_id=event.stop_id,
        payload=event.payload,
        depends_on=event.depends_on,
        device_time=event.reading.wall_at,
        mono_ms=event.reading.mono_ms,
        boot_id=event.reading.boot_id,
        body_hash=event.body_hash,
        occurred_at=moment.occurred_at,
        uncertainty_ms=moment.uncertainty_ms,
        time_quality=moment.quality,
        received_at=push.now,
        result=RETRY,
        code="internal",
    )


def _judge_all(
    push: _Push,
    items: Sequence[Item],
    candidates: Sequence[Candidate],
    line: Line,
    journal: Writer,
) -> bool:
    """Judge what may be judged now, held events of before among them.

    Keeps the verdicts, forgets what is to be sent again, and tells the drivers. Returns
    whether events go on waiting.
    """
    kept, again, waits = [], [], False
    named: list[tuple[DeviceEvent, object]] = []
    places: dict[str, int] = {}
    for each, verdict in judge_in_turn(candidates, line, journal):
        waits = waits or verdict.result == HELD
        row, index = each.row, each.index
        if index is None and verdict.result == HELD:
            continue
        full = settle(row, verdict)
        if index is None:
            kept.append(row)
            continue
        push.answers[index] = Answer(EVENTS, row.pk, full)
        if verdict.result == RETRY:
            again.append(row)
            continue
        kept.append(row)
        if is_set_aside(full):
            _refuse(push, index, items[index], full)
        named.append((row, each.checked))
        places[row.pk] = index
    for row, attachment_id in name_attachments(named, journal):
        place = places[row.pk]
        _set_aside(push, place, items[place], attachment_id)
    _forget(again)
    _note_asked(push, kept, again)
    if forced := [each.row for each in candidates if each.was_forced]:
        tell_forced(push.device, forced, [], journal)
    journal.hold_back()
    keep_verdicts(kept, journal)
    pushed = {each.row.pk for each in candidates if each.index is not None}
    set_aside([row for row in kept if row.pk not in pushed], journal.now)
    expect_anew(kept, now=journal.now)
    return waits


def _note_asked(
    push: _Push, kept: Sequence[DeviceEvent], again: Sequence[DeviceEvent]
) -> None:
    """Keep since when a device is asked to send events again; what came is settled."""
    for row in kept:
        push.asked_again.pop(row.pk, None)
    now_ms = round(push.now.timestamp() * 1000)
    for row in again:
        push.asked_again.setdefault(row.pk, now_ms)
    for event_id in sorted(push.asked_again, key=push.asked_again.__getitem__)[
        :-MOST_ASKED
    ]:
        del push.asked_again[event_id]  # a device that makes up ids is not remembered


def _forget(again: Sequence[DeviceEvent]) -> None:
    """Take out of the inbox what its device will send again.

    Raises:
        HoldersMoved: another device has put in the same id at this moment, which may be
            why it failed here. It shows when the transaction begins again.
    """
    if not again:
        return
    there = DeviceEvent.objects.filter(pk__in=[row.pk for row in again])
    mine = {row.pk for row in again if not row._state.adding}
    if there.exclude(pk__in=mine).exists():
        raise HoldersMoved(())
    there.delete()


def _answer_repeats(
    push: _Push, items: Sequence[Item], stored: dict[str, DeviceEvent]
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


def _send_again(push: _Push, items: Sequence[Item], journal: Writer) -> None:
    """Let the next pull bring the state of every server row that the push wrote to."""
    driver_id = push.sender.driver_id
    names = {table.name for table in TABLES}
    written = {
        (item.table, item.id)
        for item in items
        if item.table in names and item.table != EVENTS and item.id
    }
    if not written:
        return
    present = set(
        Change.objects.filter(
            scope=driver_id, deleted=False, row_id__in=[row_id for _, row_id in written]
        ).values_list("table", "row_id")
    )
    for table, row_id in sorted(written):
        if (table, row_id) in present:
            journal.changed(driver_id, table, row_id)
        else:
            journal.removed(driver_id, table, row_id)


def rejected_ids(answers: Iterable[Answer]) -> dict[str, list[Any]]:
    """Return the ids that the device keeps and sends again, and those only."""
    ids = [answer.id for answer in answers if answer.verdict.result == RETRY]
    return {EVENTS: ids} if ids else {}
