"""Messages in the office: what people were told, what they said, what they allow."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from apps.core.office import FactPage, VerbPage, column, row_url
from apps.core.wording import local_time
from apps.depots.scoping import DepotScopedAdmin
from apps.notifications.forms import ConsentForm
from apps.notifications.models import (
    Consent,
    Message,
    Reply,
)
from apps.notifications.policies import policy_of
from apps.notifications.selectors import conversation
from apps.notifications.services.consents import record_consent
from apps.notifications.services.resending import resend
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
