"""The ledger of recommendations: read, never edited."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from apps.core.ids import uuid7
from apps.core.office import FactPage, KnownValues, column
from apps.core.wording import local_time
from apps.depots.scoping import DepotScopedAdmin
from apps.recommendations.models import Recommendation
from apps.recommendations.passport import passport_of
from apps.recommendations.states import RecommendationState
from apps.recommendations.story import missing_stages, story_of
from apps.recommendations.words import said

STAGE_WORDS = {
    "issued": _("recommended"),
    "feedback": _("feedback"),
    "override": _("a decision otherwise"),
    "outcome": _("what became of it"),
    "verdict": _("a verdict"),
    "change": _("a change that came of it"),
}
COLOURS = {
    RecommendationState.ISSUED: "info",
    RecommendationState.FOLLOWED: "success",
    RecommendationState.DEVIATED: "warning",
    RecommendationState.OVERRIDDEN: "warning",
}


@admin.register(Recommendation)
class RecommendationPage(FactPage, DepotScopedAdmin):
    """What the machine recommended, why, and what became of it."""

    list_display = ["issued", "depot", "kind", "engine", "mode", "first_reason", "fate"]
    list_filter = ["kind", "state", ("engine", KnownValues), "mode", "depot"]
    search_fields = ["engine", "inputs__hash", "subject_id"]
    list_select_related = ["depot"]

    @column("When", ordering="issued_at")
    def issued(self, row: Recommendation) -> str:
        """Return when it was made, by the depot's clock."""
        return local_time(row.issued_at, row.depot.time_zone)

    @column("In short")
    def first_reason(self, row: Recommendation) -> str:
        """Return its first reason."""
        return said(row.reasons[0]) if row.reasons else ""

    @column("What became of it", label=COLOURS, ordering="state")
    def fate(self, row: Recommendation) -> tuple[str, str]:
        """Return its state."""
        return row.state, row.get_state_display()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a recommendation: reasons, costs, alternatives, fate."""
        row: Recommendation = self.row(request, object_id)
        story = story_of(row, request.user)
        return self.page(
            request,
            "recommendations/recommendation.html",
            title=f"{row.get_kind_display()} by {row.engine}",
            passport=passport_of(row),
            story=story,
            not_yet=[gettext(STAGE_WORDS[one]) for one in missing_stages(story)],
            feedback_key=uuid7(),
            zone=row.depot.time_zone,
            state=row.get_state_display(),
        )
