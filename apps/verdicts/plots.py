"""Both ways of a verdict as bars of time, ready to be drawn. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

WIDTH: Final = 1000.0
LABEL: Final = 110.0
MOST_TICKS: Final = 10
STEP_MINUTES: Final = (5, 10, 15, 30, 60, 120)


@dataclass(frozen=True, slots=True)
class Piece:
    """One drive, wait, rest or service of a bar."""

    x: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class TimeBar:
    """One way of one shift; `low` to `high` is where its end lies 19 times in 20."""

    name: str
    y: float
    pieces: tuple[Piece, ...]
    low: float
    end: float
    high: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A full hour, or part of it, below the bars."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """The bars of one shift on one scale."""

    bars: tuple[TimeBar, ...]
    marks: tuple[Mark, ...]
    height: float
    width: float = WIDTH


def plot_of(
    arithmetic: Mapping[str, Any], shift_id: str, names: Mapping[str, str]
) -> Plot | None:
    """Return a shift's two bars; None where nothing of it was ahead.

    `names` says what a place is called.
    """
    ways = {
        way: [s for s in arithmetic[way]["steps"] if s["shift_id"] == shift_id]
        for way in ("recommended", "chosen")
    }
    steps = [step for way in ways.values() for step in way]
    if not steps:
        return None
    begins = min(step["arrives_s"] - step["leg_s"] for step in steps)
    z = float(arithmetic["z"])
    ends = max(step["leaves_s"] + z * step["leaves_sd_s"] for step in steps)
    scale: float = (WIDTH - LABEL - 10) / max(60.0, ends - begins)

    def x(at: float) -> float:
        return round(LABEL + (at - float(begins)) * scale, 1)

    bars = []
    for number, (way, mine) in enumerate(ways.items()):
        last = mine[-1] if mine else None
        end, sd = (last["leaves_s"], z * last["leaves_sd_s"]) if last else (begins, 0)
        bars.append(
            TimeBar(
                name=way,
                y=number * 46.0 + 8,
                pieces=tuple(_bar(mine, begins, x, names)),
                low=x(end - sd),
                end=x(end),
                high=x(end + sd),
            )
        )
    return Plot(bars=tuple(bars), marks=_marks(begins, ends, x), height=122.0)


def _bar(
    steps: Sequence[Mapping[str, Any]],
    begins: float,
    x: Callable[[float], float],
    names: Mapping[str, str],
) -> Iterator[Piece]:
    """Yield the pieces of one way, as they follow each other."""
    at = begins
    for step in steps:
        for first, last, kind, title in _pieces(step, at, names):
            if last - first >= 1:
                width = round(max(0.8, x(last) - x(first)), 1)
                yield Piece(x(first), width, kind, title)
        at = step["leaves_s"]


def _pieces(
    step: Mapping[str, Any], left: float, names: Mapping[str, str]
) -> list[tuple[float, float, str, str]]:
    """Return a rest before a leg, the leg, and what followed at its end."""
    there = names.get(step["there"], "a stop")
    arrives = step["arrives_s"]
    sets_out = arrives - step["leg_s"]
    kind = "drive" if step["is_observed"] else "guess"
    told = "as driven" if step["is_observed"] else f"estimated ± {step['leg_sd_s']} s"
    served = "service" if step["is_service_observed"] else "service-guess"
    begins = step["leaves_s"] - step["service_s"]
    return [
        (left, sets_out, "wait", "Rests"),
        (sets_out, arrives, kind, f"To {there}: {step['leg_s']} s, {told}"),
        (arrives, begins, "wait", f"Waits or rests at {there}"),
        (begins, step["leaves_s"], served, f"Serves {there}: {step['service_s']} s"),
    ]


def _marks(begins: float, ends: float, x: Callable[[float], float]) -> tuple[Mark, ...]:
    span = (ends - begins) / 60
    step = next((m for m in STEP_MINUTES if span / m <= MOST_TICKS), STEP_MINUTES[-1])
    return tuple(
        Mark(x(begins + number * step * 60), f"{number * step} min")
        for number in range(math.floor(span / step) + 1)
    )
