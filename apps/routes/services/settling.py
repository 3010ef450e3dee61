"""What became of plans and told times, settled from what was driven."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from apps.core.actors import Actor
from apps.journal.services import writing
from apps.recommendations import services as recommendations
from apps.recommendations.models import Recommendation
from apps.recommendations.services import stored_answer
from apps.recommendations.states import RecommendationState
from apps.routes.adherence import Adherence, Driven, adherence
from apps.routes.coverage import service_begins
from apps.routes.etaledger import decode_times, held
from apps.routes.models import Plan, Route, Stop
from apps.routes.selectors import parse_id
from apps.routes.solver.codec import decode_solution
from apps.routes.states import RouteState

LEFT_OPEN = timedelta(hours=6)
"""So long after its shift's end a route counts as over, though nobody said so."""

PLANS = (Recommendation.Kind.PLAN, Recommendation.Kind.REPLAN)
BATCH = 100


def settle_driven(*, by: Actor, now: datetime) -> int:
    """Settle the open plans and times whose routes are over; return how many."""
    return settle_plans(by=by, now=now) + settle_times(by=by, now=now)


def settle_plans(*, by: Actor, now: datetime) -> int:
    """Settle the plans of which every route that follows them is over.

    Followed: its stops were served in its order, within the tolerance; deviated: what
    differed is its outcome. A plan that nobody drove is left to expire.
    """
    due = _plans_due(now)
    count = 0
    for plan, routes in due:
        rows = Recommendation.objects.select_related("answer")
        row = rows.get(plan=plan)
        found = adherence(_driven(row, routes))
        if not found.served:
            continue
        _settle(row, found.is_followed, _told(found), by=by, now=now)
        count += 1
    return count


def _plans_due(now: datetime) -> list[tuple[Plan, list[Route]]]:
    rows = Route.objects.filter(
        plan__recommendation__state=RecommendationState.ISSUED,
        plan__recommendation__kind__in=PLANS,
    ).exclude(status=RouteState.DRAFT)
    by_plan: dict[Plan, list[Route]] = defaultdict(list)
    for route in rows.select_related("plan", "shift").order_by("plan_id", "pk"):
        by_plan[route.plan].append(route)
    due = [
        (plan, routes)
        for plan, routes in by_plan.items()
        if all(_is_over(route, now) for route in routes)
    ]
    return due[:BATCH]


def _is_over(route: Route, now: datetime) -> bool:
    is_late = route.shift.ends_at + LEFT_OPEN <= now
    return route.status == RouteState.FINISHED or is_late


def _driven(row: Recommendation, routes: Sequence[Route]) -> list[Driven]:
    """Return what was recommended of these routes beside what was served."""
    answer = decode_solution(stored_answer(row))
    by_shift = {str(route.shift_id): route for route in routes}
    wanted = {
        each.vehicle_id: tuple(visit.job_id for visit in each.visits)
        for each in answer.routes
        if each.vehicle_id in by_shift
    }
    ids = [
        parsed for jobs in wanted.values() for job in jobs if (parsed := parse_id(job))
    ]
    visited = Stop.objects.filter(order__in=ids, arrived_at__isnull=False)
    visited = visited.order_by("arrived_at", "sequence").select_related("route")
    sequence: list[tuple[str, uuid.UUID | None]] = []
    for stop in visited:
        holder_id = stop.route.driver_id if stop.route else None
        driver_id = stop.completed_by_id or holder_id
        sequence.append((str(stop.order_id), driver_id))
    found = []
    for shift_id, jobs in wanted.items():
        driver_id = by_shift[shift_id].driver_id
        mine = _once(job for job, who in sequence if who == driver_id and job in jobs)
        others = _once(
            job
            for job, who in sequence
            if who != driver_id and job in jobs and job not in mine
        )
        found.append(Driven(jobs, mine, others))
    return found


def _once(jobs: Iterable[str]) -> tuple[str, ...]:
    """Return each job at its first visit: one that failed may be visited again."""
    return tuple(dict.fromkeys(jobs))


def _told(found: Adherence) -> dict[str, Any]:
    told = asdict(found)
    told["moved"] = list(told["moved"])
    return {**told, "text": found.text}


def settle_times(*, by: Actor, now: datetime) -> int:
    """Settle the times told of routes that are over: did they hold nine times in ten?"""
    rows = Recommendation.objects.filter(
        kind=Recommendation.Kind.ETA, state=RecommendationState.ISSUED
    )
    ids = {
        parsed: recommendation_id
        for recommendation_id, subject in rows.values_list("pk", "subject_id")
        if (parsed := parse_id(subject))
    }
    routes = Route.objects.filter(pk__in=ids).select_related("shift")
    count = 0
    for route in [each for each in routes if _is_over(each, now)][:BATCH]:
        row = rows.select_related("answer").get(pk=ids[route.pk])
        told = decode_times(stored_answer(row))
        stops = Stop.objects.filter(
            pk__in=[each.stop_id for each in told], arrived_at__isnull=False
        )
        found = held(told, service_begins(stops))
        if not found.count:
            continue
        text = f"{found.within} of {found.count} arrivals within the times told."
        outcome = {**asdict(found), "text": text}
        _settle(row, found.is_followed, outcome, by=by, now=now)
        count += 1
    return count


def _settle(
    row: Recommendation,
    is_followed: bool,
    outcome: dict[str, Any],
    *,
    by: Actor,
    now: datetime,
) -> None:
    state = (
        RecommendationState.FOLLOWED if is_followed else RecommendationState.DEVIATED
    )
    recommendations.settle(row.pk, state=state, outcome=outcome, by=by, now=now)


def note_overridden(
    recommendation_id: uuid.UUID, *, outcome: dict[str, Any], by: Actor, now: datetime
) -> bool:
    """Note that a person decided otherwise; tell whether it was still open."""
    with writing(by=by, now=now):
        row = Recommendation.objects.filter(
            pk=recommendation_id, state=RecommendationState.ISSUED
        ).first()
        if row is None:
            return False
        recommendations.settle(
            row.pk,
            state=RecommendationState.OVERRIDDEN,
            outcome=outcome,
            by=by,
            now=now,
        )
    return True
