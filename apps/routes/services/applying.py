"""From an engine's answer to routes and stops: one transaction, or nothing."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from apps.core.actors import Actor
from apps.journal.services import Writer, writing
from apps.recommendations import services as recommendations
from apps.recommendations.states import RecommendationState
from apps.routes.differences import PlannedStop, RouteDifference, route_difference
from apps.routes.models import (
    Plan,
    PlanChange,
    Route,
    Stop,
    StopAssignment,
    UnservedOrder,
)
from apps.routes.planners import act_of, may_act
from apps.routes.planning import preferences_kept
from apps.routes.services.decided import note_decided_against
from apps.routes.services.etas import refresh_etas
from apps.routes.services.fitting import (
    Answer,
    RouteChange,
    StaleInput,
    open_stops,
    route_changes,
)
from apps.routes.services.leaves import check_leave
from apps.routes.services.plans import show_routes
from apps.routes.services.releasing import forget_eta
from apps.routes.states import (
    PLAN_STEPS,
    Act,
    PlanningMode,
    PlanState,
    RouteState,
    StopState,
)

PLACED = ("route", "sequence", "version")
EXPECTED = (
    *("plan_eta_at", "leg_s", "leg_from", "eta_at", "eta_low_at", "eta_high_at"),
    *("told_low_at", "told_high_at"),
    *("eta_reason", "road_warning", "road_warning_text"),
)


def store_plan(plan_id: uuid.UUID, answer: Answer, *, by: Actor, now: datetime) -> Plan:
    """Store a validated answer as routes and stops, if its input still holds.

    A re-optimization is published at once; a day's plan when it was asked to be.

    Raises:
        StaleInput: the day has moved on in a way that the answer does not fit.
        MachineMayNot: it is the machine's, and no decision point lets it.
    """
    drivers = [shift.driver_id for shift in answer.day.shifts]
    with writing(by=by, now=now, scopes=drivers) as journal:
        plan = Plan.objects.select_for_update().get(pk=plan_id)
        if plan.status != PlanState.SOLVING:
            raise StaleInput(f"The plan is {plan.status}.")
        _check_leave(plan, answer, by, now)
        stops = open_stops(answer)
        changes = route_changes(plan, answer, stops)
        _issue(plan, answer, journal)
        plan.solved_at, plan.progress_percent = now, 100
        plan.totals, plan.left_version = _totals(answer), answer.leaves
        _note_failures(plan, answer, journal)
        followed = {change.route.plan_id for change in changes}
        _leave_out(plan, answer, stops, journal)
        told = {
            change.route.pk
            for change in changes
            if _apply(change, plan, answer, journal)
        }
        if answer.draft is None and told:
            note_decided_against(followed - {plan.pk}, answer.why, journal)
        _supersede_unfollowed(followed - {plan.pk}, journal)
        _conclude(plan, journal, changed=bool(told))
        is_shown = plan.status == PlanState.PUBLISHED
        refresh_etas(
            [change.route.pk for change in changes],
            told=told if is_shown else (),
            by=by,
            now=now,
        )
    return plan


def _check_leave(plan: Plan, answer: Answer, by: Actor, now: datetime) -> None:
    """Let the machine store a plan only where it may; what the rules plan, it may.

    A day's plan that it makes when it is asked to is published by a person.
    """
    if answer.draft is None:
        return  # people decided
    act = act_of(plan)
    if act == Act.PLAN:
        if answer.draft.mode != PlanningMode.OPTIMIZER:
            return
        check_leave(act, plan.depot_id, by=by, now=now, was_asked=True)
        if not may_act(act, plan.depot_id, now):
            plan.publish_when_ready = False
        return
    check_leave(act, plan.depot_id, by=by, now=now)


def _issue(plan: Plan, answer: Answer, journal: Writer) -> None:
    """Write down what an engine recommends; what people decided is none of that."""
    if answer.draft is None:
        return
    row = recommendations.issue(answer.draft, by=journal.by, now=journal.now)
    plan.recommendation, plan.mode = row, row.mode


def _note_failures(plan: Plan, answer: Answer, journal: Writer) -> None:
    """Record each engine that failed before one answered, and in which mode it was."""
    for failure in answer.failures:
        journal.record(
            "plan.engine_failed",
            plan,
            depot_id=plan.depot_id,
            engine=failure.engine,
            why=failure.code,
            text=failure.text,
            answered_by=answer.solution.engine,
            mode=plan.mode,
        )


def keep_plan(plan_id: uuid.UUID, answer: Answer, *, by: Actor, now: datetime) -> Plan:
    """Note that a search found nothing that is worth a change: the plan stays."""
    with writing(by=by, now=now) as journal:
        plan = Plan.objects.select_for_update().get(pk=plan_id)
        PLAN_STEPS.check(plan.status, PlanState.UNCHANGED)
        _issue(plan, answer, journal)
        plan.solved_at, plan.progress_percent = now, 100
        plan.totals = _totals(answer)
        _conclude(plan, journal, changed=False)
    return plan


def _apply(change: RouteChange, plan: Plan, answer: Answer, journal: Writer) -> bool:
    """Write one route's new sequence; tell its driver; return whether it changed."""
    route, parameters = change.route, answer.day.parameters
    difference = route_difference(
        # Plan against plan: what ETAs have learned meanwhile, the stops' rows tell.
        [
            PlannedStop(str(stop.pk), stop.plan_eta_at or stop.eta_at)
            for stop in change.before
        ],
        [PlannedStop(str(stop.pk), eta_at) for stop, eta_at in change.ahead],
        eta_moved_s=parameters.eta_moved_s,
    )
    visible = route.status != RouteState.DRAFT
    new_here = {item["stop_id"] for item in difference.added}
    told = new_here | {
        item["stop_id"] for item in (*difference.moved, *difference.eta_moved)
    }
    for stop, is_new in _renumber(change, answer, told, journal.now):
        if visible:
            journal.changed(route.driver_id, "stops", stop.pk)
            if is_new or str(stop.pk) in new_here:
                journal.changed(route.driver_id, "orders", stop.order_id)
    if not difference and visible:
        return False
    _write_route(change, plan, answer)
    if visible:
        _tell_driver(route, plan, difference, answer.why, journal)
    return True


