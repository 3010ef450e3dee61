"""Made-up values with which a text is shown before anybody is sent it. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from apps.notifications.phrases import fill, said_day, said_window
from apps.notifications.segments import Length, length_of, outside_gsm7, plainer

LINK = "https://depot.example/t/Xh4kQz7pWm2vRt9bNc5sJd"
FROM, UNTIL = (
    datetime(2026, 3, 17, 10, tzinfo=UTC),
    datetime(2026, 3, 17, 12, tzinfo=UTC),
)


@dataclass(frozen=True, slots=True)
class Preview:
    """A text as a person would read it, and what it takes as an SMS."""

    text: str
    length: Length
    odd: str
    """The signs for which it goes as UCS-2, with 70 instead of 160 to a part."""


def preview_of(text: str, *, sender: str, language: str) -> Preview:
    """Return a text filled with a sample, in the language's own forms."""
    values = {
        "sender": sender,
        "link": LINK,
        "window": said_window(FROM, UNTIL, "UTC", language),
        "eta": "10:15-10:45",
        "name": "Anna Muster",
        "order": "R-1042",
        "day": said_day(FROM.date(), language),
        "text": "…",
    }
    said = plainer(fill(text, values))
    return Preview(said, length_of(said), outside_gsm7(said))
