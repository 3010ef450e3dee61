"""What a driver is told of pins and locks, in the language that is active."""

from datetime import datetime
from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from apps.core.wording import local_time
from apps.routes.pinned import Pin, RouteLock

BY_YOU: Final = _("you")
THE_OFFICE: Final = _("the office")
PINNED: Final = {
    "place": _("Pinned by {who}: it stays at its place on your route."),
    "driver": _("Pinned by {who}: it stays with you."),
    "time": _("Pinned by {who}: begin between {from_at} and {before_at}."),
    "time_from": _("Pinned by {who}: begin at {from_at} or later."),
    "time_before": _("Pinned by {who}: begin before {before_at}."),
}
PIN_ENDS: Final = _("Until {until_at}.")
LOCKED: Final = _("Locked by {who} for today: your route is not planned anew.")
LOCKED_UNTIL: Final = _(
    "Locked by {who} until {until_at}: your route is not planned anew before."
)


def told_pin(pin: Pin, *, by: str, zone: str) -> str:
    """Return what is held of a stop, by whom and until when; `by` is empty for oneself."""
    kind = str(pin.kind)
    if kind == Pin.Kind.TIME and pin.closes_at is None:
        kind = "time_from"
    elif kind == Pin.Kind.TIME and pin.opens_at is None:
        kind = "time_before"
    said = gettext(PINNED[kind]).format(
        who=by or gettext(BY_YOU),
        from_at=_clock(pin.opens_at, zone),
        before_at=_clock(pin.closes_at, zone),
    )
    ends = ""
    if pin.until_at is not None:
        ends = gettext(PIN_ENDS).format(until_at=_clock(pin.until_at, zone))
    return _joined(said, ends, pin.why)


def told_lock(lock: RouteLock, *, by: str, zone: str) -> str:
    """Return who has locked a route and until when; `by` is empty for oneself."""
    says = LOCKED if lock.until_at is None else LOCKED_UNTIL
    said = gettext(says).format(
        who=by or gettext(BY_YOU), until_at=_clock(lock.until_at, zone)
    )
    return _joined(said, "", lock.why)


def sentences() -> list[str]:
    """Return every sentence that is to be translated."""
    return [BY_YOU, THE_OFFICE, *PINNED.values(), PIN_ENDS, LOCKED, LOCKED_UNTIL]


def _joined(said: str, ends: str, why: str) -> str:
    quoted = f"“{why}”" if why else ""
    return " ".join(part for part in (said, ends, quoted) if part)


def _clock(at: datetime | None, zone: str) -> str:
    return local_time(at, zone, "%H:%M")
