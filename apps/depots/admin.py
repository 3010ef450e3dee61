"""Depots in the office: where they are, their zones, who works there, who is away."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import TabularInline

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import VerbForm, VerbPage, row_url
from apps.depots.logins import GroupPage, UserPage
from apps.depots.models import Absence, Depot, DepotMembership, Zone
from apps.depots.scoping import DepotScopedAdmin
from apps.depots.services import (
    boundary_fault,
    depot_faults,
    end_absence,
    keep_depot,
    keep_zone,
    note_absence,
)
from apps.journal.admin import JournalledPage, fields_of

if TYPE_CHECKING:
    DepotModelForm = forms.ModelForm[Depot]
    ZoneModelForm = forms.ModelForm[Zone]
else:
    # Django's cannot be subscripted when it runs.
    DepotModelForm = ZoneModelForm = forms.ModelForm

__all__ = ["AbsencePage", "DepotPage", "GroupPage", "UserPage", "ZonePage"]


class DepotForm(DepotModelForm):
    """A depot whose fields the verb will take."""

    class Meta:
        """What the office may set."""

        model = Depot
        fields = [
            *("code", "name", "time_zone", "country", "currency"),
            *("latitude", "longitude", "keeps_photo_position"),
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse what the verb would refuse."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        draft = Depot(**cleaned)
        for fault in depot_faults(draft):
            field = fault.pointer.strip("/")
            self.add_error(field if field in cleaned else None, fault.detail)
        return cleaned


class ZoneForm(ZoneModelForm):
    """A zone whose boundary is a polygon."""

    class Meta:
        """All of it."""

        model = Zone
        fields = ["depot", "code", "name", "boundary"]

    def clean_boundary(self) -> Any:
        """Refuse what is no polygon."""
        boundary = self.cleaned_data["boundary"]
        if fault := boundary_fault(boundary):
            raise ValidationError(fault.detail)
        return boundary


class MembersInline(TabularInline):  # type: ignore[misc]
    """Who works for the depot."""

    model = DepotMembership
    extra = 0
    autocomplete_fields = ["user"]
    verbose_name_plural = "People of the office"


@admin.register(Depot)
class DepotPage(JournalledPage, DepotScopedAdmin):
    """Depots of the user."""

    depot_path = "pk"
    form = DepotForm
    list_display = ["code", "name", "time_zone", "country", "currency"]
    search_fields = ["code", "name"]
    inlines = [MembersInline]

    def log_addition(self, request: HttpRequest, obj: Depot, message: Any) -> None:
        """Leave the word to the verb that made the depot."""

    def log_change(self, request: HttpRequest, obj: Depot, message: Any) -> None:
        """Record whom the office added to the depot's people, or took from them.

        The depot's own fields are its verb's to tell of.
        """
        people = [
            part for part in message if any("name" in told for told in part.values())
        ]
        if people:
            fields = fields_of(people)
            self._record(request, obj, "people_changed", fields, depot_id=obj.pk)

    def save_model(
        self, request: HttpRequest, obj: Depot, form: Any, change: bool
    ) -> None:
        """Keep it by its verb."""
        keep_depot(depot=obj, by=user_actor(request.user), now=clock.now())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what was served from it stays."""
        return False


@admin.register(Zone)
class ZonePage(DepotScopedAdmin):
    """Zones of the user's depots."""

    form = ZoneForm
    list_display = ["code", "name", "depot"]
    list_filter = ["depot"]
    search_fields = ["code", "name"]

    def save_model(
        self, request: HttpRequest, obj: Zone, form: Any, change: bool
    ) -> None:
        """Keep it by its verb."""
        keep_zone(zone=obj, by=user_actor(request.user), now=clock.now())


class AbsenceForm(VerbForm):
    """Who is away, from when until when, and who answers."""

    class Meta:
        """What the office may set."""

        model = Absence
        fields = ["user", "from_at", "until_at", "stand_in"]


@admin.register(Absence)
class AbsencePage(VerbPage):
    """Who of the user's depots is away."""

    form = AbsenceForm
    list_display = ["user", "from_at", "until_at", "stand_in"]
    list_select_related = ["user", "stand_in"]
    search_fields = ["user__username", "user__last_name"]
    date_hierarchy = "from_at"
    row_pages = {"end": "end"}
    change_form_outer_before_template = "depots/absence_links.html"

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Read and show times by the clock of the user's depot."""
        return _by_local_clock(request, super().changeform_view, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show times by the clock of the user's depot."""
        return _by_local_clock(request, super().changelist_view, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the absences of the user's colleagues."""
        rows: Any = super().get_queryset(request)
        return rows.visible_to(request.user)

    def has_change_permission(
        self, request: HttpRequest, obj: Absence | None = None
    ) -> bool:
        """An absence is ended, or another one noted."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and obj is None

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the people of the user's depots."""
        people = User.objects.filter(is_active=True).order_by("username")
        if not request.user.is_superuser:
            depots = Depot.objects.visible_to(request.user).values("pk")
            people = people.filter(
                pk__in=DepotMembership.objects.filter(depot__in=depots).values("user")
            )
        kwargs["queryset"] = people
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def add_row(self, fields: dict[str, Any], **context: Any) -> Absence:
        """Note an absence."""
        stand_in = fields["stand_in"]
        return note_absence(
            user_id=fields["user"].pk,
            from_at=fields["from_at"],
            until_at=fields["until_at"],
            stand_in_id=stand_in.pk if stand_in else None,
            **context,
        )

    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let the absence end now."""
        absence: Absence = self.row(request, object_id, "change")
        if request.method == "POST":

            def verb(**context: Any) -> Absence:
                return end_absence(absence_id=absence.pk, **context)

            self.carry_out(request, verb, f"{absence.user} is back.")
            return self.to_row(absence)
        return self.page(
            request,
            "core/confirm.html",
            title=f"Is {absence.user} back?",
            lines=["From now on the work goes to its owner again."],
            button="End the absence",
            tone="primary",
            back=row_url(absence),
        )


def _by_local_clock(
    request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
) -> HttpResponse:
    """Answer in the time zone of the user's first depot, where there is one."""
    depot = Depot.objects.visible_to(request.user).order_by("name").first()
    zone = ZoneInfo(depot.time_zone) if depot else None
    with timezone.override(zone):
        response = view(request, *args, **kwargs)
        # A page renders late; its times are to be of this zone too.
        if isinstance(response, TemplateResponse):
            response.render()
    return response
