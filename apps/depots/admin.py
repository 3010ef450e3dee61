"""Depots in the office: where they are, their zones, who works there."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import TabularInline

from apps.core import clock
from apps.core.actors import user_actor
from apps.depots.models import Depot, DepotMembership, Zone
from apps.depots.scoping import DepotScopedAdmin
from apps.depots.services import boundary_fault, depot_faults, keep_depot, keep_zone

if TYPE_CHECKING:
    DepotModelForm = forms.ModelForm[Depot]
    ZoneModelForm = forms.ModelForm[Zone]
else:
    # Django's cannot be subscripted when it runs.
    DepotModelForm = ZoneModelForm = forms.ModelForm


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
class DepotPage(DepotScopedAdmin):
    """Depots of the user."""

    depot_path = "pk"
    form = DepotForm
    list_display = ["code", "name", "time_zone", "country", "currency"]
    search_fields = ["code", "name"]
    inlines = [MembersInline]

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
