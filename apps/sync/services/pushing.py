"""Taking a push in: its events judged one by one, in one transaction."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import OperationalError

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.drivers.selectors import drivers_who_signed_in
from apps.journal.models import Change
from apps.journal.services import HoldersMoved, Writer, writing
from apps.routes.selectors import parse_id, scopes_of_stops
from apps.sync.handlers import RETRY, go_together
from apps.sync.inbox import Item
from apps.sync.lines import Line
from apps.sync.models import DeviceEvent, QuarantinedEvent
from apps.sync.moments import Anchor
from apps.sync.schema import EVENTS, TABLES
from apps.sync.services.answering import (
    answer_repeats,
    refuse,
    set_aside_file,
    sort_out_known,
)
from apps.sync.services.clocks import date_anew, keep_anchors
from apps.sync.services.entering import candidates_of, keep_clock
from apps.sync.services.expecting import expect_anew
from apps.sync.services.holding import (
    TRIES,
    Busy,
    check_locked,
    held_events,
    stops_corrected,
    tell_forced,
)
from apps.sync.services.judging import HELD, settle
from apps.sync.services.keeping import (
    is_set_aside,
    keep_verdicts,
    put_in,
    set_aside,
)
from apps.sync.services.lining import keep_line, line_of, lock_line, numbers_of
from apps.sync.services.naming import name_attachments
from apps.sync.services.pushed import Accepted, Answer, Push, Sender
from apps.sync.services.turns import Candidate, go_in_one, judge_in_turn

log = structlog.get_logger(__name__)

MOST_ASKED: Final = 1000
"""How many events of a device are remembered that it is to send again."""

FEED_ITSELF: Final = "feeds"
"""A row of no table on the wire: it gives a new feed its number 1, since 0 is none."""


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
) -> Push:
    head = lock_line(sender.device_id)
    return Push(
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
    push: Push,
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
            refuse(push, index, item, item.refusal)
    known, fresh = sort_out_known(items, push.waiting)
    stored = candidates_of(push, items, fresh)
    date_anew(
        [each.row for each in push.waiting],
        anchors=push.anchors,
        offset_ms=push.known_offset_ms,
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
    answer_repeats(push, items, known)
    _send_again(push, items, journal)
    QuarantinedEvent.objects.bulk_create(push.quarantine, ignore_conflicts=True)
    keep_clock(push)
    return [push.answers[index] for index in range(len(items))]


def _judge_all(
    push: Push,
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
            refuse(push, index, items[index], full)
        named.append((row, each.checked))
        places[row.pk] = index
    for row, attachment_id in name_attachments(named, journal):
        place = places[row.pk]
        set_aside_file(push, place, items[place], attachment_id)
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
    push: Push, kept: Sequence[DeviceEvent], again: Sequence[DeviceEvent]
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


def _send_again(push: Push, items: Sequence[Item], journal: Writer) -> None:
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
