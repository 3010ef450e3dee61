"""Codes in words: reasons of a feedback, what the office did or why not, and states.

Every sentence is translated in the room's own `locale`; `sentences` lists them all.
"""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from apps.feedback.states import FeedbackState

OTHER: Final = "other"

REASONS: Final[Mapping[str, str]] = {
    "good": _("It is good"),
    "wrong_order": _("The stops are in the wrong order"),
    "detour": _("It is a detour"),
    "too_tight": _("There is too little time"),
    "too_slow": _("There is too much time"),
    "traffic": _("The traffic is other than planned"),
    "parking": _("There is nowhere to park"),
    "access": _("The entrance is elsewhere, or closed"),
    "customer_wish": _("The customer wants it otherwise"),
    "vehicle": _("It does not fit the vehicle"),
    "break": _("The break does not fit"),
    "unclear": _("I do not see why"),
    OTHER: _("Something else"),
}

DONE: Final[Mapping[str, str]] = {
    "plan_changed": _("We have changed the plan."),
    "will_plan_so": _("We will plan it so from now on."),
    "address_mended": _("We have put the address right."),
    "road_noted": _("We have noted it for this road."),
    "customer_asked": _("We have spoken with the customer."),
    "passed_on": _("We have passed it on to those who can change it."),
    "thanks": _("Thank you: it is good to know."),
    "taken_back": _("We have tried it and taken it back: it did not prove itself."),
}
NOT_DONE: Final[Mapping[str, str]] = {
    "promised": _("The customer was promised this time."),
    "no_room": _("There is no other way with the vans and shifts of the day."),
    "costs_others": _("It would make others late."),
    "rules": _("The law or a contract asks for it."),
    "known": _("It has been reported before and is being worked on."),
    "unclear": _("We did not understand it: please tell us more."),
    "disagree": _("We have looked at it and see it otherwise."),
}
STATES: Final[Mapping[str, str]] = {
    FeedbackState.NEW: _("The office has it."),
    FeedbackState.SEEN: _("The office has read it."),
    FeedbackState.ACTIONED: _("Done"),
    FeedbackState.DECLINED: _("Declined"),
}


def reason_in_words(code: str) -> str:
    """Return a reason in the language that is active; an unknown one as it is."""
    return gettext(REASONS[code]) if code in REASONS else code


def reasons_in_words() -> list[dict[str, str]]:
    """Return what may be said with one tap, as a device or page offers it."""
    return [{"code": code, "text": gettext(text)} for code, text in REASONS.items()]


def answer_in_words(code: str, words: str = "") -> str:
    """Return what the office says: its code's sentence, then its own words."""
    sentence = DONE.get(code) or NOT_DONE.get(code)
    parts = [gettext(sentence) if sentence else "", words]
    return " ".join(part for part in parts if part)


def state_in_words(state: str) -> str:
    """Return how far the office is, for the person who said something."""
    return gettext(STATES[state]) if state in STATES else state


def sentences() -> list[str]:
    """Return every sentence that is to be translated."""
    tables = (REASONS, DONE, NOT_DONE, STATES)
    return sorted({text for table in tables for text in table.values()})
