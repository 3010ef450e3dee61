"""Background work of routes: plan a day, re-optimize what is ahead of a running one."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import structlog
from django.db import transaction

from apps.core import clock, queue
from apps.core.actors import SYSTEM
from apps.core.queue import TryAgain
from apps.depots.models import Depot
from apps.routes import dayversions, intake, planners, selectors, trial, triggers
from apps.routes.chain import NoAnswer
from apps.routes.dayinputs import DayInput
from apps.routes.drawing import draw_day
from apps.routes.gateways.choice import roads_if_any
from apps.routes.models import Plan
from apps.routes.replanning import Touched, changed_shifts, loose_orders
from apps.routes.services import (
    conditions,
    etas,
    following,
    learning,
    leaves,
    modes,
    plans,
    roads,
    settling,
    tellings,
)
from apps.routes.services.applying import keep_plan, store_plan
from apps.routes.services.fitting import Answer, StaleInput
from apps.routes.services.leaves import MachineMayNot
from apps.routes.solving import answer_day
from apps.routes.states import Act, PlanningMode, PlanState
from apps.routes.steps import mended_answer, searched_answer
from apps.routes.why import ledger
from apps.routes.why.questions import question_of

log = structlog.get_logger(__name__)

MOST_ANEW = 5
"""So often is a search that came too late made anew; the next event starts another."""

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

    if planners.plans_by_rules(plan.depot_id, clock.now()):
        day = dayversions.by_rules(day)

    def answer() -> None:
        found = answer_day(
            day, plan_id=plan.pk, kind="plan", on_progress=_progress_of(plan)
        )
        _note_search(found)
        found = replace(found, why="The plan was made anew.")
        store_plan(plan.pk, found, by=SYSTEM, now=clock.now())

    if not _answered(plan, answer):
        raise TryAgain("The day has moved on meanwhile.")


def reoptimize(
    *,
    depot_id: str,
    service_date: str,
    route_id: str | None,
    cause: str,
    route_ids: Sequence[str] = (),
    shift_id: str | None = None,
    order_id: str | None = None,
) -> None:
    """Answer events at once: mend the running plan, and have it searched after that.

    The ids say what the trigger is about; what is read is the day. All triggers of the
    day that wait beside this one are answered with it, so that a burst plans once. A
    state that was answered before, or that an answer left behind, is not planned again.
    """
    depot, day_date = uuid.UUID(depot_id), date.fromisoformat(service_date)
    if selectors.published_plan(depot, day_date) is None:
        return
    if _is_refused(Act.REPAIR, depot):
        return
    # They are read before the day is: what gave cause to them is in what is read then.
    waiting = triggers.waiting(triggers.REOPTIMIZE, depot, day_date) + triggers.waiting(
        triggers.IMPROVE, depot, day_date
    )
    own = {"route_id": route_id, "route_ids": route_ids}
    own |= {"shift_id": shift_id, "order_id": order_id}
    told = triggers.told([own, *(run.arguments for run in waiting)])
    now = clock.now()
    day = intake.running_input(depot, day_date, route_ids=None, now=now)
    if not day.shifts and not day.orders:
        return
    version = dayversions.input_version(day)
    plan = _claim(day, version, {"kind": cause, "route_id": route_id, "step": "mend"})
    if plan is None:
        return
    # An import names no orders; those that were left out before are not new.
    touched = told | Touched(order_ids=selectors.never_planned(loose_orders(day)))

    def answer() -> None:
        mended = mended_answer(
            day, touched, plan_id=plan.pk, on_progress=_progress_of(plan)
        )
        why = triggers.WHY.get(cause, "The plan was made anew.")
        with transaction.atomic():
            store_plan(plan.pk, replace(mended, why=why), by=SYSTEM, now=clock.now())
            queue.close_as_done(waiting)
            changed = changed_shifts(mended.day, mended.solution)
            dropped = {item.order_id for item in mended.left_out} - loose_orders(day)
            disturbed = Touched(changed, frozenset(dropped))
            _search_after(day, touched | disturbed, cause)

    if not _answered(plan, answer):
        raise TryAgain("The day has moved on meanwhile.")


def improve(
    *,
    depot_id: str,
    service_date: str,
    shift_ids: list[str],
    order_ids: list[str],
    cause: str,
    made_anew: int = 0,
) -> None:
    """Search the part of a running day that events touched, after it was mended.

    Events that wait for their first answer go before it. What comes too late for the
    state that it was made for is thrown away and made anew, `MOST_ANEW` times.
    """
    depot, day_date = uuid.UUID(depot_id), date.fromisoformat(service_date)
    own = {"shift_ids": shift_ids, "order_ids": order_ids}
    waiting = triggers.waiting(triggers.IMPROVE, depot, day_date)
    touched = triggers.told([own, *(run.arguments for run in waiting)])
    now = clock.now()
    day = intake.running_input(depot, day_date, route_ids=None, now=now)
    if triggers.comes_after(triggers.waiting(triggers.REOPTIMIZE, depot, day_date)):
        _search_after(day, touched, cause, made_anew)
        return
    if not day.shifts or not day.orders or _is_refused(Act.REPLAN, depot):
        return
    by_rules = planners.mode_of(depot).is_rules
    version = dayversions.searched_version(dayversions.input_version(day))
    plan = _claim(day, version, {"kind": cause, "route_id": None, "step": "search"})
    if plan is None:
        return

    def answer() -> None:
        found, is_better = searched_answer(
            day,
            touched,
            plan_id=plan.pk,
            on_progress=_progress_of(plan),
            by_rules=by_rules,
        )
        _note_search(found)
        with transaction.atomic():
            if is_better:
                found = replace(found, why=triggers.WHY_SEARCHED)
                store_plan(plan.pk, found, by=SYSTEM, now=clock.now())
            else:
                keep_plan(plan.pk, found, by=SYSTEM, now=clock.now())
            queue.close_as_done(waiting)

    if not _answered(plan, answer) and made_anew < MOST_ANEW:
        _search_after(day, touched, cause, made_anew + 1)


def _search_after(
    day: DayInput, touched: Touched, cause: str, made_anew: int = 0
) -> None:
    queue.enqueue(
        triggers.IMPROVE,
        depot_id=str(day.depot_id),
        service_date=day.service_date.isoformat(),
        shift_ids=sorted(map(str, touched.shift_ids)),
        order_ids=sorted(map(str, touched.order_ids)),
        cause=cause,
        made_anew=made_anew,
    )


def _claim(day: DayInput, version: str, cause: dict[str, Any]) -> Plan | None:
    plan = plans.claim_replan(
        depot_id=day.depot_id,
        service_date=day.service_date,
        input_version=version,
        cause=cause,
        by=SYSTEM,
        now=clock.now(),
    )
    return plan or _abandoned(day.depot_id, day.service_date, version)


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
    """Write down what finished stops of the last weeks teach of each depot's travel."""
    now = clock.now()
    for depot in Depot.objects.order_by("pk"):
        learning.relearn_travel(depot, by=SYSTEM, now=now)


