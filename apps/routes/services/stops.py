"""What devices report of stops, and what the office takes away from a route."""

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from apps.core.actors import Actor
from apps.core.bulk import columns_of, insert, update
from apps.core.statements import (
    Statement,
    as_is,
    partly,
    read_date,
    read_instant,
    read_json,
    read_uuid,
)
from apps.core.verdicts import (
    APPLIED,
    NEEDS_REVIEW,
    OK,
    REJECTED,
    Verdict,
)
from apps.drivers.states import ShiftState
from apps.journal.services import Writer, writing
from apps.orders import services as orders
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.routes import progress
from apps.routes.models import Route, Stop, StopAssignment, StopEvent
from apps.routes.pinned import Pin
from apps.routes.progress import Fact
from apps.routes.selectors import parse_id
from apps.routes.services.holding import end_pins
from apps.routes.services.telling import StopReport, tell
from apps.routes.states import DONE, UNDER_WAY, RouteState, StopState

NEVER_ASSIGNED = Verdict(
    REJECTED, "never_assigned", "This stop was never yours. The report is set aside."
)
CORRECTION_WAITS = Verdict(
    NEEDS_REVIEW, "correction", "Your correction is kept; the office decides."
)
MOVED = progress.WINDOW_MOVED
AFTER_REASSIGN: Final = "applied_after_reassign"
NO_ID = uuid.UUID(int=0)
ORDER_STATE_OF = {
    StopState.SUCCEEDED: OrderState.DELIVERED,
    StopState.FAILED: OrderState.FAILED,
    StopState.PARTIAL: OrderState.PARTIAL,
}


_FOLDED = (
    *("status", "reason", "enroute_at", "arrived_at", "completed_at"),
    *("completed_by_id", "version"),
)
_STOP_READ = (
    *("id", "order_id", "route_id", "sequence", "service_s", "plan_eta_at", "eta_at"),
    *("eta_low_at", "eta_high_at"),
    *_FOLDED,
)
_ROUTE_READ = ("id", "driver_id", "status")
_ORDER_READ = ("id", "depot_id", "service_date", "status")
LOCKED: Final = Statement(
    """
    SELECT s.id, s.order_id, s.route_id, s.sequence, s.service_s, s.plan_eta_at,
           s.eta_at, s.eta_low_at, s.eta_high_at, s.status, s.reason, s.enroute_at,
           s.arrived_at, s.completed_at, s.completed_by_id, s.version,
           r.id, r.driver_id, r.status,
           o.id, o.depot_id, o.service_date, o.status
      FROM routes_stop s JOIN orders_order o ON o.id = s.order_id
      LEFT JOIN routes_route r ON r.id = s.route_id
     WHERE s.id IN %s ORDER BY s.id
    """,
    *(read_uuid, read_uuid, read_uuid, as_is, as_is, read_instant, read_instant),
    *(read_instant, read_instant, as_is, as_is, read_instant),
    *(read_instant, read_instant, read_uuid, as_is),
    *(read_uuid, read_uuid, as_is),
    *(read_uuid, read_uuid, read_date, as_is),
    lock="FOR UPDATE OF s, o",
)
GIVEN: Final = Statement(
    "SELECT stop_id, driver_id FROM routes_stopassignment WHERE stop_id IN %s",
    *(read_uuid, read_uuid),
)
TOLD: Final = Statement(
    """
    SELECT id, stop_id, kind, driver_id, occurred_at, device_seq, payload, verdict,
           corrects
      FROM routes_stopevent WHERE stop_id IN %s
    """,
    *(as_is, read_uuid, as_is, read_uuid, read_instant, as_is, read_json, as_is),
    as_is,
)
HOLDERS: Final = Statement(
    """
    SELECT s.id, r.driver_id FROM routes_stop s
      LEFT JOIN routes_route r ON r.id = s.route_id WHERE s.id IN %s
    """,
    *(read_uuid, read_uuid),
)


