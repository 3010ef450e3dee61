"""Questions about who plans a depot, and what the machine may do; they never write."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import F, Q

from apps.core.breaker import Circuit, Limits
from apps.depots.models import Depot
from apps.routes.models import Plan
from apps.routes.moderows import DecisionPoint, DepotMode
from apps.routes.modes import FELL_BACK, RULES, SETTING, SWITCHED, ModeNow
from apps.routes.states import Act, Leave

LONGEST_PAUSE_S = 3600.0
"""However often the engines have failed, they are tried once an hour."""


def mode_of(depot_id: uuid.UUID) -> ModeNow:
    """Return how a depot is planned now."""
    return mode_in(DepotMode.objects.filter(pk=depot_id).first())


def modes_of(depots: Iterable[Depot]) -> list[tuple[Depot, ModeNow]]:
    """Return how each of these depots is planned now."""
    listed = list(depots)
    rows = {row.pk: row for row in DepotMode.objects.filter(depot__in=listed)}
    return [(depot, mode_in(rows.get(depot.pk))) for depot in listed]


def mode_in(row: DepotMode | None) -> ModeNow:
    """Judge a depot's row: what people chose goes before how the engines fare."""
    chosen = row.chosen if row else ""
    if (chosen or settings.PLANNING_MODE) == RULES:
        if row is None or not chosen:
            return ModeNow(mode=RULES, cause=SETTING)
        return ModeNow(
            mode=RULES,
            cause=SWITCHED,
            since=row.chosen_at,
            by=row.chosen_by,
            why=row.why,
        )
    if row is None:
        return ModeNow()
    if row.open_until is not None:
        return ModeNow(
            mode=RULES,
            cause=FELL_BACK,
            since=row.fell_back_at,
            why=row.failure,
            tries_at=row.open_until,
        )
    return ModeNow(on_trial=row.on_trial)


def circuit_of(row: DepotMode) -> Circuit:
    """Return how the engines of a depot have fared."""
    return Circuit(
        failed_at_s=tuple(row.failed_at_s),
        open_until_s=row.open_until.timestamp() if row.open_until else None,
        on_trial=row.on_trial,
        openings=row.openings,
    )


def limits_of(row: DepotMode) -> Limits:
    """Return what the engines of a depot may fail before the rules take over."""
    return Limits(
        failures=row.most_failures,
        window_s=row.window_s,
        pause_s=row.pause_s,
        longest_pause_s=max(LONGEST_PAUSE_S, row.pause_s),
    )


def due_trials(now: datetime) -> list[DepotMode]:
    """Return the depots whose engines failed, and whose pause is over."""
    rows = DepotMode.objects.filter(open_until__lte=now)
    return [row for row in rows.select_related("depot") if mode_in(row).is_trouble]


def decision_point(act: Act, depot_id: uuid.UUID) -> DecisionPoint | None:
    """Return the row that decides on an act in a depot: its own before that of all."""
    rows = DecisionPoint.objects.filter(Q(depot=depot_id) | Q(depot=None), act=act)
    return rows.order_by(F("depot").asc(nulls_last=True)).first()


def act_of(plan: Plan) -> Act:
    """Return what the machine does when it makes a plan."""
    if plan.kind == Plan.Kind.DAY:
        return Act.PLAN
    return Act.REPLAN if plan.cause.get("step") == "search" else Act.REPAIR


def may_act(
    act: Act, depot_id: uuid.UUID, now: datetime, *, was_asked: bool = False
) -> bool:
    """Tell whether the machine may act now; without a row it may not."""
    point = decision_point(act, depot_id)
    if point is None or point.leave == Leave.NO:
        return False
    if point.leave == Leave.YES or was_asked:
        return True
    return point.let_until is not None and point.let_until > now


def plans_by_rules(depot_id: uuid.UUID, now: datetime) -> bool:
    """Tell whether the rules plan a day: by the depot's mode, or for want of leave."""
    may = may_act(Act.PLAN, depot_id, now, was_asked=True)
    return mode_of(depot_id).is_rules or not may
