"""Answers counted: distributions, means, CSAT and NPS. Pure.

CSAT is the share of 4 and 5 among 1 to 5; NPS the share of 9 and 10 less that of 0 to 6
(Reichheld, 2003), from -100 to 100.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.feedback.questions import CHOICE, CSAT, NPS, TEXT, Question


@dataclass(frozen=True, slots=True)
class Tally:
    """One question's answers: how many, how often each, and its figure where it has one."""

    question: Question
    count: int
    by_value: tuple[tuple[str, int], ...] = ()
    mean: float | None = None
    score: float | None = None
    texts: tuple[str, ...] = ()
    is_shown: bool = True

    def hidden(self) -> "Tally":
        """Return it without what so few people said."""
        return replace(
            self, by_value=(), mean=None, score=None, texts=(), is_shown=False
        )


def tally(question: Question, values: Sequence[Any]) -> Tally:
    """Count one question's answers; None is no answer."""
    given = [value for value in values if value is not None]
    if question.kind == TEXT:
        texts = tuple(str(value) for value in given)
        return Tally(question, len(given), texts=texts)
    if question.kind == CHOICE:
        chosen: Counter[str] = Counter()
        for value in given:
            chosen.update(value if isinstance(value, list) else [value])
        counts = tuple((option, chosen[option]) for option in question.values)
        return Tally(question, len(given), counts)
    often = Counter(given)
    scale = range(question.low, question.high + 1)
    return Tally(
        question,
        len(given),
        tuple((str(value), often[value]) for value in scale),
        mean=round(sum(given) / len(given), 2) if given else None,
        score=_score(question.kind, given),
    )


def _score(kind: str, given: Sequence[int]) -> float | None:
    if not given:
        return None
    if kind == CSAT:
        return round(100 * sum(value >= 4 for value in given) / len(given), 1)
    if kind == NPS:
        good = sum(value >= 9 for value in given)
        bad = sum(value <= 6 for value in given)
        return round(100 * (good - bad) / len(given), 1)
    return None
