"""What a shift's day leaves to be judged: its overrides and deviations; reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from apps.drivers.models import Shift
from apps.drivers.states import ShiftState
from apps.overrides.models import Override
from apps.overrides.states import OverrideState
from apps.recommendations.models import Recommendation
from apps.recommendations.services import stored_answer
from apps.routes.changes import Impact, RouteSketch, impact_from_wire
from apps.routes.models import Route, Stop
from apps.routes.selectors import parse_id
from apps.routes.services.settling import LEFT_OPEN, PLANS
from apps.routes.solver.codec import decode_solution
from apps.routes.states import StopState

SEQUENCE: Final = "sequence"
"""The kind of a deviation: stops were driven in another sequence than planned."""

DRIVER: Final = "Driver"

JUDGED_KINDS: Final = ("move_stop", "pin_stop", "give_stop", "take_alternative")
"""Overrides that say who drives what in which sequence. What others are about – whether to
serve a stop at all, a person's hours or rest, a customer's window – is not measured in
travel times, and no verdict is given on it."""

VISITED: Final = (StopState.SUCCEEDED, StopState.FAILED, StopState.PARTIAL)

Sequences = Mapping[str, tuple[str, ...]]
"""By shift the stops ahead, in one sequence; both by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One choice to be judged: what was recommended, what was chosen instead, and when."""

    kind: str
    role: str
    route: Route
    at: datetime
    recommended: Sequences
    chosen: Sequences
    override: Override | None = None
    recommendation: Recommendation | None = None


def is_over(shift: Shift, now: datetime) -> bool:
    """Tell whether a shift is over: it ended, or should have long ago."""
    return shift.status == ShiftState.ENDED or shift.ends_at + LEFT_OPEN <= now


def questions_of(shift: Shift, now: datetime) -> list[Question]:
    """Return what can be judged of a shift by now: all shifts that it touches are over."""
    route = Route.objects.filter(shift=shift).select_related("plan").first()
    if route is None or not is_over(shift, now):
        return []
    found = _of_overrides(route, now)
    deviation = _of_deviation(route)
    return [*found, deviation] if deviation is not None else found


def shifts_to_judge(since: datetime, now: datetime) -> list[Shift]:
    """Return the shifts of which facts came since an instant, or which ended by the clock."""
    told = Shift.objects.filter(
        route__stops__events__received_at__gte=since,
        starts_at__gte=now - timedelta(days=7),
    )
    left = Shift.objects.filter(
        ends_at__gt=since - LEFT_OPEN, ends_at__lte=now - LEFT_OPEN, route__isnull=False
    )
    ids = {*told.values_list("pk", flat=True), *left.values_list("pk", flat=True)}
    rows = Shift.objects.filter(pk__in=ids).order_by("starts_at", "pk")
    return [shift for shift in rows if is_over(shift, now)]


def _of_overrides(route: Route, now: datetime) -> list[Question]:
    rows = Override.objects.filter(
        depot=route.depot_id,
        service_date=route.service_date,
        state=OverrideState.APPLIED,
        kind__in=JUDGED_KINDS,
        impact__isnull=False,
    )
    found = []
    for row in rows.select_related("recommendation", "priced_as").order_by("pk"):
        question = _question(row, route, now)
        if question is not None:
            found.append(question)
    return found


def _question(row: Override, route: Route, now: datetime) -> Question | None:
    impact = impact_from_wire(row.impact or {})
    before, after = _by_shift(impact.before), _by_shift(impact.after)
    touched = before.keys() | after.keys()
    if str(route.shift_id) not in touched:
        return None
    shifts = Shift.objects.filter(pk__in=[parse_id(one) for one in touched])
    if not all(is_over(shift, now) for shift in shifts):
        return None
    return Question(
        kind=row.kind,
        role=row.asked_role,
        route=row.route or route,
        at=impact.worked_out_at,
        recommended={one: before.get(one, ()) for one in sorted(touched)},
        chosen={one: after.get(one, ()) for one in sorted(touched)},
        override=row,
        recommendation=row.recommendation or row.priced_as or impact_row(row, impact),
    )


def impact_row(row: Override, impact: Impact) -> Recommendation | None:
    """Return the ledger's row of the impact that an override followed."""
    about = [str(one) for one in (row.stop_id, row.route_id) if one is not None]
    rows = Recommendation.objects.filter(
        kind=Recommendation.Kind.IMPACT, subject_id__in=about
    )
    rows = rows.filter(parameters__version=impact.version)
    return rows.select_related("inputs").order_by("-pk").first()


def _by_shift(sketches: Sequence[RouteSketch]) -> dict[str, tuple[str, ...]]:
    return {
        one.shift_id: tuple(stop.stop_id for stop in one.stops if stop.stop_id)
        for one in sketches
    }


def _of_deviation(route: Route) -> Question | None:
    """Return how a route's last plan would have had it, if it was driven otherwise."""
    recommendation = (
        Recommendation.objects.filter(plan=route.plan, kind__in=PLANS)
        .select_related("answer", "inputs")
        .first()
    )
    if recommendation is None or route.plan.published_at is None:
        return None
    planned = next(
        (
            [visit.job_id for visit in each.visits]
            for each in decode_solution(stored_answer(recommendation)).routes
            if each.vehicle_id == str(route.shift_id)
        ),
        [],
    )
    driven = {str(stop.order_id): str(stop.pk) for stop in visited_stops([route])}
    wanted = tuple(driven[job] for job in planned if job in driven)
    served = tuple(stop_id for job, stop_id in driven.items() if job in set(planned))
    if wanted == served:
        return None
    shift = str(route.shift_id)
    return Question(
        kind=SEQUENCE,
        role=DRIVER,
        route=route,
        at=route.plan.published_at,
        recommended={shift: wanted},
        chosen={shift: served},
        recommendation=recommendation,
    )


def visited_stops(routes: Sequence[Route]) -> list[Stop]:
    """Return what was visited of routes, in the order of the visits.

    A stop that was passed by was not visited; one of which only the end was told was.
    What has no instant at all has no place in the sequence.
    """
    rows = Stop.objects.filter(route__in=routes, status__in=VISITED)
    rows = rows.select_related("order", "route").prefetch_related("order__windows")
    visited = [
        stop
        for stop in rows
        if stop.arrived_at is not None
        or (stop.completed_at is not None and stop.status != StopState.FAILED)
    ]
    return sorted(visited, key=_when)


def _when(stop: Stop) -> tuple[float, int, str]:
    at = stop.arrived_at or stop.completed_at
    return at.timestamp() if at else 0.0, stop.sequence, str(stop.pk)
