"""What devices report of stops, and what the office takes away from a route."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from apps.core.actors import Actor
from apps.core.verdicts import NEEDS_REVIEW, OK, REJECTED, SUPERSEDED, Verdict
from apps.journal.services import Writer, writing
from apps.orders import services as orders
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.routes import progress
from apps.routes.models import PlanChange, Route, Stop, StopAssignment, StopEvent
from apps.routes.progress import Fact
from apps.routes.selectors import parse_id
from apps.routes.states import DONE, UNDER_WAY, RouteState, StopState

NEVER_ASSIGNED = Verdict(
    REJECTED, "never_assigned", "This stop was never yours. The report is set aside."
)
MOVED = progress.WINDOW_MOVED
NO_ID = uuid.UUID(int=0)
ORDER_STATE_OF = {
    StopState.SUCCEEDED: OrderState.DELIVERED,
    StopState.FAILED: OrderState.FAILED,
    StopState.PARTIAL: OrderState.PARTIAL,
}


@dataclass(frozen=True, slots=True)
class StopReport:
    """A device's fact about a stop; `occurred_at` is the device's, corrected."""

    event_id: str
    stop_id: str
    kind: str
    driver_id: uuid.UUID
    occurred_at: datetime
    received_at: datetime
    device_seq: int
    payload: Mapping[str, Any]


def record_stop_event(report: StopReport, *, by: Actor, now: datetime) -> Verdict:
    """Keep a reported fact and fold the stop's state anew; say what became of it.

    A fact is judged by whether its driver was ever given the stop, not by who holds it
    now. The same event again gets its first verdict.
    """
    stop_id = parse_id(report.stop_id)
    with writing(by=by, now=now, scopes=[report.driver_id]) as journal:
        stop = _lock_stop(stop_id, journal)
        if stop is None or not _was_ever_given(stop, report.driver_id):
            return NEVER_ASSIGNED
        known = {event.id: event for event in stop.events.all()}
        if again := known.get(report.event_id):
            return _verdict_of(again)
        fact = _fact_of_report(report)
        facts = [
            _fact_of_row(event)
            for event in known.values()
            if _verdict_of(event).code != MOVED.code
        ]
        verdict = progress.judge(
            facts, fact, cancelled=stop.status == StopState.CANCELLED
        )
        if verdict.result == REJECTED:
            return verdict
        verdict = _in_context(stop, report, verdict)
        _keep(stop, report, verdict)
        if stop.status != StopState.CANCELLED and verdict.code != MOVED.code:
            _fold(stop, [*facts, fact], report, journal)
        if verdict.result == NEEDS_REVIEW:
            _tell(journal, stop, "stop.needs_review", report, code=verdict.code)
    return verdict


def release_stop(
    stop_id: uuid.UUID, *, because: str, cancel: bool, by: Actor, now: datetime
) -> bool:
    """Take an open stop off its route; tell whether anything was to be taken.

    With `cancel` the visit is over for good; without it the stop waits for a place.
    A stop under way stays with its driver: the driver hears of the order's new state.
    """
    with writing(by=by, now=now) as journal:
        stop = _lock_stop(stop_id, journal)
        if stop is None or stop.status in DONE:
            return False
        route = stop.route
        if stop.status in UNDER_WAY and route is not None:
            journal.changed(route.driver_id, "orders", stop.order_id)
            journal.changed(route.driver_id, "stops", stop.pk)
            return False
        if cancel:
            stop.status = StopState.CANCELLED
            stop.completed_at = now
        stop.version += 1
        stop.route, stop.sequence = None, 0
        forget_eta(stop)
        stop.save()
        if route is not None:
            _end_assignment(stop, now)
            if route.status != RouteState.DRAFT:
                journal.removed(route.driver_id, "stops", stop.pk)
                journal.removed(route.driver_id, "orders", stop.order_id)
        journal.record(
            "stop.released",
            stop,
            depot_id=stop.order.depot_id,
            because=because,
            route_id=str(route.pk) if route else None,
            service_date=stop.order.service_date.isoformat(),
        )
    return route is not None


def forget_eta(stop: Stop) -> None:
    """Take from a stop that is off its route all that was expected of it."""
    stop.plan_eta_at = stop.eta_at = stop.eta_low_at = stop.eta_high_at = None
    stop.told_low_at = stop.told_high_at = None
    stop.leg_s = stop.leg_from = None
    stop.eta_reason = stop.road_warning = stop.road_warning_text = ""


def acknowledge_plan_change(
    *,
    driver_id: uuid.UUID,
    change_id: str,
    occurred_at: datetime,
    by: Actor,
    now: datetime,
) -> Verdict:
    """Note that the driver has seen a change of the plan; again changes nothing.

    Where a newer change waits to be seen, the answer says so.
    """
    with writing(by=by, now=now, scopes=[driver_id]) as journal:
        rows = PlanChange.objects.filter(driver_id=driver_id)
        change = (
            rows.filter(pk=parse_id(change_id) or NO_ID).select_related("route").first()
        )
        if change is None:
            return Verdict(
                REJECTED, "invalid", "There is no such change of your plan to confirm."
            )
        open_rows = rows.filter(pk=change.pk, acknowledged_at=None)
        if open_rows.update(acknowledged_at=occurred_at):
            journal.changed(driver_id, "plan_changes", change.pk)
            journal.record(
                "plan_change.acknowledged",
                change,
                depot_id=change.route.depot_id,
                route_version=change.route_version,
            )
        newer = rows.filter(
            route=change.route,
            route_version__gt=change.route_version,
            acknowledged_at=None,
        )
        last = newer.order_by("route_version").last()
    if last is None:
        return OK
    return Verdict(
        SUPERSEDED,
        "newer_plan",
        "A newer change of your plan waits to be seen.",
        ours=str(last.route_version),
        ours_at=last.made_at,
        yours=str(change.route_version),
    )


def _lock_stop(stop_id: uuid.UUID | None, journal: Writer) -> Stop | None:
    """Lock the stop's holder, then the stop; the holder may move while we wait."""
    if stop_id is None:
        return None
    while True:
        held = Stop.objects.filter(pk=stop_id).values_list("route__driver_id").first()
        if held is None:
            return None
        if held[0] is not None:
            journal.lock([held[0]])
        stop = (
            Stop.objects.select_for_update(of=("self",))
            .select_related("route", "order")
            .get(pk=stop_id)
        )
        if (stop.route.driver_id if stop.route else None) == held[0]:
            return stop


