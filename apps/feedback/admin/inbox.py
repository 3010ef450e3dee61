"""The inbox of feedback: what waits, how fast people are answered, and one page each."""

import uuid
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import FactPage, column, row_url
from apps.core.problems import Problem
from apps.core.wording import NOTHING, duration, local_time
from apps.depots.scoping import DepotScopedAdmin, scoped
from apps.feedback import services
from apps.feedback.forms import DONE_CHOICES, NOT_DONE_CHOICES, OpinionForm
from apps.feedback.models import Feedback
from apps.feedback.selectors import answer_times
from apps.feedback.states import ANSWERED, FeedbackState
from apps.feedback.words import answer_in_words, reason_in_words
from apps.recommendations.models import Recommendation
from apps.recommendations.words import OFFICE, how_to_object, said

COLOURS = {
    FeedbackState.NEW: "warning",
    FeedbackState.SEEN: "info",
    FeedbackState.ACTIONED: "success",
    FeedbackState.DECLINED: "danger",
}
LOOKED_BACK = timedelta(days=30)
REFRESH_S = 10


@admin.register(Feedback)
class FeedbackPage(FactPage, DepotScopedAdmin):
    """What people say of the machine's work, to be worked off."""

    list_display = ["when", "depot", "who", "rated", "what", "about", "state", "waits"]
    list_filter = ["status", "is_objection", "reason", "role", "depot"]
    search_fields = ["text", "person", "driver__name"]
    list_select_related = ["depot", "recommendation", "driver"]
    list_before_template = "feedback/inbox_head.html"
    ordering = ["-raised_at"]
    row_pages = {"triage": "triage"}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may add feedback may say something of a recommendation."""
        return request.user.has_perm("feedback.add_feedback")

    @column("When", ordering="raised_at")
    def when(self, row: Feedback) -> str:
        """Return when it was said, by the depot's clock."""
        return local_time(row.given_at, row.depot.time_zone)

    @column("Who")
    def who(self, row: Feedback) -> str:
        """Return who says it."""
        return row.driver.name if row.driver else row.role.capitalize()

    @column("Rating", ordering="rating")
    def rated(self, row: Feedback) -> str:
        """Return the rating, and whether the person objects."""
        objects = "objects" if row.is_objection else ""
        return " · ".join(filter(None, [row.stars, objects])) or NOTHING

    @column("What")
    def what(self, row: Feedback) -> str:
        """Return the reason, and the beginning of the words."""
        words = [reason_in_words(row.reason), row.text[:80]]
        return ": ".join(filter(None, words)) or NOTHING

    @column("About")
    def about(self, row: Feedback) -> str:
        """Return what it is about."""
        about = row.recommendation
        return about.get_kind_display() if about else "the work as a whole"

    @column("State", label=COLOURS, ordering="status")
    def state(self, row: Feedback) -> tuple[str, str]:
        """Return how far the office is."""
        return row.status, row.get_status_display()

    @column("Waits, or took")
    def waits(self, row: Feedback) -> str:
        """Return how long the person waits, or has waited."""
        until = row.answered_at or clock.now()
        return duration(max(0, round((until - row.raised_at).total_seconds())))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Put the figures above the list, and let it renew itself."""
        rows, now = self.get_queryset(request), clock.now()
        newest = rows.order_by("-raised_at").values_list("raised_at", flat=True).first()
        new = rows.filter(status=FeedbackState.NEW).count()
        found = answer_times(rows, since=now - LOOKED_BACK, now=now)
        context = {
            "figures": found,
            "days": LOOKED_BACK.days,
            "new_count": new,
            "open_count": found.waiting,
            "refresh_s": REFRESH_S,
            "list_state": f"{new}-{found.waiting}-{newest.timestamp() if newest else 0}",
            **(extra_context or {}),
        }
        answer: HttpResponse = super().changelist_view(request, context)
        return answer

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show one feedback: all that was said, and what the office answered."""
        return self._shown(request, self.row(request, object_id))

    def triage(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer on the same page: seen, done, or declined with its reason."""
        if not request.user.has_perm("feedback.change_feedback"):
            raise PermissionDenied
        row: Feedback = self.row(request, object_id)
        if request.method != "POST":
            return self._shown(request, row)
        verbs = {"done": services.act_on, "declined": services.decline}
        code, words = request.POST.get("code", ""), request.POST.get("words", "")
        act = request.POST.get("act", "")

        def verb(**context: Any) -> Feedback:
            if act in verbs:
                return verbs[act](feedback_id=row.pk, code=code, words=words, **context)
            return services.mark_seen(feedback_id=row.pk, **context)

        told = "Noted as read." if act not in verbs else "The answer is on its way."
        if not self.carry_out(request, verb, told):
            return self._shown(request, row, words=words)
        if act in verbs and (follower := self._next(request)) is not None:
            return redirect(row_url(follower))
        return self.to_row(row)

    def _next(self, request: HttpRequest) -> Feedback | None:
        """Return the one that waits longest, so that the inbox is worked off."""
        rows = self.get_queryset(request).exclude(status__in=ANSWERED)
        first: Feedback | None = rows.order_by("raised_at").first()
        return first

    def _shown(
        self, request: HttpRequest, row: Feedback, words: str = ""
    ) -> HttpResponse:
        about = row.recommendation
        return self.page(
            request,
            "feedback/triage.html",
            title=f"Feedback of {self.who(row)}",
            row=row,
            zone=row.depot.time_zone,
            who=self.who(row),
            reason=reason_in_words(row.reason),
            edits=list(row.edits.all()),
            answers=[
                (each, answer_in_words(each.code, each.words))
                for each in row.answers.all()
            ],
            about=about,
            why=[said(reason) for reason in about.reasons] if about else [],
            may_answer=request.user.has_perm("feedback.change_feedback")
            and row.status not in ANSWERED,
            may_see_file=request.user.has_perm("sync.view_attachment"),
            done=DONE_CHOICES,
            not_done=NOT_DONE_CHOICES,
            words=words,
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Say something of a recommendation, from its page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        wanted = request.POST.get("recommendation") or request.GET.get("recommendation")
        about = self._about(request, wanted or "")
        form = OpinionForm(request.POST or None)
        is_sent = request.method == "POST" and about is not None and form.is_valid()
        if is_sent and about and (row := self._record(request, about, form)):
            messages.success(request, "Kept: the answer will stand here.")
            return redirect(row_url(row))
        return self.page(
            request,
            "feedback/give.html",
            title="Feedback on a recommendation",
            form=form,
            about=about,
            zone=about.depot.time_zone if about else "UTC",
            why=[said(reason) for reason in about.reasons] if about else [],
            used=[said(item) for item in about.data_used] if about else [],
            how_to_object=how_to_object(OFFICE),
            key=request.POST.get("key") or uuid.uuid4(),
            back=reverse("admin:recommendations_recommendation_changelist"),
        )

    def _about(self, request: HttpRequest, wanted: str) -> Recommendation | None:
        rows = scoped(Recommendation.objects.select_related("depot"), request.user)
        if not wanted:
            return None
        try:
            found = rows.filter(pk=uuid.UUID(wanted)).first()
        except ValueError:
            found = None
        if found is None:
            raise Http404
        return found

    def _record(
        self, request: HttpRequest, about: Recommendation, form: OpinionForm
    ) -> Feedback | None:
        by, now, fields = user_actor(request.user), clock.now(), form.cleaned_data
        try:
            return services.record_feedback(
                recommendation_id=about.pk,
                speaker=services.Speaker(by, "office", about.depot_id),
                opinion=services.Opinion(
                    rating=int(fields["rating"]) if fields["rating"] else None,
                    reason=fields["reason"],
                    text=fields["text"],
                    is_objection=fields["is_objection"],
                ),
                given_at=now,
                source_key=f"office:{by}:{request.POST.get('key') or uuid.uuid4()}"[
                    :100
                ],
                by=by,
                now=now,
            )
        except Problem as problem:
            form.refuse(problem)
            return None
