"""Plots of weeks, one below the other by the same weeks, for an inline SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apps.metrics.confidence import Confidence, Share, Week

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 720, 44, 14, 10, 24
TALL, LOW = 210, 120
MOST_LABELS: Final = 8
COLOURS: Final = ("#0f7a67", "#1d4ed8", "#b45309", "#a21caf", "#475569", "#be123c")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its dots as (x, y, words), and its path; it breaks where nothing is told."""

    name: str
    colour: str
    path: str
    dots: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot of the weeks, with the marks of both axes as (position, words)."""

    title: str
    lines: tuple[Line, ...]
    weeks: tuple[tuple[float, str], ...]
    levels: tuple[tuple[float, str], ...]
    height: int
    width: int = WIDTH
    left: int = LEFT

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing of it may be told."""
        return not self.lines


def panels_of(found: Confidence) -> tuple[Panel, ...]:
    """Return confidence by role, the override rate and the on-time rate."""
    roles = [
        (
            role,
            [
                (voice.mean, f"{voice.mean} of {voice.count} people")
                for voice in (week.voice(role) for week in found.weeks)
            ],
        )
        for role in found.roles
    ]
    levels = range(found.low, found.high + 1)
    step = max(1, len(levels) // 7)
    return (
        _panel(
            found.text,
            roles,
            found.weeks,
            [(float(n), str(n)) for n in levels[::step]],
            TALL,
        ),
        _rates(
            "Overrides by visited stops, %",
            found.weeks,
            [week.overridden for week in found.weeks],
        ),
        _rates(
            "Visits begun in their time window, %",
            found.weeks,
            [week.on_time for week in found.weeks],
        ),
    )


def _rates(title: str, weeks: Sequence[Week], shares: Sequence[Share | None]) -> Panel:
    known = [share.percent for share in shares if share is not None]
    low = min(10 * int(min(known, default=0.0) // 10), 90)
    high = max(low + 10, -10 * int(-max(known, default=0.0) // 10))
    step = max(10, 10 * ((high - low) // 40))
    marks = [(float(n), str(n)) for n in range(low, high + 1, step)]
    points = [
        (share.percent, f"{share.percent} % of {share.n}") if share else (None, "")
        for share in shares
    ]
    return _panel(title, [(title, points)], weeks, marks, LOW)


def _panel(
    title: str,
    series: Sequence[tuple[str, Sequence[tuple[float | None, str]]]],
    weeks: Sequence[Week],
    levels: Sequence[tuple[float, str]],
    height: int,
) -> Panel:
    low, high = levels[0][0], levels[-1][0]
    step = (WIDTH - LEFT - RIGHT - 20) / max(1, len(weeks) - 1)

    def x(at: int) -> float:
        return round(LEFT + 10 + at * step, 1)

    def y(value: float) -> float:
        share = (value - low) / ((high - low) or 1.0)
        return round(height - BOTTOM - share * (height - TOP - BOTTOM), 1)

    lines = []
    for number, (name, points) in enumerate(series):
        path, dots, is_drawn = "", [], False
        for at, (value, words) in enumerate(points):
            if value is None:
                is_drawn = False
                continue
            path += f"{' L' if is_drawn else ' M'}{x(at)} {y(value)}"
            is_drawn = True
            text = f"{name}, week of {weeks[at].begins:%d %b}: {words}"
            dots.append((x(at), y(value), text))
        if dots:
            colour = COLOURS[number % len(COLOURS)]
            lines.append(Line(name, colour, path.strip(), tuple(dots)))
    every = -(-len(weeks) // MOST_LABELS) or 1
    return Panel(
        title,
        tuple(lines),
        tuple(
            (x(at), f"{weeks[at].begins:%d %b}") for at in range(0, len(weeks), every)
        ),
        tuple((y(value), words) for value, words in levels),
        height,
    )