def _was_ever_given(stop: Stop, driver_id: uuid.UUID) -> bool:
    return StopAssignment.objects.filter(stop=stop, driver_id=driver_id).exists()


def _fact_of_report(report: StopReport) -> Fact:
    return Fact(
        id=report.event_id,
        step=report.kind.removeprefix("stop."),
        driver_id=report.driver_id,
        occurred_at=report.occurred_at,
        device_seq=report.device_seq,
        reason=str(report.payload.get("reason", "")),
    )


def _fact_of_row(event: StopEvent) -> Fact:
    return Fact(
        id=event.id,
        step=event.kind.removeprefix("stop."),
        driver_id=event.driver_id,
        occurred_at=event.occurred_at,
        device_seq=event.device_seq,
        reason=str(event.payload.get("reason", "")),
    )


def _verdict_of(event: StopEvent) -> Verdict:
    result, _, code = event.verdict.partition("/")
    return Verdict(result, code)


def _in_context(stop: Stop, report: StopReport, verdict: Verdict) -> Verdict:
    """Say what the fold cannot know: the order was cancelled, the stop given away."""
    holder = stop.route.driver_id if stop.route else None
    step = report.kind.removeprefix("stop.")
    if verdict != OK:
        return verdict
    if step == progress.REOPENED and _was_rescheduled(stop):
        return replace(MOVED, ours=stop.order.service_date.isoformat())
    if stop.order.status == OrderState.CANCELLED and step in progress.OUTCOMES:
        return progress.CANCELLED_MEANWHILE
    if holder == report.driver_id:
        return verdict
    return Verdict(
        verdict.result,
        "applied_after_reassign",
        "The stop had been given away. Your report counts all the same.",
        ours="given_away" if holder else StopState.PENDING,
    )


