"""Travel times corrected by what finished stops took."""

from datetime import datetime, timedelta

import structlog

from apps.core.actors import Actor
from apps.depots.models import Depot
from apps.journal.services import writing
from apps.recommendations import services as recommendations
from apps.recommendations.models import Recommendation
from apps.recommendations.services import Draft
from apps.recommendations.states import RecommendationState
from apps.routes.driven import driven_legs
from apps.routes.parameterledger import (
    ENGINE,
    ENGINE_VERSION,
    Learned,
    LearnRequest,
    encode_learned,
    encode_request,
    learn,
)
from apps.routes.parameters import DEFAULTS, Parameters
from apps.routes.relearning import Law, Lesson, usual_hours
from apps.routes.selectors import parameters_in_force

log = structlog.get_logger(__name__)

LOOKED_BACK = timedelta(days=28)


def relearn_travel(depot: Depot, *, by: Actor, now: datetime) -> Recommendation | None:
    """Write down better travel parameters, if finished stops prove them better.

    Nothing of it is in force by that: the record gives cause to a proposal, which people
    approve or not. What an open recommendation says already is not said again.
    """
    legs = driven_legs(depot, now - LOOKED_BACK, now)
    parameters = parameters_in_force(depot.pk, now)
    request = LearnRequest(tuple(legs), _law_of(parameters), _law_of(DEFAULTS))
    learned = learn(request.legs, request.law, request.first)
    log.info("travel_relearned", legs=len(legs), learned=sorted(learned.values))
    if not learned.values or _is_said(depot, learned):
        return None
    words = [_evidence(what, lesson) for what, lesson in learned.lessons.items()]
    with writing(by=by, now=now) as journal:
        row = recommendations.issue(
            _draft(depot, request, learned, words), by=by, now=now
        )
        journal.record(
            "parameters.learned",
            depot,
            depot_id=depot.pk,
            recommendation_id=str(row.pk),
            values=learned.values,
            because=" ".join(words),
        )
    return row


def _is_said(depot: Depot, learned: Learned) -> bool:
    return Recommendation.objects.filter(
        kind=Recommendation.Kind.PARAMETER,
        depot=depot,
        engine=ENGINE,
        state=RecommendationState.ISSUED,
        answer=recommendations.content_hash(encode_learned(learned)),
    ).exists()


def _draft(
    depot: Depot, request: LearnRequest, learned: Learned, words: list[str]
) -> Draft:
    """Say for the ledger what was learned and from what."""
    return Draft(
        kind="parameter",
        depot_id=depot.pk,
        subject_type="depot",
        subject_id=str(depot.pk),
        inputs=encode_request(request),
        answer=encode_learned(learned),
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        seed=0,
        mode="rules",
        parameters=learned.values,
        alternatives=[
            {"engine": "in_force", "what": what, "error_s": lesson.error_before_s}
            for what, lesson in learned.lessons.items()
        ],
        expected_gain={
            "error_s": max(
                lesson.error_before_s - lesson.error_after_s
                for lesson in learned.lessons.values()
            )
        },
        reasons=[{"code": "learned", "text": text} for text in words],
        data_used=[
            {
                "code": "driven_legs",
                "count": len(request.legs),
                "days": LOOKED_BACK.days,
                "text": f"{len(request.legs)} legs driven in {LOOKED_BACK.days} days.",
            }
        ],
    )


def _law_of(parameters: Parameters) -> Law:
    return Law(
        c_s=parameters.travel_c_s,
        p=parameters.travel_p,
        by_hour=usual_hours(parameters.travel_by_hour),
        roads_factor=parameters.roads_factor,
    )


def _evidence(what: str, lesson: Lesson) -> str:
    return (
        f"Learned from {lesson.legs} driven legs of {LOOKED_BACK.days} days: the mean"
        f" error of the {what} on the newest {lesson.held_back}, held back, falls from"
        f" {lesson.error_before_s:.0f} s to {lesson.error_after_s:.0f} s."
    )
