"""From rows to pictures: the map of routes, and a route's line of time."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from apps.core.office import row_url
from apps.core.units import Point
from apps.core.wording import local_time
from apps.depots.models import Depot, Zone
from apps.orders.models import Order
from apps.routes.board import RouteRow, WholeRoute, row_of
from apps.routes.conditionrows import Condition
from apps.routes.inforce import area_of, place_of, until_text
from apps.routes.lines import leg_key, unpacked
from apps.routes.models import RouteWay, Stop
from apps.routes.pictures import (
    MANY_STOPS,
    WIDTH,
    MapPicture,
    MapRoute,
    MapShape,
    MapStop,
    MapVehicle,
    map_picture,
)
from apps.routes.selectors import LeftOut
from apps.routes.states import DONE, ConditionState, StopState
from apps.routes.stopfacts import StopFact
from apps.routes.timelines import Bar, Span, Tick, TimeLine

GOOD = (StopState.SUCCEEDED, StopState.PARTIAL)
NARROW = 560
"""Width of the map of a single route, whose stops are numbered."""

EITHER_SIDE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class StopLine:
    """A stop with its window on a line of time: what was promised, what is expected."""

    stop: Stop
    windows: tuple[Bar, ...]
    visit: tuple[Bar, ...]
    is_late: bool


@dataclass(frozen=True, slots=True)
class RouteLine:
    """A route as a line of time."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    now_x: float | None
    stops: tuple[StopLine, ...]


def map_of(
    rows: Sequence[RouteRow],
    left_out: Sequence[LeftOut] = (),
    conditions: Iterable[Condition] = (),
) -> MapPicture | None:
    """Return the map of these routes; None where there is nothing to show."""
    if not rows:
        return None
    return map_about(rows[0].route.depot, rows, left_out, conditions)


def map_about(
    depot: Depot,
    rows: Sequence[RouteRow],
    left_out: Sequence[LeftOut] = (),
    conditions: Iterable[Condition] = (),
    *,
    holds_shapes: bool = False,
    vehicles: Sequence[MapVehicle] = (),
) -> MapPicture:
    """Return the map of these routes about their depot, with the road's conditions.

    Where there are many stops, lines are straight, and bad stops alone say what they are.
    """
    is_dense = sum(len(row.stops) for row in rows) > MANY_STOPS
    ids = [] if is_dense else [row.route.pk for row in rows]
    ways = {way.route_id: way for way in RouteWay.objects.filter(route__in=ids)}
    reasons = {item.order_id: item.detail for item in left_out[:MANY_STOPS]}
    waiting = Order.objects.filter(pk__in=list(reasons)) if reasons else ()
    return map_picture(
        depot.point,
        [
            _map_route(row, ways.get(row.route.pk), depot.time_zone, is_dense=is_dense)
            for row in rows
        ],
        [
            MapStop(
                order.point, f"{order.reference}: {reasons[order.pk]}", 0, is_bad=True
            )
            for order in waiting
        ],
        [shape for row in conditions if (shape := _shape(row)) is not None],
        width=WIDTH if len(rows) > 1 or holds_shapes else NARROW,
        holds_shapes=holds_shapes,
        lines_text=_lines_text(ways.values()),
        ground=_ground(depot),
        vehicles=vehicles,
    )


def map_of_route(
    row: WholeRoute, conditions: Iterable[Condition] = ()
) -> MapPicture | None:
    """Return the map of one route; None where it has no stop."""
    return map_of([row_of(row)], conditions=conditions) if row.stops else None


def _ground(depot: Depot) -> list[MapShape]:
    """Return the depot's zones, as what lies under the routes."""
    return [
        MapShape(area_of(zone.boundary), "zone", zone.name)
        for zone in Zone.objects.filter(depot=depot)
    ]


def _legs(row: RouteRow, way: RouteWay | None) -> tuple[tuple[Point, ...], ...]:
    """Return the route's ways along the roads, as far as they are drawn."""
    if way is None or not row.stops:
        return ()
    home = row.route.depot_id
    places = [home, *(stop.pk for stop in row.stops), home]
    return tuple(unpacked(way.lines.get(leg_key(*leg), ())) for leg in pairwise(places))


