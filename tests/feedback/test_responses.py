"""Answers to surveys: checked against their questions, and counted once."""

from typing import Any

import pytest

from apps.core.actors import SYSTEM
from apps.core.problems import Invalid, NotFound
from apps.depots.models import Depot
from apps.feedback.models import Response, Survey
from apps.feedback.questions import as_json, in_words, read_questions
from apps.feedback.selectors import delivery_survey
from apps.feedback.services import (
    AlreadyAnswered,
    Answerer,
    Origin,
    SurveyNotOpen,
    record_response,
)
from apps.journal.models import Entry
from tests.factories import NOW, DepotFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def depot() -> Depot:
    return DepotFactory()


def answered(depot: Depot, answers: dict[str, Any], key: str = "link:1") -> Response:
    survey = delivery_survey()
    assert survey
    return record_response(
        survey_id=survey.pk,
        answers=answers,
        answerer=Answerer(depot.pk),
        origin=Origin("link", key),
        answered_at=NOW,
        by=SYSTEM,
        now=NOW,
    )


def test_record_response_keeps_the_answers_and_says_so(depot: Depot) -> None:
    row = answered(depot, {"csat": 5, "nps": 0, "words": ""})
    assert row.answers == {"csat": 5, "nps": 0}
    entry = Entry.objects.get(kind="response.recorded")
    assert entry.subject_id == str(row.pk)
    assert "answers" not in entry.payload


def test_record_response_twice_is_one(depot: Depot) -> None:
    first = answered(depot, {"csat": 4})
    assert answered(depot, {"csat": 4}) == first
    with pytest.raises(AlreadyAnswered):
        answered(depot, {"csat": 1})
    assert Response.objects.count() == Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("answers", "pointers"),
    [
        ({"csat": 6}, ["/answers/csat"]),
        ({"csat": True}, ["/answers/csat"]),
        ({"csat": 4, "nps": "9"}, ["/answers/nps"]),
        ({"nps": 9}, ["/answers/csat"]),
        ({"csat": 4, "colour": "red"}, ["/answers/colour"]),
        ({"csat": 4, "words": "x" * 2001}, ["/answers/words"]),
        ({}, ["/answers/csat"]),
    ],
)
def test_record_response_that_does_not_fit(
    depot: Depot, answers: dict[str, Any], pointers: list[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        answered(depot, answers)
    assert [fault.pointer for fault in caught.value.errors] == pointers
    assert not Response.objects.exists()


def test_record_response_to_a_draft_or_to_nothing(depot: Depot) -> None:
    survey = Survey.objects.filter(key="delivery")
    survey.update(status="draft")
    context = {"answers": {"csat": 3}, "answered_at": NOW, "by": SYSTEM, "now": NOW}
    context |= {"answerer": Answerer(depot.pk), "origin": Origin("link", "k")}
    with pytest.raises(SurveyNotOpen):
        record_response(survey_id=survey.get().pk, **context)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        record_response(survey_id=depot.pk, **context)  # type: ignore[arg-type]


def test_questions_survive_the_table_and_speak_four_languages() -> None:
    for survey in Survey.objects.all():
        questions = read_questions(survey.questions)
        assert read_questions(as_json(questions)) == questions
        for language in ("en", "de", "es", "fr"):
            for question in questions:
                assert language in question.text
                assert all(language in option.text for option in question.options)
    [first, *_] = in_words(questions, "de-AT")
    assert first["text"].startswith("Ich vertraue")


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ([], "/questions"),
        ([{"id": "A b", "kind": "text", "text": {"en": "?"}}], "/questions/0/id"),
        ([{"id": "a", "kind": "stars", "text": {"en": "?"}}], "/questions/0/kind"),
        ([{"id": "a", "kind": "text", "text": {}}], "/questions/0/text"),
        ([{"id": "a", "kind": "choice", "text": {"en": "?"}}], "/questions/0/options"),
        (
            [{"id": "a", "kind": "scale", "text": {"en": "?"}, "low": 5, "high": 5}],
            "/questions/0/low",
        ),
        ([{"id": "a", "kind": "text", "text": {"en": "?"}}] * 2, "/questions/1/id"),
    ],
)
def test_questions_that_are_none(raw: Any, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_questions(raw)
    assert pointer in [fault.pointer for fault in caught.value.errors]
