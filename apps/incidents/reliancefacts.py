"""What people decided on what the machine proposed; never writes."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F

from apps.incidents.reliance import Decision, Habit, habits
from apps.incidents.services.incidents import IncidentDraft
from apps.overrides.models import Override
from apps.overrides.states import OverrideState
from apps.routes.models import Plan

LOOKED_BACK = timedelta(days=14)


def habits_of(depot_id: uuid.UUID, now: datetime) -> list[Habit]:
    """Return how the people of a depot have decided lately."""
    return list(habits(_decisions(now, depot_id)[depot_id]))


def decisions_between(
    depot_id: uuid.UUID, from_at: datetime, until_at: datetime
) -> list[Decision]:
    """Return what people of a depot decided on between two instants."""
    made = [*_on_plans(from_at), *_on_requests(from_at)]
    return [
        each for where, each in made if where == depot_id and each.decided_at < until_at
    ]


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
    """Return by depot what people decided on plans and requests that waited for them."""
    found: dict[uuid.UUID, list[Decision]] = defaultdict(list)
    since = now - LOOKED_BACK
    for where, decision in [*_on_plans(since), *_on_requests(since)]:
        if depot_id is None or where == depot_id:
            found[where].append(decision)
    return found


def _on_plans(since: datetime) -> Iterator[tuple[uuid.UUID, Decision]]:
    """Yield the plans that somebody published after they had lain before him."""
    rows = Plan.objects.filter(
        kind=Plan.Kind.DAY,
        publish_when_ready=False,
        published_at__gt=since,
        published_by__startswith="user:",
        solved_at__isnull=False,
    )
    for plan in rows:
        if plan.solved_at is not None and plan.published_at is not None:
            yield (
                plan.depot_id,
                Decision(
                    plan.published_by, plan.solved_at, plan.published_at, accepted=True
                ),
            )


def _on_requests(since: datetime) -> Iterator[tuple[uuid.UUID, Decision]]:
    """Yield the requests for a change that somebody answered after they were priced."""
    rows = Override.objects.filter(
        answered_at__gt=since,
        answered_by__startswith="user:",
        priced_at__isnull=False,
        state__in=[OverrideState.APPLIED, OverrideState.REJECTED],
    ).exclude(answered_by=F("asked_by"))
    for row in rows:
        if row.priced_at is not None and row.answered_at is not None:
            is_yes = row.state == OverrideState.APPLIED
            yield (
                row.depot_id,
                Decision(row.answered_by, row.priced_at, row.answered_at, is_yes),
            )
