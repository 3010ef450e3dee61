"""The office's form for conditions of the road."""

import json
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core import clock
from apps.core.office import VerbForm
from apps.depots.models import Depot, Zone
from apps.routes.conditionrows import Condition
from apps.routes.conditions import CLOSURE
from apps.routes.places import Place
from apps.routes.roaddrafts import ConditionDraft, place_of_geojson

LOCAL = "%Y-%m-%dT%H:%M"


def _instant_field(label: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        help_text="By the depot's clock.",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )


def _time_field(label: str) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "time"}),
    )


def _degrees_field(label: str) -> forms.FloatField:
    return forms.FloatField(
        label=label,
        required=False,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )


class ConditionForm(VerbForm):
    """What is said of the road: a circle, an area, or the whole depot."""

    begins = _instant_field("From")
    ends = _instant_field("Until")
    hours_from = _time_field("Each day from")
    hours_until = _time_field("Each day until")
    latitude = _degrees_field("Latitude")
    longitude = _degrees_field("Longitude")
    radius_m = forms.IntegerField(
        label="Radius in metres",
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="150 where it stays empty.",
    )
    zone = forms.ModelChoiceField(
        queryset=Zone.objects.none(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Or a whole zone of the depot.",
    )
    area = forms.CharField(
        label="Border",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Or a GeoJSON Polygon. All empty: the whole depot.",
    )

    class Meta:
        """What is asked as it is stored; times and place are fields of the form."""

        model = Condition
        fields: ClassVar = ["depot", "kind", "title", "percent", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show what the condition says, by the depot's clock."""
        row: Condition | None = kwargs.get("instance")
        if row is not None and not row._state.adding:
            kwargs["initial"] = {**shown(row), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        depots = getattr(self.fields.get("depot"), "queryset", None)
        zones = self.fields["zone"]
        if isinstance(zones, forms.ModelChoiceField):
            mine = [row.depot_id] if row is not None and row.depot_id else depots or []
            zones.queryset = Zone.objects.filter(depot__in=mine)

    def clean(self) -> dict[str, Any] | None:
        """Turn the fields into a draft."""
        fields = super().clean() or self.cleaned_data
        place = self._place(fields)
        if self.errors:
            return fields
        depot: Depot = fields.get("depot") or self.instance.depot
        zone = ZoneInfo(depot.time_zone)
        is_closure = fields["kind"] == CLOSURE
        fields["draft"] = ConditionDraft(
            kind=fields["kind"],
            place=place,
            from_at=_at(fields["begins"], zone),
            until_at=_at(fields["ends"], zone),
            percent=None if is_closure else fields["percent"],
            daily_from=fields["hours_from"],
            daily_until=fields["hours_until"],
            title=fields["title"],
            note=fields["note"],
        )
        return fields

    def _place(self, fields: dict[str, Any]) -> Place | None:
        """Return the place that is told; None: everywhere."""
        point = [fields.get("longitude"), fields.get("latitude")]
        told = [any(each is not None for each in point), fields.get("zone")]
        if sum(map(bool, [*told, fields.get("area")])) > 1:
            self.add_error("area", "Say one place: a point, a zone, or a border.")
            return None
        geojson: Any = None
        if fields.get("area"):
            try:
                geojson = json.loads(fields["area"])
            except ValueError:
                self.add_error("area", "This is no JSON.")
                return None
        elif fields.get("zone"):
            geojson = fields["zone"].boundary
        elif told[0]:
            geojson = {"type": "Point", "coordinates": point}
        place, fault = place_of_geojson(geojson, fields.get("radius_m"))
        if fault is not None:
            self.add_error("latitude" if told[0] else "area", fault.detail)
        return place

    def refuse(self, problem: Any) -> None:
        """Say the verb's faults beside this form's own fields."""
        names = {"place": "latitude", "from_at": "begins", "until_at": "ends"}
        names |= {"daily_from": "hours_from", "daily_until": "hours_until"}
        if not problem.errors:
            self.add_error(None, problem.detail)
        for fault in problem.errors:
            name = fault.pointer.strip("/").partition("/")[0]
            name = names.get(name, name)
            self.add_error(name if name in self.fields else None, fault.detail)


def _at(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the depot's clock shows what was typed."""
    return local.replace(tzinfo=zone)


def shown(row: Condition) -> dict[str, Any]:
    """Return a condition as the form shows it."""
    zone = ZoneInfo(row.depot.time_zone)
    return {
        "begins": f"{row.from_at.astimezone(zone):{LOCAL}}",
        "ends": f"{row.until_at.astimezone(zone):{LOCAL}}",
        "hours_from": row.daily_from,
        "hours_until": row.daily_until,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "radius_m": row.radius_m,
        "area": json.dumps(row.boundary) if row.boundary else "",
    }


def proposed(depot: Depot | None) -> dict[str, Any]:
    """Return what a new condition's form proposes: from now, for two hours."""
    zone = ZoneInfo(depot.time_zone if depot else "UTC")
    now = clock.now().astimezone(zone)
    return {
        "depot": depot and depot.pk,
        "begins": f"{now:{LOCAL}}",
        "ends": f"{now + timedelta(hours=2):{LOCAL}}",
    }
