"""Forms of the office: to give feedback, to answer it, to write and feed surveys."""

import json
from typing import Any

from django import forms
from django.db.models import QuerySet
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultiple,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.core.problems import Problem
from apps.depots.models import Depot
from apps.feedback.models import Survey, SurveyImport
from apps.feedback.questions import (
    LONGEST,
    TEXT,
    Question,
    in_language,
    read_questions,
)
from apps.feedback.services import SurveyDraft
from apps.feedback.services.surveys import TRIGGERS
from apps.feedback.states import SurveyState
from apps.feedback.words import DONE, NOT_DONE, REASONS

RATINGS = [("", "–"), *((str(n), f"{n}/5") for n in range(5, 0, -1))]


class RefusedForm(forms.Form):
    """A form that shows what a verb refuses."""

    def refuse(self, problem: Problem) -> None:
        """Say what the verb refused: by its faults, or in one sentence."""
        if not problem.errors:
            self.add_error(None, problem.detail)
        for fault in problem.errors:
            name = fault.pointer.strip("/").partition("/")[0]
            place = fault.pointer.strip("/")
            known = name in self.fields
            text = (
                fault.detail if known and place == name else f"{place}: {fault.detail}"
            )
            self.add_error(name if known else None, text)


class OpinionForm(RefusedForm):
    """What somebody of the office says of a recommendation."""

    rating = forms.ChoiceField(
        label="How good is it?",
        choices=RATINGS,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.ChoiceField(
        label="What is it about?",
        choices=[("", "–"), *REASONS.items()],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    text = forms.CharField(
        label="In your words",
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    is_objection = forms.BooleanField(
        label="I object: it should be changed",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )


class SurveyForm(RefusedForm):
    """The next version of a survey."""

    key = forms.SlugField(
        max_length=40,
        help_text="Of an existing survey: this becomes its next version.",
        widget=UnfoldAdminTextInputWidget,
    )
    audience = forms.ChoiceField(
        label="Who is asked",
        choices=Survey.Audience.choices,
        widget=UnfoldAdminSelectWidget,
    )
    title = forms.JSONField(
        help_text='Words by language: {"en": "…", "de": "…"}.',
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
    )
    questions = forms.JSONField(
        help_text=(
            "A list of {id, kind, text, required}; kind is csat, nps, scale (low, high),"
            " choice (options, many) or text."
        ),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 16, "spellcheck": "false"}),
    )
    is_pulse = forms.BooleanField(
        label="It is the pulse: its first question is shown as a trend by role",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )
    trigger = forms.ChoiceField(
        label="Asked of a driver after",
        choices=[("", "no event: by link, or by hand"), *TRIGGERS.items()],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    cap_days = forms.IntegerField(
        label="At most once a person in so many days",
        initial=7,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "number"}),
    )
    open_days = forms.IntegerField(
        label="Waits so many days for an answer",
        initial=3,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "number"}),
    )
    least_answers = forms.IntegerField(
        label="Shown from so many answers on",
        initial=5,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "number"}),
    )

    def draft(self) -> SurveyDraft:
        """Return what is to be written."""
        return SurveyDraft(**self.cleaned_data)


def proposal_of(survey: Survey) -> dict[str, Any]:
    """Return a version as the form shows it, to write the next one from."""
    fields = ("key", "audience", "is_pulse", "trigger", "cap_days", "open_days")
    return {
        **{name: getattr(survey, name) for name in (*fields, "least_answers")},
        "title": survey.title,
        "questions": survey.questions,
    }


def pretty(value: Any) -> str:
    """Return JSON as people edit it."""
    return json.dumps(value, indent=1, ensure_ascii=False)


class ImportForm(RefusedForm):
    """A file of answers that another tool wrote."""

    depot = forms.ModelChoiceField(
        queryset=Depot.objects.none(), widget=UnfoldAdminSelectWidget
    )
    format = forms.ChoiceField(
        label="Written by",
        choices=SurveyImport.Format.choices,
        widget=UnfoldAdminSelectWidget,
    )
    file = forms.FileField(label="CSV", widget=UnfoldAdminFileFieldWidget)


class HookForm(RefusedForm):
    """A door for the webhook of another tool."""

    survey = forms.ModelChoiceField(
        queryset=Survey.objects.none(), widget=UnfoldAdminSelectWidget
    )
    depot = forms.ModelChoiceField(
        queryset=Depot.objects.none(),
        help_text="Whose customers or people answer there.",
        widget=UnfoldAdminSelectWidget,
    )
    format = forms.ChoiceField(
        label="Which tool calls it",
        choices=SurveyImport.Format.choices,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, depots: QuerySet[Depot], *args: Any, **kwargs: Any) -> None:
        """Offer one's own depots, and the surveys that are asked or were."""
        super().__init__(*args, **kwargs)
        _offer(self.fields["depot"], depots)
        asked = Survey.objects.exclude(status=SurveyState.DRAFT)
        _offer(self.fields["survey"], asked)


class AnswerForm(RefusedForm):
    """A survey's questions, for somebody of the office to answer."""

    depot = forms.ModelChoiceField(
        queryset=Depot.objects.none(),
        empty_label=None,
        help_text="Your answer counts among those of this depot.",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(
        self,
        survey: Survey,
        depots: QuerySet[Depot],
        language: str,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Put a field for each question, in the reader's language."""
        super().__init__(*args, **kwargs)
        self.questions = read_questions(survey.questions)
        _offer(self.fields["depot"], depots)
        for question in self.questions:
            self.fields[_name_of(question.id)] = _field_of(question, language)

    def answers(self) -> dict[str, Any]:
        """Return what was answered, by question."""
        fields = self.cleaned_data
        return {each.id: fields[_name_of(each.id)] for each in self.questions}

    def refuse(self, problem: Problem) -> None:
        """Say what the verb refused, beside the question that it is about."""
        if not problem.errors:
            self.add_error(None, problem.detail)
        for fault in problem.errors:
            name = _name_of(fault.pointer.removeprefix("/answers/"))
            self.add_error(name if name in self.fields else None, fault.detail)


def _name_of(question_id: str) -> str:
    return f"q_{question_id}"


def _offer(field: forms.Field, rows: QuerySet[Any]) -> None:
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = rows


def _field_of(question: Question, language: str) -> forms.Field:
    """Return the field in which a question is answered."""
    usual: dict[str, Any] = {
        "label": in_language(question.text, language),
        "required": question.required,
    }
    nothing = [] if question.required else [("", "–")]
    if question.is_number:
        numbers = [(str(n), str(n)) for n in range(question.low, question.high + 1)]
        return forms.TypedChoiceField(
            **usual,
            choices=[*nothing, *numbers],
            coerce=int,
            empty_value=None,
            help_text=f"{question.low} is the least, {question.high} the most.",
            widget=UnfoldAdminRadioSelectWidget,
        )
    if question.kind == TEXT:
        rows = UnfoldAdminTextareaWidget(attrs={"rows": 4})
        return forms.CharField(**usual, max_length=LONGEST, widget=rows)
    options = [
        (option.value, in_language(option.text, language))
        for option in question.options
    ]
    if question.many:
        boxes = UnfoldAdminCheckboxSelectMultiple
        return forms.MultipleChoiceField(**usual, choices=options, widget=boxes)
    radio = UnfoldAdminRadioSelectWidget
    return forms.ChoiceField(**usual, choices=[*nothing, *options], widget=radio)


DONE_CHOICES = tuple(DONE.items())
NOT_DONE_CHOICES = tuple(NOT_DONE.items())
