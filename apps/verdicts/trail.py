"""What was in force before a change that people decided; reads the journal alone."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.journal.models import Entry
from apps.overrides.models import Override
from apps.recommendations.models import Recommendation
from apps.routes.models import Plan

APPLIED = "change.applied"


def replaced_by(row: Override) -> Mapping[str, Any] | None:
    """Return the entry of an override's change; None where it left none."""
    rows = Entry.objects.filter(
        kind=APPLIED,
        depot_id=row.depot_id,
        payload__version=row.impact_version,
        payload__change=row.kind,
    )
    found = rows.order_by("-id").values_list("payload", flat=True).first()
    return found if isinstance(found, dict) else None


def old_windows(row: Override) -> tuple[tuple[datetime, datetime], ...] | None:
    """Return the windows that a change of a window replaced; None: not known."""
    told = replaced_by(row)
    old = told.get("old") if told else None
    if not isinstance(old, list):
        return None
    return tuple(
        (datetime.fromisoformat(opens), datetime.fromisoformat(closes))
        for opens, closes in old
    )


def old_end(row: Override) -> datetime | None:
    """Return when a shift should have ended before it was ended early."""
    told = replaced_by(row)
    old = told.get("old") if told else None
    return datetime.fromisoformat(old) if isinstance(old, str) else None


def old_vehicle_id(row: Override) -> uuid.UUID | None:
    """Return the vehicle that a shift had before it was given another."""
    told = replaced_by(row)
    old = told.get("old") if told else None
    return uuid.UUID(old) if isinstance(old, str) else None


def impact_behind(plan: Plan) -> Recommendation | None:
    """Return the ledger's row of the change that people made a plan by."""
    if plan.cause.get("kind") != "change":
        return None
    rows = Entry.objects.filter(
        kind=APPLIED, depot_id=plan.depot_id, payload__plan_id=str(plan.pk)
    )
    told = rows.order_by("-id").values_list("payload", flat=True).first()
    if not isinstance(told, dict):
        return None
    impacts = Recommendation.objects.filter(
        kind=Recommendation.Kind.IMPACT,
        depot_id=plan.depot_id,
        parameters__version=told["version"],
    )
    return impacts.select_related("answer", "inputs").order_by("-pk").first()
