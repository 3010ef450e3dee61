"""What devices report of stops, and what the office takes away from a route."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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


_FOLDED = [
    *("status", "reason", "enroute_at", "arrived_at", "completed_at"),
    *("completed_by", "version"),
]


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


@dataclass(slots=True)
class _Visit:
    """A locked stop with all that was ever reported of it, while more is taken in."""

    stop: Stop
    given_to: set[uuid.UUID]
    facts: dict[str, StopEvent]
    fresh: list[StopEvent] = field(default_factory=list)
    is_folded: bool = False

    def counting(self) -> list[Fact]:
        """Return the facts that say something of the stop's state."""
        return [
            _fact_of_row(event)
            for event in self.facts.values()
            if _verdict_of(event).code != MOVED.code
        ]


@dataclass(slots=True)
class _Taken:
    """What reports add up to, kept back until it is written in one go."""

    journal: Writer
    outcomes: orders.Outcomes
    started: set[uuid.UUID] = field(default_factory=set)


def record_stop_event(report: StopReport, *, by: Actor, now: datetime) -> Verdict:
    """Keep a reported fact and fold the stop's state anew; say what became of it.

    A fact is judged by whether its driver was ever given the stop, not by who holds it
    now. The same event again gets its first verdict.
    """
    [verdict] = record_stop_events([report], by=by, now=now)
    return verdict


def record_stop_events(
    reports: Sequence[StopReport], *, by: Actor, now: datetime
) -> list[Verdict]:
    """Keep facts in the order in which they stand here; say what became of each.

    All or nothing: their stops are read once, folded in memory, and written at the end,
    so that 25 facts cost hardly more statements than one.
    """
    scopes = {report.driver_id for report in reports}
    with writing(by=by, now=now, scopes=scopes) as journal:
        visits = _lock_visits(reports, journal)
        taken = _Taken(journal, orders.Outcomes(journal))
        verdicts = [
            _take(report, visits.get(parse_id(report.stop_id) or NO_ID), taken)
            for report in reports
        ]
        _write(visits.values(), taken)
    return verdicts


def _lock_visits(
    reports: Sequence[StopReport], journal: Writer
) -> dict[uuid.UUID, _Visit]:
    ids = {stop_id for each in reports if (stop_id := parse_id(each.stop_id))}
    stops = _lock_stops(ids, journal)
    shared = {order.pk: order for order in (stop.order for stop in stops)}
    for stop in stops:
        stop.order = shared[stop.order_id]
    visits = {stop.pk: _Visit(stop, set(), {}) for stop in stops}
    given = StopAssignment.objects.filter(stop__in=visits)
    for stop_id, driver_id in given.values_list("stop_id", "driver_id"):
        visits[stop_id].given_to.add(driver_id)
    for event in StopEvent.objects.filter(stop__in=visits):
        visits[event.stop_id].facts[event.id] = event
    return visits


def _take(report: StopReport, visit: _Visit | None, taken: _Taken) -> Verdict:
    if visit is None or report.driver_id not in visit.given_to:
        return NEVER_ASSIGNED
    stop, journal = visit.stop, taken.journal
    verdict = _judged(report, visit)
    if verdict.result == REJECTED:
        return verdict
    if report.event_id not in visit.facts:
        event = _event_of(stop, report, verdict)
        visit.facts[event.id] = event
        visit.fresh.append(event)
        if stop.status != StopState.CANCELLED and verdict.code != MOVED.code:
            visit.is_folded = True
            _fold(visit, report, taken)
        if verdict.result == NEEDS_REVIEW:
            _tell(journal, stop, "stop.needs_review", report, code=verdict.code)
    if stop.route is not None:
        # The order too: a cancelled one is shown while its stop is open.
        journal.changed(stop.route.driver_id, "orders", stop.order_id)
    return verdict


def _judged(report: StopReport, visit: _Visit) -> Verdict:
    if again := visit.facts.get(report.event_id):
        return _verdict_of(again)
    verdict = progress.judge(
        visit.counting(),
        _fact_of_report(report),
        cancelled=visit.stop.status == StopState.CANCELLED,
    )
    if verdict.result == REJECTED:
        return verdict
    return _in_context(visit.stop, report, verdict)


def _write(visits: Iterable[_Visit], taken: _Taken) -> None:
    """Write in few statements what was taken in: facts, stops, orders, routes."""
    seen = list(visits)
    StopEvent.objects.bulk_create([event for each in seen for event in each.fresh])
    # The rows exist: written by their key, in one statement.
    Stop.objects.bulk_create(
        [each.stop for each in seen if each.is_folded],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_FOLDED,
    )
    taken.outcomes.write()
    if taken.started:
        Route.objects.filter(pk__in=taken.started).update(status=RouteState.STARTED)


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


def _lock_stop(stop_id: uuid.UUID, journal: Writer) -> Stop | None:
    return next(iter(_lock_stops({stop_id}, journal)), None)


def _lock_stops(stop_ids: Collection[uuid.UUID], journal: Writer) -> list[Stop]:
    """Lock the stops' holders, then the stops; a holder may move while we wait."""
    rows = Stop.objects.filter(pk__in=stop_ids)
    while True:
        held = dict(rows.values_list("pk", "route__driver_id"))
        journal.lock({driver_id for driver_id in held.values() if driver_id})
        locked = rows.select_for_update(of=("self", "order"))
        locked = locked.select_related("route", "order")
        stops = list(locked.order_by("pk"))
        if all(_holder(stop) == held.get(stop.pk) for stop in stops):
            return stops


def _holder(stop: Stop) -> uuid.UUID | None:
    return stop.route.driver_id if stop.route else None


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
    holder = _holder(stop)
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


def _event_of(stop: Stop, report: StopReport, verdict: Verdict) -> StopEvent:
    return StopEvent(
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


def _fold(visit: _Visit, report: StopReport, taken: _Taken) -> None:
    stop, journal = visit.stop, taken.journal
    state = progress.fold(visit.counting())
    before = stop.status
    stop.status = state.status
    stop.reason = state.reason
    stop.enroute_at, stop.arrived_at = state.enroute_at, state.arrived_at
    stop.completed_at, stop.completed_by_id = state.completed_at, state.completed_by
    stop.version += 1
    route = stop.route
    if route is not None:
        journal.changed(route.driver_id, "stops", stop.pk)
    outcome = ORDER_STATE_OF.get(StopState(stop.status), OrderState.OPEN)
    if outcome != stop.order.status and _may_become(stop.order, outcome):
        taken.outcomes.note(stop.order, outcome)
    if route is not None and route.status == RouteState.PUBLISHED:
        taken.started.add(route.pk)
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
