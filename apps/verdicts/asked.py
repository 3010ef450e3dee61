"""From an override to the question that it leaves, kind by kind; reads only."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from apps.core.problems import Invalid
from apps.drivers.models import Shift, ShiftBreak, Vehicle
from apps.overrides.models import Override
from apps.overrides.states import OverrideState
from apps.recommendations.models import Recommendation
from apps.routes.changes import (
    ChangeVehicle,
    ChangeWindow,
    EndShiftEarly,
    ExtraBreak,
    Impact,
    RouteSketch,
    from_wire,
    impact_from_wire,
)
from apps.routes.models import Route, Stop
from apps.routes.selectors import parse_id
from apps.verdicts import trail
from apps.verdicts.beyond import Beyond, barred, unmeasured
from apps.verdicts.facts import VISITED, Question, Sequences, is_over, visited_stops

DEFERRING: Final = ("skip_stop", "take_off")
"""What leaves a visit to another day: judged once that day has come."""

COMES_BACK: Final = timedelta(days=21)
"""So long after a deferred visit one is taken for its return."""


def asked_of(route: Route, now: datetime) -> list[Question]:
    """Return the questions that overrides leave of a route, as far as they can be put.

    Those of its day that touched it, and those of earlier days whose visit it made.
    """
    orders = [stop.order_id for stop in visited_stops([route])]
    rows = Override.objects.filter(
        depot=route.depot_id, state=OverrideState.APPLIED
    ).select_related("recommendation", "priced_as", "stop", "route__shift")
    mine = rows.filter(service_date=route.service_date)
    earlier = rows.filter(
        kind__in=DEFERRING,
        service_date__lt=route.service_date,
        service_date__gte=route.service_date - COMES_BACK,
        stop__order__in=orders,
    )
    found = []
    for row in [*mine.order_by("pk"), *earlier.order_by("pk")]:
        question = _question(row, route, now)
        if question is not None:
            found.append(question)
    return found


def _question(row: Override, route: Route, now: datetime) -> Question | None:
    """Return an override's question; None: it is not this route's, or too early."""
    impact = impact_from_wire(row.impact) if row.impact else None
    before = _by_shift(impact.before) if impact else {}
    after = _by_shift(impact.after) if impact else {}
    touched = before.keys() | after.keys()
    own = row.route or (row.stop.route if row.stop else None)
    if not touched and own is not None:
        touched = {str(own.shift_id)}
    is_later = row.service_date < route.service_date
    if not is_later and str(route.shift_id) not in touched:
        return None
    shifts = Shift.objects.filter(pk__in=[parse_id(one) for one in touched])
    if not all(is_over(shift, now) for shift in shifts):
        return None
    question = Question(
        kind=row.kind,
        role=row.asked_role,
        route=_own_route(row, touched) or route,
        at=impact.worked_out_at if impact else row.asked_at,
        recommended={one: before.get(one, ()) for one in sorted(touched)},
        chosen={one: after.get(one, ()) for one in sorted(touched)},
        override=row,
        recommendation=row.recommendation
        or row.priced_as
        or (impact_row(row, impact) if impact else None),
        barred=barred(row.kind, row.reason),
        aside=unmeasured(row.kind, row.reason),
    )
    if question.barred is None and impact is None:
        return replace(question, barred=Beyond.TRAIL_LOST)
    return question if question.barred else _particular(question, row, now)


def _own_route(row: Override, touched: set[str]) -> Route | None:
    """Return the route on which a change was made, also when its stop is elsewhere now."""
    if row.route is not None:
        return row.route
    ids = [parse_id(one) for one in touched]
    return Route.objects.filter(shift__in=ids).order_by("pk").first()


def impact_row(row: Override, impact: Impact) -> Recommendation | None:
    """Return the ledger's row of the impact that an override followed."""
    rows = Recommendation.objects.filter(
        kind=Recommendation.Kind.IMPACT,
        depot_id=row.depot_id,
        parameters__version=impact.version,
        parameters__change=row.kind,
    )
    return rows.select_related("inputs").order_by("-pk").first()


def _by_shift(sketches: Sequence[RouteSketch]) -> dict[str, tuple[str, ...]]:
    return {
        one.shift_id: tuple(stop.stop_id for stop in one.stops if stop.stop_id)
        for one in sketches
    }


