"""Webhook doors of other tools: opened, their secret shown once, and shut."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import FactPage, column, row_url
from apps.core.problems import Problem
from apps.core.wording import local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.feedback import services
from apps.feedback.forms import HookForm
from apps.feedback.models import SurveyHook
from apps.routes.people import who

COLOURS = {"open": "success", "shut": "info"}


@admin.register(SurveyHook)
class SurveyHookPage(FactPage, DepotScopedAdmin):
    """Where tools post answers; a secret stands on no page but the one that opens it."""

    list_display = ["when", "survey", "depot", "format", "state"]
    list_filter = ["is_open", "format", "depot", "survey"]
    list_select_related = ["depot", "survey"]
    row_pages = {"close": "close"}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may add doors may open one."""
        return request.user.has_perm("feedback.add_surveyhook")

    @column("Opened", ordering="created_at")
    def when(self, row: SurveyHook) -> str:
        """Return when it was opened, by the depot's clock."""
        return local_time(row.created_at, row.depot.time_zone)

    @column("State", label=COLOURS, ordering="is_open")
    def state(self, row: SurveyHook) -> tuple[str, str]:
        """Return whether answers come in by it."""
        return ("open", "Open") if row.is_open else ("shut", "Shut")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a door: its address and how calls are signed, never its secret."""
        row: SurveyHook = self.row(request, object_id)
        may_close = request.user.has_perm("feedback.change_surveyhook")
        return self.page(
            request,
            "feedback/hook.html",
            title=_title(row),
            row=row,
            address=_address(row),
            opened=f"{self.when(row)}, {who(row.created_by)}",
            may_close=may_close and row.is_open,
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Open a door, and show its secret this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = HookForm(
            Depot.objects.visible_to(request.user),
            request.POST or None,
            initial={"survey": request.GET.get("survey", "")},
        )
        if request.method == "POST" and form.is_valid():
            fields = form.cleaned_data
            try:
                row = services.open_hook(
                    survey_id=fields["survey"].pk,
                    depot_id=fields["depot"].pk,
                    form=fields["format"],
                    by=user_actor(request.user),
                    now=clock.now(),
                )
            except Problem as problem:
                form.refuse(problem)
            else:
                return self._opened(request, row)
        return self.page(
            request,
            "feedback/form.html",
            title="Open a webhook door",
            form=form,
            button="Open it",
            back=reverse("admin:feedback_surveyhook_changelist"),
        )

    def _opened(self, request: HttpRequest, row: SurveyHook) -> HttpResponse:
        return self.page(
            request,
            "feedback/hook_opened.html",
            title=f"{_title(row)} is open",
            address=_address(row),
            secret=row.secret,
            back=row_url(row),
        )

    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then shut a door for good."""
        if not request.user.has_perm("feedback.change_surveyhook"):
            raise PermissionDenied
        row: SurveyHook = self.row(request, object_id)
        if request.method == "POST":

            def verb(**context: Any) -> SurveyHook:
                return services.close_hook(hook_id=row.pk, **context)

            self.carry_out(request, verb, "It is shut: what is sent there is refused.")
            return self.to_row(row)
        return self.page(
            request,
            "core/confirm.html",
            title=f"Shut {_title(row)}?",
            lines=["What came in stays. It is not opened again: open a new one."],
            button="Shut it",
            tone="danger",
            back=row_url(row),
        )


def _title(row: SurveyHook) -> str:
    return f"{row.get_format_display()} for {row.survey}"


def _address(row: SurveyHook) -> str:
    """Return the address that the tool is told."""
    return f"{settings.PUBLIC_URL}{reverse('feedback:hook', args=[row.pk])}"
