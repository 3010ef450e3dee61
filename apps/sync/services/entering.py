"""The new events of a push as rows of the inbox, each with the moment it happened at."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from apps.core.statements import made
from apps.core.units import instant_of
from apps.drivers.models import Device
from apps.drivers.services import note_device_seen
from apps.sync.handlers import RETRY
from apps.sync.inbox import Event, Item
from apps.sync.models import DeviceEvent
from apps.sync.moments import moment_of, wall_offset_ms
from apps.sync.services.pushed import Push
from apps.sync.services.turns import Candidate

OFFSET_WORTH_MS: Final = 1000
"""By how much a wall clock must have moved to be written down (see `WALL_KNOWN_MS`)."""

MEASURED_EVERY: Final = timedelta(hours=1)


def candidates_of(
    push: Push,
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


def _row(push: Push, event: Event) -> DeviceEvent:
    """Return the inbox row of an event; on the way, learn how the wall clock goes."""
    moment = moment_of(
        event.reading,
        anchors=push.anchors,
        offset_ms=push.known_offset_ms,
        earliest_at=push.device.enrolled_at,
        received_at=push.now,
    )
    offset_ms = wall_offset_ms(event.reading, moment)
    if offset_ms is not None:
        push.offset_ms = offset_ms
    row: DeviceEvent = made(
        DeviceEvent,
        {
            "id": event.id,
            "driver_id": push.maker(event),
            "device_id": push.device.pk,
            "seq": event.seq,
            "kind": event.kind,
            "stop_id": event.stop_id,
            "payload": event.payload,
            "depends_on": event.depends_on,
            "device_time": event.reading.wall_at,
            "mono_ms": event.reading.mono_ms,
            "boot_id": event.reading.boot_id,
            "body_hash": event.body_hash,
            "occurred_at": moment.occurred_at,
            "uncertainty_ms": moment.uncertainty_ms,
            "time_quality": moment.quality,
            "received_at": push.now,
            "result": RETRY,
            "code": "internal",
        },
    )
    row._state.fields_cache["device"] = push.device
    return row


def _event(item: Item) -> Event:
    if item.event is None:
        raise TypeError("The row is no event.")
    return item.event


def keep_clock(push: Push) -> None:
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
