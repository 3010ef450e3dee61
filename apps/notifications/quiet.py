"""Quiet hours: when a message that can wait may go. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def is_quiet(at: time, quiet_from: time, quiet_until: time) -> bool:
    """Tell whether a time of day is quiet: half-open, perhaps across midnight."""
    if quiet_from <= quiet_until:
        return quiet_from <= at < quiet_until
    return at >= quiet_from or at < quiet_until


def due_after_quiet(
    now: datetime, zone: str, quiet_from: time, quiet_until: time
) -> datetime:
    """Return `now`, or the end of the quiet hours that it falls into.

    The hours are those of `zone`'s clocks, on days of 23 and 25 hours too.
    """
    local = now.astimezone(ZoneInfo(zone))
    if not is_quiet(local.time(), quiet_from, quiet_until):
        return now
    day = local.date()
    if local.time() >= quiet_until:
        day += timedelta(days=1)
    ends = datetime.combine(day, quiet_until, tzinfo=local.tzinfo)
    return max(now, ends.astimezone(now.tzinfo))
