"""When did it happen? Two clocks of a device, and what ours said beside them. Pure.

An anchor says: when the device's monotonic clock stood at `mono_ms`, ours stood at
`server_at`, give or take half of the round trip. In the boot of an anchor,
`occurred_at = server_at + Δmono`, with an uncertainty of `rtt / 2 + 50 ppm · |Δmono|`
(quartz clocks of handhelds keep within 50 parts in a million). Without one the wall
clock counts, less its last known offset.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SURE: Final = "mono"
"""The quality of an instant that an anchor gives; a wall clock may have been set."""

DRIFT_PPM: Final = 50
WALL_KNOWN_MS: Final = 60_000
"""Uncertainty given to a wall clock whose offset was measured once: it may be set."""

WALL_UNKNOWN_MS: Final = 600_000
"""Uncertainty given to a wall clock of which nothing is known."""

MAX_UNCERTAINTY_MS: Final = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Anchor:
    """One moment at which a device's monotonic clock and ours are known together."""

    boot_id: str
    mono_ms: int
    server_at: datetime
    rtt_ms: int

    def uncertainty_ms(self, mono_ms: int) -> int:
        """Return how far off a reading of this boot may be, seen from here."""
        drift_ms = abs(mono_ms - self.mono_ms) * DRIFT_PPM / 1_000_000
        return min(round(self.rtt_ms / 2 + drift_ms), MAX_UNCERTAINTY_MS)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a device's clocks said when it wrote an event; both may be unknown."""

    boot_id: str
    mono_ms: int | None
    wall_at: datetime | None


@dataclass(frozen=True, slots=True)
class Moment:
    """When it happened, how sure that is, and by which clock."""

    occurred_at: datetime
    uncertainty_ms: int
    quality: str


def moment_of(
    reading: Reading,
    *,
    anchors: Iterable[Anchor],
    offset_ms: int | None,
    earliest_at: datetime,
    received_at: datetime,
) -> Moment:
    """Return when an event happened: never after `received_at`.

    `offset_ms` is the wall clock less ours, when last known. A wall clock is not
    believed before `earliest_at`, when the device did not exist yet.
    """
    by_mono = _by_mono(reading, anchors)
    if by_mono is not None:
        at, uncertainty_ms = by_mono
        return Moment(min(at, received_at), uncertainty_ms, SURE)
    if reading.wall_at is None:
        return Moment(received_at, MAX_UNCERTAINTY_MS, "received")
    known = offset_ms is not None
    at = _shifted(reading.wall_at, -(offset_ms or 0)) or reading.wall_at
    at = min(max(at, earliest_at), received_at)
    return Moment(at, WALL_KNOWN_MS if known else WALL_UNKNOWN_MS, "wall")


def _by_mono(
    reading: Reading, anchors: Iterable[Anchor]
) -> tuple[datetime, int] | None:
    mono_ms = reading.mono_ms
    if mono_ms is None or not reading.boot_id:
        return None
    same_boot = [each for each in anchors if each.boot_id == reading.boot_id]
    if not same_boot:
        return None
    best = min(same_boot, key=lambda anchor: anchor.uncertainty_ms(mono_ms))
    at = _shifted(best.server_at, mono_ms - best.mono_ms)
    return None if at is None else (at, best.uncertainty_ms(mono_ms))


def wall_offset_ms(reading: Reading, moment: Moment) -> int | None:
    """Return the wall clock less ours, where both are known of one event."""
    if moment.quality != SURE or reading.wall_at is None:
        return None
    return round((reading.wall_at - moment.occurred_at) / timedelta(milliseconds=1))


def _shifted(at: datetime, by_ms: int) -> datetime | None:
    """Return `at` moved by milliseconds; None beyond the calendar's end."""
    try:
        return at + timedelta(milliseconds=by_ms)
    except OverflowError:
        return None
