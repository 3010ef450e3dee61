"""Routes as bars over time: strokes that hold many stops, marks that say what they are. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from apps.core.wording import local_time
from apps.metrics.standing import Standing, expected_s, late_by_s
from apps.routes.states import DONE, StopState
from apps.routes.stopfacts import StopFact, instant
from apps.routes.timelines import Tick, TimeLine

UNITS = 1000
"""How wide a bar is in its own units; a page stretches it."""
LEAST = 3
"""Units that a visit is wide at the least, so that it is seen."""
EITHER_SIDE = timedelta(minutes=15)
MOST_TICKS = 8
TOLD = frozenset({"late", str(StopState.FAILED)})
"""What is told stop by stop even where there are very many."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """Pieces of a bar in one colour, as SVG's path takes them."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One visit of a bar with its words; `promised_x` where its promise ended before it."""

    x: int
    width: int
    kind: str
    title: str
    promised_x: int | None = None


@dataclass(frozen=True, slots=True)
class RouteBar:
    """A route's day as a bar."""

    from_x: int
    to_x: int
    breaks: tuple[Mark, ...]
    strokes: tuple[Stroke, ...]
    marks: tuple[Mark, ...]

    @property
    def long(self) -> int:
        """How much of the line the route's hours take."""
        return self.to_x - self.from_x


@dataclass(frozen=True, slots=True)
class Bars:
    """All routes of a day over one line of time; `now_x` where the day stands."""

    routes: tuple[RouteBar, ...]
    ticks: tuple[Tick, ...]
    now_x: int | None


def bars_of(
    standings: Sequence[Standing], now: datetime, zone: str, *, is_dense: bool
) -> Bars:
    """Draw routes over one line of time.

    Each stop is a mark with words; where there are very many (`is_dense`), only those
    that failed or are late.
    """
    line = _line(standings, zone)
    axis, now_s = _Axis(line), int(now.timestamp())
    return Bars(
        routes=tuple(_bar(one, axis, now_s, zone, is_dense) for one in standings),
        ticks=line.ticks(MOST_TICKS),
        now_x=axis.x(now_s) if line.holds(now) else None,
    )


def drawn(bar: RouteBar, now_x: int | None) -> SafeString:
    """Return what stands in a bar's SVG; by hand, since a day has thousands of marks."""
    parts = [
        f'<rect class="rm-bar-span" x="{bar.from_x}" y="10" width="{bar.long}" height="4"/>'
    ]
    parts += [
        f'<rect class="rm-bar-break" x="{rest.x}" y="3" width="{rest.width}" height="18">'
        f"<title>{escape(rest.title)}</title></rect>"
        for rest in bar.breaks
    ]
    parts += [
        f'<path class="rm-stroke rm-stroke-{escape(one.kind)}" d="{one.path}"/>'
        for one in bar.strokes
    ]
    for mark in bar.marks:
        if mark.promised_x is not None:
            way = f"M{mark.promised_x} 2H{mark.x}"
            parts.append(f'<path class="rm-overrun" d="{way}"/>')
        parts.append(
            f'<rect class="rm-mark rm-mark-{escape(mark.kind)}" x="{mark.x}" y="5"'
            f' width="{mark.width}" height="14">'
            f"<title>{escape(mark.title)}</title></rect>"
        )
    if now_x is not None:
        parts.append(f'<path class="rm-now" d="M{now_x} 0V24"/>')
    return mark_safe("".join(parts))  # noqa: S308  numbers, and words escaped


def _line(standings: Sequence[Standing], zone: str) -> TimeLine:
    routes = [one.row.route for one in standings]
    last_etas = [
        at
        for one in standings
        for stop in one.row.stops[-1:]
        if (at := instant(stop.completed_s or stop.eta_s))
    ]
    begins = min(route.starts_at for route in routes)
    ends = max([*(route.ends_at for route in routes), *last_etas])
    return TimeLine(begins - EITHER_SIDE, ends + EITHER_SIDE, zone)


class _Axis:
    """Seconds since 1970 to units of the bar; what lies outside is at its end."""

    def __init__(self, line: TimeLine) -> None:
        self.from_s = line.from_at.timestamp()
        self.units_a_s = UNITS / (line.to_at.timestamp() - self.from_s)

    def x(self, seconds: int) -> int:
        x = int((seconds - self.from_s) * self.units_a_s + 0.5)
        return 0 if x < 0 else min(x, UNITS)


def _bar(one: Standing, axis: _Axis, now_s: int, zone: str, is_dense: bool) -> RouteBar:
    kinds = dict.fromkeys((stop.raw_id for stop in one.tight), "tight")
    kinds |= dict.fromkeys((stop.raw_id for stop in one.late), "late")
    told: list[tuple[StopFact, str, int, int]] = []
    pieces: dict[str, list[str]] = {}
    for stop, begins_s, ends_s in _visits(one.row.stops, now_s):
        kind = kinds.get(stop.raw_id) or stop.status
        x = axis.x(begins_s)
        width = max(LEAST, axis.x(ends_s) - x)
        if is_dense and kind not in TOLD:
            pieces.setdefault(kind, []).append(f"M{x} 12h{width}")
        else:
            told.append((stop, kind, x, width))
    route = one.row.route
    return RouteBar(
        from_x=axis.x(int(route.starts_at.timestamp())),
        to_x=axis.x(int(route.ends_at.timestamp())),
        breaks=_breaks(one, axis, zone),
        strokes=tuple(Stroke(kind, "".join(parts)) for kind, parts in pieces.items()),
        marks=tuple(
            Mark(
                x=x,
                width=width,
                kind=kind,
                title=_title(stop, kind, now_s, zone),
                promised_x=axis.x(stop.closes_s)
                if kind == "late" and stop.closes_s is not None
                else None,
            )
            for stop, kind, x, width in told
        ),
    )


def _visits(
    stops: Iterable[StopFact], now_s: int
) -> Iterator[tuple[StopFact, int, int]]:
    """Yield stops with when each began and ended or will, where anybody knows."""
    for stop in stops:
        begins_s, ends_s = stop.arrived_s, None
        if stop.status in DONE:
            ends_s = stop.completed_s
            if begins_s is None:
                begins_s = stop.eta_s if ends_s is None else ends_s - stop.service_s
        elif begins_s is None:
            begins_s = expected_s(stop, now_s)
        if begins_s is not None:
            yield stop, begins_s, max(begins_s, ends_s or begins_s + stop.service_s)


def _breaks(one: Standing, axis: _Axis, zone: str) -> tuple[Mark, ...]:
    route = one.row.route
    begins, ends = route.break_starts_at, route.break_ends_at
    if begins is None or ends is None:
        return ()
    x, until_x = axis.x(int(begins.timestamp())), axis.x(int(ends.timestamp()))
    hours = f"{local_time(begins, zone, '%H:%M')}–{local_time(ends, zone, '%H:%M')}"
    return (Mark(x, max(LEAST, until_x - x), "break", f"Break {hours}"),)


def _title(stop: StopFact, kind: str, now_s: int, zone: str) -> str:
    at = local_time(instant(stop.completed_s or stop.eta_s), zone, "%H:%M")
    words = [
        f"{stop.sequence}. {stop.reference}",
        at,
        str(StopState(stop.status).label),
    ]
    if stop.closes_s is not None:
        promised = local_time(instant(stop.closes_s), zone, "%H:%M")
        words.append(f"promised until {promised}")
    if kind == "late":
        words.append(f"{round(late_by_s(stop, now_s) / 60)} min late")
    if stop.reason:
        words.append(stop.reason.replace("_", " "))
    return " · ".join(words)
