"""Filling texts in, and saying times as people read them in an SMS. Pure."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from apps.core.problems import FieldError
from apps.notifications.kinds import KINDS

MIDNIGHT: Final = time()
PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")

_DAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    "es": ("lun.", "mar.", "mié.", "jue.", "vie.", "sab.", "dom."),
}
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)

_UNTIL: Final = {"en": "until", "de": "bis", "fr": "avant", "es": "hasta las"}
_FROM: Final = {"en": "from", "de": "ab", "fr": "après", "es": "desde las"}


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its placeholders filled in; what is not given is left out.

    A value is put in as it stands: braces in it are no placeholders.
    """
    said = PLACEHOLDER.sub(lambda found: values.get(found[1], ""), text)
    return re.sub(r"[ \t]{2,}", " ", said).strip()


def faults_of(kind: str, text: str) -> list[FieldError]:
    """Return what is wrong with the placeholders of a kind's text."""
    known = KINDS[kind]
    found = set(PLACEHOLDER.findall(text))
    faults = []
    if PLACEHOLDER.sub("", text).strip("\n") != re.sub(
        r"[{}]", "", PLACEHOLDER.sub("", text)
    ).strip("\n"):
        faults.append(
            FieldError(
                "/text", "brace", "A brace stands alone: write {name} with both."
            )
        )
    if unknown := sorted(found - known.placeholders):
        may = ", ".join(f"{{{name}}}" for name in sorted(known.placeholders))
        what = ", ".join(f"{{{name}}}" for name in unknown)
        faults.append(
            FieldError(
                "/text", "unknown_placeholder", f"Unknown here: {what}. Known: {may}."
            )
        )
    if missing := sorted(known.needs - found):
        what = ", ".join(f"{{{name}}}" for name in missing)
        faults.append(
            FieldError("/text", "missing_placeholder", f"The text needs {what}.")
        )
    return faults


def said_day(day: date, language: str) -> str:
    """Return a day as people of the language write it short, in GSM-7's alphabet."""
    name = _DAYS[language][day.weekday()]
    if language == "de":
        return f"{name} {day.day}.{day.month}."
    if language in {"fr", "es"}:
        return f"{name} {day.day}/{day.month}"
    return f"{name} {day.day} {_MONTHS[day.month - 1]}"


def said_interval(low: datetime, high: datetime, zone: str) -> str:
    """Return `10:20-11:05` by the zone's clock; one time where both are the same."""
    clock = ZoneInfo(zone)
    first = low.astimezone(clock).strftime("%H:%M")
    last = high.astimezone(clock).strftime("%H:%M")
    return first if first == last else f"{first}-{last}"


def said_window(low: datetime, high: datetime, zone: str, language: str) -> str:
    """Return day and interval: `Tue 17 Mar 10:00-12:00`, `Tue 17 Mar until 10:00`."""
    day = said_day(low.astimezone(ZoneInfo(zone)).date(), language)
    return f"{day} {said_hours(low, high, zone, language)}".strip()


def said_hours(low: datetime, high: datetime, zone: str, language: str) -> str:
    """Return the hours of a window: `10:00-12:00`.

    One that begins or ends with the day says only its other end, and one that is the
    whole day nothing.
    """
    clock = ZoneInfo(zone)
    begins, ends = low.astimezone(clock), high.astimezone(clock)
    all_morning = begins.time() == MIDNIGHT and low < high
    next_day = begins.date() + timedelta(days=1)
    to_the_end = low < high and ends.replace(tzinfo=None) == datetime.combine(
        next_day, MIDNIGHT
    )
    if all_morning and to_the_end:
        return ""
    if all_morning and begins.date() == ends.date():
        return f"{_UNTIL[language]} {ends:%H:%M}"
    if to_the_end:
        return f"{_FROM[language]} {begins:%H:%M}"
    return said_interval(low, high, zone)


def short_name(name: str, most: int) -> str:
    """Shorten a name to whole words, without what stands in brackets at its end."""
    plain = re.sub(r"\s*\([^)]*\)?$", "", name).strip() or name
    if len(plain) <= most:
        return plain
    whole, _, _ = plain[: most + 1].rpartition(" ")
    return (whole or plain[:most]).rstrip(" ,-")