def _was_rescheduled(stop: Stop) -> bool:
    """Tell whether the order of a stop that ended was opened again, for another time."""
    ended = {StopState.FAILED, StopState.PARTIAL}
    return stop.status in ended and stop.order.status == OrderState.OPEN


def _keep(stop: Stop, report: StopReport, verdict: Verdict) -> None:
    StopEvent.objects.create(
        id=report.event_id,
        stop=stop,
        driver_id=report.driver_id,
        kind=report.kind,
        payload=dict(report.payload),
        occurred_at=report.occurred_at,
        received_at=report.received_at,
        device_seq=report.device_seq,
        verdict=f"{verdict.result}/{verdict.code}",
    )


def _fold(stop: Stop, facts: list[Fact], report: StopReport, journal: Writer) -> None:
    state = progress.fold(facts)
    before = stop.status
    stop.status = state.status
    stop.reason = state.reason
    stop.enroute_at, stop.arrived_at = state.enroute_at, state.arrived_at
    stop.completed_at, stop.completed_by_id = state.completed_at, state.completed_by
    stop.version += 1
    stop.save()
    route = stop.route
    if route is not None:
        journal.changed(route.driver_id, "stops", stop.pk)
    outcome = ORDER_STATE_OF.get(StopState(stop.status), OrderState.OPEN)
    if outcome != stop.order.status and _may_become(stop.order, outcome):
        orders.set_outcome(
            order_id=stop.order_id, status=outcome, by=journal.by, now=journal.now
        )
    if route is not None and route.status == RouteState.PUBLISHED:
        Route.objects.filter(pk=route.pk).update(status=RouteState.STARTED)
        journal.changed(route.driver_id, "routes", route.pk)
    _tell(journal, stop, report.kind, report, before=before)


def _may_become(order: Order, outcome: OrderState) -> bool:
    """A cancelled order stays cancelled, unless it was delivered all the same."""
    return order.status != OrderState.CANCELLED or outcome in {
        OrderState.DELIVERED,
        OrderState.PARTIAL,
    }


def _tell(
    journal: Writer, stop: Stop, kind: str, report: StopReport, **more: Any
) -> None:
    route = stop.route
    journal.record(
        kind,
        stop,
        depot_id=stop.order.depot_id,
        route_id=str(route.pk) if route else None,
        service_date=stop.order.service_date.isoformat(),
        driver_id=str(report.driver_id),
        event_id=report.event_id,
        occurred_at=report.occurred_at.isoformat(),
        late_s=_late_s(stop, report),
        expected=_expected(stop),
        status=stop.status,
        **more,
    )


def _expected(stop: Stop) -> list[str] | None:
    """Return ETA, earliest and latest as they stood: past errors are learned from it."""
    if stop.eta_at is None or stop.eta_low_at is None or stop.eta_high_at is None:
        return None
    instants = (stop.eta_at, stop.eta_low_at, stop.eta_high_at)
    return [instant.isoformat() for instant in instants]


def _late_s(stop: Stop, report: StopReport) -> int:
    """Return by how many seconds the report is behind the plan (negative: ahead).

    The plan's own ETA counts: the one shown has learned of the delay already. An
    arrival before a window opens is no lead, and what an arrival told already is not
    told again by the outcome: that one counts from the later of plan and arrival.
    """
    step = report.kind.removeprefix("stop.")
    planned_at = stop.plan_eta_at or stop.eta_at
    if planned_at is None:
        return 0
    behind_eta_s = round((report.occurred_at - planned_at).total_seconds())
    if step == progress.ARRIVED:
        return max(0, behind_eta_s)
    if step not in progress.OUTCOMES:
        return 0
    began_at = max(planned_at, stop.arrived_at or planned_at)
    return round((report.occurred_at - began_at).total_seconds()) - stop.service_s


def _end_assignment(stop: Stop, now: datetime) -> None:
    StopAssignment.objects.filter(stop=stop, until_at=None).update(until_at=now)


def order_is_off(order: Order, stop: Stop) -> bool:
    """Tell whether an open stop no longer stands for what its order asks."""
    if order.status == OrderState.CANCELLED:
        return True
    route = stop.route
    return route is not None and route.service_date != order.service_date
