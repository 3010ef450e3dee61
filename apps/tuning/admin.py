"""Learned changes in the office: what waits, its evidence and replays, and the decision."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from apps.core import clock
from apps.core.office import FactPage, column
from apps.core.wording import NOTHING, local_time
from apps.depots.scoping import DepotScopedAdmin
from apps.feedback.words import reason_in_words
from apps.routes.people import who
from apps.tuning.judging import LOSES, UNDECIDED, WINS
from apps.tuning.models import Proposal
from apps.tuning.plots import day_plot, watch_plot
from apps.tuning.services import deciding
from apps.tuning.services.shadowing import SHOWN
from apps.tuning.states import PROPOSAL_STEPS, ProposalState, ShadowState
from apps.tuning.topics import FIGURES, changes_in_words, in_words

COLOURS = {
    ProposalState.PROPOSED: "info",
    ProposalState.SHADOW_TESTED: "warning",
    ProposalState.IN_FORCE: "success",
    ProposalState.KEPT: "success",
    ProposalState.REVERTED: "danger",
    ProposalState.DECLINED: "danger",
}
VERDICTS = {WINS: "Better", LOSES: "Worse", UNDECIDED: "Cannot be told"}
NAMES = {
    **FIGURES,
    "late_min": "Late, min a day",
    "broken": "Promises broken a day",
    "unserved": "Not served a day",
    "overtime_min": "Overtime, min a day",
    "cost_minor": "Cost of driving a day, minor units",
    "loss_minor": "Loss a day: cost, lateness, what is not served",
    "driven_loss_minor": "Loss a day: as really driven, and as planned now",
    "interval_width_s": "Width of a told time, s",
    "interval_held_pct": "Told times that held, % (90 are wanted)",
}
REFRESH_S = 10


@admin.register(Proposal)
class ProposalPage(FactPage, DepotScopedAdmin):
    """What the machine learned and proposes: people decide."""

    list_display = ["when", "depot", "about", "what", "said_so", "tried", "state"]
    list_filter = ["status", "topic", "depot"]
    list_select_related = ["depot"]
    list_before_template = "tuning/queue_head.html"
    ordering = ["-proposed_at"]
    row_pages = {"approve": "approve", "decline": "decline", "revert": "revert"}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Count the reports of each."""
        return super().get_queryset(request).annotate(said=Count("reports"))

    @column("Proposed", ordering="proposed_at")
    def when(self, row: Proposal) -> str:
        """Return when it was proposed, by the depot's clock."""
        return local_time(row.proposed_at, row.depot.time_zone)

    @column("About", ordering="topic")
    def about(self, row: Proposal) -> str:
        """Return what it changes."""
        return in_words(row.topic)

    @column("Why")
    def what(self, row: Proposal) -> str:
        """Return the first of its reasons."""
        return str(row.why[0])[:120] if row.why else NOTHING

    @column("Reports")
    def said_so(self, row: Any) -> str:
        """Return how many reports stand behind it."""
        return str(row.said) if row.said else NOTHING

    @column("On past days")
    def tried(self, row: Proposal) -> str:
        """Return how past days came out with it."""
        if row.status == ProposalState.PROPOSED:
            return f"{row.progress_percent} % replayed"
        return VERDICTS.get(str(row.shadow.get("verdict")), NOTHING)

    @column("State", label=COLOURS, ordering="status")
    def state(self, row: Proposal) -> tuple[str, str]:
        """Return how far it is."""
        return row.status, row.get_status_display()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Put what waits above the list, and let it renew itself."""
        rows = super().get_queryset(request)
        counted = dict(
            rows.order_by().values_list("status").annotate(count=Count("pk"))
        )
        context = {
            "waiting": counted.get(ProposalState.SHADOW_TESTED, 0),
            "trying": counted.get(ProposalState.PROPOSED, 0),
            "watched": counted.get(ProposalState.IN_FORCE, 0),
            "reverted": counted.get(ProposalState.REVERTED, 0),
            "refresh_s": REFRESH_S,
            "list_state": "-".join(f"{s}{n}" for s, n in sorted(counted.items())),
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
        """Show one proposal: evidence, replays, what would change, the decision."""
        return self._shown(request, self.row(request, object_id))

    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put it in force."""
        told = "In force from the next plan on; those who reported it hear it."
        return self._decide(request, object_id, deciding.approve, told)

    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the values stay."""
        told = "Declined; those who reported it read why."
        return self._decide(request, object_id, deciding.decline, told)

    def revert(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take it back."""
        told = "The values before are in force again."
        return self._decide(request, object_id, deciding.revert, told)

    def _decide(
        self, request: HttpRequest, object_id: str, decide: Any, told: str
    ) -> HttpResponse:
        if not request.user.has_perm("tuning.change_proposal"):
            raise PermissionDenied
        row: Proposal = self.row(request, object_id)
        if request.method != "POST":
            return self._shown(request, row)
        reason, version = request.POST.get("reason", ""), request.POST.get("version")

        def verb(**context: Any) -> Proposal:
            expected = int(version) if version and version.isdigit() else None
            decided: Proposal = decide(
                row.pk, reason=reason, expected_version=expected, **context
            )
            return decided

        if not self.carry_out(request, verb, told):
            row.refresh_from_db()
            return self._shown(request, row, words=reason)
        return self.to_row(row)

    def _shown(
        self, request: HttpRequest, row: Proposal, words: str = ""
    ) -> HttpResponse:
        user = request.user
        may = user.has_perm("tuning.change_proposal")
        steps = PROPOSAL_STEPS.allowed(row.status) if may else []
        days = list(row.shadow_days.all())
        verdict = str(row.shadow.get("verdict", ""))
        sees_words = user.has_perm("feedback.view_feedback")
        reports = row.reports.select_related("driver").order_by("pk")
        return self.page(
            request,
            "tuning/proposal.html",
            title=f"{in_words(row.topic)}: {row.depot}",
            row=row,
            zone=row.depot.time_zone,
            topic=in_words(row.topic),
            decided_by=who(row.decided_by),
            closed_by=who(row.closed_by),
            changes=changes_in_words(row.before, row.values),
            estimates=row.evidence.get("estimates", []),
            counts_services="service_factors" in row.values,
            lessons=row.evidence.get("lessons", []),
            drifts=row.evidence.get("drifts", []),
            reports=[(one, reason_in_words(one.reason)) for one in reports]
            if sees_words
            else [],
            report_count=reports.count(),
            verdict=VERDICTS.get(verdict, ""),
            verdict_code=verdict,
            figures=_figures(row),
            days=[(day, day_plot(day.before, day.after)) for day in days],
            left_out=sum(day.status == ShadowState.SKIPPED for day in days),
            watch=watch_plot(row.watch),
            figure_name=FIGURES.get(str(row.watch.get("error_name")), ""),
            may_approve=ProposalState.APPROVED in steps and verdict != LOSES,
            needs_reason=verdict != WINS,
            may_decline=ProposalState.DECLINED in steps,
            may_revert=ProposalState.REVERTED in steps,
            is_lost=verdict == LOSES and ProposalState.APPROVED in steps,
            words=words,
            now=clock.now(),
        )


def _figures(row: Proposal) -> list[tuple[str, dict[str, Any], bool]]:
    """Return each compared figure by name; the one that it goes by is marked."""
    known = row.shadow.get("figures") or {}
    return [
        (NAMES[name], known[name], name == row.shadow.get("error"))
        for name in SHOWN
        if name in known
    ]
