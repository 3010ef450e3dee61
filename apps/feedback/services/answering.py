"""Staff of the office answer a survey themselves: once in its cap, and while it is live."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from apps.core.actors import Actor
from apps.core.problems import Conflict, NotFound
from apps.feedback.models import Response, Survey
from apps.feedback.selectors import asked_again_at, asks_office
from apps.feedback.services.responses import Answerer, Origin, record_response

OFFICE: Final = "office"


class NotAskedHere(Conflict):
    """The survey is others' to answer, or is not asked now."""

    type = "/problems/survey-not-for-the-office"
    title = "The office is not asked this survey now."


class AnsweredLately(Conflict):
    """The same person has answered within the survey's cap."""

    type = "/problems/survey-answered-lately"
    title = "You have answered this survey already; you are asked again later."


def answer_in_office(
    *,
    survey_id: uuid.UUID,
    answers: Mapping[str, Any],
    depot_id: uuid.UUID,
    role: str = "",
    language: str = "",
    by: Actor,
    now: datetime,
) -> Response:
    """Keep what somebody of the office answers, for one of the person's depots.

    `role` is the one that the person has in the house; what was put before the person
    goes from the screen.
    The same answers again on the same day are the first ones: a double submit counts once.

    Raises:
        NotFound: there is no such survey.
        NotAskedHere: it is not live, or not the office's to answer.
        AnsweredLately: the person has answered within its cap.
        Invalid: answers do not fit their questions.
        AlreadyAnswered: other answers were given on the same day.
    """
    survey = Survey.objects.filter(pk=survey_id).first()
    if survey is None:
        raise NotFound
    if not asks_office(survey):
        raise NotAskedHere
    key = f"{OFFICE}:{survey.key}:{by}:{now:%Y-%m-%d}"
    again_at = asked_again_at(survey, str(by))
    is_repeat = Response.objects.filter(source_key=key).exists()
    if again_at is not None and now < again_at and not is_repeat:
        raise AnsweredLately(again_at=again_at.isoformat())
    return record_response(
        survey_id=survey_id,
        answers=answers,
        answerer=Answerer(
            depot_id=depot_id,
            role=role or OFFICE,
            respondent=str(by),
            language=language,
        ),
        origin=Origin(Response.Source.OFFICE, key),
        answered_at=now,
        by=by,
        now=now,
    )