def _renumber(
    change: RouteChange, answer: Answer, told: Collection[str], now: datetime
) -> list[tuple[Stop, bool]]:
    """Give the route's stops their places; return those whose row changed.

    The second of each pair says whether the stop is new on this route. The ETA of one
    that was here before is left to the pass over all ETAs that follows. What a plan
    promised holds until the driver is `told` of another time, or small steps would
    carry it away unseen.
    """
    route, changed = change.route, []
    for place, stop in enumerate(change.behind, 1):
        if stop.sequence != place:
            stop.sequence = place
            changed.append((stop, False))
    before = change.behind[-1].pk if change.behind else route.depot_id
    for place, (stop, eta_at) in enumerate(change.ahead, len(change.behind) + 1):
        is_new = stop.route_id != route.pk
        is_moved = is_new or stop.sequence != place
        is_draft = route.status == RouteState.DRAFT
        if is_new or is_draft or stop.plan_eta_at is None or str(stop.pk) in told:
            stop.plan_eta_at = eta_at
        stop.leg_s, stop.leg_from = answer.legs.get(str(stop.order_id)), before
        before = stop.pk
        if is_moved:
            stop.route, stop.sequence = route, place
            stop.planned_arrival_at = stop.planned_arrival_at or eta_at
            stop.version += 1
            changed.append((stop, is_new))
        if is_new or is_draft or stop.eta_at is None:
            stop.eta_at = eta_at
    _save(change)
    _assign([stop for stop, is_new in changed if is_new], route, now)
    return changed


