"""Plots of answers, as plain figures for an inline SVG. Pure: no library, no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from apps.feedback.questions import in_language
from apps.feedback.scores import Tally
from apps.feedback.selectors import PulsePoint

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 220, 36, 12, 40
COLOURS = ("#0f7a67", "#1d4ed8", "#b45309", "#a21caf")


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


@dataclass(frozen=True, slots=True)
class Line:
    """One role's line: its dots as (x, y, words), its path, and its colour."""

    role: str
    colour: str
    path: str
    dots: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """Lines by week, with the marks of both axes as (position, words)."""

    lines: tuple[Line, ...]
    weeks: tuple[tuple[float, str], ...]
    levels: tuple[tuple[float, int], ...]
    width: int = WIDTH
    height: int = HEIGHT


def trend_of(points: Sequence[PulsePoint], *, low: int, high: int) -> Trend | None:
    """Return the lines of the pulse; None while no point may be shown."""
    shown = [point for point in points if point.mean is not None]
    if not shown:
        return None
    weeks = sorted({point.week for point in points})
    place = {week: _x(at, len(weeks)) for at, week in enumerate(weeks)}

    def y(mean: float) -> float:
        share = (mean - low) / (high - low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    lines = []
    for number, role in enumerate(sorted({point.role for point in shown})):
        dots = tuple(
            (place[each.week], y(each.mean), f"{each.mean} ({each.count})")
            for each in shown
            if each.role == role and each.mean is not None
        )
        path = "M" + " L".join(f"{x} {at}" for x, at, _ in dots)
        lines.append(Line(role, COLOURS[number % len(COLOURS)], path, dots))
    return Trend(
        tuple(lines),
        tuple((place[week], _label(week)) for week in weeks),
        tuple((y(level), level) for level in range(low, high + 1)),
    )


def _x(at: int, count: int) -> float:
    step = (WIDTH - LEFT - 24) / max(1, count - 1)
    return round(LEFT + 12 + at * step, 1)


def _label(week: date) -> str:
    return f"{week:%d %b}"
