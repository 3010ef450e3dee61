"""The words of answers beside those of the rules: codes, values, and steps. Pure.

They are marked for translation here, and translated where they are shown.
"""

from collections.abc import Iterator
from typing import Final

from apps.drivers.states import SHIFT_STEPS, ShiftState
from apps.routes import progress
from apps.sync.rules import BY_ID
from apps.sync.troubles import CHOOSE_STOP, TROUBLE_WORDS


def _(words: str) -> str:
    """Mark words for translation."""
    return words


OTHER_WORDS: Final = {
    "ok": _("Done."),
    "road_reported": _(
        "Thank you. Other drivers are warned for an hour; the office looks at it."
    ),
    **TROUBLE_WORDS,
    "kept": _("Thank you. Your words are kept; the office reads them."),
    "asked": _(
        "Your request is here. What it costs is worked out, and you hear at once who decides."
    ),
}
"""What is said where nothing is in conflict, by the verdict's code."""

VALUES: Final = {
    "pending": _("open"),
    "enroute": _("on the way"),
    "arrived": _("arrived"),
    "succeeded": _("delivered"),
    "failed": _("not delivered"),
    "partial": _("delivered in part"),
    "reopened": _("opened again"),
    "note": _("a note"),
    "cancelled": _("cancelled"),
    "given_away": _("with another driver"),
    "planned": _("planned"),
    "started": _("started"),
    "paused": _("paused"),
    "ended": _("ended"),
}
"""The values that met, in words; any other is shown as it is."""

FIXED: Final = (
    CHOOSE_STOP,
    _("Say where: switch the position on, or choose a stop."),
    _("You have no such shift."),
    _("There is no such change of your plan to confirm."),
    _("Something went wrong here."),
    _("The file came damaged: it is sent again."),
    _("It is no JPEG, PNG or WebP picture."),
    _("It has too many pixels."),
    _("The picture is damaged."),
    _("This is not on your route: ask the office."),
    _("Rate it, give a reason, or write."),
    _("This survey was answered already; each counts once."),
    _("Nothing is answered."),
)
"""Sentences of verdicts, of files and of other rooms that drivers read as they are."""

CANNOT_FOLLOW: Final = _("“{step}” cannot follow “{state}”. Possible now: {steps}.")
NOTHING_FOLLOWS: Final = _(
    "“{step}” cannot follow “{state}”. Nothing more can be reported here."
)
NOT_IN_ORDER: Final = _(
    "Something is missing in this report, or wrong. It is set aside."
)
"""What is told of a report whose fault is the app's: the office reads which."""

OF_SHIFTS: Final = frozenset(
    {ShiftState.PLANNED, ShiftState.STARTED, ShiftState.PAUSED, ShiftState.ENDED}
)


def value_of(kind: str) -> str:
    """Return the value that a report of a kind stands for."""
    step = kind.partition(".")[2]
    return step if step in VALUES else ""


def steps_after(state: str) -> list[str]:
    """Return the values that a driver may report where a stop or shift stands so."""
    if state in OF_SHIFTS:
        allowed = SHIFT_STEPS.allowed(state)
        return [step for step in allowed if step != ShiftState.CANCELLED]
    return [step.removeprefix("stop.") for step in progress.legal_steps(state)]


def sentences() -> Iterator[str]:
    """Give all words that are to be translated, each once, in the table's order."""
    told = dict.fromkeys(
        words for rule in BY_ID.values() for words in (rule.says, rule.do)
    )
    more = (CANNOT_FOLLOW, NOTHING_FOLLOWS, NOT_IN_ORDER)
    told |= dict.fromkeys((*OTHER_WORDS.values(), *VALUES.values(), *FIXED, *more))
    return (words for words in told if words)
