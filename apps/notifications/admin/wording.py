"""How a depot writes: its policy and its own words, with previews."""

import uuid
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from apps.core.office import VerbPage, column
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.notifications import kinds, texts
from apps.notifications.forms import PolicyForm, TemplateForm
from apps.notifications.models import (
    MessagePolicy,
    MessageTemplate,
)
from apps.notifications.phrases import faults_of
from apps.notifications.policies import policy_of
from apps.notifications.samples import Preview, preview_of
from apps.notifications.selectors import wordings
from apps.notifications.services.wording import keep_policy, keep_template


@admin.register(MessagePolicy)
class PolicyPage(VerbPage, DepotScopedAdmin):
    """How a depot writes: channels, quiet hours, thresholds, limits; and all its texts."""

    form = PolicyForm
    list_display = ["depot", "language", "ways", "quiet", "off"]
    list_select_related = ["depot"]
    change_form_outer_after_template = "notifications/all_texts.html"

    @column("Channels")
    def ways(self, row: MessagePolicy) -> str:
        """Return the channels in their order."""
        return ", ".join(kinds.CHANNELS[name] for name in row.channels)

    @column("Quiet hours")
    def quiet(self, row: MessagePolicy) -> str:
        """Return the quiet hours."""
        return f"{row.quiet_from:%H:%M}–{row.quiet_until:%H:%M}"

    @column("Switched off")
    def off(self, row: MessagePolicy) -> str:
        """Return what is not sent."""
        return ", ".join(kinds.KINDS[code].title for code in row.kinds_off) or "–"

    def get_readonly_fields(
        self, request: HttpRequest, obj: MessagePolicy | None = None
    ) -> list[str]:
        """A policy stays its depot's."""
        return ["depot"] if obj else []

    def add_row(self, fields: dict[str, Any], **context: Any) -> MessagePolicy:
        """Make a depot's first policy."""
        depot = fields["depot"]
        return keep_policy(depot=depot, fields=fields, expected_version=None, **context)

    def change_row(
        self, row: MessagePolicy, fields: dict[str, Any], version: int, **context: Any
    ) -> MessagePolicy:
        """Change it."""
        return keep_policy(
            depot=row.depot, fields=fields, expected_version=version, **context
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add every text of the depot, with what it takes as an SMS."""
        row: MessagePolicy | None = kwargs.get("obj")
        context["languages"] = kinds.LANGUAGES
        context["texts"] = _all_texts(row.depot) if row else []
        context["may_write"] = request.user.has_perm(
            "notifications.add_messagetemplate"
        )
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(MessageTemplate)
class TemplatePage(VerbPage, DepotScopedAdmin):
    """A depot's own words, with a preview while they are typed."""

    form = TemplateForm
    list_display = ["depot", "kind", "language", "text", "parts"]
    list_filter = ["kind", "language", "depot"]
    search_fields = ["text"]
    list_select_related = ["depot"]
    change_form_outer_after_template = "notifications/preview_frame.html"

    @column("SMS parts")
    def parts(self, row: MessageTemplate) -> str:
        """Return what it takes as an SMS, filled with a sample."""
        found = _preview(row.depot, row.language, row.text)
        return f"{found.length.segments} · {found.length.encoding.upper()}"

    def get_urls(self) -> list[URLPattern]:
        """Add the preview of a text that is being typed."""
        view = self.admin_site.admin_view(self.preview)
        name = "notifications_messagetemplate_preview"
        return [path("preview/", view, name=name), *super().get_urls()]

    def get_readonly_fields(
        self, request: HttpRequest, obj: MessageTemplate | None = None
    ) -> list[str]:
        """Words stay those of their kind and language."""
        return ["depot", "kind", "language"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the first text of the kind and language that are asked for."""
        asked: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        kind, language = str(asked.get("kind")), str(asked.get("language"))
        if kind in kinds.KINDS and language in kinds.LANGUAGES:
            asked.setdefault("title", texts.TITLES[language][kind])
            asked.setdefault("text", texts.TEXTS[language][kind])
        return asked

    def add_row(self, fields: dict[str, Any], **context: Any) -> MessageTemplate:
        """Give a kind its own words."""
        return keep_template(
            depot=fields["depot"],
            kind=fields["kind"],
            language=fields["language"],
            fields=fields,
            expected_version=None,
            **context,
        )

    def change_row(
        self, row: MessageTemplate, fields: dict[str, Any], version: int, **context: Any
    ) -> MessageTemplate:
        """Change them."""
        return keep_template(
            depot=row.depot,
            kind=row.kind,
            language=row.language,
            fields=fields,
            expected_version=version,
            **context,
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the text as a person would read it."""
        row: MessageTemplate | None = kwargs.get("obj")
        initial = context["adminform"].form.initial
        asked = {
            "kind": row.kind if row else str(initial.get("kind") or ""),
            "language": row.language if row else str(initial.get("language") or ""),
            "depot": str(row.depot_id if row else initial.get("depot") or ""),
        }
        text = request.POST.get("text") or (row.text if row else initial.get("text"))
        context["asked"] = asked
        context |= self._shown(request, {**asked, "text": str(text or "")})
        return super().render_change_form(request, context, *args, **kwargs)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Return the part of the page that shows a text."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = self._shown(request, request.GET.dict())
        return TemplateResponse(request, "notifications/preview.html", shown)

    def _shown(self, request: HttpRequest, asked: dict[str, str]) -> dict[str, Any]:
        kind, language = asked.get("kind", ""), asked.get("language", "")
        if kind not in kinds.KINDS or language not in kinds.LANGUAGES:
            return {"preview": None, "faults": [], "placeholders": []}
        depots = Depot.objects.visible_to(request.user).filter(
            pk__in=[asked["depot"]] if _is_uuid(asked.get("depot", "")) else []
        )
        text = asked.get("text", "")
        return {
            "preview": _preview(depots.first(), language, text),
            "faults": faults_of(kind, text),
            "placeholders": sorted(kinds.KINDS[kind].placeholders),
        }


def _all_texts(depot: Depot) -> list[dict[str, Any]]:
    """Return each kind with its text in each language: where from, and how long."""
    said, sender = wordings(depot.pk), policy_of(depot.pk).sender
    own = {
        (row.kind, row.language): row
        for row in MessageTemplate.objects.filter(depot=depot)
    }
    return [
        {
            "kind": kind,
            "cells": [
                {
                    "language": language,
                    "own": own.get((kind.code, language)),
                    "shown": preview_of(
                        said.of(kind.code, language)[1],
                        sender=sender,
                        language=language,
                    ),
                }
                for language in kinds.LANGUAGES
            ],
        }
        for kind in kinds.KINDS.values()
    ]


def _preview(depot: Depot | None, language: str, text: str) -> Preview:
    sender = policy_of(depot.pk).sender if depot else "Depot"
    return preview_of(text, sender=sender, language=language)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
