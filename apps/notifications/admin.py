"""Messages in the office: what people were told, what they said, how a depot writes."""

import uuid
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from apps.core.office import FactPage, VerbPage, column, row_url
from apps.core.wording import local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.notifications import kinds, texts
from apps.notifications.forms import ConsentForm, PolicyForm, TemplateForm
from apps.notifications.models import (
    Consent,
    Message,
    MessagePolicy,
    MessageTemplate,
    Reply,
)
from apps.notifications.phrases import faults_of
from apps.notifications.policies import policy_of
from apps.notifications.samples import Preview, preview_of
from apps.notifications.selectors import conversation, wordings
from apps.notifications.services.consents import record_consent
from apps.notifications.services.resending import resend
from apps.notifications.services.wording import keep_policy, keep_template
from apps.notifications.states import RESENDABLE, MessageState

COLOURS = {
    MessageState.QUEUED: "info",
    MessageState.SENDING: "info",
    MessageState.SENT: "success",
    MessageState.DELIVERED: "success",
    MessageState.UNKNOWN: "warning",
    MessageState.BLOCKED: "warning",
    MessageState.DEAD: "danger",
    MessageState.WITHDRAWN: "",
}


@admin.register(Message)
class MessagePage(FactPage, DepotScopedAdmin):
    """Every message, with what became of it; what is dead can be sent again."""

    list_display = ["written", "depot", "kind", "about", "to", "parts", "fate", "why"]
    list_filter = ["state", "kind", "channel", "code", "depot"]
    search_fields = ["subject_label", "address", "text", "subject_id"]
    list_select_related = ["depot"]
    show_full_result_count = False
    row_pages = {"resend": "resend", "phone": "phone"}

    @column("Written", ordering="created_at")
    def written(self, row: Message) -> str:
        """Return when it was written, by the depot's clock."""
        return local_time(row.created_at, row.depot.time_zone)

    @column("About", ordering="subject_label")
    def about(self, row: Message) -> str:
        """Return what it is about."""
        return row.subject_label or "–"

    @column("To")
    def to(self, row: Message) -> str:
        """Return channel and address."""
        return f"{row.get_channel_display()} {row.address}".strip() or "–"

    @column("SMS parts", ordering="segments")
    def parts(self, row: Message) -> str:
        """Return how many parts it takes, and in which alphabet."""
        return f"{row.segments} · {row.get_encoding_display()}"

    @column("State", label=COLOURS, ordering="state")
    def fate(self, row: Message) -> tuple[str, str]:
        """Return what became of it."""
        return row.state, row.get_state_display()

    @column("Why")
    def why(self, row: Message) -> str:
        """Return why it was held back, or could not go."""
        return row.detail

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a message with every attempt to send it."""
        row: Message = self.row(request, object_id)
        may_change = request.user.has_perm("notifications.change_message")
        return self.page(
            request,
            "notifications/message.html",
            title=str(row),
            row=row,
            zone=row.depot.time_zone,
            attempts=row.attempts.order_by("number"),
            can_resend=may_change and row.state in RESENDABLE,
        )

    def resend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then send it after all."""
        if not request.user.has_perm("notifications.change_message"):
            raise PermissionDenied
        row: Message = self.row(request, object_id)
        if request.method == "POST":

            def verb(**context: Any) -> Message:
                return resend(message_id=row.pk, **context)

            self.carry_out(request, verb, "It is on its way.")
            return self.to_row(row)
        lines = [f"It stands at: {row.get_state_display()}. {row.detail}".strip()]
        if row.state == MessageState.UNKNOWN:
            lines.append("It may have arrived: the person may read it twice.")
        lines.append(f"“{row.text}”")
        return self.page(
            request,
            "core/confirm.html",
            title="Send this message again?",
            lines=lines,
            button="Send it",
            back=row_url(row),
        )

    def phone(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what this person has been sent and has answered, as the person sees it."""
        row: Message = self.row(request, object_id)
        return self.page(
            request,
            "notifications/phone.html",
            title=f"As {row.address or 'nobody'} reads it",
            row=row,
            zone=row.depot.time_zone,
            sender=policy_of(row.depot_id).sender,
            bubbles=conversation(row),
            back=row_url(row),
        )


@admin.register(Reply)
class ReplyPage(FactPage, DepotScopedAdmin):
    """What people wrote back."""

    list_display = [
        "received",
        "depot",
        "address",
        "channel",
        "intent",
        "text",
        "about",
    ]
    list_filter = ["intent", "channel", "depot"]
    search_fields = ["address", "text", "message__subject_label"]
    list_select_related = ["depot", "message"]
    fields = [
        *("received", "depot", "address", "channel", "intent", "text", "message"),
        *("provider", "provider_id"),
    ]
    readonly_fields = fields

    @column("Received", ordering="received_at")
    def received(self, row: Reply) -> str:
        """Return when it came, by the depot's clock."""
        return local_time(row.received_at, row.depot.time_zone if row.depot else "UTC")

    @column("About")
    def about(self, row: Reply) -> str:
        """Return what the answered message was about."""
        return row.message.subject_label if row.message else "–"


@admin.register(Consent)
class ConsentPage(VerbPage, DepotScopedAdmin):
    """What people allow and forbid: every answer, the newest of an address holds."""

    form = ConsentForm
    list_display = ["said", "address", "purpose", "is_given", "source", "depot", "note"]
    list_filter = ["purpose", "is_given", "source", "depot"]
    search_fields = ["address"]
    list_select_related = ["depot"]

    @column("Said", ordering="given_at")
    def said(self, row: Consent) -> str:
        """Return when, by the depot's clock."""
        return local_time(row.given_at, row.depot.time_zone if row.depot else "UTC")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An answer is never edited; a new one is given."""
        return False

    def add_row(self, fields: dict[str, Any], **context: Any) -> Consent:
        """Keep what the person told the office."""
        [row] = record_consent(
            depot_id=fields["depot"].pk,
            address=fields["address"],
            purposes=[fields["purpose"]],
            is_given=fields["is_given"],
            source=Consent.Source.OFFICE,
            note=fields["note"],
            **context,
        )
        return row


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