@dataclass(slots=True)
class _Visit:
    """A locked stop with all that was ever reported of it, while more is taken in."""

    stop: Stop
    given_to: set[uuid.UUID] = field(default_factory=set)
    facts: dict[str, tuple[Fact, Verdict]] = field(default_factory=dict)
    fresh: list[tuple[StopReport, Verdict]] = field(default_factory=list)
    is_folded: bool = False

    def counting(self) -> list[Fact]:
        """Return the facts that say something of the stop's state."""
        return [
            fact for fact, verdict in self.facts.values() if verdict.code != MOVED.code
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
    visits = {stop.pk: _Visit(stop) for stop in _lock_stops_to_fold(ids, journal)}
    for stop_id, driver_id in GIVEN.rows(list(visits)):
        visits[stop_id].given_to.add(driver_id)
    for row in TOLD.rows(list(visits)):
        event_id, stop_id, kind, driver_id, at, seq, payload, said, corrects = row
        fact = Fact(
            id=event_id,
            step=kind.removeprefix("stop."),
            driver_id=driver_id,
            occurred_at=at,
            device_seq=seq,
            reason=str(payload.get("reason", "")),
            corrects=corrects,
        )
        visits[stop_id].facts[event_id] = (fact, _verdict_of(said))
    return visits


def _take(report: StopReport, visit: _Visit | None, taken: _Taken) -> Verdict:
    if visit is None or report.driver_id not in visit.given_to:
        return NEVER_ASSIGNED
    stop, journal = visit.stop, taken.journal
    verdict = _judged(report, visit)
    if verdict.result == REJECTED:
        return verdict
    if report.event_id not in visit.facts:
        visit.facts[report.event_id] = (_fact_of_report(report), verdict)
        visit.fresh.append((report, verdict))
        if stop.status != StopState.CANCELLED and verdict.code != MOVED.code:
            visit.is_folded = True
            _fold(visit, report, taken)
        if verdict.result == NEEDS_REVIEW:
            tell(journal, stop, "stop.needs_review", report, code=verdict.code)
        step = report.kind.removeprefix("stop.")
        if verdict.code == AFTER_REASSIGN and step in progress.OUTCOMES:
            tell(journal, stop, "stop.counted_after_reassign", report, said=step)
    if stop.route is not None:
        # The order too: a cancelled one is shown while its stop is open.
        journal.changed(stop.route.driver_id, "orders", stop.order_id)
    return verdict


def _judged(report: StopReport, visit: _Visit) -> Verdict:
    if again := visit.facts.get(report.event_id):
        return Verdict(again[1].result, again[1].code)
    counting = visit.counting()
    judge = progress.judge
    if report.corrects:
        if all(fact.id != report.corrects for fact in counting):
            return CORRECTION_WAITS
        judge = progress.judge_correction
    verdict = judge(
        counting,
        _fact_of_report(report),
        cancelled=visit.stop.status == StopState.CANCELLED,
    )
    if verdict.result == REJECTED:
        return verdict
    if report.corrects:
        return _correction_in_context(visit.stop, verdict)
    return _in_context(visit.stop, report, verdict)


def _write(visits: Iterable[_Visit], taken: _Taken) -> None:
    """Write in few statements what was taken in: facts, stops, orders, routes."""
    seen = list(visits)
    insert(StopEvent, _columns_of_facts(seen))
    if folded := [each.stop for each in seen if each.is_folded]:
        update(Stop, columns_of(folded, _FOLDED))
    taken.outcomes.write()
    if taken.started:
        Route.objects.filter(pk__in=taken.started).update(status=RouteState.STARTED)


def release_stop(
    stop_id: uuid.UUID, *, because: str, cancel: bool, by: Actor, now: datetime
) -> bool:
    """Take an open stop off its route; tell whether anything was to be taken.

    With `cancel` the visit is over for good; without it the stop waits for a place.
    A stop under way stays with its driver: the driver hears of the order's new state.
    What people had pinned of it is over with its route.
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
        end_pins([stop.pk], journal, kinds=Pin.Kind.values)
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


def _lock_stop(stop_id: uuid.UUID, journal: Writer) -> Stop | None:
    return next(iter(_lock_stops({stop_id}, journal)), None)


def _lock_stops(stop_ids: Collection[uuid.UUID], journal: Writer) -> list[Stop]:
    """Lock the stops' holders, then the stops; a holder may move while we wait."""
    rows = Stop.objects.filter(pk__in=stop_ids)
    locked = rows.select_for_update(of=("self", "order"))
    locked = locked.select_related("route", "order").order_by("pk")
    return _locked_with_holders(stop_ids, journal, lambda: list(locked.all()))


def _lock_stops_to_fold(stop_ids: Collection[uuid.UUID], journal: Writer) -> list[Stop]:
    """Lock stops as above, and read of them what a fold asks; orders are shared.

    Where the transaction may begin again, its holders are locked already but for one
    who has come by the stop since.
    """
    if journal.is_holding_back:
        stops = _stops_of(LOCKED.rows(stop_ids)) if stop_ids else []
        journal.require(holder for stop in stops if (holder := _holder(stop)))
        return stops
    return _locked_with_holders(
        stop_ids, journal, lambda: _stops_of(LOCKED.rows(stop_ids))
    )


def _stops_of(rows: Iterable[Sequence[Any]]) -> list[Stop]:
    orders_by_id: dict[uuid.UUID, Order] = {}
    routes_by_id: dict[uuid.UUID, Route] = {}
    found = []
    for row in rows:
        values = iter(row)
        stop, route, order = (
            partly(model, names, [next(values) for _ in names])
            for model, names in (
                (Stop, _STOP_READ),
                (Route, _ROUTE_READ),
                (Order, _ORDER_READ),
            )
        )
        if stop.route_id is not None:
            stop.route = routes_by_id.setdefault(route.pk, route)
        stop.order = orders_by_id.setdefault(order.pk, order)
        found.append(stop)
    return found


def _locked_with_holders(
    stop_ids: Collection[uuid.UUID], journal: Writer, lock: Callable[[], list[Stop]]
) -> list[Stop]:
    while stop_ids:
        held: dict[uuid.UUID, uuid.UUID | None] = dict(HOLDERS.rows(stop_ids))
        journal.lock({driver_id for driver_id in held.values() if driver_id})
        stops = lock()
        if all(_holder(stop) == held.get(stop.pk) for stop in stops):
            return stops
    return []


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
        corrects=report.corrects,
    )


