"""The office's form for a change of a route: the fields that its kind needs, no others."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.core.problems import Invalid
from apps.core.wording import money
from apps.drivers.models import Shift, Vehicle
from apps.drivers.states import ShiftState
from apps.overrides.states import AskReason, OverrideKind
from apps.recommendations.passport import ENGINES
from apps.routes.changes import Change, from_wire
from apps.routes.models import Route
from apps.routes.states import StopState

FIELDS: Mapping[str, tuple[str, ...]] = {
    "move_stop": ("stop", "place"),
    "pin_stop": (
        *("stop", "at_place", "with_driver", "from_at", "until_at"),
        "is_released",
    ),
    "give_stop": ("stop", "shift", "is_handed_over"),
    "take_off": ("stop",),
    "skip_stop": ("stop",),
    "change_window": ("stop", "from_at", "until_at"),
    "lock_route": ("until_at",),
    "unlock_route": (),
    "take_alternative": ("alternative",),
    "end_shift_early": ("until_at",),
    "change_vehicle": ("vehicle",),
    "extra_break": ("from_at", "until_at", "minutes"),
}
"""What each kind asks for, beside why."""

KIND_CHOICES = [one for one in OverrideKind.choices if one[0] in FIELDS]
OPTIONAL = {"at_place", "with_driver", "is_handed_over", "is_released"}
TIMES = {
    "pin_stop": ("from_at", "until_at"),
    "change_window": ("opens_at", "closes_at"),
    "lock_route": ("", "until_at"),
    "end_shift_early": ("", "ends_at"),
    "extra_break": ("from_at", "until_at"),
}
"""How a kind calls the two times of the form."""


class ChangeForm(forms.Form):
    """A change of one route, of one kind."""

    stop = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    place = forms.IntegerField(
        label="New number on the route",
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    shift = forms.ChoiceField(label="To", widget=UnfoldAdminSelectWidget)
    vehicle = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    at_place = forms.BooleanField(
        label="Keep its place", required=False, widget=UnfoldBooleanWidget
    )
    with_driver = forms.BooleanField(
        label="Keep its driver", required=False, widget=UnfoldBooleanWidget
    )
    is_released = forms.BooleanField(
        label="Take its pins off instead", required=False, widget=UnfoldBooleanWidget
    )
    is_handed_over = forms.BooleanField(
        label="The drivers meet and hand it over",
        required=False,
        widget=UnfoldBooleanWidget,
    )
    from_at = forms.TimeField(
        label="From",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "time"}),
    )
    until_at = forms.TimeField(
        label="Until",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "time"}),
    )
    minutes = forms.IntegerField(
        label="Minutes",
        min_value=1,
        max_value=480,
        initial=15,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    alternative = forms.TypedChoiceField(
        coerce=int,
        widget=UnfoldAdminSelectWidget,
        help_text="Of the plan that this route follows; all routes of the day may change.",
    )
    reason = forms.ChoiceField(
        choices=AskReason.choices, widget=UnfoldAdminSelectWidget
    )
    note = forms.CharField(
        label="In words",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    def __init__(
        self, *args: Any, route: Route, kind: str, asks_why: bool = True, **kwargs: Any
    ) -> None:
        """Keep the fields of the kind, and offer what the route and its depot have."""
        super().__init__(*args, **kwargs)
        self.route, self.kind = route, kind
        wanted = {*FIELDS[kind], *(("reason", "note") if asks_why else ())}
        for name in [*self.fields]:
            if name not in wanted:
                del self.fields[name]
        offers = {
            "stop": self._stops,
            "shift": self._shifts,
            "vehicle": self._vehicles,
            "alternative": self._alternatives,
        }
        for name, offered in offers.items():
            field = self.fields.get(name)
            if isinstance(field, forms.ChoiceField):
                field.choices = offered()

    def _stops(self) -> list[tuple[str, str]]:
        rows = self.route.stops.filter(status=StopState.PENDING)
        rows = rows.select_related("order").order_by("sequence")
        return [
            (str(row.pk), f"{row.sequence} · {row.order.reference}") for row in rows
        ]

    def _shifts(self) -> list[tuple[str, str]]:
        rows = Shift.objects.filter(
            depot_id=self.route.depot_id, service_date=self.route.service_date
        ).exclude(status__in=[ShiftState.ENDED, ShiftState.CANCELLED])
        rows = rows.exclude(pk=self.route.shift_id).select_related("driver", "vehicle")
        return [
            (str(row.pk), f"{row.driver.name} · {row.vehicle.name}")
            for row in rows.order_by("driver__name")
        ]

    def _vehicles(self) -> list[tuple[str, str]]:
        rows = Vehicle.objects.filter(depot_id=self.route.depot_id, is_active=True)
        rows = rows.exclude(pk=self.route.shift.vehicle_id)
        return [(str(row.pk), row.name) for row in rows]

    def _alternatives(self) -> list[tuple[str, str]]:
        """Return the alternatives that have routes to take, with what they cost."""
        row = self.route.plan.recommendation
        if row is None:
            return []
        currency = self.route.depot.currency
        offered = []
        for number, each in enumerate(row.alternatives):
            engine = str(each.get("engine"))
            cost = money(int(each.get("total_minor", 0)), currency)
            if each.get("routes"):
                offered.append((str(number), f"{ENGINES.get(engine, engine)}, {cost}"))
        return offered

    @property
    def change(self) -> Change | None:
        """The change; None where it lacks something, which `errors` say then."""
        if not self.is_valid():
            return None
        try:
            return from_wire(self.kind, self._values())
        except Invalid as problem:
            self.add_error(None, problem.detail)
            return None

    def _values(self) -> dict[str, Any]:
        """Return the change's values as they go over the wire."""
        fields = self.cleaned_data
        values: dict[str, Any] = {"reason": fields.get("note", "")}
        if self.kind == "skip_stop":
            values["reason"] = fields.get("note") or self._reason_words()
        if "stop" in fields:
            values["stop_id"] = fields["stop"]
        names = {"shift": "shift_id", "vehicle": "vehicle_id"}
        for name in ("place", "shift", "vehicle", "alternative", *OPTIONAL):
            if fields.get(name) not in {None, "", False}:
                values[names.get(name, name)] = fields[name]
        values |= self._about_route()
        if "minutes" in fields:
            values["duration_s"] = fields["minutes"] * 60
        for name, told in zip(
            TIMES.get(self.kind, ()), ("from_at", "until_at"), strict=False
        ):
            if name and fields.get(told) is not None:
                values[name] = self._instant(fields[told]).isoformat()
        return values

    def _about_route(self) -> dict[str, str]:
        """Return what a change of the route as a whole names."""
        if self.kind in {"lock_route", "unlock_route"}:
            return {"route_id": str(self.route.pk)}
        if self.kind in {"end_shift_early", "change_vehicle", "extra_break"}:
            return {"shift_id": str(self.route.shift_id)}
        if self.kind == "take_alternative":
            return {"recommendation_id": str(self.route.plan.recommendation_id)}
        return {}

    def _reason_words(self) -> str:
        return str(AskReason(self.cleaned_data.get("reason", AskReason.OTHER)).label)

    def _instant(self, at: time) -> datetime:
        zone = ZoneInfo(self.route.depot.time_zone)
        return datetime.combine(self.route.service_date, at, tzinfo=zone)
