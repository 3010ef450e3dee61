"""Events that came before earlier ones: held, judged in their turn, forced in the end."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

import msgspec
import structlog
from django.db.models import Max

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.statements import (
    Statement,
    as_is,
    columns_of,
    insert,
    partly,
    read_instant,
    read_json,
    read_uuid,
    update,
)
from apps.core.units import instant_of
from apps.core.verdicts import REJECTED, Verdict
from apps.drivers.models import Device
from apps.journal.services import HoldersMoved, Writer, writing
from apps.routes.selectors import scopes_of_stops
from apps.sync import handlers
from apps.sync.handlers import RETRY
from apps.sync.inbox import Item, hash_of, number_in
from apps.sync.kinds import CORRECTED
from apps.sync.lines import Line
from apps.sync.models import Attachment, DeviceEvent, InboxHead, QuarantinedEvent
from apps.sync.services.expecting import expect_anew
from apps.sync.services.judging import (
    DEPENDENCY_MISSING,
    DEVICE_REVOKED,
    FAILED_FOR_LONG,
    HELD,
    OUT_OF_ORDER,
    REPAIR_TIME,
    UNKNOWN_EVENT,
    VERDICT_FIELDS,
    checked_again,
    judge,
    judge_together,
    present,
    settle,
    was_out_of_service,
    without_its_base,
)

log = structlog.get_logger(__name__)

TRIES = 5
"""How often a transaction begins again because a stop went to another driver meanwhile."""

GAPS_TOLD = 20
APART: Final = (
    *("seq", "kind", "stop_id", "payload", "device_time", "mono_ms", "body_hash"),
    *("occurred_at", "uncertainty_ms"),
)
"""In which columns the events of a push differ; most often in no others."""

DEVICE_READ: Final = (
    *("id", "depot_id", "driver_id", "status", "enrolled_at", "last_seen_at"),
    *("revoked_at", "clock_offset_ms", "clock_measured_at"),
)
LINE: Final = Statement(
    """
    SELECT h.reached, h.ahead, h.holds, h.asked_again, d.id, d.depot_id, d.driver_id, d.status,
           d.enrolled_at, d.last_seen_at, d.revoked_at, d.clock_offset_ms,
           d.clock_measured_at
      FROM sync_inboxhead h JOIN drivers_device d ON d.id = h.device_id
     WHERE h.device_id = %s
    """,
    *(as_is, read_json, bool, read_json),
    *(read_uuid, read_uuid, read_uuid, as_is, read_instant, read_instant),
    *(read_instant, as_is, read_instant),
    lock="FOR UPDATE OF h",
)


class Busy(Problem):
    """The push met too many others; the device keeps its events and tries again."""

    type = "/problems/busy"
    title = "The server is busy: keep the events and send them again."
    status = 503


@dataclass(slots=True)
class Candidate:
    """An event that may be judged; `index` is its row in the push, None if it waited."""

    row: DeviceEvent
    checked: msgspec.Struct | None
    fault: str = ""
    index: int | None = None
    since: datetime | None = None
    """Since when its device is asked to send it again; None for what is new."""
    is_overdue: bool = False
    """What it depends on has had its time to come."""
    was_forced: bool = False
    """It was judged without what it depends on."""

    def has_waited(self, now: datetime, patience: timedelta) -> bool:
        """Tell whether it has waited for so long, here or on its device."""
        since = self.row.received_at if self.index is None else self.since
        return since is not None and since <= now - patience

    @property
    def place(self) -> tuple[int, str]:
        """Its place among the events of its device, in whatever order they came."""
        return (self.row.seq, self.row.pk)


def lock_line(device_id: uuid.UUID) -> InboxHead:
    """Lock a device's line of events, after the scopes; make it at the first push."""
    found = LINE.rows(device_id)
    if not found:
        known = DeviceEvent.objects.filter(device_id=device_id)
        reached = known.aggregate(last=Max("seq"))["last"] or 0
        fresh = InboxHead(device_id=device_id, reached=reached)
        InboxHead.objects.bulk_create([fresh], ignore_conflicts=True)
        found = LINE.rows(device_id)
    [(reached, ahead, holds, asked_again, *columns)] = found
    device: Device = partly(Device, DEVICE_READ, columns)
    return InboxHead(
        device=device,
        reached=reached,
        ahead=ahead,
        holds=holds,
        asked_again=asked_again,
    )


