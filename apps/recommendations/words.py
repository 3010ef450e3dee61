"""Reasons, data used, and the right to object, in the reader's language.

A reason says the same twice: as data (`code` and figures), from which a sentence is made
here in the language that is active, and as an English text, for codes without one.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

DRIVER: Final = "driver"
OFFICE: Final = "office"
CUSTOMER: Final = "customer"

SENTENCES: Final[Mapping[str, str]] = {
    "served": _("{count} stops on {routes} routes."),
    "late": _("{count} parcels on board come late rather than not at all."),
    "made_by": _("Made by {engine}."),
    "parts": _("Planned in {count} parts by place, and mended where they meet."),
    "travel_times": _("Travel times: {source}."),
    "time_bounded": _("The search was ended by the clock after {rounds} rounds."),
    "vans_have_left": _(
        "{count} orders left out: every van that could take them has left."
    ),
    "closed_road": _("{count} orders left out: the road there is closed."),
    "no_capable_vehicle": _(
        "{count} orders left out: no vehicle or driver of the day can serve them."
    ),
    "exceeds_capacity": _("{count} orders left out: they are too large for the vans."),
    "unreachable": _("{count} orders left out: no way leads there."),
    "no_window_in_any_shift": _(
        "{count} orders left out: their time lies outside every shift."
    ),
    "no_room": _("{count} orders left out: all routes are full at their time."),
    "not_worth_it": _("{count} orders left out: serving them costs too much today."),
    "times_told": _("Times of arrival for {count} stops."),
    "orders": _("{count} orders: places, windows, weights, and what they require."),
    "shifts": _("{count} shifts: times, breaks, vehicles and skills."),
    "travel_source": _("Travel times: {source}."),
    "conditions": _("{count} reports of the road that are in force."),
    "where_the_driver_is": _("Where the driver was last, and when."),
    "travel_and_service": _(
        "Travel times of the plan and of the hour, and times at the door."
    ),
    "windows_and_breaks": _("Delivery windows and breaks."),
    "past_errors": _("How far earlier told times were off, by part of town and hour."),
    "service_learned": _(
        "{count} services are planned at {percent} per cent of their standard ({place}): learned"
        " from {n} services until {as_of}."
    ),
    "service_set": _(
        "{count} services are planned at {percent} per cent of their standard ({place}): set by"
        " hand."
    ),
    "zone_order": _(
        "The order of zones counts, as learned from what drivers drove: {pairs} pairs of this"
        " day's zones and hours; {against} steps go against it all the same."
    ),
    "expected": _(
        "Chosen by how it will be followed, as learned: in the mean it comes to {amount},"
        " lateness included; the plan that is best on paper to {plain}."
    ),
    "zone_leave": _(
        "{count} times a route goes on to another zone; each counts {amount}."
    ),
    "driven_legs": _("{count} legs driven in {days} days."),
}
GAINS: Final[Mapping[str, str]] = {
    "present": _("It costs {amount} less than the present plan."),
    "insertion": _("It costs {amount} less than the plan by simple rules."),
}
HOW_TO_OBJECT: Final[Mapping[str, str]] = {
    DRIVER: _(
        "You may object: rate it or say what is wrong. The office reads it, and its"
        " answer comes to this device."
    ),
    OFFICE: _(
        "You may object: say below what is wrong. It is worked off like a driver's word,"
        " and the answer stands beside it."
    ),
    CUSTOMER: _(
        "You may object: tell us what does not suit you, and a person looks at it."
    ),
}


def said(reason: Mapping[str, Any]) -> str:
    """Return a reason, or a thing that was used, as a sentence."""
    code, fallback = str(reason.get("code", "")), str(reason.get("text", ""))
    if code == "gain" and reason.get("against") in GAINS:
        words = gettext(GAINS[str(reason["against"])])
        return words.format(amount=f"{int(reason.get('minor', 0)) / 100:.2f}")
    sentence = SENTENCES.get(code)
    if sentence is None or not _needs(sentence) <= reason.keys():
        return fallback
    return gettext(sentence).format(**reason)


def how_to_object(audience: str) -> str:
    """Return how somebody may object: a driver, the office, or a customer."""
    return gettext(HOW_TO_OBJECT[audience])


def _needs(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def sentences() -> list[str]:
    """Return every sentence that is to be translated."""
    tables = (SENTENCES, GAINS, HOW_TO_OBJECT)
    return sorted({text for table in tables for text in table.values()})
