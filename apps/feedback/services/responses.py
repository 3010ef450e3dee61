"""Answers to surveys: taken once, whichever way they come."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.core.actors import Actor
from apps.core.problems import Conflict, NotFound
from apps.drivers.models import Driver
from apps.feedback.models import Response, Survey, SurveyAsk
from apps.feedback.questions import check_answers, read_questions
from apps.feedback.states import SurveyState
from apps.journal.services import Writer, writing

CUSTOMER = "customer"
DRIVER = "driver"


class AlreadyAnswered(Conflict):
    """The link, event or row has brought its answers already, and others than these."""

    type = "/problems/survey-already-answered"
    title = "This survey was answered already; each counts once."


class SurveyNotOpen(Conflict):
    """A draft is asked of nobody."""

    type = "/problems/survey-not-open"
    title = "This survey is not asked of anybody yet."


@dataclass(frozen=True, slots=True)
class Answerer:
    """Who answered, as far as it is known; a customer's name is never kept here."""

    depot_id: uuid.UUID
    role: str = CUSTOMER
    respondent: str = ""
    driver_id: uuid.UUID | None = None
    order_id: uuid.UUID | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where answers come from; `source_key` lets the same ones count once."""

    source: str
    source_key: str
    run_id: uuid.UUID | None = None
    foreign: Mapping[str, Any] = field(default_factory=dict)


def record_response(
    *,
    survey_id: uuid.UUID,
    answers: Mapping[str, Any],
    answerer: Answerer,
    origin: Origin,
    answered_at: datetime,
    by: Actor,
    now: datetime,
) -> Response:
    """Keep one person's answers, once a `source_key`; a repeat gets the first row.

    Customers' pages call it with `Origin("link", f"link:{link_id}")`, which makes a link
    good for one answer, also under a double submit.

    Raises:
        NotFound: there is no such survey.
        SurveyNotOpen: it is a draft.
        Invalid: answers do not fit their questions, each fault by `/answers/QUESTION`.
        AlreadyAnswered: the key has brought other answers before.
    """
    survey = Survey.objects.filter(pk=survey_id).first()
    if survey is None:
        raise NotFound
    if survey.status == SurveyState.DRAFT:
        raise SurveyNotOpen
    clean = check_answers(read_questions(survey.questions), answers)
    with writing(by=by, now=now) as journal:
        row, is_new = _stored(
            Response(
                survey=survey,
                depot_id=answerer.depot_id,
                source=origin.source,
                source_key=origin.source_key,
                answers=clean,
                respondent=answerer.respondent,
                role=answerer.role,
                driver_id=answerer.driver_id,
                order_id=answerer.order_id,
                run_id=origin.run_id,
                language=answerer.language,
                answered_at=min(answered_at, now),
                received_at=now,
                foreign=dict(origin.foreign),
            )
        )
        if not is_new and (row.answers != clean or row.survey_id != survey.pk):
            raise AlreadyAnswered
        if is_new:
            _close_asks(row, journal)
            journal.record(
                "response.recorded",
                row,
                depot_id=row.depot_id,
                survey=survey.key,
                version=survey.version,
                source=row.source,
                role=row.role,
            )
    return row


def answer_on_device(
    *,
    survey_id: uuid.UUID,
    answers: Mapping[str, Any],
    driver_id: uuid.UUID,
    depot_id: uuid.UUID,
    event_id: str,
    answered_at: datetime,
    by: Actor,
    now: datetime,
) -> Response:
    """Keep a driver's answers, named by the ask that the device shows, or the survey.

    An ask that was answered or is over keeps what was said first, or late, all the same.

    Raises:
        NotFound: there is no such survey, or it was another driver's to answer.
        Invalid: answers do not fit their questions.
        AlreadyAnswered: this ask has other answers already.
    """
    ask = SurveyAsk.objects.filter(pk=survey_id, driver_id=driver_id).first()
    driver = Driver.objects.filter(pk=driver_id).only("language").first()
    return record_response(
        survey_id=ask.survey_id if ask else survey_id,
        answers=answers,
        answerer=Answerer(
            depot_id=depot_id,
            role=DRIVER,
            respondent=str(Actor("driver", str(driver_id))),
            driver_id=driver_id,
            language=driver.language if driver else "",
        ),
        origin=Origin(
            Response.Source.DEVICE, f"ask:{ask.pk}" if ask else f"event:{event_id}"
        ),
        answered_at=answered_at,
        by=by,
        now=now,
    )


def _stored(row: Response) -> tuple[Response, bool]:
    """Store a response, or return the one that came first by its key."""
    known = Response.objects.filter(source_key=row.source_key).first()
    if known is not None:
        return known, False
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        known = Response.objects.filter(source_key=row.source_key).first()
        if known is None:
            raise
        return known, False
    return row, True


def _close_asks(row: Response, journal: Writer) -> None:
    """Let the survey go from the screen of whoever has answered it."""
    kind, _, user_id = row.respondent.partition(":")
    if row.driver_id is not None:
        mine = Q(driver_id=row.driver_id)
    elif row.source == Response.Source.OFFICE and kind == "user":
        mine = Q(user_id=int(user_id))
    else:
        return
    asks = SurveyAsk.objects.filter(mine, survey_id=row.survey_id, closed_at=None)
    for ask in asks:
        ask.closed_at, ask.response = journal.now, row
        ask.save(update_fields=["closed_at", "response"])
        if ask.driver_id is not None:
            journal.removed(ask.driver_id, "surveys", ask.pk)
