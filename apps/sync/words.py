"""What became of an event, in words that a driver understands.

The words are those of `rules`, in the language that is active.
"""

from dataclasses import dataclass

from django.utils.translation import gettext

from apps.core.verdicts import Verdict
from apps.sync.rules import BY_ID, DISMISSED, OTHER_WORDS, VALUES


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
    words = rule.says if rule else OTHER_WORDS.get(verdict.code, "")
    words = words or verdict.detail
    if verdict.rule == DISMISSED:
        return gettext(words).format(reason=verdict.detail)
    return gettext(words) if words else ""


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
    words = BY_ID["file_of_rejected_report"].says if is_rejected else detail
    return gettext(words) if words else ""


def _value(value: str) -> str:
    return gettext(VALUES[value]) if value in VALUES else value
