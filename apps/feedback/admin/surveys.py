"""Surveys: written by version, asked, shown once enough have answered, fed from files."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import FactPage, column, row_url
from apps.core.problems import NotFound, Problem
from apps.core.roles import role_among
from apps.core.wording import NOTHING, local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.feedback import services
from apps.feedback.charts import bars_of
from apps.feedback.exports import csv_answer, my_depots
from apps.feedback.forms import AnswerForm, ImportForm, SurveyForm, proposal_of
from apps.feedback.models import Survey, SurveyImport
from apps.feedback.questions import in_language
from apps.feedback.selectors import (
    Results,
    asked_again_at,
    asks_office,
    results_of,
    waiting_ask,
)
from apps.feedback.services.surveys import TRIGGERS
from apps.feedback.states import SurveyState

COLOURS = {
    SurveyState.DRAFT: "warning",
    SurveyState.LIVE: "success",
    SurveyState.RETIRED: "info",
}
MOST_TEXTS = 50


@admin.register(Survey)
class SurveyPage(FactPage):
    """Surveys of our own and of others; the whole house's, as their answers are a depot's."""

    list_display = ["name", "audience", "asked", "state", "answered"]
    list_filter = ["status", "audience", "is_pulse"]
    search_fields = ["key"]
    row_pages = {
        "live": "live",
        "retire": "retire",
        "import": "import_answers",
        "export": "export",
        "answer": "answer",
        "dismiss": "dismiss",
    }

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may add surveys may write the next version of one."""
        return request.user.has_perm("feedback.add_survey")

    @column("Survey", ordering="key")
    def name(self, row: Survey) -> str:
        """Return title and version."""
        return str(row)

    @column("Asked")
    def asked(self, row: Survey) -> str:
        """Return after what it is asked, and how often."""
        if not row.trigger and asks_office(row):
            return f"by itself, in the office; every {row.cap_days} days at most"
        if not row.trigger:
            return "by link, or by hand"
        event = TRIGGERS.get(row.trigger, row.trigger)
        too = ", the office by itself" if asks_office(row) else ""
        return f"{event}{too}; every {row.cap_days} days at most"

    @column("State", label=COLOURS, ordering="status")
    def state(self, row: Survey) -> tuple[str, str]:
        """Return whether it is asked."""
        return row.status, row.get_status_display()

    @column("Answers")
    def answered(self, row: Survey) -> int:
        """Return how many there are in all depots together."""
        return row.responses.count()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the results of a version, and what may be done with it."""
        row: Survey = self.row(request, object_id)
        depots = my_depots(request.user)
        found = results_of(row, depots)
        return self.page(
            request,
            "feedback/survey.html",
            title=str(row),
            row=row,
            results=found,
            questions=_shown(found),
            asked=self.asked(row),
            may_change=request.user.has_perm("feedback.change_survey"),
            may_add=self.has_add_permission(request),
            may_import=request.user.has_perm("feedback.add_surveyimport"),
            may_export=request.user.has_perm("feedback.view_response"),
            may_answer=request.user.has_perm("feedback.add_response")
            and asks_office(row),
            may_see_hooks=request.user.has_perm("feedback.view_surveyhook"),
            may_add_hook=request.user.has_perm("feedback.add_surveyhook"),
            formats=SurveyImport.Format.choices,
        )

    def answer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a survey oneself, where it asks the office."""
        if not request.user.has_perm("feedback.add_response"):
            raise PermissionDenied
        row: Survey = self.row(request, object_id)
        language = get_language() or "en"
        depots = Depot.objects.visible_to(request.user)
        form = AnswerForm(row, depots, language, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                services.answer_in_office(
                    survey_id=row.pk,
                    answers=form.answers(),
                    depot_id=form.cleaned_data["depot"].pk,
                    role=_role_of(request.user),
                    language=language[:8],
                    by=user_actor(request.user),
                    now=clock.now(),
                )
            except Problem as problem:
                form.refuse(problem)
            else:
                messages.success(request, "Thank you: your answer counts.")
                return self.to_row(row)
        return self.page(
            request,
            "feedback/answer.html",
            title=in_language(row.title, language),
            row=row,
            form=form,
            why_not=_why_not(row, request) if request.method == "GET" else "",
            back=row_url(row),
        )

    def dismiss(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put a survey off that waits for oneself."""
        if not request.user.has_perm("feedback.add_response"):
            raise PermissionDenied
        row: Survey = self.row(request, object_id)
        user: Any = request.user
        if request.method == "POST":
            ask = waiting_ask(user, clock.now(), survey=row)
            if ask is not None:
                services.dismiss_ask(ask_id=ask.pk, user=user, now=clock.now())
            text = f"Put off: you are not asked again within {row.cap_days} days."
            messages.success(request, text)
            return redirect("admin:index")
        return self.page(
            request,
            "core/confirm.html",
            title=f"Put {row} off?",
            lines=[f"You are not asked it again within {row.cap_days} days."],
            button="Put it off",
            back=reverse("admin:index"),
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write the next version of a survey, or a new one."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SurveyForm(request.POST or None, initial=self._proposal(request))
        if request.method == "POST" and form.is_valid():
            try:
                row = services.write_survey(
                    form.draft(), by=user_actor(request.user), now=clock.now()
                )
            except Problem as problem:
                form.refuse(problem)
            else:
                messages.success(request, "Written: nobody is asked until it is live.")
                return redirect(row_url(row))
        return self.page(
            request,
            "feedback/form.html",
            title="Write a survey",
            form=form,
            button="Keep it as a draft",
            back=reverse("admin:feedback_survey_changelist"),
        )

    def _proposal(self, request: HttpRequest) -> dict[str, Any]:
        row = Survey.objects.filter(
            key=request.GET.get("from", ""), status=SurveyState.LIVE
        ).first()
        return proposal_of(row) if row else {}

    def live(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let a version be asked from now on."""
        row = self._changeable(request, object_id)
        if request.method == "POST":

            def verb(**context: Any) -> Survey:
                return services.make_live(survey_id=row.pk, **context)

            self.carry_out(request, verb, "It is asked from now on.")
            return self.to_row(row)
        return self.page(
            request,
            "core/confirm.html",
            title=f"Ask {row} from now on?",
            lines=["The version that is live now is retired.", self.asked(row)],
            button="Make it live",
            back=row_url(row),
        )

    def retire(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then ask it of nobody any more."""
        row = self._changeable(request, object_id)
        if request.method == "POST":

            def verb(**context: Any) -> Survey:
                return services.retire_survey(survey_id=row.pk, **context)

            self.carry_out(request, verb, "Nobody is asked it any more.")
            return self.to_row(row)
        return self.page(
            request,
            "core/confirm.html",
            title=f"Ask {row} of nobody any more?",
            lines=["Its answers stay. What waits on devices is taken back."],
            button="Retire it",
            tone="danger",
            back=row_url(row),
        )

    def _changeable(self, request: HttpRequest, object_id: str) -> Survey:
        if not request.user.has_perm("feedback.change_survey"):
            raise PermissionDenied
        row: Survey = self.row(request, object_id)
        return row

    def import_answers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take in a file of answers that another tool wrote."""
        if not request.user.has_perm("feedback.add_surveyimport"):
            raise PermissionDenied
        row: Survey = self.row(request, object_id)
        form = ImportForm(request.POST or None, request.FILES or None)
        form.fields["depot"].queryset = Depot.objects.visible_to(request.user)  # type: ignore[attr-defined]
        if request.method == "POST" and form.is_valid():
            fields = form.cleaned_data
            try:
                run = services.import_responses(
                    survey_id=row.pk,
                    depot_id=fields["depot"].pk,
                    form=fields["format"],
                    file_name=fields["file"].name,
                    content=fields["file"].read(),
                    by=user_actor(request.user),
                    now=clock.now(),
                )
            except Problem as problem:
                form.refuse(problem)
            else:
                return redirect(row_url(run))
        return self.page(
            request,
            "feedback/form.html",
            title=f"Answers to {row} from elsewhere",
            form=form,
            button="Take them in",
            is_upload=True,
            back=row_url(row),
        )

    def export(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the answers as one of the tools' CSV."""
        if not request.user.has_perm("feedback.view_response"):
            raise PermissionDenied
        row: Survey = self.row(request, object_id)
        form = request.GET.get("form", SurveyImport.Format.QUALTRICS)
        if form not in SurveyImport.Format.values:
            raise NotFound
        return csv_answer(row, form, my_depots(request.user))


def _role_of(user: Any) -> str:
    """Return the role of the house that a user answers in."""
    return role_among(user.groups.values_list("name", flat=True))


def _why_not(row: Survey, request: HttpRequest) -> str:
    """Say why the signed-in user has nothing to answer; empty where there is."""
    if not asks_office(row):
        return "The office is not asked this survey now."
    again_at = asked_again_at(row, str(user_actor(request.user)))
    if again_at is not None and clock.now() < again_at:
        return (
            f"You have answered it. You are asked again from {again_at:%-d %B %Y} on."
        )
    if not Depot.objects.visible_to(request.user).exists():
        return "You work for no depot yet, and answers are a depot’s."
    return ""


def _shown(found: Results) -> list[dict[str, Any]]:
    return [
        {
            "text": in_language(each.question.text, "en"),
            "tally": each,
            "bars": bars_of(each) if each.is_shown else None,
            "texts": each.texts[:MOST_TEXTS],
        }
        for each in found.tallies
    ]


@admin.register(SurveyImport)
class SurveyImportPage(FactPage, DepotScopedAdmin):
    """Files of answers from elsewhere, and the rows that could not be taken."""

    list_display = ["when", "survey", "depot", "format", "file_name", "came"]
    list_filter = ["format", "depot"]
    list_select_related = ["depot", "survey"]

    @column("When", ordering="imported_at")
    def when(self, row: SurveyImport) -> str:
        """Return when it was taken in, by the depot's clock."""
        return local_time(row.imported_at, row.depot.time_zone)

    @column("Rows")
    def came(self, row: SurveyImport) -> str:
        """Return what became of its rows."""
        parts = [f"{row.stored} stored"]
        if row.known:
            parts.append(f"{row.known} known")
        if row.quarantined:
            parts.append(f"{row.quarantined} quarantined")
        return ", ".join(parts) or NOTHING

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show what became of a file, and each row that could not be taken."""
        row: SurveyImport = self.row(request, object_id)
        return self.page(
            request,
            "feedback/import.html",
            title=str(row),
            row=row,
            came=self.came(row),
            zone=row.depot.time_zone,
            bad=list(row.quarantine.order_by("line")),
        )