def _lines_text(ways: Collection[RouteWay]) -> str:
    """Say what the lines follow; who draws roads of OpenStreetMap names it."""
    if not ways:
        return "Lines are drawn straight, not along the streets."
    sources = ", ".join(sorted({way.source for way in ways}))
    return f"Lines follow the roads by {sources}. © OpenStreetMap contributors."


def _shape(condition: Condition) -> MapShape | None:
    place = place_of(condition)
    if place is None:
        return None
    is_sure = condition.status != ConditionState.UNCONFIRMED
    doubt = "" if is_sure else ", not yet confirmed"
    return MapShape(
        place=place,
        kind=condition.kind,
        title=f"{condition}, until {until_text(condition)}{doubt}",
        is_sure=is_sure,
        url=row_url(condition),
    )


def _map_route(
    row: RouteRow, way: RouteWay | None, zone: str, *, is_dense: bool
) -> MapRoute:
    name = row.route.driver.name
    told = [s for s in row.stops if not is_dense or s.status == StopState.FAILED]
    return MapRoute(
        name=name,
        colour=row.colour,
        dash=row.dash,
        url=row_url(row.route),
        stops=tuple(
            MapStop(
                point=stop.point,
                title=_title(stop, name, zone),
                number=stop.sequence,
                is_done=stop.status in DONE,
                is_bad=stop.status == StopState.FAILED,
            )
            for stop in told
        ),
        legs=_legs(row, way),
        dots=tuple((s.latitude, s.longitude, s.status in DONE) for s in row.stops)
        if is_dense
        else (),
    )


def _title(stop: StopFact, driver: str, zone: str) -> str:
    at = local_time(stop.eta_at, zone, "%H:%M")
    state = StopState(stop.status).label
    title = f"{driver} · stop {stop.sequence} · {stop.reference} · {at} · {state}"
    if stop.road_warning_text and stop.status not in DONE:
        title += f" · {stop.road_warning_text}"
    return title


def line_of(row: WholeRoute, now: datetime) -> RouteLine:
    """Return a route's line of time, with a line for each of its stops."""
    route, zone = row.route, row.route.depot.time_zone
    instants = [route.starts_at, route.ends_at]
    instants += [at for stop in row.stops if (at := _visit_at(stop))]
    line = TimeLine(min(instants) - EITHER_SIDE, max(instants) + EITHER_SIDE, zone)
    spans = [Span(route.starts_at, route.ends_at, "drive", "On the road")]
    if route.break_starts_at and route.break_ends_at:
        spans.append(Span(route.break_starts_at, route.break_ends_at, "break", "Break"))
    spans += [span for stop in row.stops if (span := _visit_span(stop, zone))]
    return RouteLine(
        bars=line.bars(spans),
        ticks=line.ticks(),
        now_x=line.x(now) if line.holds(now) else None,
        stops=tuple(_stop_line(stop, line, zone) for stop in row.stops),
    )


def _visit_at(stop: Stop) -> datetime | None:
    return stop.arrived_at or stop.completed_at or stop.eta_at


def _visit_span(stop: Stop, zone: str) -> Span | None:
    at = _visit_at(stop)
    if at is None:
        return None
    until = at + timedelta(seconds=stop.service_s)
    if stop.completed_at is not None and stop.completed_at > at:
        until = stop.completed_at
    kind = f"stop rm-bar-{stop.status}"
    clock = local_time(at, zone, "%H:%M")
    state = stop.get_status_display()
    title = f"{stop.sequence}. {stop.order.reference} · {clock} · {state}"
    return Span(at, until, kind, title)


def _stop_line(stop: Stop, line: TimeLine, zone: str) -> StopLine:
    windows = list(stop.order.windows.all())
    spans = [
        Span(
            window.opens_at,
            window.closes_at,
            "window",
            f"Window {local_time(window.opens_at, zone, '%H:%M')}–"
            f"{local_time(window.closes_at, zone, '%H:%M')}",
        )
        for window in windows
    ]
    visit = _visit_span(stop, zone)
    at = _visit_at(stop)
    missed = bool(windows) and at is not None and at >= windows[-1].closes_at
    return StopLine(
        stop=stop,
        windows=line.bars(spans),
        visit=line.bars([visit], least=1.2) if visit else (),
        is_late=missed,
    )
