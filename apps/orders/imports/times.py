"""Dates, times of day and windows as files write them."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from apps.orders.drafts import Window

_DATE = (
    r"(?P<y>\d{4})[-/.](?P<mo>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"|(?P<a>\d{1,2})(?P<sep>[./-])(?P<b>\d{1,2})(?:(?P=sep)(?P<y2>\d{4}|\d{2})(?!\d)"
    r"|(?:(?<=[/-]\d)|(?<=[/-]\d\d)|\.)(?!\d))"
)
_TIME = (
    r"(?P<h>\d{1,2})(?::(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,]\d+)?)?"
    r"|\s?h\s?(?P<hmi>\d{2})?|\.(?P<dmi>\d{2}))?"
    r"\s?(?P<half>[ap]\.?m\b\.?)?(?:\s?(?:uhr|heures|hrs?)\b)?"
)
_ZONE = r"(?P<zone>Z|[+-]\d{2}:?\d{2})?"
_DATE_RE = re.compile(rf"(?:{_DATE})", re.IGNORECASE)
_MOMENT = re.compile(
    rf"(?:(?P<date>{_DATE})(?:[T ,]+|$))?(?:{_TIME}{_ZONE})?", re.IGNORECASE
)
_BETWEEN = re.compile(
    r"\s*(?:[-–—/~]|bis|to|until|till|and|und|jusqu'à|hasta|até|ate|às|as|à|a|y|et|e)\s*",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"\s*(?:von|from|between|zwischen|de|du|des|entre|desde|das|ab)\s+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Local:
    """How a depot's files write times: its zone, and whether the day comes first."""

    zone: ZoneInfo
    day_first: bool = True


@dataclass(frozen=True, slots=True)
class Moment:
    """What a cell says of a moment: a date, a time of day, an offset, or some of it.

    A date without its year has `month_day` alone. 24:00 is midnight of the next day.
    """

    on_date: date | None = None
    month_day: tuple[int, int] | None = None
    clock: time | None = None
    next_day: bool = False
    offset_s: int | None = None

    def date_near(self, day: date | None) -> date | None:
        """Return the date; one without a year is the one nearest to `day`."""
        if self.on_date or not self.month_day:
            return self.on_date
        if day is None:
            return None
        near = [_dated(day.year + shift, *self.month_day) for shift in (-1, 0, 1)]
        return min((d for d in near if d), key=lambda d: abs(d - day), default=None)


@lru_cache(maxsize=20_000)
def moment(text: str, *, day_first: bool = True) -> Moment:
    """Read one moment.

    Raises:
        ValueError: it is none.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None or not match[0]:
        raise ValueError(text)
    return _moment_of(match, day_first)


def is_moment(text: str) -> bool:
    """Tell whether a cell says a date, a time of day, or both."""
    try:
        moment(text)
    except ValueError:
        return False
    return True


def _moment_of(match: re.Match[str], day_first: bool) -> Moment:
    on_date, month_day = (None, None)
    if match["date"]:
        on_date, month_day = _date_of(match, day_first)
    if not match["h"]:
        return Moment(on_date, month_day)
    if not match["date"] and not _says_time(match):
        raise ValueError(match[0])
    hour = int(match["h"])
    minute = int(match["mi"] or match["hmi"] or match["dmi"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(match[0])
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    midnight = hour == 24 and minute == 0
    clock = time(0 if midnight else hour, minute, int(match["s"] or 0))
    return Moment(on_date, month_day, clock, midnight, _offset_s(match["zone"]))


def _says_time(match: re.Match[str]) -> bool:
    """Tell an hour from any other number: 8, 08 and 17 stand for hours, 300 not."""
    return int(match["h"]) <= 24


def _offset_s(zone: str | None) -> int | None:
    if not zone:
        return None
    if zone in "zZ":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def _date_of(
    match: re.Match[str], day_first: bool
) -> tuple[date | None, tuple[int, int] | None]:
    if match["y"]:
        return date(int(match["y"]), int(match["mo"]), int(match["d"])), None
    first, second, year = int(match["a"]), int(match["b"]), match["y2"]
    day, month = (first, second) if day_first else (second, first)
    if match["sep"] == "." and first <= 31:
        day, month = first, second
    if not year and match["sep"] == "-":
        day, month = second, first
    if month > 12 >= day:
        day, month = month, day
    if not year:
        if _dated(2024, month, day) is None:
            raise ValueError(match[0])
        return None, (month, day)
    full = int(year) if len(year) == 4 else 2000 + int(year)
    return date(full, month, day), None


def _dated(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def day(text: str, near: date | None, *, day_first: bool = True) -> date:
    """Read a date; a time behind it is passed over.

    Raises:
        ValueError: it is none.
    """
    found = moment(text, day_first=day_first).date_near(near)
    if found is None:
        raise ValueError(text)
    return found


def moments(text: str, local: Local) -> list[tuple[Moment, Moment]]:
    """Read ranges such as `08:00-10:00; 14:00-16:00`.

    Raises:
        ValueError: some of it is no range.
    """
    return list(_ranges(text, local.day_first))


@lru_cache(maxsize=20_000)
def _ranges(text: str, day_first: bool) -> tuple[tuple[Moment, Moment], ...]:
    parts = re.split(r"[;|\n]|,(?=\s)|\s(?:und|and|et|e|y)\s(?=.*[-–—])", text)
    return tuple(_range(part, day_first) for part in parts if part.strip())


def _range(text: str, day_first: bool) -> tuple[Moment, Moment]:
    """Cut a range where both sides are moments; the earliest such cut is meant."""
    body = _LEAD.sub("", text, count=1).strip()
    for gap in _BETWEEN.finditer(body):
        left, right = body[: gap.start()].strip(), body[gap.end() :].strip()
        try:
            opens = moment(left, day_first=day_first)
            closes = moment(right, day_first=day_first)
        except ValueError:
            continue
        if opens.clock is None or closes.clock is None:
            continue
        if opens.offset_s is not None and closes.offset_s is None:
            continue
        return opens, closes
    raise ValueError(text)


def window_of(
    opens: Moment | None, closes: Moment | None, service_date: date, local: Local
) -> Window:
    """Make a window of two moments; an absent one is the day's begin or its end.

    A date that only one of them names is the other's as well.
    """
    near = service_date
    start_date = opens.date_near(near) if opens else None
    end_date = closes.date_near(near) if closes else None
    start_date = start_date or end_date or service_date
    end_date = end_date or start_date
    start = _instant(opens or Moment(clock=time(0)), start_date, local)
    end = _instant(closes or Moment(next_day=True), end_date, local)
    return Window(start, end)


def _instant(said: Moment, on_date: date, local: Local) -> datetime:
    clock = said.clock or time(0)
    if said.next_day or (said.clock is None and said.on_date is None):
        on_date += timedelta(days=1)
    instant = datetime.combine(on_date, clock)
    if said.offset_s is None:
        return instant.replace(tzinfo=local.zone).astimezone(_UTC)
    shifted = instant - timedelta(seconds=said.offset_s)
    return shifted.replace(tzinfo=_UTC)


_UTC = ZoneInfo("UTC")
