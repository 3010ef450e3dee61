"""Reads a route out of the tables into the pure input of its ETAs; never writes."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apps.depots.models import Depot
from apps.drivers.models import Shift, ShiftBreak
from apps.drivers.states import ShiftState
from apps.orders.models import PreferredWindow, TimeWindow
from apps.routes.calibrating import calibration_in_force
from apps.routes.conditions import RoadCondition
from apps.routes.conformal import Calibration
from apps.routes.dayinputs import Interval
from apps.routes.etaparts import NO_STOP_YET, Outset, Rest, TravelLaw, Visit, law_of
from apps.routes.holding import pinned_times, pinned_windows
from apps.routes.inforce import conditions_between
from apps.routes.lines import leg_key, unpacked
from apps.routes.models import Route, Stop
from apps.routes.parameters import CONFORMAL, Parameters
from apps.routes.places import distances_m
from apps.routes.selectors import parameters_in_force
from apps.routes.states import DONE, RouteState, StopState

LIVE = (RouteState.DRAFT, RouteState.PUBLISHED, RouteState.STARTED)
OPEN = (StopState.PENDING, StopState.ENROUTE, StopState.ARRIVED)
_READ = (
    *(field.name for field in Stop._meta.concrete_fields),
    *("order__latitude", "order__longitude", "order__zone__name"),
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that the ETAs of one route follow from; `stops` are those of `visits`."""

    route: Route
    stops: tuple[Stop, ...]
    outset: Outset
    visits: tuple[Visit, ...]
    rests: tuple[Rest, ...]
    conditions: tuple[RoadCondition, ...]
    law: TravelLaw


@dataclass(frozen=True, slots=True)
class Times:
    """By order: the windows that are promised, and those that are preferred."""

    windows: Mapping[uuid.UUID, tuple[Interval, ...]]
    preferred: Mapping[uuid.UUID, tuple[Interval, ...]]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What all routes of a depot share; no calibration: intervals are the spread's."""

    parameters: Parameters
    conditions: tuple[RoadCondition, ...]
    calibration: Calibration | None


def outlooks(route_ids: Collection[uuid.UUID], *, now: datetime) -> list[Outlook]:
    """Return the outlook of each of these routes that has anything ahead."""
    routes = Route.objects.filter(pk__in=route_ids, status__in=LIVE)
    routes = routes.select_related("shift__vehicle__type", "depot", "way")
    shown = list(routes.order_by("pk").prefetch_related("shift__breaks"))
    open_stops = _open_stops(shown)
    ahead = [stop for rows in open_stops.values() for stop in rows]
    times = Times(
        _with_pins(_windows(TimeWindow, ahead), ahead, now),
        _windows(PreferredWindow, ahead),
    )
    surroundings: dict[uuid.UUID, _Surroundings] = {}
    found = []
    for route in shown:
        if route.depot_id not in surroundings:
            last_at = max(each.ends_at for each in shown) + timedelta(hours=4)
            surroundings[route.depot_id] = _surroundings(route.depot, now, last_at)
        outlook = _outlook(
            route, open_stops[route.pk], times, surroundings[route.depot_id], now
        )
        if outlook.visits:
            found.append(outlook)
    return found


def _surroundings(depot: Depot, now: datetime, last_at: datetime) -> _Surroundings:
    parameters = parameters_in_force(depot.pk, now)
    is_learned = parameters.eta_interval == CONFORMAL
    return _Surroundings(
        parameters,
        conditions_between(depot.pk, now, max(now, last_at)),
        calibration_in_force(depot, now) if is_learned else None,
    )


def zone_name(stop: Stop) -> str:
    """Return the part of town that a stop is in; empty where it is in none."""
    return stop.order.zone.name if stop.order.zone else ""


def _open_stops(routes: Sequence[Route]) -> Mapping[uuid.UUID, list[Stop]]:
    rows = Stop.objects.filter(route__in=routes, status__in=OPEN)
    found: dict[uuid.UUID, list[Stop]] = defaultdict(list)
    for stop in (
        rows.select_related("order__zone").only(*_READ).order_by("sequence", "id")
    ):
        if stop.route_id is not None:
            found[stop.route_id].append(stop)
    return found