def _verdict_of(said: str) -> Verdict:
    result, _, code = said.partition("/")
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
        AFTER_REASSIGN,
        "The stop had been given away. Your report counts all the same.",
        ours="given_away" if holder else StopState.PENDING,
    )


def _correction_in_context(stop: Stop, verdict: Verdict) -> Verdict:
    """Leave to a person a correction of a stop whose order has gone on since."""
    if verdict.result != APPLIED:
        return verdict
    if stop.order.status == OrderState.CANCELLED:
        return progress.CANCELLED_MEANWHILE
    others = Stop.objects.filter(order=stop.order_id).exclude(pk=stop.pk)
    is_open_again = stop.status in DONE and stop.order.status == OrderState.OPEN
    if is_open_again or others.exists():
        ours = stop.order.service_date.isoformat()
        return replace(MOVED, ours=ours, yours=verdict.yours)
    return verdict


def _was_rescheduled(stop: Stop) -> bool:
    """Tell whether the order of a stop that ended was opened again, for another time."""
    ended = {StopState.FAILED, StopState.PARTIAL}
    return stop.status in ended and stop.order.status == OrderState.OPEN


def _columns_of_facts(visits: Iterable[_Visit]) -> dict[str, Any]:
    fresh = [(each.stop.pk, *one) for each in visits for one in each.fresh]
    reports = [report for _, report, _ in fresh]
    return {
        "id": [report.event_id for report in reports],
        "stop_id": [stop_id for stop_id, _, _ in fresh],
        "driver_id": [report.driver_id for report in reports],
        "kind": [report.kind for report in reports],
        "payload": [dict(report.payload) for report in reports],
        "occurred_at": [report.occurred_at for report in reports],
        "received_at": [report.received_at for report in reports],
        "device_seq": [report.device_seq for report in reports],
        "corrects": [report.corrects for report in reports],
        "verdict": [f"{verdict.result}/{verdict.code}" for _, _, verdict in fresh],
    }


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
    if route is not None and _is_under_way(route, stop):
        taken.started.add(route.pk)
        journal.changed(route.driver_id, "routes", route.pk)
    if report.corrects:
        more = {"corrects": report.corrects, "meant": report.kind}
        tell(journal, stop, "stop.corrected", report, before=before, **more)
    else:
        tell(journal, stop, report.kind, report, before=before)


def _is_under_way(route: Route, stop: Stop) -> bool:
    """Tell whether a report says that a published route is driven.

    Who is on the way to a stop, was there, or delivered is out, even where the begin of
    the shift was not told. A stop that is skipped from the yard, a note, or one opened
    again says nothing of the kind: with these the shift must have begun.
    """
    if route.status != RouteState.PUBLISHED:
        return False
    was_there = stop.enroute_at is not None or stop.arrived_at is not None
    if was_there or stop.status in (StopState.SUCCEEDED, StopState.PARTIAL):
        return True
    return route.shift.status in (ShiftState.STARTED, ShiftState.PAUSED)


def _may_become(order: Order, outcome: OrderState) -> bool:
    """A cancelled order stays cancelled, unless it was delivered all the same."""
    return order.status != OrderState.CANCELLED or outcome in {
        OrderState.DELIVERED,
        OrderState.PARTIAL,
    }


def _end_assignment(stop: Stop, now: datetime) -> None:
    StopAssignment.objects.filter(stop=stop, until_at=None).update(until_at=now)


def order_is_off(order: Order, stop: Stop) -> bool:
    """Tell whether an open stop no longer stands for what its order asks."""
    if order.status == OrderState.CANCELLED:
        return True
    route = stop.route
    return route is not None and route.service_date != order.service_date
