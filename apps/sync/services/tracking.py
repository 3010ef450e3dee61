"""Taking in where a device was, apart from the queue of its events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from apps.core.problems import FieldError, Invalid
from apps.drivers.models import Device
from apps.drivers.services import record_positions
from apps.sync.moments import Anchor
from apps.sync.services.clocks import keep_anchors
from apps.sync.services.pushed import Sender
from apps.sync.tracks import Track, Unreadable, boots_of, read_track

if TYPE_CHECKING:
    from apps.drivers.tracks import Fixes


@dataclass(frozen=True, slots=True)
class Tracked:
    """What became of the fixes; `undated` came from a boot that no clock dates."""

    stored: int
    repeated: int
    outside_shift: int
    undated: int


def accept_tracks(
    *,
    sender: Sender,
    tracks: Sequence[Track],
    anchors: Iterable[Anchor],
    now: datetime,
) -> Tracked:
    """Keep a device's fixes; a repeat changes nothing.

    Raises:
        Invalid: the columns of a track do not fit together; nothing was kept.
    """
    known = keep_anchors(
        device_id=sender.device_id,
        boots=boots_of(tracks),
        anchors=anchors,
        now=now,
    )
    device = Device.objects.get(pk=sender.device_id)
    dated: list[Fixes] = []
    undated = 0
    for number, track in enumerate(tracks):
        try:
            fixes = read_track(
                track,
                anchors=known,
                offset_ms=device.clock_offset_ms,
                received_at=now,
            )
        except Unreadable as fault:
            pointer = f"/tracks/{number}"
            raise Invalid(errors=[FieldError(pointer, "shape", str(fault))]) from fault
        if fixes is None:
            undated += len(track.mono_ms)
        else:
            dated.append(fixes)
    kept = record_positions(
        driver_id=sender.driver_id,
        device_id=sender.device_id,
        tracks=dated,
        now=now,
    )
    return Tracked(kept.stored, kept.repeated, kept.outside_shift, undated)