def _windows(
    model: type[TimeWindow | PreferredWindow], stops: Sequence[Stop]
) -> Mapping[uuid.UUID, tuple[Interval, ...]]:
    found: dict[uuid.UUID, tuple[Interval, ...]] = {}
    rows = model._default_manager.filter(order__in=[stop.order_id for stop in stops])
    columns = ("order_id", "opens_at", "closes_at")
    for order_id, opens_at, closes_at in rows.order_by("opens_at").values_list(
        *columns
    ):
        window = Interval(opens_at, closes_at)
        found[order_id] = (*found.get(order_id, ()), window)
    return found


def _with_pins(
    windows: Mapping[uuid.UUID, tuple[Interval, ...]],
    stops: Sequence[Stop],
    now: datetime,
) -> Mapping[uuid.UUID, tuple[Interval, ...]]:
    """Return windows as pins of time leave them: the driver waits for these."""
    pins = pinned_times([stop.pk for stop in stops], now=now)
    return {
        **windows,
        **{
            stop.order_id: pinned_windows(pins[stop.pk], windows.get(stop.order_id, ()))
            for stop in stops
            if stop.pk in pins
        },
    }


def _outlook(
    route: Route,
    stops: Sequence[Stop],
    times: Times,
    surroundings: _Surroundings,
    now: datetime,
) -> Outlook:
    conditions = surroundings.conditions
    law = law_of(
        surroundings.parameters,
        speed_percent=route.shift.vehicle.travel_speed_percent,
        zone=route.depot.time_zone,
    )
    if surroundings.calibration is not None:
        zones = {zone_name(stop) for stop in stops}
        law = replace(law, calibration=surroundings.calibration.near(zones))
    behind = _last_done(route)
    standing = next((s for s in stops if s.status == StopState.ARRIVED), None)
    going = next((s for s in stops if s.status == StopState.ENROUTE), None)
    pending = [stop for stop in stops if stop.status == StopState.PENDING]
    ahead = [going, *pending] if going is not None and standing is None else pending
    before = standing or behind
    visits = _visits(route, before, ahead, times, _shut(ahead, conditions, now))
    outset = _outset(route, behind, standing, law, now)
    if going is not None and standing is None and visits:
        outset = _since_it_left(outset, going, visits[0], law, now)
    return Outlook(
        route=route,
        stops=tuple(ahead),
        outset=outset,
        visits=visits,
        rests=_rests(route),
        conditions=conditions,
        law=law,
    )


def _last_done(route: Route) -> Stop | None:
    """Return the stop that was done last: there the driver was."""
    done = Stop.objects.filter(route=route, status__in=DONE)
    visited = done.exclude(status=StopState.CANCELLED).select_related("order")
    return visited.only(*_READ).order_by("-completed_at", "-sequence").first()


def _visits(
    route: Route,
    before: Stop | None,
    ahead: Sequence[Stop],
    times: Times,
    shut: Mapping[uuid.UUID, tuple[Interval, ...]],
) -> tuple[Visit, ...]:
    """Return the visits ahead; a leg's time holds only from the stop it was made for."""
    found, here = [], before.pk if before else route.depot_id
    way = getattr(route, "way", None)
    lines = way.lines if way else {}
    for stop in ahead:
        found.append(
            Visit(
                stop_id=stop.pk,
                point=stop.order.point,
                service_s=stop.service_s,
                windows=times.windows.get(stop.order_id, ()),
                closed=shut.get(stop.pk, ()),
                preferred=_kept(stop, times.preferred.get(stop.order_id, ())),
                leg_s=stop.leg_s if stop.leg_from == here else None,
                plan_eta_at=stop.plan_eta_at,
                line=unpacked(lines.get(leg_key(here, stop.pk), ())),
                zone=zone_name(stop),
            )
        )
        here = stop.pk
    return tuple(found)


