"""A device's line of events in the inbox: locked, read, and kept."""

import uuid
from collections.abc import Iterable
from typing import Final

from django.db.models import Max

from apps.core.bulk import update
from apps.core.statements import (
    Statement,
    as_is,
    partly,
    read_instant,
    read_json,
    read_uuid,
)
from apps.drivers.models import Device
from apps.sync.inbox import Item, number_in
from apps.sync.lines import Line
from apps.sync.models import DeviceEvent, InboxHead

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
