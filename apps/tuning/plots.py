"""Plots of replays and of the watch, as plain figures for an inline SVG. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

WIDTH: Final = 640
HEIGHT: Final = 200
LEFT, RIGHT, TOP, BOTTOM = 48, 26, 12, 30


@dataclass(frozen=True, slots=True)
class Dot:
    """One mark: where it is, and what it says."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Two series of marks with the labels of both axes as (position, words)."""

    before: tuple[Dot, ...]
    after: tuple[Dot, ...]
    levels: tuple[tuple[float, str], ...]
    places: tuple[tuple[float, str], ...]
    zero: float
    band: tuple[float, float] | None = None
    """The top of the noise band and its height."""
    usual: float | None = None
    width: int = WIDTH
    height: int = HEIGHT


def day_plot(before: Mapping[str, Any], after: Mapping[str, Any]) -> Plot | None:
    """Return how far from its planned begin each service began, by the hour of the plan.

    Marks above the line came late, those below early; one series a set of values.
    """
    old, new = before.get("dots") or [], after.get("dots") or []
    if not old and not new:
        return None
    times = [at for at, _ in (*old, *new)]
    first, last = min(times), max(times)
    offs = [off / 60 for _, off in (*old, *new)]
    low, high = _nice(min(0.0, *offs), max(0.0, *offs))

    def series(dots: Sequence[Sequence[int]]) -> tuple[Dot, ...]:
        return tuple(
            Dot(
                _x(at, first, last),
                _y(off / 60, low, high),
                f"{_clock(at)}: {off / 60:+.0f} min",
            )
            for at, off in dots
        )

    hours = range(first // 3600 + 1, last // 3600 + 1)
    return Plot(
        before=series(old),
        after=series(new),
        levels=_levels(low, high),
        places=tuple((_x(h * 3600, first, last), f"+{h} h") for h in hours),
        zero=_y(0, low, high),
    )


def watch_plot(watch: Mapping[str, Any]) -> Plot | None:
    """Return the watched figure by day, before and after, with its noise band."""
    days = watch.get("days") or []
    if not days:
        return None
    figure = watch["error"]
    usual, band = float(figure["before"]), figure["band"]
    values = [float(day["error"]) for day in days]
    top = usual + band if band is not None else usual
    low, high = _nice(0.0, max([*values, top, 1.0]))
    count = len(days) - 1
    dots = [
        (
            day["phase"],
            Dot(
                _x(number, 0, max(1, count)),
                _y(float(day["error"]), low, high),
                f"{day['date']}: {day['error']:g} s, {day['services']} services",
            ),
        )
        for number, day in enumerate(days)
    ]
    above = None
    if band is not None:
        ceiling = _y(usual + band, low, high)
        floor = _y(max(0.0, usual - band), low, high)
        above = (ceiling, round(floor - ceiling, 1))
    step = max(1, len(days) // 6)
    return Plot(
        before=tuple(dot for phase, dot in dots if phase == "before"),
        after=tuple(dot for phase, dot in dots if phase == "after"),
        levels=_levels(low, high),
        places=tuple(
            (_x(number, 0, max(1, count)), str(day["date"])[5:])
            for number, day in enumerate(days)
            if number % step == 0
        ),
        zero=_y(0, low, high),
        band=above,
        usual=_y(usual, low, high),
    )


def _nice(low: float, high: float) -> tuple[float, float]:
    """Widen a range to whole steps, so that its labels are round."""
    step = _step(low, high)
    return step * (low // step), step * -(-high // step)


def _step(low: float, high: float) -> float:
    span = max(1.0, high - low)
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        if span / step <= 5:
            return float(step)
    return span / 4


def _levels(low: float, high: float) -> tuple[tuple[float, str], ...]:
    step = _step(low, high)
    count = round((high - low) / step)
    return tuple(
        (_y(low + step * n, low, high), f"{low + step * n:g}") for n in range(count + 1)
    )


def _x(at: float, first: float, last: float) -> float:
    share = (at - first) / max(1, last - first)
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, low: float, high: float) -> float:
    share = (value - low) / max(1e-9, high - low)
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _clock(at_s: int) -> str:
    return f"{at_s // 3600} h {at_s % 3600 // 60:02} after the start"
