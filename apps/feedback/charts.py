"""Plots of answers, as plain figures for an inline SVG. Pure: no library, no script."""

from dataclasses import dataclass

from apps.feedback.questions import in_language
from apps.feedback.scores import Tally


@dataclass(frozen=True, slots=True)
class Bar:
    """One answer: its words, how often, and how wide its bar is in per cent."""

    label: str
    count: int
    share: float
    width: float


def bars_of(tally: Tally) -> list[Bar]:
    """Return the bars of a question's answers; the most frequent fills the width."""
    words = {
        option.value: in_language(option.text, "en")
        for option in tally.question.options
    }
    most = max((count for _, count in tally.by_value), default=0) or 1
    return [
        Bar(
            words.get(value, value),
            count,
            round(100 * count / tally.count, 1) if tally.count else 0.0,
            round(100 * count / most, 1),
        )
        for value, count in tally.by_value
    ]
