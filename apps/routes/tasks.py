"""Background work of routes: plan a day, re-optimize what is ahead of a running one."""

import uuid
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import structlog

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.queue import TryAgain
from apps.depots.models import Depot
from apps.routes import intake, planning, selectors
from apps.routes.gateways.base import RoadsFailed
from apps.routes.gateways.choice import roads_if_any
from apps.routes.lines import wanted_legs
from apps.routes.models import Plan
from apps.routes.services import (
    conditions,
    etas,
    following,
    learning,
    plans,
    roads,
    ways,
)
from apps.routes.services.applying import store_plan
from apps.routes.services.fitting import StaleInput
from apps.routes.solving import NoAnswer, answer_day
from apps.routes.states import PlanState
from apps.routes.tracing import missing_lines
from apps.routes.why import ledger
from apps.routes.why.questions import question_of

log = structlog.get_logger(__name__)

WHY = {
    "stop.failed": "A stop failed: what follows moves up.",
    "stop.partial": "A stop took another time than planned.",
    "stop.succeeded": "A stop took another time than planned.",
    "stop.arrived": "The route runs late.",
    "stop.reopened": "A stop was opened again.",
    "stop.released": "A stop was taken off.",
    "order.created": "An order was added.",
    "order.changed": "An order was changed.",
    "orders.imported": "Orders were added.",
    "shift.planned": "A shift was added.",
    "shift.changed": "A shift was changed.",
    "shift.started": "A shift began late.",
    "running_late": "The route runs late.",
    "condition.touched": "The road has changed: see the stops that are marked.",
}
"""Why a route changes, in the driver's words, by what gave cause to it."""

ABANDONED_AFTER = timedelta(minutes=5)
"""A re-optimization that began so long ago has lost its worker: it is taken over."""


def plan_day(*, plan_id: str) -> None:
    """Make a day's first plan."""
    plan = plans.begin_solving(uuid.UUID(plan_id), by=SYSTEM, now=clock.now())
    if plan is None:
        return
    day = intake.day_input(plan.depot_id, plan.service_date, now=clock.now())
    if not day.shifts:
        why = "There is no shift on this day: add shifts, then plan again."
        plans.fail_plan(plan.pk, why=why, by=SYSTEM, now=clock.now())
        return
    _solve_and_store(plan, day, "plan")


def reoptimize(
    *, depot_id: str, service_date: str, route_id: str | None, cause: str
) -> None:
    """Improve what is still ahead: of one route, or of the whole day.

    A state that was re-optimized before is not planned again, so a burst of triggers
    plans once.
    """
    depot, day_date = uuid.UUID(depot_id), date.fromisoformat(service_date)
    if selectors.published_plan(depot, day_date) is None:
        return
    now = clock.now()
    route_ids = None if route_id is None else [uuid.UUID(route_id)]
    day = intake.running_input(depot, day_date, route_ids=route_ids, now=now)
    if not day.shifts and not day.orders:
        return
    version = planning.input_version(day)
    plan = plans.claim_replan(
        depot_id=depot,
        service_date=day_date,
        input_version=version,
        cause={"kind": cause, "route_id": route_id},
        by=SYSTEM,
        now=now,
    )
    plan = plan or _abandoned(depot, day_date, version)
    if plan is not None:
        _solve_and_store(plan, day, "replan")


def follow_import(*, depot_id: str, service_dates: list[str]) -> None:
    """Find places for imported orders on the days that are published already."""
    for service_date in service_dates:
        reoptimize(
            depot_id=depot_id,
            service_date=service_date,
            route_id=None,
            cause="orders.imported",
        )


def follow_order(*, order_id: str) -> None:
    """Let an order's stop follow it."""
    following.follow_order(uuid.UUID(order_id), by=SYSTEM, now=clock.now())


def follow_shift(*, shift_id: str) -> None:
    """Let a route follow its shift."""
    following.follow_shift(uuid.UUID(shift_id), by=SYSTEM, now=clock.now())


