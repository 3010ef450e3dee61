"""The table of decision rights as the pure rules take it, and what an impact counts as."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from apps.depots.models import Depot
from apps.overrides.models import DecisionRight
from apps.overrides.rights import (
    Decision,
    Example,
    Figures,
    Limits,
    Outcome,
    Rule,
    decide_for,
)
from apps.routes.changes import Impact


def rules_for(depot_id: uuid.UUID, kind: str, at: datetime) -> list[Rule]:
    """Return the rules of a kind that are in force at an instant, for one depot."""
    rows = DecisionRight.objects.filter(
        Q(depot=None) | Q(depot_id=depot_id),
        Q(valid_until=None) | Q(valid_until__gt=at),
        kind=kind,
        valid_from__lte=at,
    )
    return [rule_of(row) for row in rows]


def rule_of(row: DecisionRight) -> Rule:
    """Return a row of the table as the pure rules take it."""
    hours = None
    if row.hours_from is not None and row.hours_until is not None:
        hours = (row.hours_from, row.hours_until)
    return Rule(
        id=str(row.pk),
        order=row.pk.int,
        kind=row.kind,
        role=row.role,
        depot=str(row.depot_id or ""),
        outcome=Outcome(row.outcome),
        approver=row.approver,
        limits=Limits(
            minutes=row.max_minutes,
            cost_minor=row.max_cost_minor,
            stops=row.max_stops,
            windows_broken=row.max_windows_broken,
            minutes_to_departure=row.min_minutes_to_departure,
            hours=hours,
            weekdays=frozenset(row.weekdays),
        ),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def figures_of(impact: Impact | None) -> Figures:
    """Return what limits look at; nothing is known of what could not be priced."""
    if impact is None:
        return Figures()
    return Figures(
        minutes=impact.minutes,
        cost_minor=impact.cost_minor,
        stops=impact.stops_moved,
        windows_broken=broken_count(impact),
    )


def broken_count(impact: Impact) -> int:
    """Return how many windows, promises and rules break: each order or shift once a rule."""
    windows = {
        one.order_id
        for one in impact.broken
        if one.order_id and (one.is_promise or one.code == "window_missed")
    }
    others = {
        (one.code, one.order_id, one.shift_id)
        for one in impact.broken
        if not one.is_promise and one.code != "window_missed"
    }
    return len(windows) + len(others)


def minutes_left(impact: Impact | None, at: datetime) -> int | None:
    """Return in how many minutes the first touched route leaves; negative once it has."""
    if impact is None or impact.departs_at is None:
        return None
    return int((impact.departs_at - at).total_seconds() // 60)


def decision_on(
    *,
    depot: Depot,
    kind: str,
    roles: Iterable[str],
    figures: Figures,
    minutes_to_departure: int | None,
    at: datetime,
) -> Decision:
    """Return what the table in force at an instant says of somebody with these roles."""
    example = Example(
        kind=kind,
        role="",
        depot=str(depot.pk),
        at=at.astimezone(ZoneInfo(depot.time_zone)),
        minutes_to_departure=minutes_to_departure,
        figures=figures,
    )
    return decide_for(list(roles), rules_for(depot.pk, kind, at), example)
