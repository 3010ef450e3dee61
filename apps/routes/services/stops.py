"""What devices report of stops: kept as facts, folded to a state, answered by a verdict."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from apps.core.actors import Actor
from apps.core.bulk import columns_of, insert, update
from apps.core.statements import (
    Statement,
    as_is,
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
from apps.routes.models import Route, Stop, StopEvent
from apps.routes.progress import Fact
from apps.routes.selectors import parse_id
from apps.routes.services.stoplocks import FOLDED, holder_of, lock_stops_to_fold
from apps.routes.services.telling import StopReport, tell
from apps.routes.states import DONE, RouteState, StopState

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


GIVEN: Final = Statement(
    "SELECT stop_id, driver_id FROM routes_stopassignment WHERE stop_id IN %s",
    *(read_uuid, read_uuid),
)
TOLD: Final = Statement(
    """
    SELECT id, stop_id, kind, driver_id, occurred_at, device_seq, payload, verdict,
           corrects, device_id, is_sure
      FROM routes_stopevent WHERE stop_id IN %s
    """,
    *(as_is, read_uuid, as_is, read_uuid, read_instant, as_is, read_json, as_is),
    *(as_is, read_uuid, bool),
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
        named = {text: parse_id(text) for text in {each.stop_id for each in reports}}
        visits = _lock_visits(
            {stop_id for stop_id in named.values() if stop_id}, journal
        )
        taken = _Taken(journal, orders.Outcomes(journal))
        verdicts = [
            _take(report, visits.get(named[report.stop_id] or NO_ID), taken)
            for report in reports
        ]
        _write(visits.values(), taken)
    return verdicts


def _lock_visits(ids: set[uuid.UUID], journal: Writer) -> dict[uuid.UUID, _Visit]:
    visits = {stop.pk: _Visit(stop) for stop in lock_stops_to_fold(ids, journal)}
    for stop_id, driver_id in GIVEN.rows(list(visits)):
        visits[stop_id].given_to.add(driver_id)
    for row in TOLD.rows(list(visits)):
        event_id, stop_id, kind, driver_id, at, seq, payload, said, *more = row
        corrects, device_id, is_sure = more
        fact = Fact(
            id=event_id,
            step=kind.removeprefix("stop."),
            driver_id=driver_id,
            occurred_at=at,
            device_seq=seq,
            reason=str(payload.get("reason", "")),
            corrects=corrects,
            device_id=device_id,
            is_sure=is_sure,
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
        update(Stop, columns_of(folded, FOLDED))
    taken.outcomes.write()
    if taken.started:
        Route.objects.filter(pk__in=taken.started).update(status=RouteState.STARTED)


def _fact_of_report(report: StopReport) -> Fact:
    return Fact(
        id=report.event_id,
        step=report.kind.removeprefix("stop."),
        driver_id=report.driver_id,
        occurred_at=report.occurred_at,
        device_seq=report.device_seq,
        reason=str(report.payload.get("reason", "")),
        corrects=report.corrects,
        device_id=report.device_id,
        is_sure=report.is_sure,
    )


def _verdict_of(said: str) -> Verdict:
    result, _, code = said.partition("/")
    return Verdict(result, code)


def _in_context(stop: Stop, report: StopReport, verdict: Verdict) -> Verdict:
    """Say what the fold cannot know: the order was cancelled, the stop given away."""
    holder = holder_of(stop)
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
        "device_id": [report.device_id for report in reports],
        "is_sure": [report.is_sure for report in reports],
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
