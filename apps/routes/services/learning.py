"""Travel times corrected by what finished stops took."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from apps.core.actors import Actor
from apps.depots.models import Depot
from apps.routes.driven import driven_legs
from apps.routes.models import PlanningParameter
from apps.routes.parameters import DEFAULTS, Parameters
from apps.routes.relearning import (
    Law,
    Lesson,
    lesson_of_estimate,
    lesson_of_roads,
    usual_hours,
)
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
    law, first = _law_of(parameters), _law_of(DEFAULTS)
    values: dict[str, Any] = {}
    words: list[str] = []
    if lesson := lesson_of_estimate(legs, law, first):
        law = replace(lesson.law, roads_factor=law.roads_factor)
        values["travel_c_s"] = round(law.c_s, 2)
        values["travel_p"] = round(law.p, 4)
        values["travel_by_hour"] = list(law.by_hour)
        words.append(_evidence("estimate", lesson))
    if lesson := lesson_of_roads(legs, law, first):
        values["roads_factor"] = round(lesson.law.roads_factor, 4)
        words.append(_evidence("roads", lesson))
    log.info("travel_relearned", legs=len(legs), changed=sorted(values))
    if not values:
        return []
    return keep_parameters(depot.pk, values, because=" ".join(words), by=by, now=now)


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
