"""Reads reschedules off the journal and the plans; never writes."""

import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.depots.models import Depot
from apps.incidents.reschedules import (
    Reschedule,
    Tally,
    tally,
    who_acts,
    who_caused,
)
from apps.journal.models import Entry
from apps.routes.models import PlanChange

ACTS = ("order.changed", "order.cancelled")
TIME_FIELDS = {"service_date", "windows"}
LONGEST = timedelta(days=92)


def reschedules_of(depot: Depot, first: date, last: date) -> Tally:
    """Count what changed in a depot from the first day to the last, both included."""
    zone = ZoneInfo(depot.time_zone)
    from_at = datetime.combine(first, time(), zone)
    until_at = datetime.combine(last + timedelta(days=1), time(), zone)
    return tally(
        [
            *_by_hand(depot.pk, from_at, until_at, zone),
            *_by_plans(depot.pk, from_at, until_at, zone),
        ]
    )


def _by_hand(
    depot_id: uuid.UUID, from_at: datetime, until_at: datetime, zone: ZoneInfo
) -> Iterator[Reschedule]:
    """Yield the orders that were moved or cancelled."""
    rows = Entry.objects.filter(
        depot_id=depot_id, kind__in=ACTS, at__gte=from_at, at__lt=until_at
    )
    for entry in rows:
        fields = set(entry.payload.get("fields", ()))
        if entry.kind == "order.changed" and not fields & TIME_FIELDS:
            continue
        yield Reschedule(
            day=entry.at.astimezone(zone).date(),
            who=who_acts(entry.actor),
            cause="Order cancelled" if entry.kind == ACTS[1] else "Order moved",
            campaign=str(entry.payload.get("campaign", "")),
        )


def _by_plans(
    depot_id: uuid.UUID, from_at: datetime, until_at: datetime, zone: ZoneInfo
) -> Iterator[Reschedule]:
    """Yield the changes of routes that drivers were told, by what gave cause to them."""
    rows = PlanChange.objects.filter(
        route__depot=depot_id, made_at__gte=from_at, made_at__lt=until_at
    )
    actors: dict[uuid.UUID, str] = {}
    for change in rows.select_related("plan"):
        count = len(change.added) + len(change.removed) + len(change.moved)
        if not count:
            continue
        plan, cause = change.plan, str(change.plan.cause.get("kind", ""))
        step = str(plan.cause.get("step", ""))
        if plan.pk not in actors:
            actors[plan.pk] = _actor_behind(depot_id, cause, plan.requested_at)
        words = "Better way found" if step == "search" else _words(cause)
        yield Reschedule(
            day=change.made_at.astimezone(zone).date(),
            who=who_caused(cause, step, actors[plan.pk]),
            cause=words,
            count=count,
        )


def _actor_behind(depot_id: uuid.UUID, cause: str, at: datetime) -> str:
    """Return who wrote the fact that a re-plan answers: the last one before it."""
    rows = Entry.objects.filter(depot_id=depot_id, kind=cause, at__lte=at)
    return rows.order_by("-id").values_list("actor", flat=True).first() or ""


def _words(cause: str) -> str:
    return cause.replace(".", " ").replace("_", " ").capitalize() or "Planned anew"