def follow_condition(*, condition_id: str) -> None:
    """Let the routes that a condition of the road touches, or touched, follow it."""
    roads.follow_condition(uuid.UUID(condition_id), by=SYSTEM, now=clock.now())


def expire_conditions(*, by_the_clock: bool = True) -> None:
    """Close the conditions whose time is over.

    While the demo's clock stands, whoever set it says when to look.
    """
    if by_the_clock and clock.stands():
        return
    conditions.expire_conditions(by=SYSTEM, now=clock.now())


def relearn_travel() -> None:
    """Let finished stops of the last weeks correct the travel times of each depot."""
    now = clock.now()
    for depot in Depot.objects.order_by("pk"):
        learning.relearn_travel(depot, by=SYSTEM, now=now)


def refresh_etas(*, route_ids: list[str]) -> None:
    """Make the ETAs of routes anew, where that failed beside an event."""
    known = [uuid.UUID(route_id) for route_id in route_ids]
    etas.refresh_etas(known, by=SYSTEM, now=clock.now())


def draw_ways(*, depot_id: str, service_date: str) -> None:
    """Draw the day's routes along the roads, where a source of them is asked for.

    Only legs that are not drawn yet are asked for. A source that is down leaves the
    pictures as they are; the next plan asks again.
    """
    roads = roads_if_any()
    if roads is None:
        return
    rows = selectors.ways_of_day(uuid.UUID(depot_id), date.fromisoformat(service_date))
    for row in rows:
        try:
            origin = roads.provenance([place.point for place in row.places])
            known = row.lines_of(origin.source, origin.version)
            fresh = missing_lines(roads, row.places, known)
        except RoadsFailed as error:
            log.warning("ways_not_drawn", why=str(error))
            return
        wanted = wanted_legs(row.places)
        if fresh or known.keys() - set(wanted):
            ways.keep_way(
                row.route_id,
                wanted=wanted,
                fresh=fresh,
                source=origin.source,
                version=origin.version,
                now=clock.now(),
            )


def explain_plan(*, plan_id: str, question: dict[str, Any]) -> None:
    """Answer a question of a plan that takes a while."""
    ledger.work_out(uuid.UUID(plan_id), question_of(question))


def watch_days(*, by_the_clock: bool = True) -> None:
    """Re-optimize the routes that are late without a word from their driver.

    While the demo's clock stands, whoever set it says when to look.
    """
    if by_the_clock and clock.stands():
        return
    for route in selectors.overdue_routes(clock.now()):
        reoptimize(
            depot_id=str(route.depot_id),
            service_date=route.service_date.isoformat(),
            route_id=str(route.pk),
            cause="running_late",
        )


def _abandoned(depot_id: uuid.UUID, service_date: date, version: str) -> Plan | None:
    return Plan.objects.filter(
        depot_id=depot_id,
        service_date=service_date,
        input_version=version,
        status=PlanState.SOLVING,
        requested_at__lt=clock.now() - ABANDONED_AFTER,
    ).first()


def _solve_and_store(plan: Plan, day: planning.DayInput, kind: str) -> None:
    def on_progress(percent: int, text: str) -> None:
        plans.note_progress(plan.pk, percent=percent, text=text)

    why = WHY.get(plan.cause["kind"], "The plan was made anew.")
    try:
        answer = answer_day(day, plan_id=plan.pk, kind=kind, on_progress=on_progress)
        store_plan(plan.pk, replace(answer, why=why), by=SYSTEM, now=clock.now())
    except NoAnswer as error:
        plans.fail_plan(plan.pk, why=str(error), by=SYSTEM, now=clock.now())
    except StaleInput as stale:
        plans.give_way(plan.pk, why=stale.detail, by=SYSTEM, now=clock.now())
        raise TryAgain(stale.detail) from stale
