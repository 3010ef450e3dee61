"""Verdicts with their arithmetic, and the decision rights that they earn."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from apps.core import clock
from apps.core.office import FactPage, column, row_url
from apps.core.wording import local_time, money
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.routes.people import who
from apps.verdicts import showing
from apps.verdicts.forms import BecauseForm, ReasonForm
from apps.verdicts.models import RightsProposal, Verdict
from apps.verdicts.selectors import role_records
from apps.verdicts.services import proposing
from apps.verdicts.states import ProposalState, RulingChoice
from apps.verdicts.words import minutes

COLOURS = {RulingChoice.RIGHT: "success", RulingChoice.WRONG: "warning"}
STATES = {ProposalState.PROPOSED: "warning", ProposalState.SIGNED: "success"}
RECORD_OF = timedelta(days=180)


@admin.register(Verdict)
class VerdictPage(FactPage, DepotScopedAdmin):
    """Who was right: both ways replayed on what really happened."""

    list_display = ["what", "day", "role", "says", "gained", "money_gained", "judged"]
    list_filter = ["ruling", "subject", "kind", "role", "service_date", "depot"]
    list_select_related = ["depot"]
    search_fields = ["override__stop__order__reference", "role"]
    list_before_template = "verdicts/records.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Verdict]:
        """Leave the arithmetic out of lists."""
        rows: QuerySet[Verdict] = super().get_queryset(request)
        is_one = getattr(request.resolver_match, "kwargs", {}).get("object_id")
        return rows if is_one else rows.defer("arithmetic")

    @column("What", ordering="kind")
    def what(self, row: Verdict) -> str:
        """Return what was chosen."""
        return showing.kind_words(row.kind)

    @column("Day", ordering="service_date")
    def day(self, row: Verdict) -> str:
        """Return the day that it is about."""
        return f"{row.service_date:%a %d %b}"

    @column("Verdict", label=COLOURS, ordering="ruling")
    def says(self, row: Verdict) -> tuple[str, str]:
        """Return who was right."""
        return row.ruling, row.get_ruling_display()

    @column("Time gained", ordering="gained_s")
    def gained(self, row: Verdict) -> str:
        """Return the minutes that the choice gained, and their spread."""
        return f"{minutes(row.gained_s)} ± {row.sd_s / 60:.1f}"

    @column("Worth", ordering="gained_minor")
    def money_gained(self, row: Verdict) -> str:
        """Return what the choice gained in money, and its spread."""
        spread = money(row.sd_minor, row.depot.currency)
        gained = money(row.gained_minor, row.depot.currency).replace("-", "−")
        return f"{gained} ± {spread}"

    @column("Judged", ordering="judged_at")
    def judged(self, row: Verdict) -> str:
        """Return when it was judged, and how often."""
        at = local_time(row.judged_at, row.depot.time_zone)
        return at if row.version == 1 else f"{at}, for the {row.version}. time"

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Show the records by role and kind above the list."""
        depots = Depot.objects.visible_to(request.user).values_list("pk", flat=True)
        records = role_records(list(depots), clock.now() - RECORD_OF)
        context = {
            **(extra_context or {}),
            "records": [showing.shown_record(one) for one in records],
        }
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a verdict: both ways side by side, and how it came about."""
        row: Verdict = self.row(request, object_id)
        return self.page(
            request,
            "verdicts/verdict.html",
            title=f"{showing.kind_words(row.kind)}: {row.get_ruling_display()}",
            row=row,
            shown=showing.shown(row),
            zone=row.depot.time_zone,
        )


@admin.register(RightsProposal)
class RightsProposalPage(FactPage):
    """Decision rights that a role's record has earned, or lost."""

    list_display = ["what", "role", "way", "reach", "counts", "says", "made"]
    list_filter = ["state", "direction", "kind", "role", "depot"]
    list_select_related = ["depot", "right"]
    row_pages = {"sign": "sign", "decline": "decline", "take-back": "take_back"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[RightsProposal]:
        """Return the proposals of the user's depots, and those of the house."""
        rows = RightsProposal.objects.select_related("depot", "right", "new_right")
        if request.user.is_superuser:
            return rows
        depots = Depot.objects.visible_to(request.user).values("pk")
        return rows.filter(Q(depot=None) | Q(depot__in=depots))

    @column("Change", ordering="kind")
    def what(self, row: RightsProposal) -> str:
        """Return the kind of change."""
        return showing.kind_words(row.kind)

    @column("Which way", ordering="direction")
    def way(self, row: RightsProposal) -> str:
        """Return whether it gives more, or less."""
        return str(row.get_direction_display())

    @column("Limits")
    def reach(self, row: RightsProposal) -> str:
        """Return the limits, from and to."""
        return ", ".join(showing.limit_words(row))

    @column("Record")
    def counts(self, row: RightsProposal) -> str:
        """Return right and wrong."""
        return f"{row.evidence['right']} right, {row.evidence['wrong']} wrong"

    @column("State", label=STATES, ordering="state")
    def says(self, row: RightsProposal) -> tuple[str, str]:
        """Return how it stands."""
        return row.state, row.get_state_display()

    @column("Made", ordering="made_at")
    def made(self, row: RightsProposal) -> str:
        """Return when it was made."""
        zone = row.depot.time_zone if row.depot else "UTC"
        return local_time(row.made_at, zone)

    def has_sign_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may write decision rights: the administrator."""
        return bool(request.user.is_superuser)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a proposal with its evidence, and who may decide."""
        row: RightsProposal = self.row(request, object_id)
        return self.page(
            request,
            "verdicts/proposal.html",
            title=f"{row.role}: {showing.kind_words(row.kind)}",
            row=row,
            limits=showing.limit_words(row),
            evidence=showing.shown_evidence(row),
            decided_by=who(row.decided_by),
            may_sign=self.has_sign_permission(request),
            right_url=row_url(row.right),
            zone=row.depot.time_zone if row.depot else "UTC",
        )

    def sign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let a proposal take effect."""
        row: RightsProposal = self.row(request, object_id, "sign")

        def verb(**fields: Any) -> str:
            proposing.sign_proposal(
                proposal_id=row.pk, expected_version=row.version, **fields
            )
            return "Signed: the next version of the rule is in force."

        title = f"Sign: {', '.join(showing.limit_words(row))}?"
        form = BecauseForm(request.POST or None)
        return self.ask(request, row, form, verb, title=title, button="Sign")

    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then leave the rule as it is."""
        row: RightsProposal = self.row(request, object_id, "sign")

        def verb(**fields: Any) -> str:
            proposing.decline_proposal(
                proposal_id=row.pk, expected_version=row.version, **fields
            )
            return "Declined: the rule stays as it is."

        form = ReasonForm(request.POST or None)
        return self.ask(
            request, row, form, verb, title="Decline the proposal", button="Decline"
        )

    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then undo a signature."""
        row: RightsProposal = self.row(request, object_id, "sign")

        def verb(**fields: Any) -> str:
            proposing.take_back_proposal(
                proposal_id=row.pk, expected_version=row.version, **fields
            )
            return "Taken back: the rule is as it was before."

        form = ReasonForm(request.POST or None)
        return self.ask(
            request,
            row,
            form,
            verb,
            title="Take the signature back",
            button="Take back",
        )
