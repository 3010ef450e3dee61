"""Plots of the model monitor, as plain figures for an inline SVG. Pure: no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Final

from apps.metrics.monitored import as_text
from apps.metrics.monitoring import Cell, Course

WIDTH: Final = 320
HEIGHT: Final = 120
PAD: Final = 8

WANTED: Final = 0.9
LEEWAY: Final = 0.02


@dataclass(frozen=True, slots=True)
class Dot:
    """One day in a plot."""

    x: float
    y: float
    text: str
    is_drift: bool


@dataclass(frozen=True, slots=True)
class Small:
    """One small multiple: the course, its band of control limits, its drift marks."""

    line: str
    band: str
    centre: str
    dots: tuple[Dot, ...]
    first: str
    last: str
    top: str
    bottom: str
    width: int = WIDTH
    height: int = HEIGHT


def small_of(course: Course, first: date, last: date) -> Small:
    """Return the plot of one figure's course from the first to the last day."""
    values = [row.value for row in course.rows]
    limits = [
        end for row in course.rows for end in (row.low, row.high) if end is not None
    ]
    low, high = min(values + limits), max(values + limits)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room
    days = max(1, (last - first).days)

    def x(day: date) -> float:
        return round(PAD + (WIDTH - 2 * PAD) * (day - first).days / days, 1)

    def y(value: float) -> float:
        return round(PAD + (HEIGHT - 2 * PAD) * (high - value) / (high - low), 1)

    known = [row for row in course.rows if row.low is not None]
    upper = [f"{x(row.day)},{y(row.high or 0)}" for row in known]
    lower = [f"{x(row.day)},{y(row.low or 0)}" for row in reversed(known)]
    return Small(
        line=" ".join(f"{x(row.day)},{y(row.value)}" for row in course.rows),
        band=" ".join([*upper, *lower]) if len(known) > 1 else "",
        centre=" ".join(f"{x(row.day)},{y(row.centre or 0)}" for row in known),
        dots=tuple(
            Dot(
                x(row.day),
                y(row.value),
                f"{row.day:%d %b}: {as_text(row.name, row.value)} of {row.n}",
                row.is_drift,
            )
            for row in course.rows
        ),
        first=f"{first:%d %b}",
        last=f"{last:%d %b}",
        top=as_text(course.name, high - room),
        bottom=as_text(course.name, low + room),
    )


@dataclass(frozen=True, slots=True)
class Square:
    """One zone at one hour: its words, and how it stands to what is wanted."""

    text: str
    count: int
    standing: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """One zone over the hours; None where nobody came."""

    zone: str
    squares: tuple[Square | None, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Coverage by zone and hour."""

    hours: tuple[int, ...]
    lines: tuple[Line, ...]


def calibration_plot(cells: Sequence[Cell]) -> Calibration | None:
    """Return coverage as a table of squares; None where nothing was measured."""
    if not cells:
        return None
    known = {(cell.zone, cell.hour): cell for cell in cells}
    hours = tuple(range(min(c.hour for c in cells), max(c.hour for c in cells) + 1))
    lines = [
        Line(zone, tuple(_square(known.get((zone, hour))) for hour in hours))
        for zone in sorted({cell.zone for cell in cells})
    ]
    return Calibration(hours, tuple(lines))


def _square(cell: Cell | None) -> Square | None:
    if cell is None:
        return None
    zone = cell.zone or "No zone"
    return Square(
        text=f"{100 * cell.share:.0f}",
        count=cell.n,
        standing=standing_of(cell.share, cell.n),
        title=f"{zone}, {cell.hour}:00: {100 * cell.share:.1f} % of {cell.n}",
    )


def standing_of(share: float, count: int) -> str:
    """Say whether a coverage is as wanted, given how few arrivals tell it.

    It is off where it misses the wanted share by more than the leeway and two standard
    errors of as many arrivals.
    """
    room = LEEWAY + 2 * sqrt(WANTED * (1 - WANTED) / max(1, count))
    if share < WANTED - room:
        return "low"
    return "high" if share > WANTED + room else "as-wanted"
