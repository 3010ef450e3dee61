"""Events that came before earlier ones: held, judged in their turn, forced in the end."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.units import instant_of
from apps.core.verdicts import Verdict
from apps.drivers.models import Device
from apps.journal.services import HoldersMoved, Writer, writing
from apps.routes.selectors import scopes_of_stops
from apps.sync import handlers
from apps.sync.handlers import RETRY
from apps.sync.kinds import CORRECTED
from apps.sync.models import DeviceEvent, InboxHead
from apps.sync.services.clocks import date_anew, keep_anchors
from apps.sync.services.expecting import expect_anew
from apps.sync.services.judging import (
    HELD,
    OUT_OF_ORDER,
    UNKNOWN_EVENT,
    checked_again,
    judge,
    settle,
)
from apps.sync.services.keeping import keep_verdicts, set_aside
from apps.sync.services.lining import keep_line, line_of, lock_line
from apps.sync.services.turns import Candidate, judge_in_turn

log = structlog.get_logger(__name__)

TRIES = 5
"""How often a transaction begins again because a stop went to another driver meanwhile."""

GAPS_TOLD = 20


class Busy(Problem):
    """The push met too many others; the device keeps its events and tries again."""

    type = "/problems/busy"
    title = "The server is busy: keep the events and send them again."
    status = 503


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
    _date_anew(head.device, [each.row for each in waiting], journal.now)
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


def _date_anew(device: Device, rows: Sequence[DeviceEvent], now: datetime) -> None:
    """Date what waits by all that is known of its device's clocks by now."""
    boots = {row.boot_id for row in rows} - {""}
    known = keep_anchors(device_id=device.pk, boots=boots, anchors=(), now=now)
    date_anew(rows, anchors=known, offset_ms=device.clock_offset_ms)


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
