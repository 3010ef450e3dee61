"""What a shift's day leaves to be judged: its overrides and deviations; reads only."""

from datetime import datetime, timedelta
from typing import Final

from apps.drivers.models import Shift
from apps.recommendations.models import Recommendation
from apps.recommendations.services import stored_answer
from apps.routes.models import Route
from apps.routes.services.settling import LEFT_OPEN, PLANS
from apps.routes.solver.codec import decode_solution
from apps.verdicts.asked import asked_of
from apps.verdicts.facts import Question, is_over, visited_stops
from apps.verdicts.trail import impact_behind

SEQUENCE: Final = "sequence"
"""The kind of a deviation: stops were driven in another sequence than planned."""

DRIVER: Final = "Driver"


def questions_of(shift: Shift, now: datetime) -> list[Question]:
    """Return what can be judged of a shift by now: all shifts that it touches are over."""
    route = Route.objects.filter(shift=shift).select_related("plan").first()
    if route is None or not is_over(shift, now):
        return []
    found = asked_of(route, now)
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


def _of_deviation(route: Route) -> Question | None:
    """Return how a route's last plan would have had it, if it was driven otherwise.

    Where people made that plan, its change stands in the ledger as they were shown it.
    """
    recommendation = (
        Recommendation.objects.filter(plan=route.plan, kind__in=PLANS)
        .select_related("answer", "inputs")
        .first()
    ) or impact_behind(route.plan)
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
