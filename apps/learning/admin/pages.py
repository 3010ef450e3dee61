"""What was learned, for people: a list of estimates, and pictures of them."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.core import clock
from apps.core.office import FactPage, column
from apps.core.wording import local_time
from apps.depots.models import Depot
from apps.depots.scoping import DepotScopedAdmin
from apps.learning import selectors
from apps.learning.admin.pictures import grid_of, lines_of, title_of_grid
from apps.learning.models import Estimate
from apps.learning.naming import FACTORS, MEANINGS, figure_in_words, key_in_words


class HeldFilter(admin.SimpleListFilter):
    """What holds now, unless old versions are asked for."""

    title = "version"
    parameter_name = "version"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer old versions as well."""
        return [("all", "With old versions")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Name the first choice by what it shows."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "What holds"}
        yield from others

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Estimate]
    ) -> QuerySet[Estimate]:
        """Return the chosen versions."""
        return queryset if self.value() == "all" else queryset.filter(until_at=None)


@admin.register(Estimate)
class EstimatePage(FactPage, DepotScopedAdmin):
    """What past days teach; nothing is planned by it until somebody approved it."""

    list_display = ["what", "kind", "figure", "error", "n", "above", "as_of_day"]
    list_filter = [HeldFilter, "kind", "depot"]
    search_fields = ["key"]
    list_select_related = ["depot"]
    ordering = ["kind", "-n", "key"]
    change_list_template = "learning/estimates.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the pictures."""
        view = self.admin_site.admin_view
        return [
            path("pictures/", view(self.pictures), name="learning_estimate_pictures"),
            *super().get_urls(),
        ]

    @column("Of what", ordering="key")
    def what(self, row: Estimate) -> str:
        """Return what a figure is about."""
        return key_in_words(row.kind, row.key)

    @column("Learned", ordering="mean")
    def figure(self, row: Estimate) -> str:
        """Return the figure."""
        return figure_in_words(row.kind, row.mean)

    @column("Give or take", ordering="spread")
    def error(self, row: Estimate) -> str:
        """Return its standard error."""
        if row.kind in FACTORS:
            return f"± {row.spread:.2f}"
        return f"± {100 * row.spread:.1f} points"

    @column("Leans on", ordering="parent")
    def above(self, row: Estimate) -> str:
        """Return the figure towards which few events are drawn."""
        return key_in_words(row.kind, row.parent) if row.parent else ""

    @column("As of", ordering="as_of")
    def as_of_day(self, row: Estimate) -> str:
        """Return when it was made."""
        return local_time(row.as_of, row.depot.time_zone)

    def pictures(self, request: HttpRequest) -> HttpResponse:
        """Draw a depot's figures of a kind as they hold."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        depots = list(Depot.objects.visible_to(request.user))
        wanted = request.GET.get("depot", "")
        first = depots[0] if depots else None
        depot = next((one for one in depots if str(one.pk) == wanted), first)
        kind = request.GET.get("kind", "")
        kind = kind if kind in MEANINGS else Estimate.Kind.SERVICE.value
        now = clock.now()
        figures = selectors.estimates(depot.pk, kind, at=now) if depot else {}
        return self.page(
            request,
            "learning/pictures.html",
            title="What was learned",
            depots=depots,
            depot=depot,
            kinds=Estimate.Kind.choices,
            kind=kind,
            meaning=MEANINGS[kind],
            count=len(figures),
            lines=lines_of(kind, figures),
            grid=grid_of(kind, figures),
            grid_title=title_of_grid(kind),
            night=selectors.last_night(depot.pk) if depot else None,
            zone=depot.time_zone if depot else "UTC",
        )
