"""What people decided on what the machine proposed; never writes."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from apps.incidents.reliance import Decision, Habit, habits
from apps.incidents.services.incidents import IncidentDraft
from apps.routes.models import Plan

LOOKED_BACK = timedelta(days=14)


def habits_of(depot_id: uuid.UUID, now: datetime) -> list[Habit]:
    """Return how the people of a depot have decided lately."""
    return list(habits(_decisions(now, depot_id)[depot_id]))


def rubber_stamps(now: datetime) -> Iterator[IncidentDraft]:
    """Yield who waves through what is proposed: one incident a person and week."""
    week = "{}-W{:02}".format(*now.isocalendar()[:2])
    for depot_id, decisions in _decisions(now).items():
        for habit in habits(decisions):
            if not habit.findings:
                continue
            yield IncidentDraft(
                depot_id=depot_id,
                kind="over_reliance",
                cause=f"reliance/{habit.who}/{week}",
                subject_type="user",
                subject_id=habit.who.partition(":")[2],
                details={"findings": list(habit.findings), "text": habit.text},
            )


def _decisions(
    now: datetime, depot_id: uuid.UUID | None = None
) -> dict[uuid.UUID, list[Decision]]:
    """Return by depot what people decided on plans that waited for them."""
    rows = Plan.objects.filter(
        kind=Plan.Kind.DAY,
        publish_when_ready=False,
        published_at__gt=now - LOOKED_BACK,
        published_by__startswith="user:",
        solved_at__isnull=False,
    )
    if depot_id is not None:
        rows = rows.filter(depot=depot_id)
    found: dict[uuid.UUID, list[Decision]] = defaultdict(list)
    for plan in rows:
        if plan.solved_at is None or plan.published_at is None:
            continue
        found[plan.depot_id].append(
            Decision(plan.published_by, plan.solved_at, plan.published_at, True)
        )
    return found
