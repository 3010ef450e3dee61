"""Requests to change a plan: the queue, the decision, several at once, and asking."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.core import clock
from apps.core.actors import Actor, user_actor
from apps.core.office import FactPage, column
from apps.core.wording import NOTHING, local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin, scoped
from apps.overrides import pricing
from apps.overrides.admin.changing import ChangePages, number_of
from apps.overrides.changeforms import KIND_CHOICES
from apps.overrides.forms import AnswerForm
from apps.overrides.models import Override
from apps.overrides.people import standing, who_answers
from apps.overrides.selectors import open_overrides
from apps.overrides.services.answering import reject_override, why_not
from apps.overrides.services.asking import (
    withdraw_override,
)
from apps.overrides.services.deciding import impact_of_row
from apps.overrides.showing import Shown, figures, shown, summed
from apps.overrides.states import OPEN, OverrideState
from apps.overrides.wishes import OTHER
from apps.routes.changes import Impact
from apps.routes.people import who
from apps.routes.selectors import parse_id

COLOURS = {
    OverrideState.WAITING: "warning",
    OverrideState.REQUESTED: "info",
    OverrideState.APPLIED: "success",
    OverrideState.REJECTED: "danger",
    OverrideState.DENIED: "danger",
}
SALT = "overrides.seen"
SOON_S = 300


@admin.register(Override)
class OverridePage(ChangePages, FactPage, DepotScopedAdmin):
    """What people want changed in a plan, and what became of it."""

    list_display = ["what", "asked", "day", "about", "state_told", "due", "answered"]
    list_filter = ["state", "kind", "source", "service_date", "depot"]
    search_fields = ["note", "driver__name", "stop__order__reference"]
    list_select_related = ["depot", "driver", "stop__order", "route__driver"]
    list_before_template = "overrides/queue_head.html"
    ordering = ["-id"]
    row_pages = {
        "answer": "answer",
        "instead": "instead",
        "withdraw": "withdraw",
        "price": "price",
    }

    @column("What", ordering="kind")
    def what(self, row: Override) -> str:
        """Return what is wanted."""
        return str(row.get_kind_display())

    @column("Asked by", ordering="asked_by")
    def asked(self, row: Override) -> str:
        """Return who asked."""
        return row.driver.name if row.driver else who(row.asked_by)

    @column("Day", ordering="service_date")
    def day(self, row: Override) -> str:
        """Return the day that it is about."""
        return f"{row.service_date:%a %d %b}"

    @column("About")
    def about(self, row: Override) -> str:
        """Return the stop or route that it is about."""
        return about_words(row)

    @column("State", label=COLOURS, ordering="state")
    def state_told(self, row: Override) -> tuple[str, str]:
        """Return how it stands."""
        return row.state, row.get_state_display()

    @column("Answer until", ordering="deadline_at")
    def due(self, row: Override) -> str:
        """Return until when it is to be answered."""
        return local_time(row.deadline_at, row.depot.time_zone, "%H:%M")

    @column("Answered", ordering="answered_at")
    def answered(self, row: Override) -> str:
        """Return when, and by whom."""
        if row.answered_at is None:
            return NOTHING
        at = local_time(row.answered_at, row.depot.time_zone)
        return f"{at}, {answered_by(row)}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may ask for a change of a plan may."""
        return bool(request.user.has_perm("overrides.add_override"))

    # ── The queue ────────────────────────────────────────────────────────────
    def get_urls(self) -> list[URLPattern]:
        """Add the queue, and the page that answers several at once."""
        view = self.admin_site.admin_view
        return [
            path("queue/", view(self.queue), name="overrides_override_queue"),
            path("together/", view(self.together), name="overrides_override_together"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Show the queue above the list of all requests."""
        context = {**(extra_context or {}), **self._queue(request)}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def queue(self, request: HttpRequest) -> HttpResponse:
        """Return the part of the page that moves while somebody looks at it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return TemplateResponse(request, "overrides/queue.html", self._queue(request))

    def _queue(self, request: HttpRequest) -> dict[str, Any]:
        now = clock.now()
        depots = Depot.objects.visible_to(request.user).values_list("pk", flat=True)
        rows, places = [], {}
        for row in open_overrides(depots):
            if row.depot_id not in places:
                places[row.depot_id] = standing(request.user, row.depot_id, now)  # type: ignore[arg-type]
            impact = impact_of_row(row)
            left_s = (
                (row.deadline_at - now).total_seconds() if row.deadline_at else None
            )
            rows.append(
                {
                    "row": row,
                    "asked": self.asked(row),
                    "about": about_words(row),
                    "summary": impact.summary if impact else "",
                    "figures": figures(impact)[:4] if impact else (),
                    "minutes_left": None if left_s is None else int(left_s // 60),
                    "is_soon": left_s is not None and left_s < SOON_S,
                    "mine": row.state == OverrideState.WAITING
                    and why_not(row, places[row.depot_id], request.user.pk or 0)
                    is None,
                }
            )
        return {
            "queue": rows,
            "may_answer": self.has_answer_permission(request),
            "may_ask": self.has_add_permission(request),
        }

    def together(self, request: HttpRequest) -> HttpResponse:
        """Show what several requests add up to; approve them all, each for itself."""
        if not self.has_answer_permission(request):
            raise PermissionDenied
        chosen = request.POST.getlist("id") or request.GET.getlist("id")
        pairs = [one.partition(":") for one in chosen]
        ids = {found: number for text, _, number in pairs if (found := parse_id(text))}
        rows = scoped(
            open_overrides(Depot.objects.values_list("pk", flat=True)).filter(
                pk__in=ids, state=OverrideState.WAITING
            ),
            request.user,
        )
        form = AnswerForm(request.POST if "approve" in request.POST else None)
        if form.is_bound and form.is_valid():
            versions = [(row.pk, number_of(ids[row.pk], row.version)) for row in rows]
            self._approve_all(request, versions, form)
            return redirect("admin:overrides_override_changelist")
        priced = [(row, impact_of_row(row)) for row in rows]
        return self.page(
            request,
            "overrides/together.html",
            title=f"Approve {len(priced)} together?",
            rows=[
                (row, self.asked(row), about_words(row), impact)
                for row, impact in priced
            ],
            figures=summed([impact for _, impact in priced if impact]),
            form=form,
            back=reverse("admin:overrides_override_changelist"),
        )

    def _approve_all(
        self, request: HttpRequest, versions: list[tuple[uuid.UUID, int]], form: Any
    ) -> None:
        answers = pricing.approve_all(
            versions,
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
            by=user_actor(request.user),
            now=clock.now(),
        )
        done = sum(one.is_applied for one in answers)
        if done:
            messages.success(request, f"{done} approved and applied.")
        for one in answers:
            if not one.is_applied:
                messages.warning(request, f"Not approved: {one.said}")

    # ── One request ──────────────────────────────────────────────────────────
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a request with all that is needed to decide it."""
        row: Override = self.row(request, object_id)
        now, impact = clock.now(), impact_of_row(row)
        place = standing(request.user, row.depot_id, now)  # type: ignore[arg-type]
        refusal = why_not(row, place, request.user.pk or 0)
        waits = row.state == OverrideState.WAITING
        return self.page(
            request,
            "overrides/decision.html",
            title=f"{row.get_kind_display()} · {about_words(row)}",
            row=row,
            zone=row.depot.time_zone,
            asked=self.asked(row),
            about=about_words(row),
            shown=self._shown(request, row, impact) if impact else None,
            is_open=row.state in OPEN,
            waits=waits,
            may_answer=waits
            and refusal is None
            and self.has_answer_permission(request),
            refusal=refusal.detail if waits and refusal else "",
            instead_of=place.instead_of(row.approver) if waits else "",
            asked_people=who_answers(row.approver, row.depot_id, now) if waits else [],
            is_mine=row.asked_by == str(user_actor(request.user)),
            answered=answered_by(row),
            form=AnswerForm(),
            is_words=row.kind == OTHER,
            kinds=KIND_CHOICES,
            minutes_left=_minutes_left(row, now),
        )

    def _shown(self, request: HttpRequest, row: Override, impact: Impact) -> Shown:
        sees = request.user.has_perm("orders.view_customer")
        return shown(impact, row.depot, may_see_people=sees)

    def answer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Approve or reject; the button says which."""
        row: Override = self.row(request, object_id)
        if not self.has_answer_permission(request):
            raise PermissionDenied
        form = AnswerForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return self.change_view(request, object_id)
        fields = form.cleaned_data
        version = number_of(request.POST.get("version", ""), row.version)
        if "reject" in request.POST:

            def verb(**context: Any) -> Override:
                return reject_override(
                    override_id=row.pk,
                    expected_version=version,
                    reason=fields["reason"],
                    note=fields["note"],
                    **context,
                )

            done = self.carry_out(request, verb, "Rejected; who asked is told why.")
        else:
            consent = pricing.Consent(version=version, **fields)

            def verb(**context: Any) -> Override:
                return pricing.approve(row.pk, consent, **context)

            done = self.carry_out(request, verb, "Approved, and applied to the plan.")
        return (
            redirect("admin:overrides_override_changelist")
            if done
            else self.to_row(row)
        )

    def price(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Work the impact out on the plan as it is now."""
        row: Override = self.row(request, object_id)
        if not self.has_answer_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self.change_view(request, object_id)

        def verb(by: Actor, now: datetime) -> Override:
            del by
            return pricing.price_again(row.pk, now=now)

        self.carry_out(request, verb, "Worked out on the plan as it is now.")
        return self.to_row(row)

    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take back what one has asked oneself."""
        row: Override = self.row(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self.change_view(request, object_id)

        def verb(**context: Any) -> Override:
            return withdraw_override(override_id=row.pk, **context)

        self.carry_out(request, verb, "Taken back.")
        return self.to_row(row)


def about_words(row: Override) -> str:
    """Return what a request is about, in short."""
    parts = []
    if row.stop is not None:
        reference, number = row.stop.order.reference, row.stop.sequence
        # What is off its route has no number any more.
        parts.append(f"stop {number} ({reference})" if number else reference)
    if row.route is not None:
        parts.append(row.route.driver.name)
    return " · ".join(parts) or f"{row.depot.name}, {row.service_date:%d %b}"


def answered_by(row: Override) -> str:
    """Return who answered, by name; what a rule allowed, it says so."""
    if row.answered_by.startswith("right:"):
        return "allowed by its rule"
    return who(row.answered_by) if row.answered_by else ""


def _minutes_left(row: Override, now: datetime) -> int | None:
    if row.deadline_at is None:
        return None
    return int((row.deadline_at - now).total_seconds() // 60)
