"""The page on which a customer says how it was."""

from typing import Any

from django.http import HttpResponse

from apps.core.problems import Problem
from apps.customers.forms import answers_of
from apps.customers.selectors import delivery_survey
from apps.customers.services import answer_survey
from apps.customers.states import Purpose
from apps.customers.views.door import Visit, opened
from apps.customers.words import refusal_text
from apps.feedback.questions import in_language, read_questions
from apps.feedback.services import SurveyNotOpen


@opened(Purpose.SURVEY)
def survey_page(visit: Visit) -> HttpResponse:
    """Show the questions until they are answered; then say thank you."""
    if visit.link.used_at is not None:
        return visit.page("customers/thanks.html", {})
    survey = delivery_survey()
    if survey is None:
        raise SurveyNotOpen
    questions = read_questions(survey.questions)
    given = visit.request.GET
    problem: Problem | None = None
    if visit.request.method == "POST":
        given = visit.request.POST
        numbers = {one.id: one.is_number for one in questions}
        try:
            answer_survey(
                link=visit.link,
                answers=answers_of(given, numbers),
                language=visit.language,
                now=visit.now,
            )
        except Problem as refused:
            problem = refused
        else:
            return visit.again("survey")
    rows = [
        _row(one, given.get(f"q_{one.id}", ""), visit.language) for one in questions
    ]
    context = {
        "title": in_language(survey.title, visit.language),
        "rows": rows,
        "problem_text": refusal_text(problem),
    }
    return visit.page(
        "customers/survey.html", context, problem.status if problem else 200
    )


def _row(question: Any, given: str, language: str) -> dict[str, Any]:
    """Return a question as the page shows it, with what was chosen by the link."""
    return {
        "id": question.id,
        "kind": question.kind,
        "text": in_language(question.text, language),
        "required": question.required,
        "given": given[:2000],
        "numbers": [str(n) for n in range(question.low, question.high + 1)]
        if question.is_number
        else [],
        "options": [
            (option.value, in_language(option.text, language))
            for option in question.options
        ],
    }