def _shut(
    ahead: Sequence[Stop], conditions: Sequence[RoadCondition], now: datetime
) -> Mapping[uuid.UUID, tuple[Interval, ...]]:
    """Return, by stop, the closures over it whose end the plan waits for."""
    found: dict[uuid.UUID, tuple[Interval, ...]] = {}
    for condition in conditions:
        if not condition.is_closure or condition.place is None or not ahead:
            continue
        away_m = distances_m(condition.place, [stop.order.point for stop in ahead])
        for stop, metres in zip(ahead, away_m, strict=True):
            if metres > 0 or stop.plan_eta_at is None:
                continue
            times = condition.intervals(now, stop.plan_eta_at + timedelta(days=1))
            waited = (Interval(*one) for one in times if one[1] <= stop.plan_eta_at)
            found[stop.pk] = (*found.get(stop.pk, ()), *waited)
    return found


def _kept(stop: Stop, preferred: Sequence[Interval]) -> Interval | None:
    """Return the preferred window in which the plan has the stop."""
    at = stop.plan_eta_at
    if at is None:
        return None
    return next((one for one in preferred if one.opens_at <= at < one.closes_at), None)


def _outset(
    route: Route,
    behind: Stop | None,
    standing: Stop | None,
    law: TravelLaw,
    now: datetime,
) -> Outset:
    """Return from where and when the driver goes on, and how far that is off the plan."""
    paused_until = _paused_until(route.shift, now)
    if standing is not None:
        service = timedelta(seconds=standing.service_s)
        arrived_at = standing.arrived_at or now
        at = max(now, arrived_at + service, paused_until)
        spread_s = law.service_cv * standing.service_s
        return _after(route, standing, at, spread_s)
    if behind is not None:
        return _after(
            route, behind, max(now, behind.completed_at or now, paused_until), 0.0
        )
    shift = route.shift
    ready_at = max(now, shift.started_at or shift.starts_at, paused_until)
    at = max(ready_at, route.starts_at)
    late_s = round((at - route.starts_at).total_seconds())
    return Outset(route.depot.point, at, late_s, NO_STOP_YET, idle_from=ready_at)


def _after(route: Route, stop: Stop, at: datetime, spread_s: float) -> Outset:
    late_s = 0
    if stop.plan_eta_at is not None:
        ready_at = stop.plan_eta_at + timedelta(seconds=stop.service_s)
        since = stop.completed_at or stop.arrived_at or at
        if _has_rested_since(route.shift, since) and route.break_ends_at is not None:
            ready_at = max(ready_at, route.break_ends_at)
        late_s = round((at - ready_at).total_seconds())
    where = f"stop {stop.sequence}"
    return Outset(stop.order.point, at, late_s, where, spread_s)


def _since_it_left(
    outset: Outset, going: Stop, first: Visit, law: TravelLaw, now: datetime
) -> Outset:
    """Return the outset of a driver who is on the way: then it began, now it is not over."""
    left_at = going.enroute_at or outset.at
    leg = timedelta(seconds=law.clear_s(first, outset.point) * law.hourly(left_at))
    at = max(left_at, now - leg)
    late_s = outset.late_s + round((at - outset.at).total_seconds())
    return Outset(outset.point, at, late_s, outset.where, outset.spread_s)


def _rests(route: Route) -> tuple[Rest, ...]:
    """Return the breaks to be taken; the plan keeps the place of the first one."""
    waiting = sorted(
        (rest for rest in route.shift.breaks.all() if rest.taken_at is None),
        key=lambda rest: rest.opens_at,
    )
    is_first = not any(rest.taken_at for rest in route.shift.breaks.all())
    return tuple(
        Rest(
            opens_at=rest.opens_at,
            closes_at=rest.closes_at,
            duration_s=rest.duration_s,
            planned_at=route.break_starts_at if number == 0 and is_first else None,
        )
        for number, rest in enumerate(waiting)
    )


def _taken(shift: Shift) -> list[ShiftBreak]:
    return [rest for rest in shift.breaks.all() if rest.taken_at is not None]


def _paused_until(shift: Shift, now: datetime) -> datetime:
    """Return when a break that is being taken will be over."""
    ends = [
        rest.taken_at + timedelta(seconds=rest.duration_s)
        for rest in _taken(shift)
        if rest.taken_at is not None
    ]
    return max(ends, default=now) if shift.status == ShiftState.PAUSED else now


def _has_rested_since(shift: Shift, since: datetime) -> bool:
    return any(
        rest.taken_at is not None and rest.taken_at >= since for rest in _taken(shift)
    )