def line_of(head: InboxHead) -> Line:
    """Return a device's line as it is kept."""
    return Line(head.reached, set(head.ahead))


def keep_line(
    head: InboxHead, line: Line, *, holds: bool, asked_again: dict[str, int]
) -> None:
    """Keep how far a device's line has come, whether events wait, and which come again."""
    ahead = sorted(line.ahead)
    before = (head.reached, head.ahead, head.holds, head.asked_again)
    if before == (line.reached, ahead, holds, asked_again):
        return
    head.reached, head.ahead, head.holds = line.reached, ahead, holds
    head.asked_again = asked_again
    columns = {
        "device_id": [head.pk],
        "reached": line.reached,
        "ahead": [ahead],
        "holds": holds,
        "asked_again": [asked_again],
    }
    update(InboxHead, columns)


def numbers_of(items: Iterable[Item]) -> tuple[list[int], int]:
    """Return the numbers that came, and of how many events none could be read."""
    numbers = [number_in(item) for item in items if item.is_event]
    readable = [number for number in numbers if number is not None]
    return readable, len(numbers) - len(readable)


def held_events(head: InboxHead, locked: Collection[uuid.UUID]) -> list[Candidate]:
    """Return the events of a device that wait for others.

    Raises:
        HoldersMoved: they concern drivers whose locks are not held.
    """
    if not head.holds:
        return []
    rows = DeviceEvent.objects.filter(device_id=head.pk, result=HELD)
    rows = rows.select_related("device")
    scopes = {row.driver_id for row in rows}
    stops = {row.stop_id for row in rows}
    stops |= stops_corrected((row.kind, row.payload) for row in rows)
    check_locked(scopes | scopes_of_stops(stops), locked)
    return [Candidate(row, checked_again(row)) for row in rows]


def stops_corrected(reports: Iterable[tuple[str, Mapping[str, Any]]]) -> set[str]:
    """Return the stops of the events that some of these reports correct."""
    ids = [load.get("corrects") for kind, load in reports if kind == CORRECTED]
    if not ids:
        return set()
    rows = DeviceEvent.objects.filter(pk__in=[str(each) for each in ids])
    return set(rows.exclude(stop_id="").values_list("stop_id", flat=True))


def check_locked(needed: set[uuid.UUID], locked: Collection[uuid.UUID]) -> None:
    """Let a transaction go on that holds the locks it needs.

    Raises:
        HoldersMoved: some are missing.
    """
    if missing := needed.difference(locked):
        raise HoldersMoved(missing)


def judge_in_turn(
    candidates: Sequence[Candidate], line: Line, journal: Writer
) -> list[tuple[Candidate, Verdict]]:
    """Judge in the order of `seq` all that nothing is missing before.

    What still depends on another event is retried by its device; one that was held, and
    that its device therefore no longer has, goes on waiting. A step of a stop that cannot
    follow is retried as well, while an earlier report of that stop comes again.
    """
    taken = present({each.row.depends_on for each in candidates} - {""})
    taken -= {each.row.pk for each in candidates}
    decided = []
    coming: set[str] = set()
    in_turn = sorted(candidates, key=lambda one: one.place)
    for together, run in groupby(in_turn, key=_company):
        some = list(run)
        found = _judge_run(some, line, taken, journal) if together[0] else None
        for number, each in enumerate(some):
            verdict = found[number] if found else _verdict(each, line, taken, journal)
            is_late = each.is_overdue
            if each.row.stop_id in coming and _cannot_follow(each, verdict):
                verdict = DEPENDENCY_MISSING
            if is_late and each.row.depends_on and each.row.depends_on not in taken:
                each.was_forced = verdict.result not in {RETRY, HELD}
                verdict = without_its_base(each.row, verdict)
            if verdict.code == "internal" and each.has_waited(journal.now, REPAIR_TIME):
                verdict = FAILED_FOR_LONG
            if verdict.result == RETRY and each.row.stop_id:
                coming.add(each.row.stop_id)
            if each.index is None and verdict.result == RETRY:
                verdict = OUT_OF_ORDER
            if verdict.result not in {RETRY, HELD}:
                taken.add(each.row.pk)
            decided.append((each, verdict))
    return decided


