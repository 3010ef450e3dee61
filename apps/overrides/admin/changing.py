"""A change of a route, chosen by the office: looked at, then asked for or approved."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.ids import uuid7
from apps.core.office import row_url
from apps.core.problems import Problem
from apps.depots.scoping import scoped
from apps.overrides import pricing
from apps.overrides.changeforms import FIELDS, KIND_CHOICES, ChangeForm
from apps.overrides.models import Override
from apps.overrides.services.asking import office_asker, request_override
from apps.overrides.showing import shown
from apps.overrides.states import OverrideSource, OverrideState
from apps.overrides.wishes import Wish
from apps.routes.changes import (
    Change,
    Impact,
    impact_as_wire,
    impact_from_wire,
)
from apps.routes.models import Route
from apps.routes.selectors import parse_id

if TYPE_CHECKING:
    from apps.core.office import OfficePage as Base
else:
    Base = object

SALT = "overrides.seen"
SEEN_S = 3600
"""How long an impact that was looked at may be agreed to."""


class ChangePages(Base):
    """The two pages on which the office chooses a change: its own, or one instead."""

    def has_answer_permission(self, request: HttpRequest) -> bool:
        """Whoever may answer a request: which of them, the table says."""
        return bool(request.user.has_perm("overrides.change_override"))

    def instead(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Choose another change, look at what it would do, and approve that."""
        row: Override = self.row(request, object_id)
        if not self.has_answer_permission(request):
            raise PermissionDenied
        route = row.route or self._routes(request).filter(driver=row.driver_id).first()
        if route is None or row.state != OverrideState.WAITING:
            messages.error(
                request, "This request cannot be approved with another change."
            )
            return self.to_row(row)
        kind = request.GET.get("kind") or (
            row.kind if row.kind in FIELDS else "move_stop"
        )
        form = _change_form(request, route, kind, {"stop": str(row.stop_id or "")})
        change = form.change if form.is_bound else None
        found = self._seen(request, form, change)
        if change is not None and found is not None and "approve" in request.POST:
            consent = pricing.Consent(
                version=number_of(request.POST.get("version", ""), row.version),
                note=form.cleaned_data["note"],
                instead=change,
                seen=found,
            )

            def verb(**context: Any) -> Override:
                return pricing.approve(row.pk, consent, **context)

            if self.carry_out(request, verb, "Approved with your change, and applied."):
                return redirect("admin:overrides_override_changelist")
        return self._change_page(
            request, form, found, title="Approve with another change",
            back=row_url(row), button="Approve this instead", version=row.version,
        )  # fmt: skip

    def _routes(self, request: HttpRequest) -> QuerySet[Route]:
        rows = Route.objects.select_related(
            "driver", "depot", "shift__vehicle", "plan__recommendation"
        )
        rows = scoped(rows, request.user)
        return rows.exclude(status="draft").order_by("-service_date", "driver__name")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Choose route and change, look at what it would do, and ask for it (or do it)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        routes = self._routes(request)
        route = routes.filter(pk=parse_id(request.GET.get("route")) or uuid7()).first()
        kind = request.GET.get("kind", "")
        if route is None or kind not in FIELDS:
            return self.page(
                request,
                "overrides/ask.html",
                title="Change a route",
                routes=routes[:200],
                chosen=route,
                kinds=KIND_CHOICES,
            )
        form = _change_form(request, route, kind, {"stop": request.GET.get("stop", "")})
        change = form.change if form.is_bound else None
        found = self._seen(request, form, change)
        if change is not None and found is not None and "approve" in request.POST:
            row = self._ask(request, form, change)
            if row is not None:
                return self.to_row(row)
        return self._change_page(
            request, form, found, title="Change a route",
            back=reverse("admin:overrides_override_add"), button="Ask for it",
        )  # fmt: skip

    def _ask(
        self, request: HttpRequest, form: ChangeForm, change: Change
    ) -> Override | None:
        by, now = user_actor(request.user), clock.now()
        client_id = request.POST.get("client_id") or str(uuid7())
        wish = Wish(
            client_id=client_id[:64],
            change=change,
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
        )
        try:
            row = request_override(
                wish,
                asker=office_asker(by, OverrideSource.ADMIN),
                asked_at=now,
                by=by,
                now=now,
            )
            row = pricing.price_override(row.pk, now=now)
        except Problem as problem:
            messages.error(request, problem.detail)
            return None
        said = {
            OverrideState.APPLIED: "Done: it is within your rights.",
            OverrideState.WAITING: f"Asked: {row.approver}.",
        }
        messages.info(
            request, said.get(OverrideState(row.state), row.problem or row.because)
        )
        return row

    def _seen(
        self, request: HttpRequest, form: ChangeForm, change: Change | None
    ) -> Impact | None:
        """Return the impact that was looked at, or that there is to look at now."""
        if change is None:
            return None
        told = request.POST.get("seen", "")
        if "approve" in request.POST and told:
            try:
                return impact_from_wire(signing.loads(told, salt=SALT, max_age=SEEN_S))
            except signing.BadSignature:
                form.add_error(None, "Look at the impact once more.")
                return None
        try:
            by = user_actor(request.user)
            return pricing.look_at(change, by=by, now=clock.now())
        except Problem as problem:
            form.add_error(None, problem.detail)
            return None

    def _change_page(
        self,
        request: HttpRequest,
        form: ChangeForm,
        found: Impact | None,
        **context: Any,
    ) -> HttpResponse:
        sees = request.user.has_perm("orders.view_customer")
        sealed = ""
        if found is not None:
            sealed = signing.dumps(impact_as_wire(found), salt=SALT, compress=True)
        return self.page(
            request,
            "overrides/change.html",
            route=form.route,
            kind=form.kind,
            kind_name=dict(KIND_CHOICES)[form.kind],
            kinds=KIND_CHOICES,
            form=form,
            shown=shown(found, form.route.depot, may_see_people=sees)
            if found
            else None,
            seen=sealed,
            client_id=request.POST.get("client_id") or str(uuid7()),
            **context,
        )


def _change_form(
    request: HttpRequest, route: Route, kind: str, initial: dict[str, str]
) -> ChangeForm:
    data = request.POST if request.method == "POST" else None
    return ChangeForm(data, route=route, kind=kind, initial=initial)


def number_of(text: str, otherwise: int) -> int:
    """Return a version as a page sends it; another one where it is none."""
    return int(text) if text.isdigit() else otherwise
