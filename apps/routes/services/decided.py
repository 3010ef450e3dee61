"""What people decided against or beside the machine, as the ledger keeps it."""

import uuid
from collections.abc import Collection

from django.db import models

from apps.journal.services import Writer
from apps.recommendations import services as recommendations
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


def note_impact(impact: Impact, about: models.Model, journal: Writer) -> None:
    """Write down the impact that a decision was shown, which it followed.

    `about` is the stop, route or shift of the change.
    """
    if not impact.inputs:
        return
    row = recommendations.issue(
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
        ),
        by=journal.by,
        now=journal.now,
    )
    recommendations.settle(
        row.pk,
        state=RecommendationState.FOLLOWED,
        outcome={"text": "It was decided so."},
        by=journal.by,
        now=journal.now,
    )
