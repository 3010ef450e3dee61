"""Decision rights: every version, a new one by its verb, and who may do what now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.core import clock
from apps.core.office import VerbPage, column, row_url
from apps.core.wording import NOTHING, local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.overrides.forms import ExampleForm, RightForm
from apps.overrides.models import DecisionRight
from apps.overrides.rights import (
    LADDER,
    Decision,
    Outcome,
    Rule,
    limits_words,
)
from apps.overrides.services import ruling
from apps.overrides.states import OverrideKind
from apps.overrides.table import decision_on, rule_of, rules_for
from apps.routes.people import who

COLOURS = {
    DecisionRight.Outcome.ALLOWED: "success",
    DecisionRight.Outcome.APPROVAL: "warning",
    DecisionRight.Outcome.DENIED: "danger",
}


class InForceFilter(admin.SimpleListFilter):
    """Rules in force now, later, or once; those in force where nothing is chosen."""

    title = "in force"
    parameter_name = "force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer past, future and all of them."""
        return [
            ("later", "From later on"),
            ("once", "No more"),
            ("all", "Every version"),
        ]

    def choices(self, changelist: Any) -> Any:
        """Call nothing chosen what it is."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "Now"}
        yield from others

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DecisionRight]
    ) -> QuerySet[DecisionRight]:
        """Return the rules of that time."""
        now = clock.now()
        chosen = self.value()
        if chosen == "all":
            return queryset
        if chosen == "later":
            return queryset.filter(valid_from__gt=now)
        if chosen == "once":
            return queryset.filter(valid_until__lte=now)
        lasts = Q(valid_until=None) | Q(valid_until__gt=now)
        return queryset.filter(lasts, valid_from__lte=now)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one role may do in an example, and the page of the rule that says so."""

    role: str
    decision: Decision
    url: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What one role may with one kind of change: rule by rule, most liberty first."""

    lines: tuple[tuple[str, str, str], ...]


@admin.register(DecisionRight)
class DecisionRightPage(VerbPage, DepotScopedAdmin):
    """Who may change what, up to where, and who has to agree."""

    form = RightForm
    list_display = ["what", "role", "says", "reach", "where", "begins_at", "ends_at"]
    list_display_links = ["what"]
    list_filter = [InForceFilter, "kind", "role", "outcome", "depot"]
    list_select_related = ["depot"]
    search_fields = ["role", "approver", "why"]
    list_before_template = "overrides/rights_links.html"
    row_pages = {"end": "end"}
    change_form_outer_before_template = "overrides/right_head.html"
    fieldsets = [
        (None, {"fields": ["kind", "role", "depot", ("outcome", "approver")]}),
        (
            "Up to",
            {
                "fields": [
                    ("max_minutes", "max_cost_minor"),
                    ("max_stops", "max_windows_broken"),
                    "min_minutes_to_departure",
                ]
            },
        ),
        ("Hours", {"fields": [("hours_from", "hours_until"), "weekdays"]}),
        ("This version", {"fields": ["answer_within_minutes", "begins", "because"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DecisionRight]:
        """Return the rules of the user's depots, and those of the house."""
        rows = DecisionRight.objects.select_related("depot")
        if request.user.is_superuser:
            return rows
        depots = Depot.objects.visible_to(request.user).values("pk")
        return rows.filter(Q(depot=None) | Q(depot__in=depots))

    @column("Change", ordering="kind")
    def what(self, row: DecisionRight) -> str:
        """Return the kind of change."""
        return str(row.get_kind_display())

    @column("Says", label=COLOURS, ordering="outcome")
    def says(self, row: DecisionRight) -> tuple[str, str]:
        """Return what it says."""
        if row.approver:
            return row.outcome, f"asks: {row.approver}"
        return row.outcome, row.get_outcome_display()

    @column("Up to")
    def reach(self, row: DecisionRight) -> str:
        """Return its limits."""
        return limits_words(rule_of(row).limits)

    @column("Where", ordering="depot")
    def where(self, row: DecisionRight) -> str:
        """Return for which depot."""
        return row.depot.name if row.depot else "the house"

    @column("From", ordering="valid_from")
    def begins_at(self, row: DecisionRight) -> str:
        """Return since when it is in force."""
        return local_time(row.valid_from, _zone(row), "%d %b %Y, %H:%M")

    @column("Until", ordering="valid_until")
    def ends_at(self, row: DecisionRight) -> str:
        """Return until when it is in force."""
        if row.valid_until is None:
            return NOTHING
        return local_time(row.valid_until, _zone(row), "%d %b %Y, %H:%M")

    def has_change_permission(
        self, request: HttpRequest, obj: DecisionRight | None = None
    ) -> bool:
        """A version that has its end is a fact; the house's are the administrator's."""
        allowed: bool = super().has_change_permission(request, obj)
        if obj is None:
            return allowed
        is_own = obj.depot_id is not None or request.user.is_superuser
        return allowed and obj.valid_until is None and is_own

    def get_readonly_fields(
        self, request: HttpRequest, obj: DecisionRight | None = None
    ) -> list[str]:
        """Kind, role and depot are what a rule is; the rest is its version."""
        return ["kind", "role", "depot"] if obj else []

    def get_fieldsets(
        self, request: HttpRequest, obj: DecisionRight | None = None
    ) -> Any:
        """Return the form; of a fact, what it says."""
        if obj is None or self.has_change_permission(request, obj):
            return self.fieldsets
        return [(None, {"fields": ["what", "role", "where", "says", "reach", "why"]})]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the versions of the rule before and after."""
        row: DecisionRight | None = kwargs.get("obj")
        context["row"] = row
        context["versions"] = self._versions(row) if row else []
        context["may_change"] = row and self.has_change_permission(request, row)
        return super().render_change_form(request, context, *args, **kwargs)

    def _versions(self, row: DecisionRight) -> list[dict[str, Any]]:
        """Return all versions of a rule, the newest first."""
        line = [row]
        while line[0].replaces is not None:
            line.insert(0, line[0].replaces)
        while (
            later := DecisionRight.objects.filter(replaces=line[-1]).first()
        ) is not None:
            line.append(later)
        return [
            {
                "number": number,
                "row": one,
                "url": row_url(one),
                "is_this": one.pk == row.pk,
                "says": self.says(one)[1],
                "reach": self.reach(one),
                "begins": self.begins_at(one),
                "ends": self.ends_at(one),
                "by": who(one.created_by),
            }
            for number, one in reversed([*enumerate(line, 1)])
        ]

    def add_row(self, fields: dict[str, Any], **context: Any) -> DecisionRight:
        """Write a rule."""
        return ruling.write_right(
            fields["draft"],
            valid_from=fields["valid_from"],
            because=fields["because"],
            **context,
        )

    def change_row(
        self, row: DecisionRight, fields: dict[str, Any], version: int, **context: Any
    ) -> DecisionRight:
        """Let a new version follow."""
        return ruling.replace_right(
            right_id=row.pk,
            expected_version=version,
            draft=fields["draft"],
            valid_from=fields["valid_from"],
            because=fields["because"],
            **context,
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the page that answers any example."""
        page = path(
            "who-may/",
            self.admin_site.admin_view(self.who_may),
            name="overrides_decisionright_who_may",
        )
        return [page, *super().get_urls()]

    def who_may(self, request: HttpRequest) -> HttpResponse:
        """Answer any example for every role, and show the whole table in force."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        depots = Depot.objects.visible_to(request.user)
        told = request.GET if "minutes" in request.GET else None
        asked = ExampleForm(told, depots=depots, initial=request.GET.dict())
        answers, depot, at = [], depots.first(), clock.now()
        if asked.is_bound and asked.is_valid():
            depot, at = asked.cleaned_data["depot"], asked.instant
            answers = _answers(asked)
        return self.page(
            request,
            "overrides/who_may.html",
            title="Who may do this, and why?",
            form=asked,
            answers=answers,
            depot=depot,
            at=at,
            roles=LADDER,
            matrix=_matrix(depot, at) if depot else [],
        )

    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let a rule end now."""
        row: DecisionRight = self.row(request, object_id, "change")
        if request.method == "POST":

            def verb(**context: Any) -> DecisionRight:
                return ruling.end_right(
                    right_id=row.pk, expected_version=None, **context
                )

            self.carry_out(request, verb, "The rule has ended.")
            return self.to_row(row)
        return self.page(
            request,
            "core/confirm.html",
            title=f"End: {row}?",
            lines=[
                f"It holds {self.reach(row)}.",
                "Other rules of this kind and role go on; where none holds, it is denied.",
            ],
            button="End the rule",
            tone="danger",
            back=row_url(row),
        )


