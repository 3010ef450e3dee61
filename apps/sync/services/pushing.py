"""Taking a push in: its events judged one by one, in one transaction."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import OperationalError

from apps.core import queue
from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.verdicts import REJECTED, Verdict
from apps.drivers.models import Device
from apps.drivers.services import note_device_seen
from apps.journal.models import Change
from apps.journal.services import Writer, writing
from apps.routes.selectors import routes_in_motion, scopes_of_stops
from apps.routes.services.etas import refresh_etas
from apps.sync import handlers
from apps.sync.handlers import RETRY, Report
from apps.sync.inbox import Event, Item, hash_of, keepable
from apps.sync.models import DeviceEvent, QuarantinedEvent
from apps.sync.moments import Anchor, moment_of, wall_offset_ms
from apps.sync.schema import EVENTS, TABLES
from apps.sync.services.clocks import keep_anchors
from apps.sync.services.naming import name_attachments

log = structlog.get_logger(__name__)

MOVING: Final = ("stop.", "shift.")
"""The kinds of events that say where a driver is in the day."""

FEED_ITSELF: Final = "feeds"
"""A row of no table on the wire: it gives a new feed its number 1, since 0 is none."""

TRIES: Final = 5
"""How often a push begins again because a stop went to another driver meanwhile."""


class Busy(Problem):
    """The push met too many others; the device keeps its events and tries again."""

    type = "/problems/busy"
    title = "The server is busy: keep the events and send them again."
    status = 503


class HoldersMoved(Exception):
    """A stop went to a driver whose lock this push does not hold."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one row; `original` is the first answer to a repeated one."""

    table: str
    id: str
    verdict: Verdict
    original: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose device pushes; `driver_id` is the driver whose credential it showed."""

    device_id: uuid.UUID
    driver_id: uuid.UUID


@dataclass(slots=True)
class _Push:
    """One push while its transaction is open."""

    sender: Sender
    device: Device
    anchors: Sequence[Anchor]
    by: Actor
    now: datetime
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
) -> list[Answer]:
    """Take one push in, in one transaction; answer row by row, in the rows' order.

    The scopes of the sender and of the holders of all stops named are locked first,
    sorted; should a stop have changed hands meanwhile, the push begins again. Events
    are judged in the order of `seq` within what has come.

    Raises:
        Busy: it began again too often.
    """
    named = {item.event.stop_id for item in items if item.event}
    named.discard("")
    for _ in range(TRIES):
        scopes = {sender.driver_id} | scopes_of_stops(named)
        try:
            with writing(by=by, now=now, scopes=scopes) as journal:
                _check_holders(named, scopes)
                return _take_in(sender, items, anchors, journal)
        except HoldersMoved:
            continue
    raise Busy


def _check_holders(named: Collection[str], scopes: set[uuid.UUID]) -> None:
    if not scopes_of_stops(named) <= scopes:
        raise HoldersMoved


def _take_in(
    sender: Sender, items: Sequence[Item], anchors: Sequence[Anchor], journal: Writer
) -> list[Answer]:
    now = journal.now
    push = _Push(
        sender=sender,
        device=Device.objects.get(pk=sender.device_id),
        anchors=keep_anchors(
            device_id=sender.device_id,
            boots={item.event.reading.boot_id for item in items if item.event},
            anchors=anchors,
            now=now,
        ),
        by=journal.by,
        now=now,
    )
    for index, item in enumerate(items):
        if item.refusal is not None:
            _refuse(push, index, item, item.refusal)
    fresh = _sort_out_known(push, items)
    stored = _insert(push, items, fresh)
    _judge_all(push, items, stored, journal)
    _expect_anew(push, stored.values())
    _send_again(push, items, journal)
    QuarantinedEvent.objects.bulk_create(push.quarantine, ignore_conflicts=True)
    note_device_seen(device_id=sender.device_id, now=now)
    return [push.answers[index] for index in range(len(items))]


def _refuse(push: _Push, index: int, item: Item, verdict: Verdict) -> None:
    """Answer a row by a refusal; the body of an event is kept for a supervisor."""
    push.answers[index] = Answer(item.table, item.id, verdict)
    if item.table != EVENTS:
        return
    push.quarantine.append(
        QuarantinedEvent(
            device_id=push.sender.device_id,
            driver_id=push.sender.driver_id,
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


def _sort_out_known(push: _Push, items: Sequence[Item]) -> dict[str, int]:
    """Answer what was here before; return the index of each new event by its id."""
    events = {i: item.event for i, item in enumerate(items) if item.event}
    known = DeviceEvent.objects.in_bulk([event.id for event in events.values()])
    fresh: dict[str, int] = {}
    for index, event in events.items():
        if event.id in known:
            _answer_known(push, index, items[index], event, known[event.id])
        elif event.id not in fresh:
            fresh[event.id] = index
    return fresh


def _answer_known(
    push: _Push, index: int, item: Item, event: Event, row: DeviceEvent
) -> None:
    is_same = row.body_hash == event.body_hash
    if row.driver_id != push.sender.driver_id or not is_same:
        detail = "This id belongs to another event."
        _refuse(push, index, item, Verdict(REJECTED, "id_reused", detail))
        return
    first = Verdict(row.result, row.code, row.detail)
    again = Verdict("duplicate", row.code, row.detail)
    push.answers[index] = Answer(item.table, item.id, again, first)


def _insert(
    push: _Push, items: Sequence[Item], fresh: dict[str, int]
) -> dict[int, DeviceEvent]:
    """Put the new events into the inbox; return those that are ours, by index.

    Another driver may have put in the same id at this moment: the insert passes it
    over, and reading it back shows whose it is.
    """
    order = sorted(fresh.values(), key=lambda i: (_event(items[i]).seq, i))
    rows = {index: _row(push, _event(items[index])) for index in order}
    DeviceEvent.objects.bulk_create(rows.values(), ignore_conflicts=True)
    kept = DeviceEvent.objects.in_bulk(list(fresh))
    ours: dict[int, DeviceEvent] = {}
    for index, row in rows.items():
        there = kept[row.pk]
        if there.driver_id == push.sender.driver_id:
            ours[index] = row
        else:
            _answer_known(push, index, items[index], _event(items[index]), there)
    if push.device.clock_measured_at == push.now:
        push.device.save(update_fields=["clock_offset_ms", "clock_measured_at"])
    return ours


def _event(item: Item) -> Event:
    if item.event is None:
        raise TypeError("The row is no event.")
    return item.event


def _row(push: _Push, event: Event) -> DeviceEvent:
    """Return the inbox row of an event; on the way, learn how the wall clock goes."""
    moment = moment_of(
        event.reading,
        anchors=push.anchors,
        offset_ms=push.device.clock_offset_ms,
        earliest_at=push.device.enrolled_at,
        received_at=push.now,
    )
    offset_ms = wall_offset_ms(event.reading, moment)
    if offset_ms is not None:
        push.device.clock_offset_ms = offset_ms
        push.device.clock_measured_at = push.now
    return DeviceEvent(
        id=event.id,
        driver_id=push.sender.driver_id,
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
    stored: dict[int, DeviceEvent],
    journal: Writer,
) -> None:
    """Judge the new events in the order of `seq`; then answer repeats within the push."""
    taken = _present({row.depends_on for row in stored.values() if row.depends_on})
    taken -= {row.pk for row in stored.values()}
    for index, row in stored.items():
        event = _event(items[index])
        verdict = _judge(push, event, row, taken, journal)
        row.result, row.code = verdict.result, verdict.code
        row.detail = verdict.detail[:300]
        if verdict.result == RETRY:
            push.answers[index] = Answer(EVENTS, row.pk, verdict)
            continue
        taken.add(row.pk)
        if verdict.result == REJECTED:
            _refuse(push, index, items[index], verdict)
        push.answers[index] = Answer(EVENTS, row.pk, verdict)
        for foreign in name_attachments(row, event.checked, journal):
            _set_aside(push, index, items[index], foreign)
    _close(push, stored, journal)
    _answer_repeats(push, items, {row.pk: row for row in stored.values()})


def _expect_anew(push: _Push, events: Iterable[DeviceEvent]) -> None:
    """Make the ETAs anew of the routes that this push moved: once, however many events.

    Evidence never waits for an estimate: where this fails, a task tries again.
    """
    moving = [row for row in events if row.kind.startswith(MOVING)]
    if not moving:
        return
    stop_ids = {row.stop_id for row in moving}
    drivers = {row.driver_id for row in moving if row.kind.startswith("shift.")}
    route_ids = routes_in_motion(stop_ids, drivers, push.now)
    try:
        refresh_etas(route_ids, by=push.by, now=push.now)
    except OperationalError:
        raise  # as in judging: the whole push is sent again
    except Exception:
        log.exception("etas_failed")
        again = sorted(map(str, route_ids))
        queue.enqueue("apps.routes.tasks.refresh_etas", route_ids=again)


def _present(ids: Collection[str]) -> set[str]:
    return set(DeviceEvent.objects.filter(pk__in=ids).values_list("pk", flat=True))


def _judge(
    push: _Push, event: Event, row: DeviceEvent, taken: set[str], journal: Writer
) -> Verdict:
    if event.fault or event.checked is None:
        return Verdict(REJECTED, "invalid", event.fault)
    if row.depends_on and row.depends_on not in taken:
        detail = "What it depends on has not come yet."
        return Verdict(RETRY, "dependency_missing", detail)
    handler = handlers.HANDLERS[row.kind]
    try:
        with writing(by=push.by, now=push.now):
            return handler(Report(row, event.checked, push.by, push.now), journal)
    except Problem as problem:
        return Verdict(REJECTED, "invalid", problem.detail)
    except OperationalError:
        raise  # deadlock or lost connection: the whole push is sent again
    except Exception:
        log.exception("event_failed", kind=row.kind, event_id=row.pk)
        return Verdict(RETRY, "internal", "Something went wrong here.")


def _close(push: _Push, stored: dict[int, DeviceEvent], journal: Writer) -> None:
    """Keep the verdicts, forget what is to be sent again, and tell the device."""
    again = [row.pk for row in stored.values() if row.result == RETRY]
    DeviceEvent.objects.filter(pk__in=again).delete()
    kept = [row for row in stored.values() if row.result != RETRY]
    DeviceEvent.objects.bulk_update(kept, ["result", "code", "detail"], batch_size=100)
    journal.changed(push.sender.driver_id, "event_results", *(row.pk for row in kept))


def _answer_repeats(
    push: _Push, items: Sequence[Item], stored: dict[str, DeviceEvent]
) -> None:
    """Answer ids that came twice in this push."""
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