def _cannot_follow(each: Candidate, verdict: Verdict) -> bool:
    """Tell whether an event is sound, and does not fit what came before it."""
    is_sound = each.checked is not None and not each.fault
    return is_sound and (verdict.result, verdict.code) == (REJECTED, "invalid")


def _company(each: Candidate) -> tuple[bool, uuid.UUID]:
    """Return what neighbours must have in common to be judged in one go."""
    row = each.row
    together = handlers.go_together(row.kind) and not was_out_of_service(row)
    return together, row.driver_id


def go_in_one(candidates: Sequence[Candidate]) -> bool:
    """Tell whether events are one run: nothing is written before all are judged."""
    alike = all(handlers.go_together(each.row.kind) for each in candidates)
    return alike and len({_company(each) for each in candidates}) <= 1


def _judge_run(
    run: Sequence[Candidate], line: Line, taken: set[str], journal: Writer
) -> list[Verdict] | None:
    """Judge a run of one driver's events of stops in one go; None where that fails."""
    seen, early = set(taken), []
    for each in run:
        verdict = _not_judged(each, line, seen)
        if verdict is None or verdict.result == REJECTED:
            seen.add(each.row.pk)
        early.append(verdict)
    due = [each for each, verdict in zip(run, early, strict=True) if verdict is None]
    late = judge_together([(each.row, each.checked) for each in due], journal)
    if late is None:
        return None
    verdicts = iter(late)
    return [verdict or next(verdicts) for verdict in early]


def _verdict(each: Candidate, line: Line, taken: set[str], journal: Writer) -> Verdict:
    verdict = _not_judged(each, line, taken)
    return verdict or judge(each.row, each.checked, journal)


def _not_judged(each: Candidate, line: Line, taken: set[str]) -> Verdict | None:
    """Return why an event cannot be judged: it is unfit, or waits; None when it can."""
    row = each.row
    if each.checked is None or each.fault:
        return Verdict(REJECTED, "invalid", each.fault)
    if row.depends_on and row.depends_on not in taken and not each.is_overdue:
        return DEPENDENCY_MISSING
    if not line.is_due(row.seq):
        return OUT_OF_ORDER
    return None


def put_in(rows: Sequence[DeviceEvent]) -> None:
    """Put new events into the inbox.

    Raises:
        HoldersMoved: another device has put in the same id at this moment. It shows when
            the transaction begins again.
    """
    if not rows:
        return
    columns = columns_of(rows, apart=APART)
    insert(DeviceEvent, columns, conflict="DO NOTHING", fault=HoldersMoved(()))
    for row in rows:
        row._state.adding = False


def keep_verdicts(rows: Iterable[DeviceEvent], journal: Writer) -> None:
    """Keep what became of events, in rows new or old, and tell each one's driver."""
    kept = list(rows)
    known = [row for row in kept if not row._state.adding]
    put_in([row for row in kept if row._state.adding])
    if known:
        update(DeviceEvent, columns_of(known, VERDICT_FIELDS))
    for row in kept:
        journal.changed(row.driver_id, "event_results", row.pk)
    rejected = [row.pk for row in kept if row.result == REJECTED]
    if rejected:
        files = Attachment.objects.filter(event_id__in=rejected)
        for pk, driver_id in files.values_list("pk", "driver_id"):
            if driver_id in {row.driver_id for row in kept}:
                journal.changed(driver_id, "attachments", pk)


SET_ASIDE: Final = frozenset({DEVICE_REVOKED.code, FAILED_FOR_LONG.code})
"""What a person has to judge with the body at hand, though it was not rejected."""


def is_set_aside(verdict: Verdict) -> bool:
    """Tell whether a supervisor is to look at an event's body."""
    return verdict.result == REJECTED or verdict.code in SET_ASIDE


