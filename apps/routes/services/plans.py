"""The life of a plan: asked for, solved, published, or given up."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from apps.core.actors import Actor
from apps.core.problems import Conflict, Invalid, NotFound
from apps.depots.models import Depot
from apps.journal.services import Writer, writing
from apps.routes.models import Plan, Route, Stop
from apps.routes.services.etas import refresh_etas
from apps.routes.states import PLAN_STEPS, PlanState, RouteState

MOST_TRIES = 5
SUPERSEDABLE = [PlanState.QUEUED, PlanState.SOLVING, PlanState.READY]


class DayIsRunning(Conflict):
    """The day has a published plan: from then on it is re-optimized, not planned."""

    type = "/problems/day-is-running"
    title = "This day is published: change orders or shifts, and it is re-optimized."


class PlanBusy(Conflict):
    """Others change the plan of the day at the same moment."""

    type = "/problems/plan-busy"
    title = "The plan is being changed at this moment: ask again."


class NothingToPublish(Conflict):
    """The plan is not one that waits for its publication."""

    type = "/problems/plan-not-ready"
    title = "Only a plan that is ready can be published."


def request_plan(
    *,
    depot_id: uuid.UUID,
    service_date: date,
    publish_when_ready: bool = False,
    by: Actor,
    now: datetime,
) -> Plan:
    """Ask for a day's plan; it is made in the background.

    A plan of the same day that is not yet published gives way to the new one.

    Raises:
        Invalid: there is no such depot.
        DayIsRunning: the day was published.
    """
    with writing(by=by, now=now) as journal:
        if not Depot.objects.filter(pk=depot_id).exists():
            raise Invalid("There is no such depot.")
        plans = Plan.objects.filter(depot_id=depot_id, service_date=service_date)
        if plans.filter(published_at__isnull=False).exists():
            raise DayIsRunning
        plans.filter(status__in=SUPERSEDABLE).update(status=PlanState.SUPERSEDED)
        plan = _create(
            depot_id,
            service_date,
            Plan.Kind.DAY,
            cause={"kind": "requested"},
            publish_when_ready=publish_when_ready,
            requested_by=str(by),
            requested_at=now,
        )
        journal.record(
            "plan.requested",
            plan,
            depot_id=depot_id,
            service_date=service_date.isoformat(),
        )
    return plan


def claim_replan(
    *,
    depot_id: uuid.UUID,
    service_date: date,
    input_version: str,
    cause: Mapping[str, Any],
    by: Actor,
    now: datetime,
) -> Plan | None:
    """Open the re-optimization of one state of a day; None where there is no need.

    A unique constraint lets one of two workers win, and a state that a plan left behind
    is known, so that a trigger which comes twice plans once.
    """
    plans = Plan.objects.filter(depot_id=depot_id, service_date=service_date)
    if plans.filter(left_version=input_version).exists():
        return None
    try:
        with writing(by=by, now=now):
            return _create(
                depot_id,
                service_date,
                Plan.Kind.REPLAN,
                cause=dict(cause),
                publish_when_ready=True,
                input_version=input_version,
                status=PlanState.SOLVING,
                requested_by=str(by),
                requested_at=now,
            )
    except IntegrityError:
        return None


def open_changed_plan(
    *,
    depot_id: uuid.UUID,
    service_date: date,
    cause: Mapping[str, Any],
    by: Actor,
    now: datetime,
) -> Plan:
    """Open the plan of a change that people decided; it joins their transaction.

    Plans are numbered within their day: who is second at the same moment tries again.

    Raises:
        PlanBusy: others plan the same day all the time.
    """
    with writing(by=by, now=now):
        for _ in range(MOST_TRIES):
            try:
                with transaction.atomic():
                    return _create(
                        depot_id,
                        service_date,
                        Plan.Kind.REPLAN,
                        cause=dict(cause),
                        publish_when_ready=True,
                        status=PlanState.SOLVING,
                        requested_by=str(by),
                        requested_at=now,
                    )
            except IntegrityError:
                continue
    raise PlanBusy


def _create(
    depot_id: uuid.UUID, service_date: date, kind: Plan.Kind, **values: Any
) -> Plan:
    plans = Plan.objects.filter(depot_id=depot_id, service_date=service_date)
    number = (plans.aggregate(last=Max("number"))["last"] or 0) + 1
    return Plan.objects.create(
        depot_id=depot_id,
        service_date=service_date,
        kind=kind,
        number=number,
        **values,
    )


def begin_solving(plan_id: uuid.UUID, *, by: Actor, now: datetime) -> Plan | None:
    """Take a queued plan up; None where it is no longer wanted."""
    with writing(by=by, now=now):
        rows = Plan.objects.filter(
            pk=plan_id, status__in=[PlanState.QUEUED, PlanState.SOLVING]
        )
        if not rows.update(status=PlanState.SOLVING, progress_percent=0):
            return None
        return Plan.objects.get(pk=plan_id)


def note_progress(plan_id: uuid.UUID, *, percent: int, text: str) -> None:
    """Say how far a search is; no fact, so nothing of it goes into the journal."""
    Plan.objects.filter(pk=plan_id, status=PlanState.SOLVING).update(
        progress_percent=percent, progress_text=text[:200]
    )


def fail_plan(plan_id: uuid.UUID, *, why: str, by: Actor, now: datetime) -> Plan:
    """Give a plan up, and say why."""
    with writing(by=by, now=now) as journal:
        plan = Plan.objects.select_for_update().get(pk=plan_id)
        PLAN_STEPS.check(plan.status, PlanState.FAILED)
        plan.status, plan.problem, plan.input_version = PlanState.FAILED, why, ""
        plan.save(update_fields=["status", "problem", "input_version"])
        journal.record("plan.failed", plan, depot_id=plan.depot_id, why=why)
    return plan


def publish_plan(plan_id: uuid.UUID, *, by: Actor, now: datetime) -> Plan:
    """Give a ready plan to its drivers.

    Raises:
        NotFound: there is no such plan.
        NothingToPublish: it is not ready, or gave way to another.
    """
    with writing(by=by, now=now) as journal:
        plan = Plan.objects.filter(pk=plan_id).first()
        if plan is None:
            raise NotFound
        routes = list(plan.routes.all())
        journal.lock(route.driver_id for route in routes)
        ready = Plan.objects.filter(pk=plan_id, status=PlanState.READY)
        published = ready.update(
            status=PlanState.PUBLISHED, published_at=now, published_by=str(by)
        )
        if not published:
            raise NothingToPublish(f"This plan is {plan.get_status_display()}.")
        show_routes(routes, journal)
        shown = [route.pk for route in routes]
        refresh_etas(shown, told=shown, by=by, now=now)
        journal.record(
            "plan.published",
            plan,
            depot_id=plan.depot_id,
            service_date=plan.service_date.isoformat(),
            routes=len(routes),
        )
    plan.refresh_from_db()
    return plan


def show_routes(routes: list[Route], journal: Writer) -> None:
    """Make draft routes visible to their drivers, with all that they hold."""
    Route.objects.filter(pk__in=[route.pk for route in routes]).update(
        status=RouteState.PUBLISHED
    )
    Stop.objects.filter(route__in=routes, told_low_at=None).update(
        told_low_at=F("eta_low_at"), told_high_at=F("eta_high_at")
    )
    holders = {route.pk: route for route in routes}
    for route in routes:
        journal.changed(route.driver_id, "routes", route.pk)
        if route.plan.recommendation_id is not None:
            journal.changed(
                route.driver_id, "recommendations", route.plan.recommendation_id
            )
    for stop in Stop.objects.filter(route__in=routes):
        if stop.route_id is not None:
            driver_id = holders[stop.route_id].driver_id
            journal.changed(driver_id, "stops", stop.pk)
            journal.changed(driver_id, "orders", stop.order_id)


def give_way(plan_id: uuid.UUID, *, why: str, by: Actor, now: datetime) -> None:
    """Throw a plan's answer away, since the day has moved on meanwhile.

    A day's plan is queued once more; a re-optimization gives way to the next one.
    """
    with writing(by=by, now=now) as journal:
        plan = Plan.objects.select_for_update().get(pk=plan_id)
        if plan.status != PlanState.SOLVING:
            return
        again = plan.kind == Plan.Kind.DAY
        plan.status = PlanState.QUEUED if again else PlanState.SUPERSEDED
        plan.progress_text, plan.input_version = why[:200], ""
        plan.save(update_fields=["status", "progress_text", "input_version"])
        journal.record("plan.gave_way", plan, depot_id=plan.depot_id, why=why)
