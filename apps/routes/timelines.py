"""Lines of time: instants and what lasts, put between two ends. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apps.routes.pictures import WIDTH


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a line of time: from `x`, so wide, in per cent of the line."""

    x: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on a line of time."""

    x: float
    text: str

    @property
    def px(self) -> float:
        """Where its text stands, in the units of a picture that is `WIDTH` wide."""
        return round(self.x * WIDTH / 100, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasts, to be put on a line of time."""

    from_at: datetime
    to_at: datetime
    kind: str
    title: str


class TimeLine:
    """A line from one instant to another; places instants and spans in per cent."""

    def __init__(self, from_at: datetime, to_at: datetime, zone: str) -> None:
        """Take the ends, and the zone whose clock is written below."""
        self.from_at = from_at
        self.to_at = max(to_at, from_at + timedelta(minutes=30))
        self.zone = ZoneInfo(zone)

    def x(self, at: datetime) -> float:
        """Return where an instant is, from 0 to 100; what lies outside is at the end."""
        whole_s = (self.to_at - self.from_at).total_seconds()
        share = (at - self.from_at).total_seconds() / whole_s
        return round(min(1.0, max(0.0, share)) * 100, 2)

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant lies on the line."""
        return self.from_at <= at <= self.to_at

    def bars(self, spans: Iterable[Span], least: float = 0.3) -> tuple[Bar, ...]:
        """Return the spans as pieces that can be seen, however short they are."""
        return tuple(
            Bar(
                x=self.x(span.from_at),
                width=round(max(least, self.x(span.to_at) - self.x(span.from_at)), 2),
                kind=span.kind,
                title=span.title,
            )
            for span in spans
            if span.to_at > self.from_at and span.from_at < self.to_at
        )

    def ticks(self, most: int = 12) -> tuple[Tick, ...]:
        """Return the full hours, at most so many of them."""
        hours = (self.to_at - self.from_at).total_seconds() / 3600
        step_h = max(1, math.ceil(hours / most))
        at = self.from_at.astimezone(self.zone).replace(
            minute=0, second=0, microsecond=0
        )
        found = []
        while at <= self.to_at:
            if at >= self.from_at:
                found.append(Tick(self.x(at), f"{at:%H:%M}"))
            at += timedelta(hours=step_h)
        return tuple(found)
