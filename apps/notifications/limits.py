"""Whom the house writes to, and how often: what keeps SMS pumping out. Pure.

A pumper has texts sent to long rows of numbers that it earns from: numbers that differ
in the last digits, often of a far country. So countries are named, and rates hold for a
person, for a block of a thousand numbers, and for the depot.
"""

from collections import Counter
from dataclasses import dataclass, field

import phonenumbers

BLOCK_DIGITS = 3
"""Digits at the end by which the numbers of a block differ."""


@dataclass(frozen=True, slots=True)
class Most:
    """How many messages by phone may go: to one in a day, the others in an hour."""

    a_person: int
    a_prefix: int
    a_depot: int


@dataclass(slots=True)
class Sent:
    """How many went already; grows with each that is let through."""

    to_person: Counter[str] = field(default_factory=Counter)
    to_prefix: Counter[str] = field(default_factory=Counter)
    of_depot: int = 0

    def note(self, phone: str) -> None:
        """Count one more."""
        self.to_person[phone] += 1
        self.note_of_depot(phone)

    def note_of_depot(self, phone: str) -> None:
        """Count one more for the depot and the block, its person aside."""
        self.to_prefix[prefix_of(phone)] += 1
        self.of_depot += 1


def prefix_of(phone: str) -> str:
    """Return the block that a number (E.164) belongs to."""
    return phone[:-BLOCK_DIGITS]


def country_of(phone: str) -> str:
    """Return the ISO code of a number's country, or nothing where it is no number.

    Several countries share +1 and others; there the number itself decides.
    """
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.region_code_for_number(number) or (
        phonenumbers.region_code_for_country_code(number.country_code or 0)
    )


def over_limit(phone: str, sent: Sent, most: Most) -> str:
    """Return the code of the rate that one more would break, or nothing."""
    if sent.to_person[phone] >= most.a_person:
        return "rate_person"
    if sent.to_prefix[prefix_of(phone)] >= most.a_prefix:
        return "rate_prefix"
    if sent.of_depot >= most.a_depot:
        return "rate_depot"
    return ""
