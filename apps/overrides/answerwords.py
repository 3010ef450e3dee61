"""Why a request needs somebody, is denied or cannot be done, in the active language."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from apps.core.wording import local_time, money
from apps.overrides.rights import WEEKDAYS
from apps.routes import refusals
from apps.routes.changes import (
    Change,
    ChangeWindow,
    EndShiftEarly,
    ExtraBreak,
    LockRoute,
    PinStop,
    kind_of,
)

BEYOND: Final[Mapping[str, str]] = {
    "minutes": _("more minutes: {actual}, limit {limit}"),
    "cost_minor": _("more cost: {actual}, limit {limit}"),
    "stops": _("stops moved: {actual}, limit {limit}"),
    "windows_broken": _("windows and promises broken: {actual}, limit {limit}"),
    "minutes_to_departure": _("minutes before departure: {actual}, at least {limit}"),
    "hours": _("it is {actual}, allowed is {limit}"),
    "weekdays": _("it is {actual}, allowed is {limit}"),
}
"""A limit that was not kept, by its name."""

ON_THE_ROAD: Final = _(
    "you are on the road, it is allowed up to {limit} min before departure"
)
NOT_KNOWN: Final = _("what it costs is not known")
TOO_FAR: Final = _("That is further than you may go alone: {misses}.")
NO_RULE: Final = _("No rule lets you do this.")
DENIED_BEYOND: Final = _("Not allowed: {misses}.")
DENIED_HOURS: Final = _("Not allowed from {from_at} to {until_at}.")
DENIED: Final = _("Not allowed.")
ASK_THEM: Final = _("Ask the office if it must be.")
MAY: Final = _("You may do this without asking.")
MUST_ASK: Final = _("Needs the answer of: {approver}.")

DONE: Final[Mapping[str, str]] = {
    "move_stop": _("Your stops have a new sequence."),
    "pin_stop": _("The stop is held."),
    "pin_released": _("The stop is no longer held."),
    "give_stop": _("The stop has gone to another driver."),
    "take_off": _("The stop is off your route today."),
    "skip_stop": _("The stop is skipped: go on to the next one."),
    "change_window": _("The stop has a new time: {from_at}–{until_at}."),
    "lock_route": _("Your route stays as it is for today."),
    "lock_until": _("Your route stays as it is until {until_at}."),
    "unlock_route": _("Your route may be planned anew again."),
    "take_alternative": _("You drive by the other plan now."),
    "end_shift_early": _("Your shift ends at {until_at}."),
    "change_vehicle": _("Your shift has another vehicle."),
    "extra_break": _(
        "You rest {minutes} min more, beginning between {from_at} and {until_at}."
    ),
}
"""What has become of a change that was carried out, by its kind."""


def told_misses(misses: Sequence[Mapping[str, Any]], currency: str) -> str:
    """Return the limits that a change does not keep; empty where there are none."""
    return "; ".join(dict.fromkeys(_miss(miss, currency) for miss in misses))


def _miss(miss: Mapping[str, Any], currency: str) -> str:
    name, limit, actual = str(miss["name"]), miss["limit"], miss["actual"]
    if actual is None:
        return gettext(NOT_KNOWN)
    if name == "cost_minor":
        limit, actual = money(int(limit), currency), money(int(actual), currency)
    elif name == "weekdays":
        limit, actual = _days(str(limit)), _days(str(actual))
    elif name == "minutes_to_departure" and int(actual) < 0:
        return gettext(ON_THE_ROAD).format(limit=limit)
    return gettext(BEYOND[name]).format(actual=actual, limit=limit)


def _days(names: str) -> str:
    each = [WEEKDAYS.index(name) for name in names.split(", ")]
    return ", ".join(str(WEEKDAYS_ABBR[day]) for day in each)


def told_refusal(refusal: Mapping[str, Any]) -> str:
    """Return why something cannot be done; empty where it is not known as a code."""
    words = refusals.SENTENCES.get(str(refusal.get("code", "")))
    if words is None:
        return ""
    figures = dict(refusal)
    if "status" in figures:
        figures["status"] = gettext(str(figures["status"]))
    return gettext(words).format(**figures)


def told_done(change: Change | None, zone: str) -> str:
    """Return what has become of a change that was carried out; empty for words alone."""
    if change is None:
        return ""
    name, from_at, until_at, minutes = kind_of(change), "", "", 0
    if isinstance(change, PinStop) and change.is_released:
        name = "pin_released"
    elif isinstance(change, LockRoute) and change.until_at is not None:
        name, until_at = "lock_until", _clock(change.until_at, zone)
    elif isinstance(change, ChangeWindow):
        from_at, until_at = (
            _clock(change.opens_at, zone),
            _clock(change.closes_at, zone),
        )
    elif isinstance(change, EndShiftEarly):
        until_at = _clock(change.ends_at, zone)
    elif isinstance(change, ExtraBreak):
        from_at, until_at = _clock(change.from_at, zone), _clock(change.until_at, zone)
        minutes = change.duration_s // 60
    return gettext(DONE[name]).format(
        from_at=from_at, until_at=until_at, minutes=minutes
    )


def sentences() -> list[str]:
    """Return every sentence and word that is to be translated."""
    single = (ON_THE_ROAD, NOT_KNOWN, TOO_FAR, NO_RULE, DENIED_BEYOND, DENIED_HOURS)
    more = (DENIED, ASK_THEM, MAY, MUST_ASK)
    tables = (*BEYOND.values(), *DONE.values(), *refusals.SENTENCES.values())
    return [*single, *more, *tables, *refusals.STATUSES]


def _clock(at: datetime, zone: str) -> str:
    return local_time(at, zone, "%H:%M")
