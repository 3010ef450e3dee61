"""The anonymous door in the office: its looks, its links, and proposed addresses."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import FactPage, OfficePage, column
from apps.core.problems import Problem
from apps.customers.models import AddressProposal, CustomerPage, Link, PickupPoint
from apps.customers.services import (
    approve_proposal,
    keep_page,
    keep_pickup_point,
    reject_proposal,
    revoke_links,
)
from apps.customers.services.pages import small_logo
from apps.customers.states import ProposalState
from apps.depots.scoping import DepotScopedAdmin

if TYPE_CHECKING:
    from collections.abc import Callable

    PageModelForm = forms.ModelForm[CustomerPage]
else:
    PageModelForm = forms.ModelForm  # Django's cannot be subscripted when it runs.


class LookForm(PageModelForm):
    """A depot's page, with a picture for its head."""

    new_logo = forms.FileField(
        label="New logo",
        required=False,
        help_text="PNG or JPEG; it is made small.",
    )
    drops_logo = forms.BooleanField(label="Take the logo away", required=False)

    class Meta:
        """What the office may set."""

        model = CustomerPage
        exclude = ["logo"]

    def clean_new_logo(self) -> bytes | None:
        """Refuse what is no picture."""
        given = self.cleaned_data.get("new_logo")
        if given is None:
            return None
        content: bytes = given.read()
        try:
            small_logo(content)
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from None
        return content


@admin.register(CustomerPage)
class CustomerPagePage(OfficePage, DepotScopedAdmin):
    """How a depot's pages look, and what they offer; each change is in the journal."""

    form = LookForm
    list_display = ["depot", "brand", "colour", "phone", "near_stops", "near_minutes"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A page stays with its depot."""
        return ["depot"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: CustomerPage, form: Any, change: bool
    ) -> None:
        """Keep it by its verb."""
        fields = form.cleaned_data
        logo = b"" if fields.get("drops_logo") else fields.get("new_logo")
        keep_page(page=obj, logo=logo, by=user_actor(request.user), now=clock.now())


@admin.register(PickupPoint)
class PickupPointPage(OfficePage, DepotScopedAdmin):
    """Where customers may fetch what they are not at home for."""

    list_display = ["name", "depot", "street", "house_number", "hours", "is_active"]
    list_filter = ["depot", "is_active"]
    search_fields = ["name", "street"]

    def save_model(
        self, request: HttpRequest, obj: PickupPoint, form: Any, change: bool
    ) -> None:
        """Keep it by its verb."""
        keep_pickup_point(point=obj, by=user_actor(request.user), now=clock.now())


class DecideForm(forms.Form):
    """Why, where a proposal is turned down."""

    why = forms.CharField(
        max_length=300, required=False, label="Why", help_text="Kept with the proposal."
    )


PROPOSAL_COLOURS = {
    ProposalState.PROPOSED: "warning",
    ProposalState.APPROVED: "success",
    ProposalState.REJECTED: "danger",
}


@admin.register(AddressProposal)
class AddressProposalPage(FactPage, DepotScopedAdmin):
    """Corrected addresses and pins, for a person to decide on."""

    list_display = ["order", "depot", "was", "proposed", "pin", "state", "proposed_at"]
    list_filter = ["status", "depot"]
    search_fields = ["order__reference", "street", "postcode"]
    list_select_related = ["order", "depot"]
    row_pages = {"approve": "approve", "reject": "reject"}
    change_form_outer_before_template = "customers/proposal_head.html"
    readonly_fields = ["was"]

    @column("Now")
    def was(self, row: AddressProposal) -> str:
        """Return the address that the order has."""
        return _line(row.order)

    @column("Proposed", ordering="street")
    def proposed(self, row: AddressProposal) -> str:
        """Return the address that is proposed."""
        return _line(row)

    @column("Pin")
    def pin(self, row: AddressProposal) -> str:
        """Return the pin, if one was set."""
        if row.latitude is None or row.longitude is None:
            return "—"
        return f"{row.latitude:.5f}, {row.longitude:.5f}"

    @column("Status", ordering="status", label=PROPOSAL_COLOURS)
    def state(self, row: AddressProposal) -> tuple[str, str]:
        """Return the status in colour."""
        return row.status, str(row.get_status_display())

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Let those decide who may change proposals."""
        return bool(request.user.has_perm("customers.change_addressproposal"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer the two decisions while none was made."""
        row = kwargs.get("obj")
        is_open = row is not None and row.status == ProposalState.PROPOSED
        context["may_decide"] = is_open and self.has_decide_permission(request)
        context["row"] = row
        response: HttpResponse = super().render_change_form(
            request, context, *args, **kwargs
        )
        return response

    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let the order go where the proposal says."""
        return self._decide(request, object_id, "Approve")

    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then turn the proposal down."""
        return self._decide(request, object_id, "Reject")

    def _decide(self, request: HttpRequest, object_id: str, do: str) -> HttpResponse:
        row: AddressProposal = self.row(request, object_id, "decide")
        form = DecideForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            why = form.cleaned_data["why"]
            verbs: dict[str, Callable[..., Any]] = {
                "Approve": lambda **given: approve_proposal(
                    proposal_id=row.pk, **given
                ),
                "Reject": lambda **given: reject_proposal(
                    proposal_id=row.pk, why=why, **given
                ),
            }
            done = {"Approve": "used from now on", "Reject": "turned down"}[do]
            if self.carry_out(request, verbs[do], f"The address is {done}."):
                return self.to_row(row)
        return self.page(
            request,
            "customers/decide.html",
            title=f"{do} the address of {row.order.reference}",
            row=row,
            was=_line(row.order),
            proposed=_line(row),
            form=form if do == "Reject" else None,
            button=do,
        )


@admin.register(Link)
class LinkPage(FactPage, DepotScopedAdmin):
    """Links that customers have; nobody can see where they lead to."""

    depot_path = "order__depot"
    list_display = [
        "order",
        "purpose",
        "made_at",
        "expires_at",
        "used_at",
        "revoked_at",
    ]
    list_filter = ["purpose", "order__depot"]
    search_fields = ["order__reference"]
    list_select_related = ["order"]
    exclude = ["code_hash"]
    row_pages = {"revoke": "revoke"}
    change_form_outer_before_template = "customers/link_head.html"

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Let those take links back who may change them."""
        return bool(request.user.has_perm("customers.change_link"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer to take an open link back."""
        row = kwargs.get("obj")
        is_open = row is not None and row.revoked_at is None
        context["may_revoke"] = is_open and self.has_revoke_permission(request)
        context["row"] = row
        response: HttpResponse = super().render_change_form(
            request, context, *args, **kwargs
        )
        return response

    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then take all the order's links of this purpose back."""
        row: Link = self.row(request, object_id, "revoke")
        if request.method == "POST":

            def verb(**given: Any) -> int:
                return revoke_links(order_id=row.order_id, purpose=row.purpose, **given)

            if self.carry_out(request, verb, "The links open nothing any more."):
                return self.to_row(row)
        return self.page(
            request,
            "customers/decide.html",
            title=f"Take back: {row.get_purpose_display()}, {row.order.reference}",
            row=row,
            button="Take back",
        )


def _line(row: Any) -> str:
    road = f"{row.street} {row.house_number}".strip()
    town = f"{row.postcode} {row.city}".strip()
    return ", ".join(part for part in (road, town) if part) or "—"
