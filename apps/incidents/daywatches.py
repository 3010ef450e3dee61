"""What of a day's orders and plans needs somebody, read off the tables; never writes."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Max

from apps.incidents.services.incidents import IncidentDraft
from apps.orders.states import OrderState
from apps.routes.models import Plan, Stop
from apps.routes.selectors import left_out
from apps.routes.states import PlanState, StopState

MISSED_SINCE = timedelta(days=7)
"""A missed customer without a new time for so long is another room's business."""
FAILED_SINCE = timedelta(days=2)
SURGE_LEAST = 10
SURGE_SHARE = 0.05
"""A day is too full from so many orders left out on, and from this share of it on."""


def missed_customers(now: datetime) -> Iterator[IncidentDraft]:
    """Yield the failed attempts whose customers have no new time yet.

    The customer has an apology and a link; whoever does not use it is called.
    """
    rows = Stop.objects.filter(
        status=StopState.FAILED,
        order__status=OrderState.FAILED,
        completed_at__gt=now - MISSED_SINCE,
    ).select_related("order")
    for stop in rows.order_by("id"):
        order = stop.order
        yield IncidentDraft(
            depot_id=order.depot_id,
            kind="missed",
            cause=f"missed/{stop.pk}",
            title=f"{order.reference} was missed and has no new time",
            subject_type="order",
            subject_id=str(order.pk),
            details={"stop_id": str(stop.pk)},
        )


def failed_plans(now: datetime) -> Iterator[IncidentDraft]:
    """Yield the plans that failed, until a later one of the same day is there."""
    failed = Plan.objects.filter(
        status=PlanState.FAILED, requested_at__gt=now - FAILED_SINCE
    )
    newest = {
        (depot_id, day): number
        for depot_id, day, number in Plan.objects.filter(
            service_date__in=failed.values("service_date"),
            status__in=[PlanState.READY, PlanState.PUBLISHED, PlanState.UNCHANGED],
        )
        .order_by()
        .values_list("depot", "service_date")
        .annotate(newest=Max("number"))
    }
    for plan in failed.order_by("id"):
        if newest.get((plan.depot_id, plan.service_date), 0) > plan.number:
            continue
        yield IncidentDraft(
            depot_id=plan.depot_id,
            kind="failed_solve",
            cause=f"plan/{plan.pk}",
            subject_type="plan",
            subject_id=str(plan.pk),
            details={"why": plan.problem},
        )


def surges(now: datetime) -> Iterator[IncidentDraft]:
    """Yield the days to come, or running, whose plans leave too many orders out."""
    days = Plan.objects.filter(
        status=PlanState.PUBLISHED, service_date__gte=(now - timedelta(days=1)).date()
    )
    for depot_id, day in (
        days.order_by().values_list("depot", "service_date").distinct()
    ):
        missing = sum(one.code != "not_planned" for one in left_out(depot_id, day))
        if missing < SURGE_LEAST:
            continue
        served = Stop.objects.filter(
            route__depot=depot_id, route__service_date=day
        ).count()
        if missing < SURGE_SHARE * (missing + served):
            continue
        yield IncidentDraft(
            depot_id=depot_id,
            kind="surge",
            cause=f"surge/{day.isoformat()}",
            title=f"{missing} orders of {day} have no place",
            subject_type="depot",
            subject_id=str(depot_id),
            details={"left_out": missing, "served": served},
        )
