"""What people decided against or beside the machine, as the ledger keeps it."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import models

from apps.core.actors import Actor
from apps.journal.services import Writer
from apps.recommendations import services as recommendations
from apps.recommendations.models import Recommendation
from apps.recommendations.services import Draft
from apps.recommendations.states import RecommendationState
from apps.routes.changes import Impact
from apps.routes.models import Plan
from apps.routes.services.settling import note_overridden


def note_decided_against(
    plan_ids: Collection[uuid.UUID], why: str, journal: Writer
) -> None:
    """Let the open recommendations of plans that routes followed be overridden."""
    plans = Plan.objects.filter(pk__in=plan_ids, recommendation__isnull=False)
    for plan_id, recommendation_id in plans.values_list("pk", "recommendation_id"):
        if recommendation_id is not None:
            note_overridden(
                recommendation_id,
                outcome={"text": why, "plan_id": str(plan_id)},
                by=journal.by,
                now=journal.now,
            )


def issue_impact(
    impact: Impact,
    about: models.Model,
    *,
    expires_at: datetime | None = None,
    by: Actor,
    now: datetime,
) -> Recommendation | None:
    """Write down the impact that somebody is shown; None where nothing was solved.

    `about` is the stop, route, shift or recommendation of the change.
    """
    if not impact.inputs:
        return None
    return recommendations.issue(
        Draft(
            kind="impact",
            depot_id=uuid.UUID(impact.depot_id),
            subject_type=str(about._meta.model_name),
            subject_id=str(about.pk),
            inputs=impact.inputs,
            answer=impact.answer,
            engine=impact.engine,
            engine_version=impact.engine_version,
            seed=impact.seed,
            mode="rules",
            parameters={"change": impact.kind, "version": impact.version},
            alternatives=[{"engine": "present", "total_minor": 0}],
            costs={"total_minor": impact.cost_minor},
            reasons=[
                {"code": "impact", "text": text}
                for text in (impact.summary, *impact.reasons)
                if text
            ],
            expires_at=expires_at,
        ),
        by=by,
        now=now,
    )


def note_followed(
    impact: Impact, about: models.Model, noted: uuid.UUID | None, journal: Writer
) -> None:
    """Say that it was decided as an impact had it; `noted` is its row of the ledger.

    Without one it is written down first.
    """
    if noted is None:
        row = issue_impact(impact, about, by=journal.by, now=journal.now)
        noted = row.pk if row is not None else None
    if noted is None:
        return
    recommendations.settle(
        noted,
        state=RecommendationState.FOLLOWED,
        outcome={"text": "It was decided so."},
        by=journal.by,
        now=journal.now,
    )
