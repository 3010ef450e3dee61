"""A device's track on the wire: columns of differences, read into arrays. Pure.

A track is a run of fixes of one boot. Each column begins with a value and goes on with
differences to the one before, so that eight hours at a fix every five seconds stay under
40 kB when compressed. The order is the device's choice: newest first is welcome.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from apps.core.units import epoch_ms
from apps.drivers.tracks import Fixes
from apps.sync.inbox import DeviceClocks
from apps.sync.moments import DRIFT_PPM, Anchor

MAX_FIXES: Final = 20_000
"""Fixes in one request: over a day at one every five seconds."""

MAX_TRACKS: Final = 50
ANCHORS_WEIGHED: Final = 50

Integers = NDArray[np.int64]
Deltas = Annotated[list[Annotated[int, Meta(ge=-(2**53), le=2**53)]], Meta()]


class Unreadable(ValueError):
    """The columns of a track do not fit together; the message says which."""


class Track(msgspec.Struct, frozen=True):
    """Fixes of one boot, column by column, each a value and then differences.

    `mono_ms` is the monotonic clock, `lat_e6` and `lon_e6` are millionths of a degree,
    `accuracy_m` metres, `speed_cm_s` centimetres a second, `heading_deg` degrees from
    north; the last three may be missing. `wall_ms` is the wall clock (epoch) at the
    first fix, for a boot of which no anchor is known.
    """

    boot_id: Annotated[str, Meta(min_length=1, max_length=64)]
    mono_ms: Deltas
    lat_e6: Deltas
    lon_e6: Deltas
    accuracy_m: Deltas = []
    speed_cm_s: Deltas = []
    heading_deg: Deltas = []
    wall_ms: Annotated[int, Meta(ge=0, le=2**53)] | None = None


class TracksBody(msgspec.Struct, frozen=True):
    """What a device sends of where it was."""

    tracks: Annotated[list[Track], Meta(max_length=MAX_TRACKS)]
    device: DeviceClocks | None = None

    def fixes(self) -> int:
        """Return how many fixes there are."""
        return sum(len(track.mono_ms) for track in self.tracks)


def boots_of(tracks: Iterable[Track]) -> set[str]:
    """Return the boots that tracks come from."""
    return {track.boot_id for track in tracks}


def read_track(
    track: Track,
    *,
    anchors: Sequence[Anchor],
    offset_ms: int | None,
    received_at: datetime,
) -> Fixes | None:
    """Return a track's fixes with their instants; None where no clock dates them.

    Instants come from the anchor of the boot that is surest for each fix; without one
    from the wall clock at the first fix, less `offset_ms`. None is after `received_at`.

    Raises:
        Unreadable: columns differ in length, or a place is not on the Earth.
    """
    mono_ms = _column(track, "mono_ms")
    lat_e6, lon_e6 = _column(track, "lat_e6"), _column(track, "lon_e6")
    if np.abs(lat_e6).max(initial=0) > 90_000_000:
        raise Unreadable("lat_e6 leaves the range of ±90 degrees")
    if np.abs(lon_e6).max(initial=0) > 180_000_000:
        raise Unreadable("lon_e6 leaves the range of ±180 degrees")
    instants_ms = _by_anchors(track.boot_id, mono_ms, anchors)
    if instants_ms is None:
        if track.wall_ms is None or not len(mono_ms):
            return None
        instants_ms = track.wall_ms - (offset_ms or 0) + mono_ms - mono_ms[0]
    return Fixes(
        boot_id=track.boot_id,
        mono_ms=mono_ms,
        occurred_ms=np.clip(instants_ms, 0, epoch_ms(received_at)),
        lat_e6=lat_e6,
        lon_e6=lon_e6,
        accuracy_m=_small(track, "accuracy_m"),
        speed_cm_s=_small(track, "speed_cm_s"),
        heading_deg=_small(track, "heading_deg"),
    )


def write_column(values: Sequence[int]) -> list[int]:
    """Write values as a column: the first, then differences."""
    return [
        value - (values[index - 1] if index else 0)
        for index, value in enumerate(values)
    ]


def _column(track: Track, name: str) -> Integers:
    deltas: Sequence[int] = getattr(track, name)
    if len(deltas) != len(track.mono_ms):
        raise Unreadable(
            f"{name} has {len(deltas)} entries and mono_ms {len(track.mono_ms)}"
        )
    # Differences may add up beyond 64 bits: what does is caught by its range.
    values = np.cumsum(np.array(deltas, dtype=np.float64))
    if np.abs(values).max(initial=0) > 2**53:
        raise Unreadable(f"{name} leaves the range of whole numbers")
    whole: Integers = values.astype(np.int64)
    return whole


def _small(track: Track, name: str) -> Integers | None:
    """Return an optional column within 0 to 32,767; None where it is missing."""
    if not getattr(track, name):
        return None
    return np.clip(_column(track, name), 0, 2**15 - 1)


def _by_anchors(
    boot_id: str, mono_ms: Integers, anchors: Iterable[Anchor]
) -> Integers | None:
    same = [anchor for anchor in anchors if anchor.boot_id == boot_id]
    if not same:
        return None
    same = sorted(same, key=lambda anchor: anchor.rtt_ms)[:ANCHORS_WEIGHED]
    at_ms = np.array([epoch_ms(anchor.server_at) for anchor in same])
    at_mono_ms = np.array([anchor.mono_ms for anchor in same])
    doubt_ms = np.array([anchor.rtt_ms / 2 for anchor in same])
    away_ms = mono_ms[:, None] - at_mono_ms[None, :]
    doubts: Any = doubt_ms[None, :] + np.abs(away_ms) * DRIFT_PPM / 1_000_000
    surest = np.argmin(doubts, axis=1)
    instants: Integers = at_ms[surest] + mono_ms - at_mono_ms[surest]
    return instants
