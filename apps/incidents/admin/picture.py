"""The picture of reschedules: a bar a day, a part for each of who changed something."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from apps.incidents.reschedules import WHO

HEIGHT, GAP, WIDE = 160, 4, 640


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a day's bar, in the picture's own units."""

    who: str
    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars, days below them, and the highest day's count."""

    bars: tuple[Bar, ...]
    labels: tuple[tuple[float, str], ...]
    most: int
    width: int = WIDE
    height: int = HEIGHT


def picture_of(
    by_day: Mapping[date, Mapping[str, int]], first: date, last: date
) -> Picture:
    """Draw the days from the first to the last, empty ones too."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    most = max((sum(by_day.get(day, {}).values()) for day in days), default=0)
    step = WIDE / len(days)
    bars = [
        bar
        for place, day in enumerate(days)
        for bar in _stack(by_day.get(day, {}), day, place * step, step, most)
    ]
    every = max(1, len(days) // 7)
    labels = [
        (round(place * step + step / 2, 1), f"{day:%d %b}")
        for place, day in enumerate(days)
        if place % every == 0
    ]
    return Picture(tuple(bars), tuple(labels), most)


def _stack(
    counts: Mapping[str, int], day: date, x: float, step: float, most: int
) -> list[Bar]:
    bars, top = [], float(HEIGHT)
    for who, name in WHO.items():
        count = counts.get(who, 0)
        if not count:
            continue
        height = HEIGHT * count / most
        top -= height
        bars.append(
            Bar(
                who=who,
                x=round(x + GAP / 2, 1),
                y=round(top, 1),
                width=round(max(2.0, step - GAP), 1),
                height=round(height, 1),
                text=f"{day:%d %b}: {name} {count}",
            )
        )
    return bars