def set_aside(released: Iterable[DeviceEvent], now: datetime) -> None:
    """Keep the bodies of events for a supervisor that waited, and were then rejected."""
    aside = []
    for row in released:
        if not is_set_aside(row.verdict):
            continue
        body = body_of(row)
        aside.append(
            QuarantinedEvent(
                device_id=row.device_id,
                driver_id=row.driver_id,
                event_id=row.pk,
                body=body,
                body_hash=hash_of(body),
                code=row.code,
                detail=row.detail,
                received_at=now,
            )
        )
    QuarantinedEvent.objects.bulk_create(aside, ignore_conflicts=True)


def body_of(row: DeviceEvent) -> dict[str, Any]:
    """Return an event as its device sent it."""
    return {
        "id": row.pk,
        "seq": row.seq,
        "kind": row.kind,
        "stop_id": row.stop_id,
        "payload": row.payload,
        "device_time": row.device_time.isoformat() if row.device_time else None,
        "mono_ms": row.mono_ms,
        "boot_id": row.boot_id,
        "depends_on": row.depends_on,
    }


def devices_overdue(*, now: datetime, patience: timedelta) -> list[uuid.UUID]:
    """Return the devices with events that have waited long enough."""
    rows = DeviceEvent.objects.filter(result=HELD, received_at__lte=now - patience)
    return sorted(set(rows.values_list("device_id", flat=True)))


def release_held(
    *, device_id: uuid.UUID, by: Actor, now: datetime, patience: timedelta
) -> int:
    """Wait no more for what is missing before the overdue events; return how many count.

    They are judged in their order with what came after them. One that cannot be judged
    without what it depends on is left to a person.

    Raises:
        Busy: their stops changed hands again and again.
    """
    scopes: frozenset[uuid.UUID] = frozenset()
    for _ in range(TRIES):
        try:
            with writing(by=by, now=now, scopes=scopes) as journal:
                return _release(device_id, scopes, patience, journal)
        except HoldersMoved as moved:
            scopes |= moved.scopes
    raise Busy


def _release(
    device_id: uuid.UUID,
    scopes: frozenset[uuid.UUID],
    patience: timedelta,
    journal: Writer,
) -> int:
    head = lock_line(device_id)
    waiting = held_events(head, scopes)
    before = journal.now - patience
    if _is_to_send_again(head, before - patience):
        before -= patience
    overdue = [each for each in waiting if each.row.received_at <= before]
    if not overdue:
        return 0
    for each in overdue:
        each.is_overdue = True
    line = line_of(head)
    gaps = line.give_up(max(each.row.seq for each in overdue))
    released = []
    for each, first in judge_in_turn(waiting, line, journal):
        waits_for_report = first == handlers.CORRECTED_MISSING and each in overdue
        verdict = _without_report(each, journal) if waits_for_report else first
        if verdict.result != HELD:
            settle(each.row, verdict)
            released.append(each.row)
    keep_verdicts(released, journal)
    set_aside(released, journal.now)
    holds = len(released) < len(waiting)
    keep_line(head, line, holds=holds, asked_again=head.asked_again)
    if gaps or released:
        tell_forced(head.device, released, gaps, journal)
    expect_anew(released, now=journal.now)
    return len(released)


def _is_to_send_again(head: InboxHead, since: datetime) -> bool:
    """Tell whether a device was asked for earlier events, and has had no time for it.

    What waits here may build on them: it waits once more, and no longer than that.
    """
    return any(instant_of(at_ms) > since for at_ms in head.asked_again.values())


def _without_report(each: Candidate, journal: Writer) -> Verdict:
    """Judge a correction once more, when all that waited has come; or do without."""
    verdict = judge(each.row, each.checked, journal)
    if verdict == handlers.CORRECTED_MISSING:
        return UNKNOWN_EVENT
    return OUT_OF_ORDER if verdict.result == RETRY else verdict


def tell_forced(
    device: Device,
    released: Sequence[DeviceEvent],
    gaps: list[tuple[int, int]],
    journal: Writer,
) -> None:
    """Let the office know which events were judged without what they wait for."""
    log.warning("events_forced", device_id=str(device.pk), count=len(released))
    journal.record(
        "events.forced",
        device,
        depot_id=device.depot_id,
        driver_id=str(device.driver_id),
        event_ids=sorted(row.pk for row in released),
        missing=gaps[:GAPS_TOLD],
        gaps=len(gaps),
    )
