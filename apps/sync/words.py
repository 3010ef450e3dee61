"""What became of an event, in words that a driver understands."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

WORDS: Final[Mapping[str, str]] = {
    "ok": _("Done."),
    "applied_after_reassign": _(
        "Counted, though the stop had gone to another driver meanwhile."
    ),
    "already_delivered": _(
        "The stop was already delivered. Your report is kept beside the first one."
    ),
    "newer_event": _("A newer report counts. Yours is kept."),
    "cancelled_meanwhile": _(
        "The order was cancelled meanwhile. Your report is kept; the office decides."
    ),
    "correction": _("Your correction is kept; the office decides."),
    "road_reported": _(
        "Thank you. Other drivers are warned for an hour; the office looks at it."
    ),
    "came_late": _("Your report is kept. Its time is over: it changes nothing now."),
    "never_assigned": _("This stop was never yours. Your report is set aside."),
    "id_reused": _("This report carries another one's number. It is set aside."),
}
"""A sentence a code. A code that is not here is said in the words of its verdict."""


def told(code: str, detail: str) -> str:
    """Return the sentence for an event's code, in the language that is active."""
    words = WORDS.get(code)
    return gettext(words) if words else detail
