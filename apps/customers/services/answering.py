"""The verb of the survey's page: what a customer says counts once a link."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.customers.models import Link
from apps.customers.selectors import delivery_survey
from apps.customers.services.moving import customer_of, use_up
from apps.feedback.models import Response
from apps.feedback.services import Answerer, Origin, SurveyNotOpen, record_response
from apps.journal.services import writing


def answer_survey(
    *, link: Link, answers: Mapping[str, Any], language: str, now: datetime
) -> Response:
    """Keep a customer's answers and use the link up; sent twice they count once.

    Raises:
        SurveyNotOpen: nothing is asked at present.
        Invalid: an answer does not fit its question, or one that is needed is missing.
        AlreadyAnswered: the link has brought other answers before.
    """
    survey = delivery_survey()
    if survey is None:
        raise SurveyNotOpen
    with writing(by=customer_of(link), now=now):
        row = record_response(
            survey_id=survey.pk,
            answers=answers,
            answerer=Answerer(
                link.order.depot_id, order_id=link.order_id, language=language
            ),
            origin=Origin(Response.Source.LINK, f"link:{link.pk}"),
            answered_at=now,
            by=customer_of(link),
            now=now,
        )
        use_up(link, now=now)
    return row
