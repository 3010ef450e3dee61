"""What became of an event, in words that a driver understands.

The words are those of `rules`, in the language that is active.
"""

from dataclasses import dataclass

from django.utils.translation import gettext

from apps.core.verdicts import Verdict
from apps.sync.rules import BY_ID, DISMISSED, NOT_POSSIBLE
from apps.sync.vocabulary import (
    CANNOT_FOLLOW,
    FIXED,
    NOT_IN_ORDER,
    NOTHING_FOLLOWS,
    OTHER_WORDS,
    VALUES,
    steps_after,
)


@dataclass(frozen=True, slots=True)
class Explained:
    """A conflict as the device shows it; all empty where there was none."""

    rule: str = ""
    yours: str = ""
    ours: str = ""
    winner: str = ""
    advice: str = ""


def told(verdict: Verdict) -> str:
    """Return the sentence for a verdict: its rule's, its code's, or its own."""
    rule = BY_ID.get(verdict.rule)
    if verdict.rule == NOT_POSSIBLE:
        return _why_not(verdict)
    words = rule.says if rule else OTHER_WORDS.get(verdict.code, "")
    words = words or verdict.detail
    if verdict.rule == DISMISSED:
        return gettext(words).format(reason=verdict.detail)
    return gettext(words) if words else ""


def _why_not(verdict: Verdict) -> str:
    """Return why a report was not possible, in a driver's words.

    What a payload lacks is the app's fault, and for the office to read.
    """
    if verdict.detail in FIXED:
        return gettext(verdict.detail)
    if verdict.ours not in VALUES or verdict.yours not in VALUES:
        return gettext(NOT_IN_ORDER)
    steps = [_value(step) for step in steps_after(verdict.ours)]
    return gettext(CANNOT_FOLLOW if steps else NOTHING_FOLLOWS).format(
        step=_value(verdict.yours),
        state=_value(verdict.ours),
        steps=", ".join(steps),
    )


def explained(verdict: Verdict) -> Explained:
    """Return the rule by which a verdict came about, both values, and what to do."""
    rule = BY_ID.get(verdict.rule)
    if rule is None:
        return Explained()
    return Explained(
        rule=rule.id,
        yours=_value(verdict.yours),
        ours=_value(verdict.ours),
        winner=rule.winner,
        advice=gettext(rule.do),
    )


def told_of_file(detail: str, *, is_rejected: bool) -> str:
    """Return what is to be said of a file; its report may have been rejected."""
    if is_rejected:
        rule = BY_ID["file_of_rejected_report"]
        return f"{gettext(rule.says)} {gettext(rule.do)}"
    return gettext(detail) if detail else ""


def _value(value: str) -> str:
    return gettext(VALUES[value]) if value in VALUES else value