def _zone(row: DecisionRight) -> str:
    return row.depot.time_zone if row.depot else "UTC"


def _answers(asked: ExampleForm) -> list[Answer]:
    """Return what each role of the ladder may do in an example."""
    fields, at = asked.cleaned_data, asked.instant
    found = []
    for role in LADDER:
        decision = decision_on(
            depot=fields["depot"],
            kind=fields["kind"],
            roles=[role],
            figures=asked.figures,
            minutes_to_departure=fields["departure"],
            at=at,
        )
        url = ""
        if decision.rule is not None:
            url = row_url(DecisionRight(pk=decision.rule.id))
        found.append(Answer(role, decision, url))
    return found


def _matrix(depot: Depot, at: datetime) -> list[tuple[str, list[Cell]]]:
    """Return the table in force at an instant: kinds down, roles across."""
    rows = []
    for kind, name in OverrideKind.choices:
        rules = rules_for(depot.pk, str(kind), at)
        rows.append((str(name), [_cell(rules, role) for role in LADDER]))
    return rows


def _cell(rules: Sequence[Rule], role: str) -> Cell:
    mine = [rule for rule in rules if rule.role == role]
    own = [rule for rule in mine if rule.depot] or mine
    order = {Outcome.DENIED: 0, Outcome.ALLOWED: 1, Outcome.APPROVAL: 2}
    ranked = sorted(
        own,
        key=lambda rule: (
            order[rule.outcome],
            LADDER.index(rule.approver or LADDER[0]),
        ),
    )
    return Cell(
        tuple(
            (
                str(rule.outcome),
                f"{rule.approver} decides" if rule.approver else str(rule.outcome),
                limits_words(rule.limits),
            )
            for rule in ranked
        )
    )
