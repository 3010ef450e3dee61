"""What a decision page shows of a request: figures, both routes side by side, maps."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.urls import reverse

from apps.core.wording import distance, local_time, money
from apps.depots.models import Depot
from apps.drivers.models import Driver
from apps.orders.models import Order
from apps.routes.changes import Broken, Called, Impact, RouteSketch
from apps.routes.palette import colour_of
from apps.routes.pictures import MapPicture, MapRoute, MapStop, map_picture

NARROW = 560
MINUS = "\N{MINUS SIGN}"
WORTH_SAYING_S = 60
WORTH_SHOWING_S = 600
"""A stop that is served so much earlier or later is shown unasked."""
FOLDED = 4
"""So many quiet stops one after the other are folded."""
WORST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One stop of a route as it is, or as it would be."""

    number: int
    reference: str
    name: str
    at: str
    note: str = ""
    tone: str = ""
    is_quiet: bool = False
    """Nothing about it helps to decide: it is folded away beside others like it."""


@dataclass(frozen=True, slots=True)
class Run:
    """Stops one after the other; folded ones are opened by whoever wants them."""

    lines: tuple[Line, ...]
    is_folded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One driver's route as it is, and as it would be."""

    driver: str
    colour: str
    before: tuple[Line, ...]
    after: tuple[Line, ...]
    ends_before: str
    ends_after: str

    @property
    def runs_before(self) -> tuple[Run, ...]:
        """The route as it is, what does not change folded."""
        return runs(self.before)

    @property
    def runs_after(self) -> tuple[Run, ...]:
        """The route as it would be, what does not change folded."""
        return runs(self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of an impact, and whether it is a cost or a gain."""

    name: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """All that a page shows of an impact."""

    summary: str
    figures: tuple[Figure, ...]
    broken: tuple[str, ...]
    """The worst first."""
    broken_more: tuple[str, ...]
    reasons: tuple[str, ...]
    left_out: tuple[str, ...]
    pairs: tuple[Pair, ...]
    now_map: MapPicture | None
    then_map: MapPicture | None


class _Names:
    """The names behind an impact's ids, read once."""

    def __init__(self, impact: Impact, depot: Depot, *, may_see_people: bool) -> None:
        called = [one for side in (*impact.before, *impact.after) for one in side.stops]
        ids = {one.order_id for one in called} | {*impact.left_out}
        rows = Order.objects.filter(pk__in=ids).select_related("customer")
        self.orders: Mapping[str, Order] = {str(row.pk): row for row in rows}
        drivers = Driver.objects.filter(pk__in=impact.drivers)
        self.drivers = {str(row.pk): row.name for row in drivers}
        self.zone = depot.time_zone
        self.may_see_people = may_see_people

    def reference(self, order_id: str) -> str:
        row = self.orders.get(order_id)
        return row.reference if row else "–"

    def customer(self, order_id: str) -> str:
        row = self.orders.get(order_id)
        known = self.may_see_people and row is not None and row.customer is not None
        return row.customer.name if known and row and row.customer else ""

    def clock(self, at: datetime) -> str:
        return local_time(at, self.zone, "%H:%M")


def shown(impact: Impact, depot: Depot, *, may_see_people: bool) -> Shown:
    """Return an impact as a page shows it; customers by name for who may see them."""
    names = _Names(impact, depot, may_see_people=may_see_people)
    before = {side.shift_id: side for side in impact.before}
    after = {side.shift_id: side for side in impact.after}
    shifts = list(dict.fromkeys([*before, *after]))
    broken = {one.order_id: one for one in impact.broken if one.order_id}
    pairs = tuple(
        _pair(before.get(one), after.get(one), colour_of(number), names, broken)
        for number, one in enumerate(shifts)
    )
    told = [_told(one, names) for one in sorted(impact.broken, key=_worst_first)]
    return Shown(
        summary=impact.summary,
        figures=figures(impact),
        broken=tuple(told[:WORST]),
        broken_more=tuple(told[WORST:]),
        reasons=impact.reasons,
        left_out=tuple(_who(order_id, names) for order_id in impact.left_out),
        pairs=pairs,
        now_map=_map(depot, impact.before, shifts, names),
        then_map=_map(depot, impact.after, shifts, names),
    )


def figures(impact: Impact) -> tuple[Figure, ...]:
    """Return what an impact adds up to."""
    km = f"{_signed(impact.distance_m / 1000, '.1f')} km"
    cost = money(abs(impact.cost_minor), impact.currency)
    broken = impact.windows_broken + impact.promises_broken
    return (
        Figure(
            name="Time on the road",
            text=f"{_signed(impact.minutes, 'd')} min",
            tone=_tone(impact.minutes),
        ),
        Figure(name="Distance", text=km, tone=_tone(round(impact.distance_m, -2))),
        Figure(
            name="Cost",
            text=f"{MINUS if impact.cost_minor < 0 else '+'}{cost}",
            tone=_tone(impact.cost_minor),
        ),
        Figure(
            name="Windows and promises broken",
            text=str(broken),
            tone="bad" if broken else "",
        ),
        Figure(
            name="Other drivers touched", text=str(len(impact.other_drivers)), tone=""
        ),
        Figure(
            name="Left without a driver",
            text=str(len(impact.left_out)),
            tone="warn" if impact.left_out else "",
        ),
    )


def summed(impacts: Sequence[Impact]) -> tuple[Figure, ...]:
    """Return what several changes add up to; money only where it is of one currency."""
    minutes = sum(one.minutes for one in impacts)
    metres = sum(one.distance_m for one in impacts)
    broken = len({b.order_id for one in impacts for b in one.broken if b.order_id})
    drivers = len({d for one in impacts for d in one.drivers})
    found = [
        Figure(
            name="Time on the road",
            text=f"{_signed(minutes, 'd')} min",
            tone=_tone(minutes),
        ),
        Figure(
            name="Distance",
            text=f"{MINUS if metres < 0 else '+'}{distance(abs(metres))}",
            tone=_tone(metres),
        ),
        Figure(
            name="Windows and promises broken",
            text=str(broken),
            tone="bad" if broken else "",
        ),
        Figure(name="Drivers touched", text=str(drivers), tone=""),
    ]
    for currency in sorted({one.currency for one in impacts}):
        minor = sum(one.cost_minor for one in impacts if one.currency == currency)
        text = f"{MINUS if minor < 0 else '+'}{money(abs(minor), currency)}"
        found.insert(2, Figure(name="Cost", text=text, tone=_tone(minor)))
    return tuple(found)


def _signed(value: float, form: str) -> str:
    text = f"{value:+{form}}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("+-")


def _tone(value: int) -> str:
    if value == 0:
        return ""
    return "warn" if value > 0 else "good"


def _who(order_id: str, names: _Names) -> str:
    parts = (names.reference(order_id), names.customer(order_id))
    return " · ".join(part for part in parts if part)


def _told(one: Broken, names: _Names) -> str:
    name = names.customer(one.order_id) if one.order_id else ""
    return f"{one.text} ({name})" if name else one.text


def _worst_first(one: Broken) -> tuple[bool, int]:
    return one.is_promise, -one.minutes_late


def runs(lines: Sequence[Line]) -> tuple[Run, ...]:
    """Part a route into what helps to decide and what does not."""
    parted = groupby(lines, key=lambda line: line.is_quiet)
    found = [(is_quiet, tuple(part)) for is_quiet, part in parted]
    return tuple(
        Run(part, is_folded=is_quiet and len(part) >= FOLDED)
        for is_quiet, part in found
    )


def _pair(
    before: RouteSketch | None,
    after: RouteSketch | None,
    colour: str,
    names: _Names,
    broken: Mapping[str, Broken],
) -> Pair:
    side = before or after
    driver = names.drivers.get(side.driver_id, "A driver") if side else ""
    old = {one.order_id: one for one in before.stops} if before else {}
    new = {one.order_id for one in after.stops} if after else set()
    place = {one: number for number, one in enumerate(o for o in old if o in new)}
    kept = [one.order_id for one in after.stops if one.order_id in old] if after else []
    moved = {one for number, one in enumerate(kept) if place[one] != number}
    then = {
        one.order_id: _after_line(one, old.get(one.order_id), moved, names, broken)
        for one in (after.stops if after else ())
    }
    quiet = {order_id for order_id, line in then.items() if line.is_quiet}
    now = tuple(
        _line(
            one,
            names,
            "" if one.order_id in new else "leaves",
            is_quiet=one.order_id in quiet,
        )
        for one in (before.stops if before else ())
    )
    return Pair(
        driver=driver,
        colour=colour,
        before=now,
        after=tuple(then.values()),
        ends_before=names.clock(before.ends_at) if before else "–",
        ends_after=names.clock(after.ends_at) if after else "–",
    )


def _after_line(
    one: Called,
    old: Called | None,
    moved: set[str],
    names: _Names,
    broken: Mapping[str, Broken],
) -> Line:
    fault = broken.get(one.order_id)
    if fault is not None and fault.minutes_late > 0:
        return _line(one, names, f"{fault.minutes_late} min late", "bad")
    if old is None:
        return _line(one, names, "new here", "new")
    later_s = (one.eta_at - old.eta_at).total_seconds()
    note = ""
    if abs(later_s) >= WORTH_SAYING_S:
        note = f"{_signed(round(later_s / 60), 'd')} min"
    if one.order_id in moved:
        return _line(one, names, f"moved {note}".strip(), "new")
    return _line(one, names, note, is_quiet=abs(later_s) < WORTH_SHOWING_S)


def _line(
    one: Called,
    names: _Names,
    note: str = "",
    tone: str = "",
    *,
    is_quiet: bool = False,
) -> Line:
    return Line(
        number=one.number,
        reference=names.reference(one.order_id),
        name=names.customer(one.order_id),
        at=names.clock(one.eta_at),
        note=note,
        tone=tone or ("gone" if note == "leaves" else ""),
        is_quiet=is_quiet,
    )


def _map(
    depot: Depot,
    sides: Iterable[RouteSketch],
    shifts: Sequence[str],
    names: _Names,
) -> MapPicture | None:
    routes = [
        MapRoute(
            name=names.drivers.get(side.driver_id, ""),
            colour=colour_of(shifts.index(side.shift_id)),
            dash="",
            url=_route_url(side.route_id),
            stops=tuple(
                MapStop(
                    point=names.orders[one.order_id].point,
                    title=f"{one.number} · {_who(one.order_id, names)} · {names.clock(one.eta_at)}",
                    number=one.number,
                )
                for one in side.stops
                if one.order_id in names.orders
            ),
        )
        for side in sides
    ]
    if not any(route.stops for route in routes):
        return None
    text = "From where each driver is to the stops ahead, drawn straight."
    return map_picture(depot.point, routes, width=NARROW, lines_text=text)


def _route_url(route_id: str) -> str:
    if not route_id:
        return ""
    return reverse("admin:routes_route_change", args=[uuid.UUID(route_id)])