def _save(change: RouteChange) -> None:
    """Put rows in again that exist: an update by cases takes ten times as long."""
    Stop.objects.bulk_create(
        [*change.behind, *(stop for stop, _ in change.ahead)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[
            *PLACED,
            *("eta_at", "planned_arrival_at", "plan_eta_at", "leg_s", "leg_from"),
        ],
    )


def _assign(stops: Sequence[Stop], route: Route, now: datetime) -> None:
    StopAssignment.objects.filter(stop__in=stops, until_at=None).exclude(
        driver_id=route.driver_id
    ).update(until_at=now)
    held = set(
        StopAssignment.objects.filter(stop__in=stops, until_at=None).values_list(
            "stop_id", flat=True
        )
    )
    StopAssignment.objects.bulk_create(
        StopAssignment(stop=stop, driver_id=route.driver_id, from_at=now)
        for stop in stops
        if stop.pk not in held
    )


def _write_route(change: RouteChange, plan: Plan, answer: Answer) -> None:
    route, planned, origin_at = change.route, change.plan, answer.day.origin_at
    route.plan = plan
    route.version += 1
    route.travel_quality = answer.travel_quality
    route.distance_m = planned.distance_m if planned else 0
    route.duration_s = planned.duration_s if planned else 0
    if planned is not None:
        if not change.behind:
            route.starts_at = origin_at + timedelta(seconds=planned.departure_s)
        route.ends_at = origin_at + timedelta(seconds=planned.end_s)
        rests = planned.breaks[:1]
        if rests:
            route.break_starts_at = origin_at + timedelta(seconds=rests[0].start_s)
            route.break_ends_at = origin_at + timedelta(seconds=rests[0].end_s)
    route.save()


def _tell_driver(
    route: Route,
    plan: Plan,
    difference: RouteDifference,
    why: str,
    journal: Writer,
) -> None:
    change = PlanChange.objects.create(
        route=route,
        driver_id=route.driver_id,
        plan=plan,
        route_version=route.version,
        added=difference.added,
        removed=difference.removed,
        moved=difference.moved,
        eta_moved=difference.eta_moved,
        why=why,
        made_at=journal.now,
    )
    journal.changed(route.driver_id, "routes", route.pk)
    journal.changed(route.driver_id, "plan_changes", change.pk)
    if plan.recommendation_id is not None:
        journal.changed(route.driver_id, "recommendations", plan.recommendation_id)


def _leave_out(
    plan: Plan, answer: Answer, stops: Mapping[uuid.UUID, Stop], journal: Writer
) -> None:
    """Note why orders are left out; take their stops off the routes that held them.

    A stop that goes from one driver to another leaves the first one's feed here, in the
    transaction in which it enters the other's.
    """
    UnservedOrder.objects.bulk_create(
        UnservedOrder(
            plan=plan, order_id=item.order_id, code=item.code, detail=item.detail
        )
        for item in answer.left_out
    )
    new_holder = {
        visit.job_id: uuid.UUID(route.vehicle_id)
        for route in answer.solution.routes
        for visit in route.visits
    }
    dropped = []
    for stop in stops.values():
        route = stop.route
        if route is None or stop.status != StopState.PENDING:
            continue
        holder = new_holder.get(str(stop.order_id))
        if holder == route.shift_id:
            continue
        if route.status != RouteState.DRAFT:
            journal.removed(route.driver_id, "stops", stop.pk)
            journal.removed(route.driver_id, "orders", stop.order_id)
        if holder is None:
            stop.route, stop.sequence = None, 0
            forget_eta(stop)
            stop.version += 1
            dropped.append(stop)
    Stop.objects.bulk_create(
        dropped,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[*PLACED, *EXPECTED],
    )
    StopAssignment.objects.filter(stop__in=dropped, until_at=None).update(
        until_at=journal.now
    )


def _totals(answer: Answer) -> dict[str, Any]:
    routes, cost = answer.solution.routes, answer.solution.cost
    wished, kept = preferences_kept(answer.day, answer.solution)
    return {
        "preferred": wished,
        "preferred_kept": kept,
        "routes": len(routes),
        "served": sum(len(route.visits) for route in routes),
        "unserved": len(answer.solution.unserved),
        "distance_m": sum(route.distance_m for route in routes),
        "duration_s": sum(route.duration_s for route in routes),
        "overtime_s": sum(route.overtime_s for route in routes),
        "cost_minor": round(cost.total_milli / 1000),
        "unserved_cost_minor": round(cost.unserved_milli / 1000),
    }


def _supersede_unfollowed(plan_ids: set[uuid.UUID], journal: Writer) -> None:
    """Close the recommendations of plans that no route follows any more."""
    rows = Plan.objects.filter(pk__in=plan_ids, recommendation__isnull=False)
    for plan in rows.exclude(routes__isnull=False).select_related("recommendation"):
        recommendation = plan.recommendation
        if recommendation and recommendation.state == RecommendationState.ISSUED:
            recommendations.settle(
                recommendation.pk,
                state=RecommendationState.SUPERSEDED,
                by=journal.by,
                now=journal.now,
            )
        if plan.status == PlanState.PUBLISHED:
            Plan.objects.filter(pk=plan.pk).update(status=PlanState.SUPERSEDED)


def _conclude(plan: Plan, journal: Writer, *, changed: bool) -> None:
    if plan.kind == Plan.Kind.DAY and not plan.publish_when_ready:
        plan.status, kind = PlanState.READY, "plan.ready"
    elif plan.kind == Plan.Kind.REPLAN and not changed:
        plan.status, kind = PlanState.UNCHANGED, "plan.unchanged"
        if plan.recommendation_id is not None:
            # It changes nothing, so nobody can follow it or not.
            recommendations.settle(
                plan.recommendation_id,
                state=RecommendationState.EXPIRED,
                by=journal.by,
                now=journal.now,
            )
    else:
        plan.status, kind = PlanState.PUBLISHED, "plan.published"
        plan.published_at, plan.published_by = journal.now, str(journal.by)
    plan.save()
    drafts = plan.routes.filter(status=RouteState.DRAFT)
    if plan.status == PlanState.PUBLISHED:
        show_routes(list(drafts.select_related("plan")), journal)
    journal.record(
        kind,
        plan,
        depot_id=plan.depot_id,
        service_date=plan.service_date.isoformat(),
        number=plan.number,
        served=plan.totals["served"],
        unserved=plan.totals["unserved"],
    )
