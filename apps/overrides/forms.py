"""The office's forms for decision rights, examples of them, requests and answers."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core import clock
from apps.core.office import VerbForm
from apps.core.wording import local_time
from apps.depots.models import Depot
from apps.overrides.models import DecisionRight
from apps.overrides.rights import APPROVERS, WEEKDAYS, Figures
from apps.overrides.services.ruling import ASKERS, RightDraft
from apps.overrides.states import AnswerReason, OverrideKind
from apps.overrides.targets import NO_ID
from apps.routes.selectors import parse_id

LOCAL = "%Y-%m-%dT%H:%M"
CENTS = Decimal(100)


def _time_field(label: str) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "time"}),
    )


class RightForm(VerbForm):
    """One rule; saving it writes a new version and ends the one before."""

    role = forms.ChoiceField(
        label="Who asks",
        choices=[(role, role) for role in ASKERS],
        widget=UnfoldAdminSelectWidget,
    )
    approver = forms.ChoiceField(
        label="Who approves",
        required=False,
        choices=[("", "–"), *((role, role) for role in APPROVERS)],
        widget=UnfoldAdminSelectWidget,
        help_text="Only for what needs approval; all above may answer as well.",
    )
    hours_from = _time_field("From")
    hours_until = _time_field("Until")
    weekdays = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        choices=[(number, name) for number, name in enumerate(WEEKDAYS)],
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: every day.",
    )
    begins = forms.DateTimeField(
        label="In force from",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text="Empty: at once. By the depot’s clock, or in UTC for the whole house.",
    )
    because = forms.CharField(
        label="Why",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept with this version for ever.",
    )

    class Meta:
        """What is asked as it is stored."""

        model = DecisionRight
        fields: ClassVar = [
            "kind",
            "role",
            "depot",
            "outcome",
            "approver",
            "max_minutes",
            "max_cost_minor",
            "max_stops",
            "max_windows_broken",
            "min_minutes_to_departure",
            "hours_from",
            "hours_until",
            "weekdays",
            "answer_within_minutes",
        ]

    def clean(self) -> dict[str, Any]:
        """Add the draft and its begin."""
        fields: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return fields
        for name in {"kind", "role", "depot"} - self.fields.keys():
            fields[name] = getattr(self.instance, name)
        depot: Depot | None = fields.get("depot")
        names = RightDraft.__dataclass_fields__.keys() - {"depot_id", "weekdays"}
        fields["draft"] = RightDraft(
            **{name: fields.get(name) for name in names},  # type: ignore[arg-type]  # clean fields
            depot_id=depot.pk if depot else None,
            weekdays=tuple(fields["weekdays"]),
        )
        begins, now = fields.get("begins"), clock.now()
        zone = depot.time_zone if depot else "UTC"
        fields["valid_from"] = max(_at(begins, zone), now) if begins else now
        if begins and _at(begins, zone) < now.replace(second=0, microsecond=0):
            self.add_error("begins", "A rule begins now or later.")
        return fields


def _at(naive: datetime, zone: str) -> datetime:
    """Return an instant told by the clock on a wall."""
    return naive.replace(tzinfo=ZoneInfo(zone))


class ExampleForm(forms.Form):
    """Any example: who wants to do what, when, and what it would cost."""

    depot = forms.ModelChoiceField(
        queryset=Depot.objects.none(), widget=UnfoldAdminSelectWidget, empty_label=None
    )
    kind = forms.ChoiceField(
        label="Change", choices=OverrideKind.choices, widget=UnfoldAdminSelectWidget
    )
    at = forms.DateTimeField(
        label="When",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text="By the depot’s clock.",
    )
    minutes = forms.IntegerField(
        label="Minutes more", initial=0, widget=UnfoldAdminIntegerFieldWidget
    )
    cost = forms.DecimalField(
        label="Cost more",
        initial=0,
        decimal_places=2,
        max_digits=9,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text="In the depot’s money.",
    )
    stops = forms.IntegerField(
        label="Stops moved",
        initial=1,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    windows_broken = forms.IntegerField(
        label="Windows broken",
        initial=0,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    departure = forms.IntegerField(
        label="Minutes to departure",
        initial=-60,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Negative: on the road so long.",
    )

    def __init__(self, *args: Any, depots: Any, **kwargs: Any) -> None:
        """Offer the depots that the user works for, and the present."""
        super().__init__(*args, **kwargs)
        field = self.fields["depot"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = depots
        first = depots.filter(pk=parse_id(self.initial.get("depot")) or NO_ID).first()
        first = first or depots.first()
        if first is not None:
            self.fields["depot"].initial = first.pk
            self.fields["at"].initial = local_time(clock.now(), first.time_zone, LOCAL)

    @property
    def instant(self) -> datetime:
        """When the example takes place."""
        fields = self.cleaned_data
        return _at(fields["at"].replace(tzinfo=None), fields["depot"].time_zone)

    @property
    def figures(self) -> Figures:
        """What the example costs."""
        fields = self.cleaned_data
        return Figures(
            minutes=fields["minutes"],
            cost_minor=int(fields["cost"] * CENTS),
            stops=fields["stops"],
            windows_broken=fields["windows_broken"],
        )


class AnswerForm(forms.Form):
    """An answer's reason and words."""

    reason = forms.ChoiceField(
        choices=AnswerReason.choices, widget=UnfoldAdminSelectWidget
    )
    note = forms.CharField(
        label="A word to who asked",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
