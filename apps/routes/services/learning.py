"""Travel times corrected by what finished stops took."""

from datetime import datetime, timedelta

import structlog

from apps.core.actors import Actor
from apps.depots.models import Depot
from apps.journal.services import writing
from apps.recommendations import services as recommendations
from apps.recommendations.services import Draft
from apps.recommendations.states import RecommendationState
from apps.routes.driven import driven_legs
from apps.routes.models import PlanningParameter
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
from apps.routes.services.parameters import keep_parameters

log = structlog.get_logger(__name__)

LOOKED_BACK = timedelta(days=28)


def relearn_travel(
    depot: Depot, *, by: Actor, now: datetime
) -> list[PlanningParameter]:
    """Put better travel parameters in force, if finished stops prove them better.

    What was learned is a version like any other, with its evidence: it can be looked at,
    and the version before can be put in force again.
    """
    legs = driven_legs(depot, now - LOOKED_BACK, now)
    parameters = parameters_in_force(depot.pk, now)
    request = LearnRequest(tuple(legs), _law_of(parameters), _law_of(DEFAULTS))
    learned = learn(request.legs, request.law, request.first)
    log.info("travel_relearned", legs=len(legs), changed=sorted(learned.values))
    if not learned.values:
        return []
    words = [_evidence(what, lesson) for what, lesson in learned.lessons.items()]
    with writing(by=by, now=now):
        _note(depot, request, learned, words, by=by, now=now)
        return keep_parameters(
            depot.pk, learned.values, because=" ".join(words), by=by, now=now
        )


def _note(
    depot: Depot,
    request: LearnRequest,
    learned: Learned,
    words: list[str],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Write into the ledger what was learned and from what; it is in force at once."""
    draft = Draft(
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
    row = recommendations.issue(draft, by=by, now=now)
    outcome = {"text": "Put in force at once, as a version that can be taken back."}
    recommendations.settle(
        row.pk, state=RecommendationState.FOLLOWED, outcome=outcome, by=by, now=now
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