def refresh_etas(*, route_ids: list[str]) -> None:
    """Make the ETAs of routes anew that events have moved."""
    known = [uuid.UUID(route_id) for route_id in route_ids]
    etas.refresh_due_etas(known, by=SYSTEM, now=clock.now())


def calibrate_etas(*, by_the_clock: bool = True) -> None:
    """Let the arrivals since the last time set the margins of each depot's intervals.

    While the demo's clock stands, whoever set it says when to look.
    """
    if by_the_clock and clock.stands():
        return
    for depot in Depot.objects.order_by("pk"):
        tellings.calibrate_etas(depot, by=SYSTEM, now=clock.now())


def draw_ways(*, depot_id: str, service_date: str) -> None:
    """Draw the day's routes along the roads, where a source of them is asked for."""
    source = roads_if_any()
    if source is not None:
        depot, day_date = uuid.UUID(depot_id), date.fromisoformat(service_date)
        draw_day(source, depot, day_date, now=clock.now())


def explain_plan(*, plan_id: str, question: dict[str, Any]) -> None:
    """Answer a question of a plan that takes a while."""
    ledger.work_out(uuid.UUID(plan_id), question_of(question))


def settle_recommendations() -> None:
    """Say of plans and told times whose routes are over what became of them."""
    settling.settle_driven(by=SYSTEM, now=clock.now())


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


def _progress_of(plan: Plan) -> Callable[[int, str], None]:
    def on_progress(percent: int, text: str) -> None:
        plans.note_progress(plan.pk, percent=percent, text=text)

    return on_progress


def _answered(plan: Plan, answer: Callable[[], None]) -> bool:
    """Make a plan's answer; tell whether it came in time for the state it was made for."""
    try:
        answer()
    except MachineMayNot as refusal:
        _note_refusal(refusal.act, plan.depot_id, str(plan.pk))
        plans.fail_plan(plan.pk, why=refusal.detail, by=SYSTEM, now=clock.now())
    except NoAnswer as error:
        plans.fail_plan(plan.pk, why=str(error), by=SYSTEM, now=clock.now())
    except StaleInput as stale:
        plans.give_way(plan.pk, why=stale.detail, by=SYSTEM, now=clock.now())
        log.info("answer_came_too_late", plan=str(plan.pk))
        return False
    return True


def _note_search(found: Answer) -> None:
    """Count how the engines fared, whatever becomes of their answer."""
    draft = found.draft
    modes.note_search(
        found.day.depot_id,
        answered=draft is not None and draft.mode == PlanningMode.OPTIMIZER,
        failures=found.failures,
        by=SYSTEM,
        now=clock.now(),
    )


def _is_refused(act: Act, depot_id: uuid.UUID) -> bool:
    """Tell whether the machine may not act; so nothing is solved that is not stored."""
    if planners.may_act(act, depot_id, clock.now()):
        return False
    _note_refusal(act, depot_id)
    return True


def _note_refusal(act: Act, depot_id: uuid.UUID, plan_id: str = "") -> None:
    leaves.note_refusal(act, depot_id, plan_id=plan_id, by=SYSTEM, now=clock.now())


def go_on(*, depot_id: str | None) -> None:
    """Do what the machine was refused, now that a person has said yes."""
    depot = uuid.UUID(depot_id) if depot_id else None
    for plan in selectors.running_days(depot, clock.now()):
        reoptimize(
            depot_id=str(plan.depot_id),
            service_date=plan.service_date.isoformat(),
            route_id=None,
            cause="decision_point.let",
        )


def try_engines(*, by_the_clock: bool = True) -> None:
    """Ask the engines that have failed a small question; who answers is back.

    While the demo's clock stands, whoever set it says when to look.
    """
    if by_the_clock and clock.stands():
        return
    for row in planners.due_trials(clock.now()):
        if not modes.claim_trial(row.pk, now=clock.now()):
            continue
        parameters = selectors.parameters_in_force(row.pk, clock.now())
        failure = trial.failure_of_engines(parameters)
        modes.note_trial(row.pk, failure=failure, by=SYSTEM, now=clock.now())
