"""Trouble that a driver reports beside the road's own: what it needs, and is told. Pure.

Closures, roadworks, traffic and weather become conditions of the road; these become
incidents of the office, each in the shape that `kinds` gives it.
"""

from typing import Final

from apps.core.verdicts import APPLIED, REJECTED, SUPERSEDED, Verdict


def _(words: str) -> str:
    """Mark words for translation."""
    return words


AT_A_STOP: Final = frozenset({"no_access", "no_parking", "wrong_address"})
"""Trouble that is about one stop."""

CHOOSE_STOP: Final = _("Choose the stop that it is about.")

TROUBLE_WORDS: Final = {
    "vehicle_reported": _(
        "The office knows and calls you. Stop where it is safe, and secure the place."
    ),
    "hours_reported": _(
        "The office knows that your time runs out, and tells you what to leave."
    ),
    "unsafe_reported": _(
        "Your safety comes first: leave the place. The office calls you at once."
    ),
    "no_access_reported": _(
        "The office asks how to get in. Go on with the next stop if it takes long."
    ),
    "no_parking_reported": _(
        "Noted. Stop where it is allowed, even if it is further to walk."
    ),
    "wrong_address_reported": _(
        "Thank you. The office looks for the right address: do not drive around for it."
    ),
}
"""What the driver is told, by the verdict's code."""


def judge(
    reason: str, *, names_stop: bool, was_theirs: bool, stop_state: str, is_known: bool
) -> Verdict:
    """Judge a report of trouble.

    `stop_state` is that of a stop that is done, or empty; `is_known` says that the same
    was reported a short while ago.
    """
    if names_stop and not was_theirs:
        return Verdict(REJECTED, "never_assigned", "This stop was never yours.")
    if reason in AT_A_STOP and not names_stop:
        return Verdict(REJECTED, "invalid", CHOOSE_STOP)
    if reason in AT_A_STOP and stop_state:
        return Verdict(SUPERSEDED, "stop_over", ours=stop_state)
    if is_known:
        return Verdict(APPLIED, "known_already")
    return Verdict(APPLIED, f"{reason}_reported")
