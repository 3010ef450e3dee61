"""Which slots a depot's rules cut out of its days. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.routes.dayinputs import Interval


@dataclass(frozen=True, slots=True)
class Rules:
    """A depot's rules of slots; the numbers are first values until somebody sets them."""

    time_zone: str
    opens: time = time(8)
    closes: time = time(20)
    slot_minutes: int = 120
    days_ahead: int = 5
    lead_minutes: int = 60
    cutoff_minutes: int = 30
    hold_minutes: int = 10
    fill_percent: int = 85
    stop_travel_s: int = 240
    co2_g_per_km: int = 230

    def today(self, now: datetime) -> date:
        """Return the depot's day."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()


def days_of(rules: Rules, now: datetime) -> list[date]:
    """Return the days that are offered, from today on."""
    return [
        rules.today(now) + timedelta(days=number)
        for number in range(rules.days_ahead + 1)
    ]


def slots_of(rules: Rules, day: date, now: datetime) -> list[Interval]:
    """Return a day's slots that can still be promised; the last one may be shorter.

    They are cut by the clock on the wall: a day of 23 hours has the same slots.
    """
    zone = ZoneInfo(rules.time_zone)
    first = datetime.combine(day, rules.opens)
    last = datetime.combine(day, rules.closes)
    step, found = timedelta(minutes=rules.slot_minutes), []
    while first < last:
        ends = min(first + step, last)
        slot = Interval(_instant(first, zone), _instant(ends, zone))
        lead = timedelta(minutes=rules.lead_minutes)
        if slot.opens_at < slot.closes_at and slot.opens_at >= now + lead:
            found.append(slot)
        first = ends
    return found


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)
