"""What is said to people, and why: the kinds of messages. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

DELIVERY: Final = "delivery"
SURVEY: Final = "survey"
MARKETING: Final = "marketing"
ANSWER: Final = "answer"
PURPOSES: Final = {
    DELIVERY: "About a delivery",
    SURVEY: "Survey",
    MARKETING: "Marketing",
    ANSWER: "Answer to a reply",
}
CONSENT_PURPOSES: Final = (DELIVERY, SURVEY, MARKETING)
"""What a person may allow or forbid; an answer to the person's own words is no such."""

OPT_IN: Final = frozenset({MARKETING})
"""Nothing is sent for these before the person has said yes; for the others, until no."""

LANGUAGES: Final = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
}

SMS, WHATSAPP, EMAIL, PUSH = "sms", "whatsapp", "email", "push"
CHANNELS: Final = {
    SMS: "SMS",
    WHATSAPP: "WhatsApp",
    EMAIL: "Email",
    PUSH: "Push",
}
BY_PHONE: Final = frozenset({SMS, WHATSAPP})


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message.

    `needs` are the placeholders that its texts must have, `may` those that they may have
    beside `sender`; `is_urgent` is the first value of "also in quiet hours".
    """

    code: str
    title: str
    purpose: str
    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    is_urgent: bool = False
    can_be_off: bool = True

    @property
    def placeholders(self) -> frozenset[str]:
        """Return all placeholders that a text of this kind may have."""
        return self.needs | self.may | {"sender"}


_LINK = frozenset({"link"})
_ORDER = frozenset({"name", "order", "day"})

KINDS: Final[Mapping[str, Kind]] = {
    kind.code: kind
    for kind in (
        Kind(
            "planned",
            "Delivery is planned",
            DELIVERY,
            _LINK | {"window"},
            _ORDER,
        ),
        Kind(
            "on_the_way",
            "Driver is on the way",
            DELIVERY,
            _LINK | {"eta"},
            _ORDER,
            is_urgent=True,
        ),
        Kind(
            "next_stop",
            "Next stop is yours",
            DELIVERY,
            frozenset({"eta"}),
            _ORDER | _LINK,
            is_urgent=True,
        ),
        Kind(
            "late",
            "Later than promised",
            DELIVERY,
            _LINK | {"eta"},
            _ORDER | {"window"},
            is_urgent=True,
        ),
        Kind("missed", "Attempt failed", DELIVERY, _LINK, _ORDER),
        Kind("delivered", "Delivered: how was it?", SURVEY, _LINK, _ORDER),
        Kind(
            "where",
            "Answer to “Where is my order?”",
            ANSWER,
            _LINK | {"eta"},
            _ORDER,
            is_urgent=True,
        ),
        Kind(
            "where_none",
            "Answer where nothing is under way",
            ANSWER,
            frozenset(),
            _ORDER,
            is_urgent=True,
        ),
        Kind(
            "where_done",
            "Answer where it was delivered",
            ANSWER,
            frozenset({"window"}),
            _ORDER,
            is_urgent=True,
        ),
        Kind("stopped", "Answer to STOP", ANSWER, is_urgent=True, can_be_off=False),
        Kind("started", "Answer to START", ANSWER, is_urgent=True, can_be_off=False),
        Kind("help", "Answer to HELP", ANSWER, is_urgent=True, can_be_off=False),
        Kind("note", "Note in our own words", DELIVERY, frozenset({"text"}), _ORDER),
        Kind("offer", "Offer", MARKETING, frozenset({"text"}), _ORDER | _LINK),
    )
}

URGENT: Final = tuple(code for code, kind in KINDS.items() if kind.is_urgent)
