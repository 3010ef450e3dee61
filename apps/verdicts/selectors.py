"""Questions to the verdicts; they never write."""

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.overrides.models import DecisionRight
from apps.overrides.rights import next_role
from apps.verdicts.models import Verdict
from apps.verdicts.records import Limits, Record
from apps.verdicts.states import Subject

LEAST_SHOWN = 5
"""A record of fewer verdicts is shown to nobody: it would be about a person."""

LIMITS = (
    "max_minutes",
    "max_cost_minor",
    "max_stops",
    "max_windows_broken",
    "min_minutes_to_departure",
)


@dataclass(frozen=True, slots=True)
class JudgedDeviation:
    """How one route that was driven in another sequence than planned was judged.

    `gained_minutes` is what the driver's sequence gained; less than 0: lost.
    """

    route_id: uuid.UUID
    shift_id: uuid.UUID
    recommendation_id: uuid.UUID | None
    verdict: str
    gained_minutes: float
    sd_minutes: float
    gained_minor: int
    sd_minor: int
    judged_at: datetime


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """The record of one role with one kind of change."""

    role: str
    kind: str
    record: Record


def verdicts_of_deviations(
    depot_id: uuid.UUID, since: datetime, until: datetime
) -> list[JudgedDeviation]:
    """Return the verdicts on deviations that were judged in [since, until), oldest first."""
    rows = Verdict.objects.filter(
        depot_id=depot_id,
        subject=Subject.DEVIATION,
        judged_at__gte=since,
        judged_at__lt=until,
    ).defer("arithmetic")
    return [
        JudgedDeviation(
            route_id=row.route_id,
            shift_id=row.shift_id,
            recommendation_id=row.recommendation_id,
            verdict=row.ruling,
            gained_minutes=row.gained_s / 60,
            sd_minutes=row.sd_s / 60,
            gained_minor=row.gained_minor,
            sd_minor=row.sd_minor,
            judged_at=row.judged_at,
        )
        for row in rows.order_by("judged_at", "id")
    ]


def heard_by(driver_id: uuid.UUID) -> QuerySet[Verdict]:
    """Return the verdicts on what a driver asked for on the road, or drove otherwise."""
    return Verdict.objects.filter(
        Q(subject=Subject.DEVIATION, route__driver=driver_id)
        | Q(override__driver=driver_id)
    )


def role_records(depot_ids: list[uuid.UUID], since: datetime) -> list[RoleRecord]:
    """Return the records by role and kind, of those with enough verdicts to be shown."""
    rows = Verdict.objects.filter(depot__in=depot_ids, judged_at__gte=since)
    counts: dict[tuple[str, str], Counter[str]] = {}
    for role, kind, ruling in rows.order_by().values_list("role", "kind", "ruling"):
        counts.setdefault((role, kind), Counter())[ruling] += 1
    return [
        RoleRecord(role, kind, record_of(found))
        for (role, kind), found in sorted(counts.items())
        if found.total() >= LEAST_SHOWN
    ]


def record_of(rulings: Counter[str]) -> Record:
    """Return the record that counted rulings are."""
    return Record(
        right=rulings["right"],
        wrong=rulings["wrong"],
        undecidable=rulings["undecidable"],
    )


def own_rights(at: datetime) -> list[DecisionRight]:
    """Return the rules in force by which a role decides alone."""
    rows = _in_force(at).filter(outcome=DecisionRight.Outcome.ALLOWED)
    return list(rows.select_related("depot").order_by("kind", "role", "id"))


def verdicts_under(
    right: DecisionRight, since: datetime
) -> list[tuple[uuid.UUID, str]]:
    """Return the verdicts that speak of a rule: since it began, (id, ruling)."""
    rows = Verdict.objects.filter(
        subject=Subject.OVERRIDE,
        kind=right.kind,
        role=right.role,
        judged_at__gte=max(since, right.valid_from),
        override__asked_at__gte=right.valid_from,
    )
    if right.depot_id is not None:
        rows = rows.filter(depot_id=right.depot_id)
    else:
        # Where a depot has rules of its own, those of the house say nothing.
        own = DecisionRight.objects.filter(
            kind=right.kind, role=right.role, depot__isnull=False, valid_until=None
        )
        rows = rows.exclude(depot__in=own.values("depot"))
    return list(rows.order_by("id").values_list("pk", "ruling"))


def limits_of(right: DecisionRight) -> Limits:
    """Return a rule's limits by name."""
    return {name: getattr(right, name) for name in LIMITS}


def limits_above(right: DecisionRight, at: datetime) -> Limits | None:
    """Return what the next role of the ladder may decide alone; None: nothing."""
    role = next_role(right.role)
    if role is None:
        return None
    rows = _in_force(at).filter(
        kind=right.kind, role=role, outcome=DecisionRight.Outcome.ALLOWED
    )
    own = rows.filter(depot_id=right.depot_id) if right.depot_id else rows.none()
    found = (
        own.order_by("-id").first() or rows.filter(depot=None).order_by("-id").first()
    )
    return limits_of(found) if found else None


def _in_force(at: datetime) -> QuerySet[DecisionRight]:
    lasts = Q(valid_until=None) | Q(valid_until__gt=at)
    return DecisionRight.objects.filter(lasts, valid_from__lte=at)