def _particular(question: Question, row: Override, now: datetime) -> Question:
    """Add what a kind of change has of its own."""
    if row.kind in DEFERRING:
        return _deferred(question, row, now)
    try:
        change = from_wire(row.kind, row.change)
    except Invalid:  # written by another version of the house
        return replace(question, barred=Beyond.TRAIL_LOST)
    match change:
        case EndShiftEarly():
            question = _ended_early(question, row, change)
        case ExtraBreak():
            question = _rested(question, change)
        case ChangeVehicle():
            question = _other_vehicle(question, row, change)
        case ChangeWindow():
            question = _other_window(question, row, change)
    return question


def _deferred(question: Question, row: Override, now: datetime) -> Question:
    """Judge a visit that was left to another day by the day on which it was made.

    It is a stop given to the shift that served it then: one way has it here, the other
    there. When the customer may be served is left out of both.
    """
    later = _later_visit(row, question.at)
    if later is None or later.route is None or not is_over(later.route.shift, now):
        return replace(question, barred=Beyond.NOT_VISITED_SINCE)
    old, new = str(row.stop_id), str(later.pk)
    here, there = str(question.route.shift_id), str(later.route.shift_id)
    asked = tuple(new if one == old else one for one in question.recommended[here])
    driven = tuple(str(stop.pk) for stop in visited_stops([later.route]))
    if new not in asked:
        return replace(question, barred=Beyond.TRAIL_LOST)
    ways: tuple[Sequences, Sequences]
    if here == there:
        ways = {here: asked}, {here: tuple(one for one in driven if one in asked)}
    else:
        left = tuple(one for one in question.chosen[here] if one not in {old, new})
        rest = tuple(one for one in driven if one != new)
        ways = {here: asked, there: rest}, {here: left, there: driven}
    is_same_day = later.route.service_date == row.service_date
    return replace(
        question,
        recommended=ways[0],
        chosen=ways[1],
        windows=({new: ()}, {new: ()}),
        aside=None if is_same_day else question.aside,
    )


def _later_visit(row: Override, at: datetime) -> Stop | None:
    if row.stop is None:
        return None
    rows = Stop.objects.filter(
        order=row.stop.order_id,
        status__in=VISITED,
        arrived_at__gt=at,
        arrived_at__lt=at + COMES_BACK,
        route__isnull=False,
    )
    return rows.select_related("route__shift").order_by("arrived_at").first()


def _ended_early(question: Question, row: Override, change: EndShiftEarly) -> Question:
    """Reckon overtime by the end that was agreed before; all stops must be served."""
    ends_at = trail.old_end(row)
    if ends_at is None:
        return replace(question, barred=Beyond.TRAIL_LOST)
    ids = {one for way in question.recommended.values() for one in way}
    rows = Stop.objects.filter(pk__in=[parse_id(one) for one in ids])
    if rows.exclude(status__in=VISITED, arrived_at__isnull=False).exists():
        return replace(question, barred=Beyond.NOT_SERVED)
    return replace(question, shift_ends={change.shift_id: ends_at})


def _rested(question: Question, change: ExtraBreak) -> Question:
    """Leave the break out of the recommended way."""
    rows = ShiftBreak.objects.filter(
        shift=parse_id(change.shift_id),
        opens_at=change.from_at,
        closes_at=change.until_at,
        duration_s=change.duration_s,
        taken_at__isnull=False,
    )
    found = rows.order_by("-pk").first()
    if found is None:
        return replace(question, barred=Beyond.BREAK_NOT_TAKEN)
    return replace(question, extra_rest=found.pk)


def _other_vehicle(
    question: Question, row: Override, change: ChangeVehicle
) -> Question:
    """Drive the recommended way with the vehicle that was planned."""
    rows = Vehicle.objects.filter(pk__in=[trail.old_vehicle_id(row)])
    vehicle = rows.select_related("type").first()
    if vehicle is None:
        return replace(question, barred=Beyond.TRAIL_LOST)
    return replace(question, vehicles={change.shift_id: vehicle})


def _other_window(question: Question, row: Override, change: ChangeWindow) -> Question:
    """Hold each way to the window that the stop has in it."""
    old = trail.old_windows(row)
    if old is None:
        return replace(question, barred=Beyond.TRAIL_LOST)
    stop = change.stop_id
    new = ((change.opens_at, change.closes_at),)
    return replace(question, windows=({stop: old}, {stop: new}))
